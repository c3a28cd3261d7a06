/**
 * Is a system stable? The drift of its backlog, measured in batches of equal time far from empty, decides with
 * both errors bounded; what it cannot decide stays undecided (theory §3; fluid-limit stability after Dai,
 * Ann. Appl. Probab. 5, 1995).
 */
import { adjustedMean } from "./control-variates.js";
import { tQuantile } from "./student-t.js";

/** The share of the offered work by which the backlog grows (negative: shrinks), with its uncertainty. */
export interface Drift {
  readonly mean: number;
  readonly standardError: number;
  readonly df: number;
  /** Ends of the two-sided 95 % interval. */
  readonly low: number;
  readonly high: number;
}

export type StabilityVerdict = "stable" | "unstable" | "undecided";

/**
 * Drift from the work served in each batch and the work that arrives in one on average.
 * @param controls what of each batch is known to have mean zero (control variates)
 */
export function driftOf(
  served: ArrayLike<number>,
  offered: number,
  controls: readonly ArrayLike<number>[] = [],
): Drift {
  const drifts = Array.from(served, (work) => 1 - work / offered);
  const { mean, standardError, df } = adjustedMean(drifts, controls);
  const half = tQuantile(0.975, df) * standardError;
  return { mean, standardError, df, low: mean - half, high: mean + half };
}

/**
 * Unstable when the drift is above 0 beyond doubt, stable when it is below.
 * @param alpha the chance of either error, e.g. 0.05
 */
export function stabilityVerdict(drift: Drift, alpha: number): StabilityVerdict {
  const doubt = tQuantile(1 - alpha, drift.df) * drift.standardError;
  if (drift.mean - doubt > 0) return "unstable";
  return drift.mean + doubt < 0 ? "stable" : "undecided";
}
