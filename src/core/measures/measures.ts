/**
 * What a trial measures besides METRICS where it is asked for: how many values of a time lie beyond a limit, and
 * percentiles that no file has a column for (docs/model.md §4).
 *
 * Counts of several trials add up, percentiles do not: the mean of percentiles of few requests is biased, and the share
 * of all requests beyond a limit is not. So what is asked of a percentile is judged by counts.
 */
import { hasColumn, METRICS, percentileNamed, type TimeName } from "./metrics.js";
import { MeasuredRun } from "./measured-run.js";
import type { Outcome } from "../engine/outcome.js";
import type { Tally } from "./tally.js";
import { fromSeconds, toSeconds } from "../numbers/units.js";

/** How many values of a time lie beyond a limit in seconds, or at it. */
export interface TailMeasure {
  readonly kind: "tail";
  readonly time: TimeName;
  readonly seconds: number;
  /** Whether a value that equals the limit counts. */
  readonly orEqual: boolean;
}

/** A percentile of a time, in seconds. */
export interface PercentileMeasure {
  readonly kind: "percentile";
  readonly time: TimeName;
  /** Above 0 and below 100. */
  readonly percent: number;
}

export type Measure = TailMeasure | PercentileMeasure;

export const isSameMeasure = (a: Measure, b: Measure): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What must be measured for a percentile that has no column; undefined for any other metric. */
export function percentileMeasure(metric: string): PercentileMeasure | undefined {
  const percentile = hasColumn(metric) ? undefined : percentileNamed(metric);
  return percentile && { kind: "percentile", ...percentile };
}

/** What each comes to: its value, and the number of values that there were. */
export const VALUES_EACH = 2;

/** How many values a configuration comes to in a trial, for each window. */
export const valuesOfRun = (measures: readonly Measure[] = []): number =>
  METRICS.length + VALUES_EACH * measures.length;

/** Writes what the measures come to behind the values of METRICS. */
export function measureFurther(
  measures: readonly Measure[],
  outcome: Outcome,
  tally: Tally,
  values: Float64Array,
): Float64Array {
  if (measures.length === 0) return values;
  const all = new Float64Array(values.length + VALUES_EACH * measures.length);
  all.set(values);
  const run = new MeasuredRun(outcome, tally);
  measures.forEach((measure, i) => {
    const at = values.length + VALUES_EACH * i;
    const { time } = measure;
    const sample = run.sampleOf(time);
    all[at + 1] = sample.total;
    if (measure.kind === "percentile") {
      sample.percentiles([measure.percent / 100], all, at);
      all[at] = toSeconds(all[at]);
    } else all[at] = sample.countAbove(fromSeconds(measure.seconds), measure.orEqual);
  });
  return all;
}
