/**
 * One token-budget iteration of one replica: compose -> price -> stretch -> settle -> end.
 *
 * A batch that admits nothing and ends no prompt repeats until something happens that could change it, so
 * equal iterations are run as one stretch (fast-forward). Because iteration times are whole nanoseconds, k
 * iterations last exactly k·S and the result does not depend on the grouping.
 *
 * An engine composes `depth` iterations ahead: 1, or 2 with asynchronous scheduling. While the last iteration of
 * a stretch runs nothing can change it: it is settled (tokens, instants, completions are known), and with depth 2
 * the next batch is composed on that. What it held is given back when it ends.
 */
import { ConfigError, PlanError } from "./errors.js";
import { blocksFor, type KvMemory } from "./kv-memory.js";
import { ownGap, stretchGaps } from "./largest-gaps.js";
import type { Plan } from "./plan.js";
import type { Flight, Replica, Shared } from "./replica.js";
import { blocksNeeded, cachedTokens, deactivateLast, finishNext } from "./residents.js";
import { LAST_INSTANT, NEVER, ns, type Nanoseconds } from "./units.js";

/**
 * Composes the next iteration, or stretch of iterations, of a replica that has work.
 * @param flight the replica's own when it is idle, else its `next`, to start when the one under way ends
 * @returns whether the batch holds anything
 */
export function begin(shared: Shared, plan: Plan, replica: Replica, flight: Flight): boolean {
  const isAhead = flight !== replica.flight;
  if (!plan.compose(replica, flight)) return false;
  flight.sumKv = flight.decodes > 0 ? replica.sumKv : 0;
  flight.iterationTime = price(shared, replica, flight);
  flight.startAt = isAhead ? replica.flight.endAt : shared.now;
  flight.isSettled = false;
  if (replica.memory && !isAhead) flight.usedBlocks = replica.memory.used;
  // What the iteration under way gives back when it ends may change the batch after this one.
  const isOnce = isAhead && replica.flight.finishing.length + replica.flight.finishingUnseated.length > 0;
  const most = isOnce ? 1 : repeats(shared, replica, flight);
  if (shared.varies) walk(shared, replica, flight, most);
  else {
    flight.iterations = Math.min(most, untilArrival(shared, flight));
    flight.endAt = ns(flight.startAt + flight.iterations * flight.iterationTime);
  }
  if (flight.endAt > LAST_INSTANT)
    throw new ConfigError([
      { key: "horizon.tmaxSeconds", message: "the drain would pass 2^53 ns (the clock counts 104 days)" },
    ]);
  return true;
}

/** Under `mixedBatch: max` a mixed batch costs as much as its dearer side (model §3). */
function price(shared: Shared, replica: Replica, flight: Flight): Nanoseconds {
  const { model } = shared;
  const draw = model.random ? replica.service!.exponential() : 1;
  const { decodes, sumKv, prefillTokens, chunkCount } = flight;
  let time;
  if (!shared.pricesDearerSide || decodes === 0 || prefillTokens === 0) time = model.price(flight, draw);
  else {
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
    time = ns(Math.max(prefill, decode));
  }
  // A model of a user's may be wrong in ways that would hang the loop or turn the clock back.
  if (!(time >= 0 && time < NEVER && Math.floor(time) === time))
    throw new PlanError(
      shared.schedulerName,
      replica.iterations + 1,
      `the service-time model priced an iteration at ${time} ns (whole, not negative)`,
    );
  return time;
}

/** For how many iterations the batch just composed runs unchanged, whatever arrives. */
function repeats(shared: Shared, replica: Replica, flight: Flight): number {
  const { pool } = replica;
  const { scheduler, model, sequences } = shared;
  const { chunkCount } = flight;
  if (flight.admitted + flight.ended.length + flight.preempted > 0) return 1;
  if (model.random || scheduler.everyIteration) return 1;
  // Chunks that repeat move on in their prompts: with memory or context to count, one at a time.
  if (chunkCount > 0 && shared.varies) return 1;
  // Up to the next completion, …
  let most = flight.decodes > 0 ? pool.nextFinish - pool.clock : Infinity;
  // … or the last whole chunk that does not end its prompt.
  for (let i = 0; i < chunkCount; i++)
    most = Math.min(most, Math.ceil(sequences.promptLeft[flight.chunkId[i]] / flight.chunkTokens[i]));
  return most;
}

/** Iterations up to the first that ends at or after the next arrival, and those composed by then. */
function untilArrival(shared: Shared, flight: Flight): number {
  // A router decides at the arrival whom it concerns: that replica's stretch is cut then.
  if (!flight.dependsOnArrivals || shared.router !== null || shared.nextArrivalAt === NEVER) return Infinity;
  const ahead = shared.nextArrivalAt - flight.startAt;
  return Math.max(1, Math.ceil(ahead / flight.iterationTime) + shared.depth - 1);
}

