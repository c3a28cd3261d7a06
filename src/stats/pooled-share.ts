/**
 * The share of all values that have some property, pooled over trials of different sizes: counts over sizes, each summed
 * over trials. Percentiles of single trials do not pool, and of few values they are biased; this is not.
 *
 * The interval is the ratio estimator's (Cochran, Sampling Techniques, 3rd ed. 1977, §6.4): trials are independent, so
 * it comes from how much their counts differ from what the share would give each by its size.
 */
import { sampleStandardDeviation } from "simple-statistics";
import type { Summary } from "./interval.js";
import { tQuantile } from "./student-t.js";

/**
 * @param counts of values with the property, by trial; a trial without a number is left out
 * @param sizes of values in all, by trial
 * @returns the share with its 95 % interval, which is cut to [0, 1]; `sd` is of a trial of mean size
 */
export function pooledShare(counts: readonly number[], sizes: readonly number[]): Summary {
  const trials = counts.map((_, i) => i).filter((i) => sizes[i] > 0 && Number.isFinite(counts[i]));
  const n = trials.length;
  const total = (of: readonly number[]): number => trials.reduce((sum, i) => sum + of[i], 0);
  const size = total(sizes);
  if (n === 0) return { n, mean: NaN, sd: NaN, low: NaN, high: NaN };
  const mean = total(counts) / size;
  if (n === 1) return { n, mean, sd: NaN, low: NaN, high: NaN };
  const sd = sampleStandardDeviation(trials.map((i) => counts[i] - mean * sizes[i])) / (size / n);
  const half = (tQuantile(0.975, n - 1) * sd) / Math.sqrt(n);
  return { n, mean, sd, low: Math.max(0, mean - half), high: Math.min(1, mean + half) };
}
