/**
 * What is asked of a percentile, judged by all requests of all trials: P99 is at most x where no more than a hundredth of
 * them lie beyond x. The mean over trials of each trial's P99 would be biased where a trial has few requests, with a
 * narrow interval round the wrong number. A request that was rejected lies beyond any limit.
 */
import type { Condition } from "../../core/measures/condition.js";
import {
  isSameMeasure,
  type Measure,
  percentileMeasure,
  type TailMeasure,
} from "../../core/measures/measures.js";
import { percentileNamed } from "../../core/measures/metrics.js";
import { pooledShare, type Summary } from "../../stats/index.js";
import type { TrialRecords } from "../interface/trials.js";

/** Fewer than so many expected beyond a percentile say nothing of it. */
const FEWEST_BEYOND = 10;

/** The least number of values of which enough lie beyond a percentile that leaves this share. */
export const enoughFor = (share: number): number =>
  Math.ceil(Number((FEWEST_BEYOND / share).toPrecision(12)));

/** What the trials say of a condition on a percentile. */
export interface Tail {
  /** The share of values beyond the limit. */
  readonly share: Summary;
  /** The share that the percentile leaves. */
  readonly allowed: number;
  /** Values in all, and what they are. */
  readonly count: number;
  readonly unit: "requests" | "gaps";
  /** Whether requests that were rejected are among them. */
  readonly hasRejected: boolean;
  /** Values in all that would be enough to say anything. */
  readonly enough: number;
}

function tailMeasure({ metric, relation, limit }: Condition): TailMeasure | undefined {
  const percentile = percentileNamed(metric);
  if (!percentile) return undefined;
  // P ≤ x: not too many above x; P < x: not too many at x or above.
  const orEqual = relation === "<" || relation === ">=";
  return { kind: "tail", time: percentile.time, seconds: limit, orEqual };
}

/**
 * What trials must measure besides for these conditions to be judged.
 * @param metrics that are shown as well: percentiles that have no column
 */
export function measuresFor(
  conditions: readonly Condition[],
  metrics: readonly string[] = [],
): { readonly measures?: readonly Measure[] } {
  const all: Measure[] = [];
  const add = (measure: Measure | undefined): void => {
    if (measure && !all.some((one) => isSameMeasure(one, measure))) all.push(measure);
  };
  for (const condition of conditions) add(tailMeasure(condition));
  for (const metric of [...conditions.map((one) => one.metric), ...metrics]) add(percentileMeasure(metric));
  return all.length > 0 ? { measures: all } : {};
}

/** Undefined for a condition on anything but a percentile. */
export function tailOf(condition: Condition, records: TrialRecords, config: number): Tail | undefined {
  const measure = tailMeasure(condition);
  if (!measure) return undefined;
  const { values, counts } = records.measured(config, measure);
  const isOfRequests = measure.time !== "itl";
  const hasLimit = isOfRequests && records.configs[config].engine.kvTokens !== null;
  const rejected = hasLimit ? records.metric(config, "n_rejected") : values.map(() => 0);
  const sizes = counts.map((count, i) => count + rejected[i]);
  // 0.1, not 0.09999999999999998: as many as may be is not too many.
  const allowed = Number((1 - percentileNamed(condition.metric)!.percent / 100).toPrecision(12));
  return {
    share: pooledShare(
      values.map((count, i) => count + rejected[i]),
      sizes,
    ),
    allowed,
    count: sizes.reduce((sum, size) => sum + (size || 0), 0),
    hasRejected: rejected.some((count) => count > 0),
    unit: isOfRequests ? "requests" : "gaps",
    enough: enoughFor(allowed),
  };
}

/** Whether there are enough values to say anything: that a limit is passed, as many beyond it tell, too. */
export const isEnough = ({ count, enough, share }: Tail): boolean =>
  count >= enough || share.mean * count >= FEWEST_BEYOND;
