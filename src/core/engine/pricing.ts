/** What one iteration of a batch costs: the service-time model asked. */
import { PlanError } from "../errors.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import { NEVER } from "../numbers/units.js";

/** What the batch costs, by the model: written into the batch (no double is handed over, docs/design.md, Decisions). */
export function price(replica: Replica, scheduled: ScheduledBatch): void {
  const { engine, service } = replica;
  scheduled.iterationTime = engine.model.price(scheduled, service === undefined ? 1 : service.exponential());
  const time = scheduled.iterationTime;
  // A model of a user's may be wrong in ways that would hang the loop or turn the clock back.
  if (!(time >= 0 && time < NEVER && Math.floor(time) === time)) refusePrice(replica, time);
}

function refusePrice(replica: Replica, time: number): never {
  throw new PlanError(
    replica.engine.schedulerName,
    replica.iterations + 1,
    `the service-time model priced an iteration at ${time} ns (whole, not negative)`,
  );
}
