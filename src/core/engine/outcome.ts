/** What a finished trial has left: who measures it, holds it against another or shows it reads this. */
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import type { Instant } from "../numbers/units.js";

/** Everything that a finished trial came to, besides its metrics. */
export interface Outcome {
  readonly shared: TrialState;
  readonly replicas: readonly Replica[];
  /** First row that is measured, and where rows end. */
  readonly firstMeasured: number;
  readonly arrived: number;
  /** From the first measured arrival to the last measured completion; NaN when nothing is measured. */
  readonly measuredFrom: Instant;
  readonly measuredUntil: Instant;
  /** Iteration time between these two, over all replicas. */
  readonly busyTime: number;
}
