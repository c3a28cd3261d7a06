/** What one iteration of a batch costs: the service-time model asked, under the convention for mixed batches. */
import { PlanError } from "./errors.js";
import type { GapLog } from "./gap-log.js";
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

/**
 * What iterations of decodes alone take, by their number, where that is all there is to it: nothing grows and nothing
 * is random. The model is asked once for each number: until it has answered nobody knows which comes first, a
 * completion or an arrival, and its arithmetic is a long wait. Gaps as long as such an iteration are counted here, which
 * is nearly all of them, until somebody wants the log.
 */
export class DecodeTimes {
  /** The time of an iteration of so many decodes, from 1 to `known`. */
  times = new Float64Array(64);
  /** Gaps as long as an iteration of so many decodes that are not in the log. */
  gaps = new Float64Array(64);
  known = 0;

  /** Forgets what it was told, and what was not put into the log. */
  clear(): void {
    this.gaps.fill(0, 0, this.known + 1);
    this.known = 0;
  }

  /** Keeps what the model has said of a batch of decodes alone: one more than it knows of. */
  keep({ decodes, iterationTime }: Flight): void {
    if (decodes === this.times.length) this.grow();
    this.times[decodes] = iterationTime;
    this.known = decodes;
  }

  /** Puts what was counted into the log. */
  pourInto(log: GapLog): void {
    const { times, gaps, known } = this;
    for (let decodes = 1; decodes <= known; decodes++) {
      if (gaps[decodes] === 0) continue;
      log.add(times[decodes], gaps[decodes]);
      gaps[decodes] = 0;
    }
  }

  private grow(): void {
    const times = new Float64Array(2 * this.times.length);
    const gaps = new Float64Array(2 * this.gaps.length);
    times.set(this.times);
    gaps.set(this.gaps);
    this.times = times;
    this.gaps = gaps;
  }
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
