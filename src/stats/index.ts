/** The statistics of the experiments, a file each; pure, and independent of the simulator. */

export { batchMeans, mser5, type BatchMeans, type WarmUp } from "./batch-means.js";
export {
  halfWidth,
  MOST_TRIALS,
  pairedDifference,
  simultaneous,
  summarize,
  trialsForHalfWidth,
  trialsToResolve,
  verdict,
  welchDifference,
  welchOf,
  type Summary,
  type Verdict,
} from "./interval.js";
export { mannKendall, type Trend } from "./mann-kendall.js";
export { pooledShare } from "./pooled-share.js";
export { quantileSorted } from "./quantile.js";
export {
  LEAST_PILOT,
  lookAt,
  relativeHalfWidth,
  widthToStop,
  type Look,
  type PrecisionGoal,
} from "./sequential.js";
export { tCdf, tQuantile } from "./student-t.js";
export { driftOf, stabilityVerdict, type Drift, type StabilityVerdict } from "./drift.js";
export { adjustedMean, type Adjusted } from "./control-variates.js";
export { leastAt, relativeLeastSquares, type RelativeFit } from "./relative-least-squares.js";
