/** Numbers of a result table as a report speaks of them: with their intervals, compared, as shares. */
import type { Row } from "../interface/report.js";
import { plain, scaleOf, withInterval } from "../cells/quantity.js";

/** A cell's number; NaN when it is empty. */
export const num = (row: Row | undefined, column: string): number => {
  const cell = row?.[column];
  return typeof cell === "number" ? cell : NaN;
};

/** What a row is about. */
export const nameIn = (row: Row, column = "scheduler"): string => String(row[column] ?? "none");

/** Half the width of a metric's interval; NaN without one. */
export const halfOf = (row: Row, metric: string): number =>
  (num(row, `${metric}_ci95_high`) - num(row, `${metric}_ci95_low`)) / 2;

/** `4.415 ±0.008 s`. */
export function told(row: Row, metric: string, unit: string): string {
  const mean = num(row, metric);
  const half = halfOf(row, metric);
  const scale = scaleOf(unit, [mean]);
  return `${withInterval({ n: 2, mean, sd: NaN, low: mean - half, high: mean + half }, scale)} ${scale.unit}`.trim();
}

/** `+12.3 %`, with as many digits as a share of a share needs. */
export function change(ratio: number): string {
  if (!Number.isFinite(ratio)) return "–";
  const percent = 100 * ratio;
  const shown =
    Math.abs(percent) >= 100 ? percent.toFixed(0) : percent.toFixed(Math.abs(percent) < 1 ? 2 : 1);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${shown.replace("-", "")} %`;
}

/** Whether two rows' intervals of a metric have nothing in common. */
export const apart = (a: Row, b: Row, metric: string): boolean =>
  num(a, `${metric}_ci95_low`) > num(b, `${metric}_ci95_high`) ||
  num(b, `${metric}_ci95_low`) > num(a, `${metric}_ci95_high`);

/** The row with the least value of a metric. */
export const least = (rows: readonly Row[], metric: string): Row | undefined =>
  rows.reduce<Row | undefined>(
    (best, row) =>
      Number.isNaN(num(row, metric)) || num(row, metric) >= (best ? num(best, metric) : Infinity)
        ? best
        : row,
    undefined,
  );

/** (most − least)/least of a metric over rows. */
export function spread(rows: readonly Row[], metric: string): number {
  const values = rows.map((row) => num(row, metric)).filter(Number.isFinite);
  return values.length === 0 ? NaN : Math.max(...values) / Math.min(...values) - 1;
}

/** `a, b and c`. */
export const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)!}`;

export { plain };
