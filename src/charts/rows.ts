/**
 * The table behind a chart: rows as in the CSVs, read tolerantly (numbers, or their text as a CSV holds it;
 * empty, NaN and infinite mean "no value"), and cut down to the columns one panel needs.
 */
import { ConfigError } from "../core/errors.js";

/** One row of a result table, by column name. */
export type Row = Readonly<Record<string, unknown>>;

/** A value with its 95 % interval; an interval is whole or absent. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** One point of a panel. `x` is null for a row whose x cell is empty. */
export interface Point extends Estimate {
  readonly series: string;
  readonly x: number | null;
}

export const lowColumn = (metric: string): string => `${metric}_ci95_low`;
export const highColumn = (metric: string): string => `${metric}_ci95_high`;

/** A column as a Vega-Lite field, to which a dot (`rts_p99.9_s`) would be a path. */
export const fieldOf = (column: string): string => column.replaceAll(".", "\\.");

/** A finite number, given as such or as text; null for everything else. */
export function numberOf(cell: unknown): number | null {
  if (typeof cell === "string" && cell.trim() === "") return null;
  const number = typeof cell === "number" || typeof cell === "string" ? Number(cell) : NaN;
  return Number.isFinite(number) ? number : null;
}

/** The text of a cell that names a series or a category. */
export const nameOf = (cell: unknown): string =>
  typeof cell === "string" ? cell : typeof cell === "number" || typeof cell === "boolean" ? String(cell) : "";

/** The value of `metric` in a row with its interval; the interval is dropped unless both ends are there. */
export function estimateOf(row: Row, metric: string): Estimate {
  const value = numberOf(row[metric]);
  const low = numberOf(row[lowColumn(metric)]);
  const high = numberOf(row[highColumn(metric)]);
  const whole = value !== null && low !== null && high !== null;
  return { value, low: whole ? Math.min(low, high) : null, high: whole ? Math.max(low, high) : null };
}

/** The distinct names of a column, in order of first appearance. */
export function distinctNames(rows: readonly Row[], column: string): string[] {
  return [...new Set(rows.map((row) => nameOf(row[column])))];
}

/** The distinct finite numbers, ascending. */
export function distinctNumbers(values: readonly (number | null)[]): number[] {
  const finite = values.filter((value): value is number => value !== null);
  return [...new Set(finite)].sort((a, b) => a - b);
}

/** Refuses a table that cannot be drawn: empty, or without one of the columns. All issues at once. */
export function requireColumns(rows: readonly Row[], columns: readonly string[]): void {
  if (rows.length === 0) throw new ConfigError([{ key: "", message: "no rows: nothing to draw" }]);
  const missing = [...new Set(columns)].filter((column) => !rows.some((row) => column in row));
  if (missing.length === 0) return;
  const have = Object.keys(rows[0]).slice(0, 12).join(", ");
  throw new ConfigError(
    missing.map((column) => ({ key: column, message: `missing column: ${column} (the table has: ${have})` })),
  );
}

/** Refuses two rows for one place in a chart: the line would run back and forth between them. */
export function requireUnique(keys: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const key of keys) {
    if (seen.has(key)) {
      throw new ConfigError([{ key: what, message: `duplicate row: ${key} (one row per ${what})` }]);
    }
    seen.add(key);
  }
}
