/**
 * Fast-forward across completions. Where a replica decodes all its sequences and nothing else, and the scheduler
 * `keepsDecoding`, those that are left when some finish decode on: down from completion to completion, until
 * something arrives or the last one is done. On the way no batch is composed.
 *
 * What a stretch on the way adds up to is what iteration.ts counts, in the plain case: every sequence had its tick at
 * the instant before and is measured, and all iterations of a stretch take the same time.
 */
import { decodeOn, price } from "./iteration.js";
import type { Flight, Replica, Shared } from "./replica.js";
import { LAST_INSTANT, type Nanoseconds } from "./units.js";

/** Whether the batch that has just ended is followed by one of all that are left of it. */
export function descends(replica: Replica, flight: Flight): boolean {
  if (flight.keepsDecoding === false || replica.pool.active === 0) return false;
  if (flight.dependsOnArrivals === true && replica.waiting.length > 0) return false;
  // Those that decode are measured, so the measurement had begun before they did.
  return replica.activeUnmeasured === 0;
}

/**
 * Goes down from `shared.now`, and moves it.
 * @param until no stretch that ends later is counted
 * @returns whether a stretch is under way that `until` or an arrival ends; else `now` is the end of one
 */
export function descend(shared: Shared, replica: Replica, flight: Flight, until: Nanoseconds): boolean {
  const { pool } = replica;
  const { gaps, nextArrivalAt } = shared;
  const { finishedAt } = shared.sequences;
  const last = Math.min(until, LAST_INSTANT);
  // From here on an arrival ends a stretch; otherwise one is only taken in between stretches.
  const seenAt = flight.dependsOnArrivals === true ? nextArrivalAt : Infinity;
  const before = pool.active;
  const beganAt: number = shared.now;
  let now = beganAt;
  let iterations = 0;
  let decodeTokens = 0;
  let isUnderWay = false;
  do {
    const { active, ticksLeft } = pool;
    flight.decodes = active;
    price(shared, replica, flight);
    const { iterationTime } = flight;
    const endAt = now + ticksLeft * iterationTime;
    if (endAt > last || endAt >= seenAt) {
      isUnderWay = true;
      break;
    }
    now = endAt;
    iterations += ticksLeft;
    decodeTokens += ticksLeft * active;
    gaps.add(iterationTime, ticksLeft * active);
    pool.tick(ticksLeft);
    do finishedAt[pool.finishNext()] = now;
    while (pool.active > 0 && pool.ticksLeft === 0);
  } while (pool.active > 0 && now < nextArrivalAt);

  const done = before - pool.active;
  shared.now = replica.lastTickAt = now as Nanoseconds;
  shared.completed += done;
  shared.completedMeasured += done;
  replica.answered += done;
  replica.resident -= done;
  replica.iterations += iterations;
  replica.decodeTokens += decodeTokens;
  replica.busyTime += now - beganAt;
  if (isUnderWay) decodeOn(shared, replica, flight);
  return isUnderWay;
}
