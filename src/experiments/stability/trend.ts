/**
 * The earlier study's own test, for comparison: does the mean response time still rise with the time window?
 * It starts from empty, where everything rises at first, so it calls many stable systems unstable (theory §3).
 */
import { mannKendall } from "../../stats/index.js";
import type { TrialRecords } from "../interface/trials.js";

/** Windows of the study's runs, in blocks of this many. */
export const TREND_WINDOWS = 40;
const BLOCK = 4;
const SIGNIFICANCE = 0.05;
const LEAST_RISE = 0.1;

export type TrendVerdict = "stable" | "unstable";

export interface TrendPoint {
  readonly verdict: TrendVerdict;
  /** Of TTFT, TBT and RTS those that the test flags, the one with the largest rise. */
  readonly firstToGrow: "TTFT" | "TBT" | "RTS" | "none";
}

const WATCHED = [
  ["TTFT", "ttft_mean_s"],
  ["TBT", "tbt_mean_s"],
  ["RTS", "rts_mean_s"],
] as const;

/** The test on the trials' mean of one metric in each window. */
export function trendOf(series: readonly number[]): { readonly flagged: boolean; readonly rise: number } {
  const blocks: number[] = [];
  for (let i = 0; i + BLOCK <= series.length; i += BLOCK)
    blocks.push(series.slice(i, i + BLOCK).reduce((sum, value) => sum + value, 0) / BLOCK);
  const present = blocks.filter(Number.isFinite);
  if (present.length < 3) return { flagged: false, rise: 0 };
  const rise = (present[present.length - 1] - present[0]) / present[0];
  return { flagged: mannKendall(present).pUp < SIGNIFICANCE && rise > LEAST_RISE, rise };
}

/** The verdict on one configuration of records that have TREND_WINDOWS windows. */
export function trendPoint(records: TrialRecords, config: number): TrendPoint {
  const tests = WATCHED.map(([name, metric]) => {
    const series = Array.from({ length: records.windows }, (_, window) => {
      const present = records.metric(config, metric, window).filter(Number.isFinite);
      return present.reduce((sum, value) => sum + value, 0) / present.length;
    });
    return { name, ...trendOf(series) };
  });
  const flagged = tests.filter((test) => test.flagged).sort((a, b) => b.rise - a.rise);
  return {
    verdict: tests.find((test) => test.name === "RTS")!.flagged ? "unstable" : "stable",
    firstToGrow: flagged[0]?.name ?? "none",
  };
}

/** The study's own grids of λ, by scenario and scheduler: start, end and step. */
const GRIDS: Readonly<Record<string, Readonly<Record<string, readonly [number, number, number]>>>> = {
  demo2: {
    "decode-prioritizing": [0.5, 3.5, 0.5],
    "prefill-prioritizing": [1, 4.5, 0.5],
    hybrid: [1, 4.5, 0.5],
  },
  demo3_b0_64: {
    "decode-prioritizing": [0.001, 0.041, 0.005],
    "prefill-prioritizing": [0.5, 3.5, 0.5],
    hybrid: [8, 12, 0.5],
  },
  demo3_b0_0: {
    "decode-prioritizing": [0.001, 0.041, 0.005],
    "prefill-prioritizing": [0.5, 3.5, 0.5],
    hybrid: [2, 5, 0.5],
  },
};

/** The study's grid for a scenario and scheduler; undefined where it had none. */
export function studyGrid(scenario: string, scheduler: string): number[] | undefined {
  const name = scenario === "demo3" ? "demo3_b0_64" : scenario;
  const grid = GRIDS[name]?.[scheduler];
  if (!grid) return undefined;
  const [start, end, step] = grid;
  return Array.from({ length: Math.round((end - start) / step) + 1 }, (_, i) =>
    Number((start + i * step).toFixed(3)),
  );
}