/**
 * A stretch of decodes whose iterations differ in time, because the context grows, or that memory may end: one
 * by one, each rounded as it is priced.
 */
function walk(shared: Shared, replica: Replica, flight: Flight, most: number): void {
  const { memory } = replica;
  const seenAt = flight.dependsOnArrivals && shared.router === null ? shared.nextArrivalAt : NEVER;
  const sumKv = flight.sumKv;
  let free = memory ? memory.free : 0;
  let time: number = flight.iterationTime;
  let at: number = flight.startAt;
  // Iterations composed by the instant at which the arrival is seen still belong to the stretch.
  let after = at >= seenAt ? shared.depth - 1 : NEVER;
  let n = 0;
  for (;;) {
    if (n === flight.ends.length) {
      const ends = new Float64Array(2 * n);
      ends.set(flight.ends);
      flight.ends = ends;
    }
    at += time;
    flight.ends[n++] = at;
    if (at >= seenAt) after = Math.min(after - 1, shared.depth - 1);
    if (n >= most || after <= 0) break;
    if (memory) {
      free -= blocksNeeded(replica, n);
      if (free < 0) break;
    }
    flight.sumKv = sumKv + n * flight.decodes;
    time = price(shared, replica, flight);
  }
  flight.sumKv = sumKv;
  flight.iterations = n;
  flight.endAt = ns(at);
}

/** How many of a stretch's iterations have ended by an instant. */
export function endedBy(flight: Flight, instant: number, varies: boolean): number {
  const { iterations, startAt, ends } = flight;
  if (!varies)
    return Math.max(0, Math.min(iterations, Math.floor((instant - startAt) / flight.iterationTime)));
  let ended = 0;
  while (ended < iterations && ends[ended] <= instant) ended++;
  return ended;
}

/** Ends a stretch early, at its first iteration that ends at `instant` or later (`after`: strictly later). */
export function cut(shared: Shared, flight: Flight, instant: Nanoseconds, after: boolean): void {
  let iterations;
  if (shared.varies) {
    const { ends } = flight;
    let ended = 0;
    if (instant > flight.startAt || (after && instant === flight.startAt))
      while (ended < flight.iterations && (after ? ends[ended] <= instant : ends[ended] < instant)) ended++;
    else ended = -1;
    iterations = ended + 1;
  } else {
    const elapsed = (instant - flight.startAt) / flight.iterationTime;
    iterations = after ? Math.floor(elapsed) + 1 : Math.ceil(elapsed);
  }
  iterations = Math.max(1, iterations + shared.depth - 1);
  if (iterations >= flight.iterations) return;
  flight.iterations = iterations;
  flight.endAt = flight.endOf(iterations, shared.varies);
}

/** Counts a stretch whose end is certain: tokens, first tokens, ITLs, and who finishes with it. */
export function settle(shared: Shared, replica: Replica, flight: Flight): void {
  const { iterations, chunkCount } = flight;
  flight.isSettled = true;
  // The plan took the first iteration's tokens; the repeats follow.
  if (chunkCount > 0 && iterations > 1) {
    const { promptLeft } = shared.sequences;
    for (let i = 0; i < chunkCount; i++)
      promptLeft[flight.chunkId[i]] -= (iterations - 1) * flight.chunkTokens[i];
  }
  if (replica.memory) flight.blockTime = takeBlocks(replica, replica.memory, flight);
  if (flight.decodes > 0) tick(shared, replica, flight);
  if (flight.ended.length > 0) endPrefills(shared, replica, flight);
}

/** Takes the blocks of a stretch's repeats. Returns the blocks in use, times time. */
function takeBlocks(replica: Replica, memory: KvMemory, flight: Flight): number {
  const { ends, iterations, startAt } = flight;
  let used = flight.usedBlocks;
  let area = used * (ends[0] - startAt);
  for (let i = 1; i < iterations; i++) {
    const blocks = blocksNeeded(replica, i);
    memory.take(blocks);
    used += blocks;
    area += used * (ends[i] - ends[i - 1]);
  }
  return area;
}

