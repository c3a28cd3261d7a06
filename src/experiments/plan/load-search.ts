/**
 * The highest load at which an SLO holds. Nothing is taken to be monotone (batches fill in steps, percentiles of few
 * requests jump, a policy may be better busy than idle): a grid from little to the analytic bound, lower by halves
 * while it holds nowhere, then finer wherever the mean, or an end of its interval, crosses the limit, until each crossing is known closely enough.
 *
 * The interval of the load is where the ends of the metric's interval cross: below its lower end the SLO holds for
 * certain, above its upper end it fails for certain (inverse confidence limits, as in calibration; the points
 * share their random numbers, so the curves are smooth).
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { arrivalRate } from "../cells/rows.js";
import { isReplay } from "../interface/study.js";
import { atLoad, isWithin, pointsOf, type Point, type Setting } from "./points.js";
import type { Use } from "./objective.js";

/** The grid, as shares of the bound. */
const GRID = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1];
/** How far down: rare long requests may spoil a percentile until nearly nobody meets one. */
const MOST_HALVINGS = 14;
/** Requests of a trial: fewer say nothing of a load, more take too long for one without a bound. */
const FEWEST_REQUESTS = 4;
const MOST_REQUESTS = 10_000_000;
/** Loads put into each stretch that holds a crossing. */
const INSIDE = 3;
const MOST_ROUNDS = 6;
/** Stretches refined in a round: noise round a flat curve crosses for ever. */
const MOST_STRETCHES = 6;
/** Without a bound the load is doubled until it breaks. */
const MOST_DOUBLINGS = 24;

/** A stretch of loads at which the SLO holds, by the means. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface LoadPlan {
  /** Every load that was simulated, ascending. */
  readonly points: readonly Point[];
  /** The highest load at which the SLO holds; NaN when it holds at none. */
  readonly load: number;
  /** Its interval: NaN below when nothing holds for certain, above when nothing fails for certain. */
  readonly low: number;
  readonly high: number;
  /** Where the SLO holds: one range, unless it comes and goes. */
  readonly ranges: readonly Range[];
  /** Past the load the queues grow with T, rather than the SLO's metric passing its limit. */
  readonly isCapacity: boolean;
  /** The SLO holds at the greatest load that was tried. */
  readonly isOpen: boolean;
}

type Curve = (point: Point) => number;
/** What the curves look like: beyond what the engine can serve no SLO holds. */
const curve =
  (of: (use: Use) => number): Curve =>
  ({ use, keepsUp }) =>
    keepsUp ? of(use) : Infinity;
const CURVES: readonly Curve[] = [
  curve(({ mean }) => mean),
  curve(({ low }) => low),
  curve(({ high }) => high),
];
const [MEAN, LOW, HIGH] = CURVES;

const fiveDigits = (value: number): number => Number(value.toPrecision(5));
const within = (value: number): boolean => value <= 1;

/**
 * @param bound what any policy can serve, in the load's unit; NaN where no formula gives it
 * @param precision the width of a crossing's bracket at which to stop, relative
 */
export async function findLoad(
  setting: Setting,
  label: string,
  config: SimulationConfig,
  bound: number,
  precision: number,
): Promise<LoadPlan> {
  let points: Point[] = [];
  const add = async (loads: readonly number[]): Promise<void> => {
    const known = new Set(points.map((point) => fiveDigits(point.load)));
    const fresh = [...new Set(loads.map(fiveDigits))].filter((load) => !known.has(load));
    const more = await pointsOf(
      setting,
      label,
      fresh.map((load) => atLoad(config, load, setting.registry)),
    );
    points = [...points, ...more].sort((a, b) => a.load - b.load);
  };
  const { tmaxSeconds } = config.horizon;
  const own = arrivalRate(config, setting.registry);
  // A trace brings all of its requests, however fast it is played.
  const isReplayed = isReplay({ config, registry: setting.registry });
  const requestsAt = (load: number): number => (isReplayed ? own : load) * tmaxSeconds;
  let top = bound;
  if (!Number.isFinite(bound)) {
    top = own;
    await add([top]);
    for (let i = 0; i < MOST_DOUBLINGS && isWithin(points[points.length - 1]); i++) {
      if (requestsAt(2 * top) > MOST_REQUESTS) break;
      await add([(top *= 2)]);
    }
  }
  await add(GRID.map((share) => share * top));
  if (!points.some(isWithin) && own < GRID[0] * top) await add([own]);
  let low = GRID[0] * top;
  for (let i = 0; i < MOST_HALVINGS && !points.some(isWithin); i++) {
    low /= 2;
    if (requestsAt(low) < FEWEST_REQUESTS) break;
    await add([low]);
  }
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const loads = stretches(points, precision).flatMap(([from, to]) =>
      Array.from({ length: INSIDE }, (_, i) => from + ((to - from) * (i + 1)) / (INSIDE + 1)),
    );
    if (loads.length === 0) break;
    await add(loads);
  }
  return planOf(points);
}

/** Neighbours between which a curve crosses the limit, and which are still too far apart. */
function stretches(points: readonly Point[], precision: number): [number, number][] {
  const found: [number, number][] = [];
  for (let i = 1; i < points.length; i++) {
    const [from, to] = [points[i - 1].load, points[i].load];
    if (to - from <= precision * to) continue;
    if (CURVES.some((one) => within(one(points[i - 1])) !== within(one(points[i])))) found.push([from, to]);
  }
  // The highest are those that the answer hangs on.
  return found.slice(-MOST_STRETCHES);
}

/** Where a curve passes 1 between two neighbours, by linear interpolation; the lower one where it has no height. */
function crossing(of: Curve, before: Point, after: Point): number {
  const [a, b] = [before.load, after.load];
  const [u, v] = [of(before), of(after)];
  return Number.isFinite(v) && v > u ? a + ((b - a) * (1 - u)) / (v - u) : a;
}

function planOf(points: readonly Point[]): LoadPlan {
  const ranges: Range[] = [];
  let last = -1;
  points.forEach((point, i) => {
    if (!within(MEAN(point))) return;
    last = i;
    const to =
      i + 1 < points.length && !within(MEAN(points[i + 1]))
        ? crossing(MEAN, point, points[i + 1])
        : point.load;
    if (i > 0 && within(MEAN(points[i - 1])) && ranges.length > 0)
      ranges[ranges.length - 1] = { from: ranges[ranges.length - 1].from, to };
    else ranges.push({ from: point.load, to });
  });
  if (last < 0) return { points, load: NaN, low: NaN, high: NaN, ranges, isCapacity: false, isOpen: false };
  const next = points[last + 1] as Point | undefined;
  const surely = lastBefore(points, last, HIGH);
  const failing = points.findIndex((point, i) => i > last && !within(LOW(point)));
  return {
    points,
    load: ranges[ranges.length - 1].to,
    low: surely < 0 ? NaN : crossing(HIGH, points[surely], points[Math.min(surely + 1, points.length - 1)]),
    high: failing < 0 ? NaN : upperEnd(points[failing - 1], points[failing]),
    ranges,
    isCapacity: next !== undefined && !next.keepsUp,
    isOpen: next === undefined,
  };
}

/** The upper end of the interval, on the side of caution where the curve has no height. */
const upperEnd = (before: Point, after: Point): number =>
  Number.isFinite(LOW(after)) ? crossing(LOW, before, after) : after.load;

/** The last place up to `end` at which a curve is within the limit. */
function lastBefore(points: readonly Point[], end: number, of: Curve): number {
  for (let i = end; i >= 0; i--) if (within(of(points[i]))) return i;
  return -1;
}
