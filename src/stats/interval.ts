/**
 * Means over trials with 95 % Student-t intervals, paired and Welch differences, and what they decide.
 *
 * Replication/deletion (Law, Simulation Modeling and Analysis, ch. 9): trials are independent, so the
 * interval comes from their spread and from nothing inside a trial. Policies that saw the same random
 * numbers are compared by pairs (ch. 10); Welch's interval is for samples that share nothing.
 */

import { mean as meanOf, sampleStandardDeviation } from "simple-statistics";
import { tQuantile } from "./student-t.js";

/** A sample's mean with its two-sided 95 % interval. */
export interface Summary {
  /** Number of trials that had a value. */
  readonly n: number;
  /** NaN when n = 0. */
  readonly mean: number;
  /** Sample standard deviation (divisor n - 1); NaN when n < 2. */
  readonly sd: number;
  /** Lower end of the interval; NaN when n < 2: a single trial has no interval, not one of width 0. */
  readonly low: number;
  /** Upper end of the interval; NaN when n < 2. */
  readonly high: number;
}

/** What a difference says about two policies. */
export type Verdict = "better" | "worse" | "not resolved";

/** `trialsToResolve` never asks for more than this; it stands for "that many, or more". */
export const MOST_TRIALS = 1_000_000_000;

const CENTRAL = 0.975;

/**
 * Mean, standard deviation and 95 % Student-t interval of one value a trial, in the values' unit.
 * Values that are not finite (a trial without that metric) are left out and not counted.
 */
export function summarize(values: readonly number[]): Summary {
  const present = values.filter(Number.isFinite);
  const n = present.length;
  if (n === 0) return { n, mean: NaN, sd: NaN, low: NaN, high: NaN };
  const mean = meanOf(present);
  if (n === 1) return { n, mean, sd: NaN, low: NaN, high: NaN };
  const sd = sampleStandardDeviation(present);
  const half = (tQuantile(CENTRAL, n - 1) * sd) / Math.sqrt(n);
  return { n, mean, sd, low: mean - half, high: mean + half };
}

/** Half the width of the interval, in the values' unit; NaN when there is none. */
export function halfWidth(summary: Summary): number {
  return (summary.high - summary.low) / 2;
}

/**
 * Summary of a[j] - b[j] over the trials j that have both values. For trials under common random numbers:
 * what both policies share cancels, so the interval is far narrower than that of either.
 */
export function pairedDifference(a: readonly number[], b: readonly number[]): Summary {
  const differences: number[] = [];
  for (let j = 0; j < Math.min(a.length, b.length); j++) differences.push(a[j] - b[j]);
  return summarize(differences);
}

/**
 * The same difference with an interval that holds for `comparisons` of them at once (Bonferroni): what was
 * picked because it looked best among many needs more evidence than what was asked about alone.
 */
export function simultaneous(difference: Summary, comparisons: number): Summary {
  const { n, mean, sd } = difference;
  if (n < 2) return difference;
  const half = (tQuantile(1 - (1 - CENTRAL) / comparisons, n - 1) * sd) / Math.sqrt(n);
  return { ...difference, low: mean - half, high: mean + half };
}

/**
 * mean(a) - mean(b) of two samples that share no random numbers, after Welch (Biometrika 34, 1947), with
 * the degrees of freedom of Satterthwaite rounded down: the interval is a little too wide, never too
 * narrow. `n` is degrees of freedom + 1 and `sd` the standard error times sqrt(n), so that the summary
 * reads like any other. Values that are not finite are left out; fewer than two on a side: no interval.
 */
export function welchDifference(a: readonly number[], b: readonly number[]): Summary {
  return welchOf(summarize(a), summarize(b));
}

/** The same from summaries alone: what an earlier result has kept. */
export function welchOf(first: Summary, second: Summary): Summary {
  const mean = first.mean - second.mean;
  const n = Math.min(first.n, second.n);
  if (n < 2) return { n, mean, sd: NaN, low: NaN, high: NaN };
  const u = (first.sd * first.sd) / first.n;
  const v = (second.sd * second.sd) / second.n;
  const satterthwaite = ((u + v) * (u + v)) / ((u * u) / (first.n - 1) + (v * v) / (second.n - 1));
  // no spread at all leaves 0/0; in exact arithmetic the quotient is never below the smaller sample's df
  const df = u + v > 0 ? Math.max(n - 1, Math.floor(satterthwaite)) : n - 1;
  const error = Math.sqrt(u + v);
  const half = tQuantile(CENTRAL, df) * error;
  return { n: df + 1, mean, sd: error * Math.sqrt(df + 1), low: mean - half, high: mean + half };
}

/**
 * What the difference `a - b` says about a: "better" or "worse" when its interval excludes zero, else
 * "not resolved" (also when there is no interval).
 */
export function verdict(difference: Summary, lowerIsBetter: boolean): Verdict {
  if (difference.high < 0) return lowerIsBetter ? "better" : "worse";
  if (difference.low > 0) return lowerIsBetter ? "worse" : "better";
  return "not resolved";
}

/**
 * About how many trials would make the interval of a paired difference exclude zero, if mean and standard
 * deviation stay what they are: the smallest n >= 2 with t(.975, n - 1) sd/sqrt(n) < |mean|, at most
 * MOST_TRIALS. Infinity when the mean is 0, NaN when there is no standard deviation.
 */
export function trialsToResolve(difference: Summary): number {
  const { mean, sd } = difference;
  if (!Number.isFinite(sd)) return NaN;
  if (mean === 0) return Infinity;
  return trialsForHalfWidth(sd, Math.abs(mean));
}

/**
 * How many trials of standard deviation `sd` have a 95 % interval of a half-width below `half` (above 0, in
 * the values' unit): the smallest n >= 2 with t(.975, n - 1) sd/sqrt(n) < half, at most MOST_TRIALS.
 */
export function trialsForHalfWidth(sd: number, half: number): number {
  // t/sqrt(n) falls with n: double, then bisect
  const suffices = (n: number) => tQuantile(CENTRAL, n - 1) * sd < half * Math.sqrt(n);
  let enough = 2;
  while (!suffices(enough)) {
    if (enough === MOST_TRIALS) return MOST_TRIALS;
    enough = Math.min(2 * enough, MOST_TRIALS);
  }
  let tooFew = enough === 2 ? 1 : Math.floor(enough / 2);
  while (enough - tooFew > 1) {
    const middle = Math.floor((enough + tooFew) / 2);
    if (suffices(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
