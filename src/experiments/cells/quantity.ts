/** Numbers for people: a mean with its half-width, in a unit that reads well and with digits that mean something. */
import { halfWidth, type Summary } from "../../stats/index.js";

/** A column's unit, chosen once for all its cells. */
export interface Scale {
  readonly factor: number;
  readonly unit: string;
}

/** Below this a value in seconds is hard to read. */
const SMALL_SECONDS = 0.2;

/** Milliseconds when the smallest value is a small part of a second, else seconds; other units stay. */
export function scaleOf(unit: string, means: readonly number[]): Scale {
  if (unit !== "s") return { factor: 1, unit };
  const sizes = means.filter((mean) => Number.isFinite(mean) && mean !== 0).map(Math.abs);
  return sizes.reduce((least, size) => Math.min(least, size), 1) < SMALL_SECONDS
    ? { factor: 1000, unit: "ms" }
    : { factor: 1, unit: "s" };
}

const MOST_DECIMALS = 6;

/** Decimals that show `digits` significant digits of a positive number. */
function decimalsFor(value: number, digits: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 0;
  const exponent = Number(value.toExponential(digits - 1).split("e")[1]);
  return Math.min(MOST_DECIMALS, Math.max(0, digits - 1 - exponent));
}

/** As toFixed, but nothing is shown as -0. */
const fixed = (value: number, decimals: number): string =>
  value.toFixed(decimals).replace(/^-(?=[0.]+$)/, "");

/** A number with about four significant digits, and no more decimals than that needs. */
export function plain(value: number): string {
  if (!Number.isFinite(value)) return "–";
  return fixed(value, decimalsFor(Math.abs(value), 4));
}

/** A number that somebody gave, as it was given: no zeros behind it. */
export const given = (value: number): string => String(Number(value.toPrecision(12)));

/** `105.11 ±0.25`: the half-width with two digits decides the decimals; without an interval the mean alone. */
export function withInterval(summary: Summary, scale: Scale = { factor: 1, unit: "" }): string {
  const mean = summary.mean * scale.factor;
  const half = halfWidth(summary) * scale.factor;
  if (!Number.isFinite(mean)) return "–";
  if (!Number.isFinite(half)) return plain(mean);
  if (half === 0) return `${plain(mean)} ±0`;
  // Two digits of the half-width, but no more than five of the mean.
  const decimals = Math.min(
    decimalsFor(half, 2),
    mean === 0 ? MOST_DECIMALS : decimalsFor(Math.abs(mean), 5),
  );
  return `${fixed(mean, decimals)} ±${half.toFixed(decimals)}`;
}

/** A relative change in per cent, e.g. `60.3 % ± 0.2`. */
export function percent(ratio: number, half: number): string {
  if (!Number.isFinite(ratio)) return "–";
  const decimals = Number.isFinite(half) && half > 0 ? Math.min(2, decimalsFor(half * 100, 2)) : 1;
  const mean = fixed(ratio * 100, decimals);
  return Number.isFinite(half) ? `${mean} % (± ${(half * 100).toFixed(decimals)})` : `${mean} %`;
}

/** From here on a change reads better as a multiple. */
const MANY_FOLD = 9;

/** A relative rise: `60.3 % (± 0.2)`, or `29.9 times (± 0.3)` its size when it is many-fold. */
export function relativeChange(ratio: number, half: number): string {
  if (!(Math.abs(ratio) >= MANY_FOLD)) return percent(ratio, half);
  return Number.isFinite(half) ? `${plain(ratio)} times (± ${plain(half)})` : `${plain(ratio)} times`;
}