/** Moves the decode clock: one token an iteration for every active sequence. */
function tick(shared: Shared, replica: Replica, flight: Flight): void {
  const { pool } = replica;
  const { sequences, gaps, firstMeasured } = shared;
  const { decodes, iterations, startAt, endAt } = flight;
  const firstTickAt = startAt + flight.iterationTime;
  let steady = decodes - replica.activeUnmeasured;
  const measured = steady;
  for (let i = 0; i < pool.freshCount; i++) {
    const id = pool.fresh[i];
    const lastTokenAt = sequences.lastTokenAt[id];
    // Without an earlier token this tick emits output token 1, and no gap ends with it.
    if (lastTokenAt !== lastTokenAt) sequences.firstTokenAt[id] = firstTickAt;
    if (id < firstMeasured) continue;
    if (lastTokenAt === lastTokenAt) gaps.add(firstTickAt - lastTokenAt, 1);
    steady--;
  }
  if (shared.varies) {
    gaps.add(firstTickAt - replica.lastTickAt, steady);
    const { ends } = flight;
    for (let i = 1; i < iterations; i++) gaps.add(ends[i] - ends[i - 1], measured);
  } else if (startAt === replica.lastTickAt) {
    // Decoding straight on, the first gap is like the others.
    gaps.add(flight.iterationTime, measured * (iterations - 1) + steady);
  } else {
    gaps.add(flight.iterationTime, measured * (iterations - 1));
    gaps.add(firstTickAt - replica.lastTickAt, steady);
  }
  stretchGaps(shared, replica, flight);
  pool.freshCount = 0;
  pool.clock += iterations;
  replica.lastTickAt = endAt;
  replica.sumKv += decodes * iterations;
  while (pool.active > 0 && pool.nextFinish <= pool.clock)
    finishing(shared, flight, finishNext(shared, replica));
}

/** Prompts whose prefill ends: first tokens, by convention, and the way into the pool, by id (model §2). */
function endPrefills(shared: Shared, replica: Replica, flight: Flight): void {
  const { sequences, emitsAtPrefillEnd, byAdmission } = shared;
  const { outputTokens } = sequences.requests;
  const { ended, endAt } = flight;
  const { pool } = replica;
  for (let i = 0; i < ended.length; i++) {
    const id = ended.ids[i];
    let left = sequences.decodeLeft[id];
    const isFirst = left === outputTokens[id];
    const emits = emitsAtPrefillEnd && left > 0;
    if (isFirst) sequences.firstTokenAt[id] = emits ? endAt : NaN;
    else if (emits) {
      replica.resumedTokens++;
      ownGap(shared, id, endAt);
      if (id >= shared.firstMeasured) shared.gaps.add(endAt - sequences.lastTokenAt[id], 1);
    }
    if (emits || isFirst) sequences.lastTokenAt[id] = emits ? endAt : NaN;
    if (emits) sequences.decodeLeft[id] = --left;
    if (left === 0) {
      pool.pass(id, sequences.place);
      finishing(shared, flight, id);
    } else if (!byAdmission) pool.append(id, sequences.place);
    else {
      const place = sequences.admission[id];
      sequences.place[id] = place;
      if (!pool.isLast(place))
        while (pool.active > 0 && sequences.place[pool.lastActive(sequences.place)] > place)
          deactivateLast(shared, replica);
      pool.insert(id, sequences.place);
    }
  }
}

/** A sequence's last token comes with the end of this flight. */
function finishing(shared: Shared, flight: Flight, id: number): void {
  shared.sequences.finishedAt[id] = flight.endAt;
  flight.finishing.push(id);
}

/** The stretch is over: busy time, and what those that finish with it held. */
export function end(shared: Shared, replica: Replica): void {
  const { flight, memory } = replica;
  const { iterations, finishing: done, finishingUnseated: unseated } = flight;
  const { firstMeasured } = shared;
  const from = Math.max(flight.startAt, shared.measuredFrom);
  if (flight.endAt > from) {
    replica.busyTime += flight.endAt - from;
    // A stretch that the measurement began in counts by its share.
    const share = from === flight.startAt ? 1 : (flight.endAt - from) / (flight.endAt - flight.startAt);
    if (memory) replica.blockTime += flight.blockTime * share;
  }
  flight.endAt = NEVER;
  replica.iterations += iterations;
  replica.decodeTokens += iterations * flight.decodes;
  replica.prefillTokens += iterations * flight.prefillTokens;
  if (flight.limitsDecode) replica.decodeLimited += iterations;
  if (flight.limitsPrefill) replica.prefillLimited += iterations;
  replica.answered += done.length + unseated.length;
  if (done.length > 0) {
    replica.resident -= done.length;
    for (let i = 0; i < done.length; i++) {
      const id = done.ids[i];
      shared.completed++;
      if (id >= firstMeasured) shared.completedMeasured++;
      if (memory) memory.release(blocksFor(cachedTokens(shared, id, 0)));
    }
  }
  for (let i = 0; i < unseated.length; i++) {
    shared.completed++;
    if (unseated.ids[i] >= firstMeasured) shared.completedMeasured++;
  }
}
