/** Streams on which foreign words do nothing: every command gets its outputs through here (core/foreign-words.ts). */
import { harmless, inALine } from "../../core/foreign-words.js";
import type { Output } from "../streams.js";

/** An output that shows control characters and does not do them. */
export const careful = (output: Output): Output => ({
  get isTTY() {
    return output.isTTY;
  },
  get columns() {
    return output.columns;
  },
  write: (text) => output.write(harmless(text)),
  redraw: (text) => output.write(`\r\u001B[K${inALine(text)}`),
  ...(output.taken && { taken: () => output.taken!() }),
});

/** What tells on an output, a line at a time. */
export const tellingOn =
  (output: Output) =>
  (line: string): void =>
    void output.write(`${inALine(line)}\n`);
