/** What one iteration of a batch costs: the service-time model asked. */
import { PlanError } from "../errors.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { NEVER } from "../numbers/units.js";

/** What the batch costs, by the model. Into a field: a double that a function returns is allocated anew. */
export function price(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { service } = replica;
  scheduled.iterationTime = shared.model.price(scheduled, service === undefined ? 1 : service.exponential());
  const time = scheduled.iterationTime;
  // A model of a user's may be wrong in ways that would hang the loop or turn the clock back.
  if (!(time >= 0 && time < NEVER && Math.floor(time) === time)) refusePrice(shared, replica, time);
}

function refusePrice(shared: TrialState, replica: Replica, time: number): never {
  throw new PlanError(
    shared.schedulerName,
    replica.iterations + 1,
    `the service-time model priced an iteration at ${time} ns (whole, not negative)`,
  );
}
