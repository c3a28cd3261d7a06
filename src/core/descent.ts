/**
 * Decoding without asking. Where a replica has decoding sequences and nothing to prefill, and its scheduler
 * `decodesAll`, they decode on, all of them: down from completion to completion, until something arrives or the last
 * one is done. On the way no batch is composed.
 *
 * What a stretch on the way adds up to is what iteration.ts counts, in the plain case: every sequence is measured, and
 * all iterations of a stretch take the same time.
 */
import { decodeOn, firstGaps } from "./iteration.js";
import { price } from "./pricing.js";
import type { Flight, Replica, Shared } from "./replica.js";
import { activate } from "./residents.js";
import * as units from "./units.js";
import type { Nanoseconds } from "./units.js";

/** Here once more: the compiler folds a constant of the module itself, and loads an imported one at every use. */
const { LAST_INSTANT, NEVER } = units;

/** Whether the batch that a replica would compose is all its decoding sequences and nothing else; they are active then. */
export function descends(shared: Shared, replica: Replica): boolean {
  const { pool } = replica;
  const { size } = pool;
  if (size === 0 || size > shared.decodesAll) return false;
  if (shared.decodesFirst === false && replica.waiting.length + replica.partial.length > 0) return false;
  while (pool.active < size) activate(shared, replica);
  // Where they are measured the measurement has begun.
  return replica.activeUnmeasured === 0;
}

/**
 * Goes down from `shared.now`, and moves it: to where the last one is done, or to the end of the iteration that sees
 * an arrival.
 * @param until no stretch that ends later is counted
 * @returns whether a stretch is under way that ends after `until`
 */
export function descend(shared: Shared, replica: Replica, flight: Flight, until: Nanoseconds): boolean {
  const { pool, decodeTimes } = replica;
  const { nextArrivalAt } = shared;
  const { finishedAt } = shared.sequences;
  const last = Math.min(until, LAST_INSTANT);
  // An arrival ends a stretch with the iteration that is under way; or else it is taken in between stretches.
  const seenAt = shared.decodesFirst === false ? nextArrivalAt : NEVER;
  const before = pool.active;
  decodeTimes.reserve(before);
  const beganAt: number = shared.now;
  let now = beganAt;
  let iterations = 0;
  let decodeTokens = 0;
  let isUnderWay = false;
  do {
    const { active } = pool;
    if (!(decodeTimes.of(active) >= 0)) ask(shared, replica, flight);
    const iterationTime = decodeTimes.of(active);
    let ticks = pool.ticksLeft;
    let endAt = now + ticks * iterationTime;
    if (endAt > seenAt) {
      ticks = Math.ceil((seenAt - now) / iterationTime) | 0;
      endAt = now + ticks * iterationTime;
    }
    if (endAt > last) {
      isUnderWay = true;
      break;
    }
    let alike = active;
    if (iterations === 0) {
      // The later ones go straight on from the one before.
      flight.startAt = now as Nanoseconds;
      flight.iterationTime = iterationTime as Nanoseconds;
      alike = firstGaps(shared, replica, flight, active);
    }
    decodeTimes.count(active, active * (ticks - 1) + alike);
    now = endAt;
    iterations += ticks;
    decodeTokens += ticks * active;
    pool.tick(ticks);
    while (pool.active > 0 && pool.ticksLeft === 0) finishedAt[pool.finishNext()] = now;
  } while (pool.active > 0 && now < nextArrivalAt);

  if (iterations > 0) replica.lastTickAt = now as Nanoseconds;
  const done = before - pool.active;
  shared.now = now as Nanoseconds;
  shared.completed += done;
  shared.completedMeasured += done;
  replica.answered += done;
  replica.resident -= done;
  replica.iterations += iterations;
  replica.decodeTokens += decodeTokens;
  replica.busyTime += now - beganAt;
  if (isUnderWay) {
    flight.clear();
    flight.dependsOnArrivals = shared.decodesFirst === false;
    flight.decodes = pool.active;
    flight.iterationTime = decodeTimes.of(pool.active) as Nanoseconds;
    decodeOn(shared, replica, flight);
  }
  return isUnderWay;
}

/** Asks the model what the active ones take, and keeps its answer. */
function ask(shared: Shared, replica: Replica, flight: Flight): void {
  flight.clear();
  flight.decodes = replica.pool.active;
  price(shared, replica, flight);
  replica.decodeTimes.keep(flight);
  // In the log it stands from now on: which gaps it keeps as they are must not depend on when it gets those counted.
  shared.gaps.expect(flight.iterationTime);
}
