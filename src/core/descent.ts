/**
 * Decoding without asking. Where a replica has decoding sequences and nothing to prefill, and its scheduler
 * `decodesAll`, they decode on, all of them: down from completion to completion, until something arrives or the last
 * one is done. On the way no batch is composed.
 *
 * What a stretch on the way adds up to is what iteration.ts counts, in the plain case: every sequence is measured, and
 * all iterations of a stretch take the same time.
 */
import { dropFirst } from "./finish-heap.js";
import { firstGaps } from "./first-gaps.js";
import { runOn } from "./iteration.js";
import { price } from "./pricing.js";
import type { Flight, Replica, Shared } from "./replica.js";
import { activateFirst } from "./residents.js";
import { NEVER, type Nanoseconds } from "./units.js";

/** Whether the batch that a replica would compose is all its decoding sequences and nothing else; they are active then. */
export function descends(shared: Shared, replica: Replica): boolean {
  if (shared.decodesFirst === false && replica.waiting.length + replica.partial.length > 0) return false;
  const { size } = replica.pool;
  if (size === 0 || size > shared.decodesAll) return false;
  if (replica.pool.active < size) activateFirst(shared, replica, size);
  // Where they are measured the measurement has begun.
  return replica.activeUnmeasured === 0;
}

/**
 * Goes down from `shared.now`, and moves it: to where the last one is done, or to the end of the iteration that sees
 * an arrival. No stretch that ends after `shared.until` is counted.
 *
 * On the way nothing is called that is not compiled into it, and what changes is the function's own: whatever is called
 * might have changed the rest, which would have to be looked up again.
 * @returns whether a stretch is under way that ends after `shared.until`
 */
export function descend(shared: Shared, replica: Replica, flight: Flight): boolean {
  const { pool, decodeTimes } = replica;
  let { active } = pool;
  if (active > decodeTimes.known) ask(shared, replica, flight);
  const { table } = decodeTimes;
  const { nextArrivalAt, until } = shared;
  let now: number = shared.now;
  // From here on all go straight on, the later stretches too; so they do where even the first one ends too late.
  flight.startAt = shared.now;
  flight.iterationTime = table[2 * active] as Nanoseconds;
  table[2 * active + 1] -= active - firstGaps(shared, replica, flight, active);

  const { finishedAt } = shared.sequences;
  const { heap } = pool;
  // An arrival ends a stretch with the iteration that is under way; or else it is taken in between stretches.
  const seenAt = shared.decodesFirst === false ? nextArrivalAt : NEVER;
  let { clock } = pool;
  let decodeTokens = 0;
  let isUnderWay = false;
  do {
    const iterationTime = table[2 * active];
    let ticks = (heap[0] - clock) | 0;
    let endAt = now + ticks * iterationTime;
    if (endAt > seenAt) {
      ticks = Math.ceil((seenAt - now) / iterationTime) | 0;
      endAt = now + ticks * iterationTime;
    }
    if (endAt > until) {
      isUnderWay = true;
      break;
    }
    const tokens = ticks * active;
    table[2 * active + 1] += tokens;
    decodeTokens += tokens;
    clock = (clock + ticks) | 0;
    now = endAt;
    while (active > 0 && heap[0] === clock) {
      finishedAt[heap[1]] = now;
      dropFirst(heap, --active);
    }
  } while (active > 0 && now < nextArrivalAt);

  const done = pool.active - active;
  replica.resident -= done;
  shared.completed += done;
  shared.completedMeasured += done;
  replica.iterations += (clock - pool.clock) | 0;
  replica.decodeTokens += decodeTokens;
  replica.busyTime += now - shared.now;
  shared.now = replica.lastTickAt = now as Nanoseconds;
  pool.active = active;
  pool.clock = clock;
  if (isUnderWay) decodeOn(shared, replica, flight);
  return isUnderWay;
}

/** Asks the model what so many and fewer take as are active, as far as it was not asked, and keeps its answers. */
function ask(shared: Shared, replica: Replica, flight: Flight): void {
  const { decodeTimes, pool } = replica;
  flight.clear();
  for (let decodes = decodeTimes.known + 1; decodes <= pool.active; decodes++) {
    flight.decodes = decodes;
    price(shared, replica, flight);
    decodeTimes.keep(flight);
    // In the log it stands from now on: which gaps it keeps as they are must not depend on when it gets those counted.
    shared.gaps.expect(flight.iterationTime);
  }
}

/** All that are active decode on until one finishes or an arrival, like a batch just composed of them. */
function decodeOn(shared: Shared, replica: Replica, flight: Flight): void {
  const { pool, decodeTimes } = replica;
  flight.clear();
  flight.dependsOnArrivals = shared.decodesFirst === false;
  flight.decodes = pool.active;
  flight.iterationTime = decodeTimes.table[2 * pool.active] as Nanoseconds;
  runOn(shared, replica, flight);
}
