/** Emphasis on a terminal. Nothing is told by style alone: without it every word is still there. */
import { styleText } from "node:util";
import type { Output, Streams } from "../streams.js";

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
}

const plainStyle: Style = { bold: (text) => text, dim: (text) => text };

const ansi: Style = {
  bold: (text) => styleText("bold", text, { validateStream: false }),
  dim: (text) => styleText("dim", text, { validateStream: false }),
};

/** Style for one stream: on a terminal, unless NO_COLOR, TERM=dumb or --no-color says otherwise. */
export function styleFor(output: Output, { env }: Pick<Streams, "env">, wanted: boolean): Style {
  const isOff = !wanted || (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb" || output.isTTY !== true;
  return isOff ? plainStyle : ansi;
}
