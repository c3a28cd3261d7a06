/** The records of a trace file as they are read, cell by cell: rows of CSV, and JSON objects with what is nested in them. */
import { show } from "../config/telling.js";
import { type JsonPiece, JsonValues } from "./json-values.js";
import type { CellReader, JsonObject } from "./trace-format.js";
import { cellsOf, type Line, linesOf, valuesOf } from "./trace-lines.js";
import type { Limits, Piece } from "./trace-source.js";

/** A record, or what is wrong where one should stand. */
export interface Piecemeal extends Line {
  readonly problem?: string;
  readonly isLast?: boolean;
}

/** Cuts the pieces of a file into records. */
export interface Cutter {
  cut(piece: Piece): Iterable<Piecemeal>;
  /** What is missing at the end. */
  end(): Iterable<Piecemeal>;
}

const asRecord = ({ text, number, problem, isLast }: JsonPiece): Piecemeal => ({
  text,
  number,
  isOpen: false,
  ...(problem !== undefined && { problem }),
  ...(isLast === true && { isLast }),
});

/** The way in which a file is cut, which its beginning shows: by lines, or by JSON values that span several. */
export function cutterFor({ kind, text, line }: Piece, limits: Limits): Cutter {
  if (kind === "csv" || (kind === "json" && beginsWithObject(text, line)))
    return { cut: (piece) => linesOf(piece.text, piece.line - 1), end: () => [] };
  const values = new JsonValues(kind === "array", line, limits.value);
  return {
    *cut(piece) {
      for (const one of values.feed(piece.text)) yield asRecord(one);
    },
    *end() {
      for (const one of values.end()) yield asRecord(one);
    },
  };
}

/** Whether the first line is an object as it stands: then each line is one. */
function beginsWithObject(text: string, line: number): boolean {
  const [first] = linesOf(text, line - 1);
  return first !== undefined && valuesOf(first.text, Infinity).values !== undefined;
}

/** The names of a CSV header's cells; or what is wrong with it. */
export function headerOf(text: string): { readonly names?: readonly string[]; readonly problem?: string } {
  const { cells, problem } = cellsOf(text);
  if (!cells) return { problem: problem! };
  const names = cells.map((cell) => cell.trim());
  const twice = names.find((name, i) => names.indexOf(name) < i);
  return twice === undefined ? { names } : { problem: `duplicate column: ${show(twice)}` };
}

/** Reads the rows of a CSV file: the cells of one, by their columns, until the next is read; or a problem. */
export class CsvRecords {
  private readonly places: ReadonlyMap<string, number>;
  private cells: readonly string[] = [];
  constructor(private readonly columns: readonly string[]) {
    this.places = new Map(columns.map((name, i) => [name, i]));
  }

  readonly cell: CellReader = (column) => {
    const place = this.places.get(column);
    return place === undefined ? undefined : this.cells[place].trim();
  };

  /** @returns what is wrong with the row */
  read({ text, isOpen }: Line): string | undefined {
    const { cells, problem } = cellsOf(text);
    if (!cells) return problem;
    if (cells.length !== this.columns.length)
      return `${cells.length} cells (${this.columns.length}, as in the header)${isOpen ? ": the last line is cut off" : ""}`;
    this.cells = cells;
    return undefined;
  }
}

/** What stands under a key, or under keys joined by dots. */
export function valueAt(value: unknown, path: string): unknown {
  if (isObject(value) && Object.hasOwn(value, path)) return value[path];
  let found = value;
  for (const key of path.split(".")) {
    if (!isObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

const isObject = (value: unknown): value is JsonObject => typeof value === "object" && value !== null;

/**
 * The cells of a JSON object as texts: numbers may stand as such or as strings.
 * @param text that it was parsed from: whole numbers that a double cannot hold are read there
 */
export const cellsIn =
  (value: JsonObject, text = ""): CellReader =>
  (column) => {
    const found = valueAt(value, column);
    if (found === undefined) return undefined;
    if (typeof found === "string") return found.trim();
    if (typeof found !== "number") return show(found);
    return Math.abs(found) > Number.MAX_SAFE_INTEGER
      ? (digitsOf(found, column, text) ?? String(found))
      : String(found);
  };

/** All digits of a long number, from where they stand in the text. */
function digitsOf(value: number, column: string, text: string): string | undefined {
  const key = `${JSON.stringify(column.slice(column.lastIndexOf(".") + 1))}:`;
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + 1)) {
    const [digits] = /^\s*(\d{1,30})/.exec(text.slice(at + key.length, at + key.length + 40)) ?? [];
    if (digits !== undefined && Number(digits) === value) return digits.trim();
  }
  return undefined;
}

const DEEPEST = 4;

/** The keys of an object, and those of the objects in it, joined by dots. */
export function keysOf(value: JsonObject, depth = DEEPEST): string[] {
  return Object.entries(value).flatMap(([key, inner]) =>
    depth > 1 && isObject(inner) && !Array.isArray(inner)
      ? [key, ...keysOf(inner, depth - 1).map((below) => `${key}.${below}`)]
      : [key],
  );
}
