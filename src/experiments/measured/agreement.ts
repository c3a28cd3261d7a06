/** How far a replay is from the run: mean and percentiles of each time, over all requests but the first. */
import { quantileSorted } from "../../stats/index.js";
import type { Times } from "./replay.js";

export type Metric = keyof Times;

/** The times that are compared, with what a reader calls them. */
export const METRICS: readonly {
  readonly key: Metric;
  readonly title: string;
  readonly unit: string;
  /** Of that unit in a second. */
  readonly scale: number;
}[] = [
  { key: "ttft", title: "TTFT", unit: "s", scale: 1 },
  { key: "tpot", title: "TPOT", unit: "ms", scale: 1000 },
  { key: "e2e", title: "E2E", unit: "s", scale: 1 },
];

const STATISTICS: readonly (readonly [name: string, of: (sorted: readonly number[]) => number])[] = [
  ["mean", (sorted) => sorted.reduce((sum, value) => sum + value, 0) / sorted.length],
  ["p50", (sorted) => quantileSorted(sorted, 0.5)],
  ["p90", (sorted) => quantileSorted(sorted, 0.9)],
  ["p99", (sorted) => quantileSorted(sorted, 0.99)],
];

/** One statistic of one time, in seconds. */
export interface Comparison {
  readonly metric: Metric;
  readonly statistic: string;
  readonly requests: number;
  readonly measured: number;
  readonly simulated: number;
  /** Relative error in %: above 0 the simulated one is longer. */
  readonly errorPct: number;
}

/** Every time and statistic; NaN of a time that no request has. */
export function compare(measured: readonly Times[], simulated: readonly Times[]): Comparison[] {
  return METRICS.flatMap(({ key }) => {
    const has = measured.map((times, i) => Number.isFinite(times[key]) && Number.isFinite(simulated[i][key]));
    const sorted = (all: readonly Times[]): number[] =>
      all
        .filter((_, i) => has[i])
        .map((times) => times[key])
        .sort((x, y) => x - y);
    const [real, ours] = [sorted(measured), sorted(simulated)];
    return STATISTICS.map(([statistic, of]) => {
      const [x, y] = [of(real), of(ours)];
      return {
        metric: key,
        statistic,
        requests: real.length,
        measured: x,
        simulated: y,
        // A run whose times are all 0 has no relative error unless ours are, too.
        errorPct: x === y ? 0 : 100 * (y / x - 1),
      };
    });
  });
}
