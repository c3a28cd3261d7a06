/**
 * Batch means (Law, ch. 9.5.3) for the mean of one long stationary run, and the MSER-5 warm-up rule
 * (White, Simulation 69, 1997; White, Cobb & Spratt, WSC 2000) for where stationarity begins.
 */

import { mean as meanOf, sampleStandardDeviation } from "simple-statistics";
import { invariant } from "../core/errors.js";

/** Mean of a run with the standard error that its batches give. */
export interface BatchMeans {
  /** Mean of the batch means, in the series' unit. */
  readonly mean: number;
  /** Standard error of that mean. */
  readonly standardError: number;
  /** Degrees of freedom for Student's t: batches - 1. */
  readonly df: number;
  /** The mean of each batch, in order. */
  readonly batches: readonly number[];
}

/** Where the warm-up of a series ends. */
export interface WarmUp {
  /** Index of the first observation to keep. */
  readonly truncateAt: number;
  /** The statistic still falls in the middle of the series: lengthen the run, don't trust the index. */
  readonly tooShort: boolean;
}

const MSER_BATCH = 5;
const FEWEST_BATCHES = 10;

/**
 * Cuts a series into `count` (2 or more) equal batches; what does not divide is dropped at the start,
 * where the run is least stationary. A series with fewer values than batches has NaN for mean and error.
 * Throws an InvariantError when count is not a whole number of 2 or more.
 */
export function batchMeans(series: ArrayLike<number>, count: number): BatchMeans {
  invariant(Number.isInteger(count) && count >= 2, `batch means need at least 2 batches: ${count}`);
  const size = Math.floor(series.length / count);
  const df = count - 1;
  if (size === 0) return { mean: NaN, standardError: NaN, df, batches: [] };
  const batches = meansFrom(series, series.length - size * count, size, count);
  return {
    mean: meanOf(batches),
    standardError: sampleStandardDeviation(batches) / Math.sqrt(count),
    df,
    batches,
  };
}

/**
 * MSER-5: of the means of 5 successive observations, drop the first d for which the squared standard error
 * of the rest, sum of squares/(n - d)^2, is least. d is sought in the first half only: towards the end the
 * statistic rests on a handful of means and dips by chance. A minimum at the middle itself, or fewer than
 * 10 means, is `tooShort`. Values must be finite; what does not divide by 5 is left out at the end.
 */
export function mser5(series: ArrayLike<number>): WarmUp {
  const n = Math.floor(series.length / MSER_BATCH);
  const means = meansFrom(series, 0, MSER_BATCH, n);
  const middle = Math.floor(n / 2);
  // Welford's recursion from the end: mean and sum of squares of means[d..n-1] for every d
  let mean = 0;
  let squares = 0;
  let least = Infinity;
  let best = 0;
  for (let d = n - 1; d >= 0; d--) {
    const kept = n - d;
    const delta = means[d] - mean;
    mean += delta / kept;
    squares += delta * (means[d] - mean);
    const statistic = squares / (kept * kept);
    if (d <= middle && statistic <= least) {
      least = statistic;
      best = d;
    }
  }
  return { truncateAt: best * MSER_BATCH, tooShort: n < FEWEST_BATCHES || best === middle };
}

function meansFrom(series: ArrayLike<number>, start: number, size: number, count: number): number[] {
  const means: number[] = [];
  for (let batch = 0; batch < count; batch++) {
    let sum = 0;
    for (let i = 0; i < size; i++) sum += series[start + batch * size + i];
    means.push(sum / size);
  }
  return means;
}
