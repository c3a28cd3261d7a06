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
  private times = new Float64Array(64).fill(NaN);
  private gaps = new Float64Array(64);
  /** It was never asked for so many and more. */
  private end = 0;

  /** Forgets what it was told, and what was not put into the log. */
  clear(): void {
    this.times.fill(NaN, 0, this.end);
    this.gaps.fill(0, 0, this.end);
    this.end = 0;
  }

  /** Makes room for so many and fewer. */
  reserve(decodes: number): void {
    if (decodes < this.times.length) return;
    const times = new Float64Array(2 * decodes).fill(NaN);
    const gaps = new Float64Array(2 * decodes);
    times.set(this.times);
    gaps.set(this.gaps);
    this.times = times;
    this.gaps = gaps;
  }

  /** The time for so many; NaN if it was never asked for. */
  of(decodes: number): number {
    return this.times[decodes];
  }

  /** Keeps what the model has said of a batch of decodes alone. */
  keep({ decodes, iterationTime }: Flight): void {
    this.times[decodes] = iterationTime;
    if (decodes >= this.end) this.end = decodes + 1;
  }

  /** So many gaps more as long as an iteration of so many decodes, whose time is known. */
  count(decodes: number, gaps: number): void {
    this.gaps[decodes] += gaps;
  }

  /** Puts what was counted into the log. */
  pourInto(log: GapLog): void {
    const { times, gaps, end } = this;
    for (let decodes = 1; decodes < end; decodes++) {
      if (gaps[decodes] === 0) continue;
      log.add(times[decodes], gaps[decodes]);
      gaps[decodes] = 0;
    }
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
