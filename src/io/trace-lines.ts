/**
 * The lines of a trace file as cells. A million lines are read in about a second, so lines are cut by hand;
 * one that has a quote, which numbers do not need, is left to csv-parse.
 */
import { CsvError, parse } from "csv-parse/sync";

/** Longest line read, in characters. */
const LONGEST_LINE = 1_000_000;

/** A line with something on it, by its number in the file, from 1. */
export interface Line {
  readonly text: string;
  readonly number: number;
  /** The file ends with it and without a line break: it may be cut off. */
  readonly isOpen: boolean;
}

/**
 * Lines that are not blank, without their breaks.
 * @param before how many stand before the text
 */
export function* linesOf(text: string, before = 0): Generator<Line> {
  let number = before;
  for (let at = 0; at < text.length;) {
    const found = text.indexOf("\n", at);
    const end = found < 0 ? text.length : found;
    const stop = text.charCodeAt(end - 1) === 13 && end > at ? end - 1 : end;
    number++;
    if (stop > at) {
      const line = text.slice(at, stop);
      if (line.trim() !== "") yield { text: line, number, isOpen: found < 0 };
    }
    at = end + 1;
  }
}

/** The cells of a CSV line; undefined with the reason when it is none. */
export function cellsOf(line: string): { readonly cells?: readonly string[]; readonly problem?: string } {
  if (line.length > LONGEST_LINE) return { problem: `a line longer than ${LONGEST_LINE} characters` };
  if (!line.includes('"')) return { cells: line.split(",") };
  try {
    return { cells: parse(line, { relax_column_count: true })[0] };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return { problem: error.code === "CSV_QUOTE_NOT_CLOSED" ? "a quote is not closed" : "a misplaced quote" };
  }
}

/**
 * The object of a JSON line; undefined with the reason when it is none.
 * @param longest most characters of the line
 */
export function valuesOf(
  line: string,
  longest = LONGEST_LINE,
): {
  readonly values?: Readonly<Record<string, unknown>>;
  readonly problem?: string;
} {
  if (line.length > longest) return { problem: `a line longer than ${longest} characters` };
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return { problem: "not a JSON object" };
    return { values: value as Record<string, unknown> };
  } catch {
    return { problem: "not a JSON object" };
  }
}
