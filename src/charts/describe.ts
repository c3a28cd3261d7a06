/**
 * The text alternative of a panel, computed from its data: which series is lowest and which highest at
 * the last x, with their intervals. Screen readers speak it, and it survives where the picture does not.
 */
import { distinctNumbers, numberOf, type Estimate, type Point } from "./rows.js";
import { short, shortEstimate } from "./text.js";

interface Titled {
  readonly title: string;
}

interface Reference extends Estimate {
  readonly label: string;
  readonly series?: string;
}

/** A sentence or two about a line chart. */
export function describeLines(
  points: readonly Point[],
  panel: { readonly x: Titled; readonly y: Titled; readonly series: Titled },
  references: readonly Reference[],
): string {
  const { x, y, series } = panel;
  const drawn = points.filter((point) => point.value !== null);
  const xs = distinctNumbers(drawn.map((point) => point.x));
  const levels = references.map(
    ({ series, label, ...value }) =>
      ` ${[series, label].filter((part) => part).join(", ")}: ${shortEstimate(value)}.`,
  );
  const what = capital(`${y.title} against ${x.title}`);
  if (xs.length === 0) return `${what}: no values.${levels.join("")}`;
  const last = xs[xs.length - 1];
  const at = drawn.filter((point) => point.x === last);
  const span = xs.length === 1 ? "" : ` from ${short(xs[0])} to ${short(last)}`;
  const valued = new Set(drawn.map((point) => point.series));
  const missing = [...new Set(points.map((point) => point.series))].filter((name) => !valued.has(name));
  const gaps = missing.length === 0 ? "" : ` No values for ${missing.join(", ")}.`;
  return `${what}${span}: at ${short(last)}, ${ranking(at, series)}${gaps}${levels.join("")}`;
}

/** A sentence about bars that stand for `points`. */
export function describeBars(points: readonly Point[], title: string, series: Titled): string {
  const drawn = points.filter((point) => point.value !== null);
  return `${capital(title)}: ${drawn.length === 0 ? "no values." : ranking(drawn, series)}`;
}

/** The lowest and the highest of points with values. */
function ranking(points: readonly Point[], series: Titled): string {
  const ordered = [...points].sort((a, b) => (a.value ?? 0) - (b.value ?? 0));
  const low = ordered[0];
  const high = ordered[ordered.length - 1];
  // A name that is a number needs its title beside it.
  const told = (point: Point): string =>
    `${numberOf(point.series) === null ? "" : `${series.title} `}${point.series}: ${shortEstimate(point)}`;
  if (ordered.length === 1) return `${told(low)}.`;
  if (low.value === high.value) return `all ${ordered.length} are at ${short(low.value ?? 0)}.`;
  const overlap = low.high !== null && high.low !== null && low.high >= high.low;
  return `lowest ${told(low)}; highest ${told(high)}${overlap ? " (their 95 % intervals overlap)" : ""}.`;
}

/** A word begins a sentence with a capital; a symbol (λ*) does not. */
const capital = (text: string): string => text.replace(/^[a-z](?=[a-z])/, (letter) => letter.toUpperCase());
