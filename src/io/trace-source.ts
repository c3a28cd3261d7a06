/**
 * A file's text piece by piece: read as bytes, never as one string, so that its size does not matter, and reading can
 * end anywhere. What has no end is stopped.
 */
import { type Bytes, unpacked } from "./packed-bytes.js";
import { refuse } from "./trace-problems.js";

/** How much is read. */
export interface Limits {
  /** Bytes of a file, unpacked. */
  readonly bytes: number;
  /** Bytes of a line of CSV. */
  readonly line: number;
  /** Bytes of a JSON value: benchmarks write whole runs as one. */
  readonly value: number;
  readonly requests: number;
}
export const LIMITS: Limits = {
  bytes: 16_000_000_000,
  line: 1_000_000,
  value: 256_000_000,
  requests: 50_000_000,
};

/** A piece of text, not blank, that ends with a line, but for the last one of a file and those of an array of JSON. */
export interface Piece {
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
  /** What the file's first character says. */
  readonly kind: "csv" | "json" | "array";
}

const LINE_FEED = 10;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** What a file is, once a character is seen that is not blank. */
function kindOf(bytes: Uint8Array): Piece["kind"] | undefined {
  const first = bytes.find((byte) => byte > 32);
  if (first === undefined) return undefined;
  return first === 0x7b ? "json" : first === 0x5b ? "array" : "csv";
}

/**
 * The pieces of a text file.
 * @param file as errors name it
 * @throws ConfigError when it is not UTF-8, a line is too long, or the file is; FileError when it cannot be read
 */
export async function* piecesOf(source: Bytes, file: string, limits: Limits): AsyncGenerator<Piece> {
  let kind: Piece["kind"] | undefined;
  let line = 1;
  let total = 0;
  /** What was read of a line that has not ended. */
  let begun: Uint8Array[] = [];
  let length = 0;
  const arrayText = new TextDecoder("utf-8", { fatal: true });
  const pieceOf = (bytes: Uint8Array, ends = true): Piece => {
    const text = kind === "array" ? decode(bytes, arrayText, !ends) : decode(bytes);
    const piece: Piece = { text, line, kind: kind! };
    line += linesIn(bytes);
    return piece;
  };
  const decode = (bytes: Uint8Array, decoder = new TextDecoder("utf-8", { fatal: true }), stream = false) => {
    try {
      return decoder.decode(bytes, { stream });
    } catch {
      return refuse(file, `${file}:${line + firstBadLine(bytes)}: not UTF-8 text`);
    }
  };
  for await (const read of unpacked(source, file)) {
    const isStart = total === 0 && BYTE_ORDER_MARK.every((byte, i) => read[i] === byte);
    const chunk = isStart ? read.subarray(BYTE_ORDER_MARK.length) : read;
    total += read.length;
    if (total > limits.bytes)
      refuse(file, `${file}: longer than ${limits.bytes} bytes (--limit takes the first requests alone)`);
    kind ??= kindOf(chunk);
    if (kind === "array") {
      yield pieceOf(chunk, false);
      continue;
    }
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    const most = kind === "json" ? limits.value : limits.line;
    if (length + (end > 0 ? chunk.indexOf(LINE_FEED) : chunk.length) > most)
      refuse(file, `${file}:${line}: a line longer than ${most} bytes`);
    if (end > 0 && kind === undefined) line += linesIn(chunk.subarray(0, end));
    else if (end > 0)
      yield pieceOf(
        begun.length > 0 ? Buffer.concat([...begun, chunk.subarray(0, end)]) : chunk.subarray(0, end),
      );
    if (end > 0) {
      begun = [];
      length = 0;
    }
    if (end < chunk.length) begun.push(chunk.subarray(end));
    length += chunk.length - end;
  }
  if (kind !== undefined && (begun.length > 0 || kind === "array")) yield pieceOf(Buffer.concat(begun));
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

/** How many lines stand before the first one that is not UTF-8. */
function firstBadLine(bytes: Uint8Array): number {
  let lines = 0;
  for (let start = 0; start < bytes.length; lines++) {
    const found = bytes.indexOf(LINE_FEED, start);
    const end = found < 0 ? bytes.length : found + 1;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      return lines;
    }
    start = end;
  }
  return 0;
}
