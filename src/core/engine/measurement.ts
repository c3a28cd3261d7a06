/** When the measurement is over: at the last instant at which everything measured that had come was answered. */
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { NEVER } from "../numbers/units.js";

/** Whether every measured request that has arrived is completed, and was not before. */
export function isMeasurementSettled(shared: TrialState): boolean {
  const { completedMeasured, rejectedMeasured } = shared;
  // A rejected request neither completes nor ends the makespan.
  return (
    completedMeasured + rejectedMeasured === shared.arrived - shared.firstMeasured &&
    completedMeasured > shared.settledMeasured
  );
}

/**
 * Every measured request that has arrived is completed. If none follows, this instant ends the makespan: what
 * counts as iteration time ends here, stretches under way included.
 */
export function settleMeasurement(shared: TrialState, replicas: readonly Replica[]): void {
  shared.settledMeasured = shared.completedMeasured;
  shared.measuredUntil = shared.now;
  shared.busyTime = 0;
  for (const { busyTime, scheduled } of replicas) {
    shared.busyTime += busyTime;
    if (scheduled.endAt !== NEVER)
      shared.busyTime += shared.now - Math.max(scheduled.startAt, shared.measuredFrom);
  }
}
