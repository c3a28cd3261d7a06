/** What one iteration of a batch costs: the service-time model asked, under the convention for mixed batches. */
import { PlanError } from "./errors.js";
import type { Flight, Replica, Shared } from "./replica.js";
import * as units from "./units.js";
import { ns, type Nanoseconds } from "./units.js";

/** Here once more: the compiler folds a constant of the module itself, and loads an imported one at every use. */
const { NEVER } = units;

/** What the batch costs, by the model. Into a field: a double that a function returns is allocated anew. */
export function price(shared: Shared, replica: Replica, flight: Flight): void {
  const draw = replica.service === undefined ? 1 : replica.service.exponential();
  flight.iterationTime =
    shared.pricesDearerSide && flight.decodes > 0 && flight.prefillTokens > 0
      ? dearerSide(shared, flight, draw)
      : shared.model.price(flight, draw);
  const time = flight.iterationTime;
  // A model of a user's may be wrong in ways that would hang the loop or turn the clock back.
  if (!(time >= 0 && time < NEVER && Math.floor(time) === time)) refusePrice(shared, replica, time);
}

/** Under `mixedBatch: max` a mixed batch costs as much as its dearer side (model §3). */
function dearerSide({ model }: Shared, flight: Flight, draw: number): Nanoseconds {
  const { decodes, sumKv, prefillTokens, chunkCount } = flight;
  flight.decodes = 0;
  flight.sumKv = 0;
  const prefill = model.price(flight, draw);
  flight.decodes = decodes;
  flight.sumKv = sumKv;
  flight.prefillTokens = 0;
  flight.chunkCount = 0;
  const decode = model.price(flight, draw);
  flight.prefillTokens = prefillTokens;
  flight.chunkCount = chunkCount;
  return ns(Math.max(prefill, decode));
}

function refusePrice(shared: Shared, replica: Replica, time: number): never {
  throw new PlanError(
    shared.schedulerName,
    replica.iterations + 1,
    `the service-time model priced an iteration at ${time} ns (whole, not negative)`,
  );
}
