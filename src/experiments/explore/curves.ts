/**
 * What the explorer draws of a trial besides its metrics: the times that requests and tokens took as quantile curves,
 * and how many requests wait and are served over time. Each is a curve at fixed places, so that trials can be averaged.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { percentiles } from "../../core/numbers/order-statistics.js";
import type { Outcome } from "../../core/engine/outcome.js";
import { fromSeconds, toSeconds } from "../../core/numbers/units.js";

/** The curves, in their order in `curvesOf`'s values. */
export const CURVES = ["ttft", "tbt", "itl", "rts", "waiting", "resident"] as const;
/** Points of a curve. */
export const POINTS = 101;
/** The shares of requests at which the first four curves are given: 0, 1 % … 100 %. */
export const SHARES: readonly number[] = Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1));

/** The instants (s) at which the last two curves are given: from 0 to the end of the arrivals. */
export const instantsOf = (config: Pick<SimulationConfig, "horizon">): number[] =>
  SHARES.map((share) => share * config.horizon.tmaxSeconds);

/** Values of CURVES, `POINTS` each, one after the other; times in seconds, NaN where a trial has no value. */
export function curvesOf(config: SimulationConfig, outcome: Outcome): Float64Array<ArrayBuffer> {
  const { shared, firstMeasured, arrived } = outcome;
  const { sequences, gaps } = shared;
  const { arrivedAt, outputTokens } = sequences.requests;
  const { startedAt, firstTokenAt, finishedAt } = sequences;
  const room = arrived - firstMeasured;
  const ttft = new Float64Array(room);
  const tbt = new Float64Array(room);
  const rts = new Float64Array(room);
  const perGap = config.conventions.tbt === "gaps" ? 1 : 0;
  let done = 0;
  let withToken = 0;
  let withGap = 0;
  for (let i = firstMeasured; i < arrived; i++) {
    if (Number.isNaN(finishedAt[i])) continue;
    const produced = outputTokens[i];
    rts[done++] = finishedAt[i] - arrivedAt[i];
    if (produced > 0) ttft[withToken++] = firstTokenAt[i] - arrivedAt[i];
    if (produced > perGap) tbt[withGap++] = (finishedAt[i] - firstTokenAt[i]) / (produced - perGap);
  }
  const values = new Float64Array(CURVES.length * POINTS);
  [ttft.subarray(0, withToken), tbt.subarray(0, withGap), undefined, rts.subarray(0, done)].forEach(
    (times, c) => {
      // The gaps are counted already.
      if (!times) gaps.percentiles(SHARES, values, c * POINTS);
      else {
        times.sort();
        percentiles({ total: times.length, valueAt: (rank) => times[rank] }, SHARES, values, c * POINTS);
      }
    },
  );
  for (let i = 0; i < 4 * POINTS; i++) values[i] = toSeconds(values[i]);
  const step = fromSeconds(config.horizon.tmaxSeconds) / (POINTS - 1);
  for (let i = 0; i < arrived; i++) {
    if (Number.isNaN(finishedAt[i])) continue;
    count(values, 4 * POINTS, startedAt[i] / step, arrivedAt[i] / step);
    count(values, 5 * POINTS, finishedAt[i] / step, startedAt[i] / step);
  }
  for (const curve of [4, 5])
    for (let p = 1; p < POINTS; p++) values[curve * POINTS + p] += values[curve * POINTS + p - 1];
  return values;
}

/** Notes that one more is there from `since` to `until`, in steps of the curve: +1 and −1, to be summed. */
function count(values: Float64Array, from: number, until: number, since: number): void {
  const enters = Math.ceil(since);
  const leaves = Math.ceil(until);
  if (enters < POINTS) values[from + enters]++;
  if (leaves < POINTS) values[from + leaves]--;
}
