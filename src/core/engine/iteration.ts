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
import { ConfigError } from "../errors.js";
import { firstGaps } from "./first-gaps.js";
import type { IdList } from "../queues/id-list.js";
import type { KvMemory } from "../state/kv-memory.js";
import { ownGap, stretchGaps } from "./largest-gaps.js";
import type { Plan } from "./plan.js";
import { price } from "./pricing.js";
import type { Flight, Replica, Shared } from "../state/replica.js";
import { blocksNeeded, cachedTokens, enterByAdmission, finishNext } from "./residents.js";
import { LAST_INSTANT, NEVER, UNLIMITED, ns, type Nanoseconds } from "../numbers/units.js";

/**
 * Composes the next iteration, or stretch of iterations, of a replica that has work.
 * @param flight the replica's own when it is idle, else its `next`, to start when the one under way ends
 * @returns whether the batch holds anything
 */
export function begin(shared: Shared, plan: Plan, replica: Replica, flight: Flight): boolean {
  if (!plan.compose(flight)) return false;
  schedule(shared, replica, flight);
  return true;
}

/** What the batch just composed costs, and for how many iterations it runs. */
function schedule(shared: Shared, replica: Replica, flight: Flight): void {
  const isAhead = shared.depth > 1 && flight !== replica.flight;
  // No ternary: the compiler would make its number an object.
  if (isAhead) flight.startAt = replica.flight.endAt;
  else flight.startAt = shared.now;
  flight.isSettled = false;
  if (shared.varies) flight.sumKv = flight.decodes > 0 ? replica.sumKv : 0;
  price(shared, replica, flight);
  flight.iterations = 1;
  if (repeats(shared, flight)) repeat(shared, replica, flight, isAhead);
  if (shared.varies) walk(shared, replica, flight);
  else last(shared, flight);
  if (flight.endAt > LAST_INSTANT) refuseDrain();
}

/** What decodes, as priced, decodes on until one finishes or an arrival, like a batch just composed. */
export function runOn(shared: Shared, replica: Replica, flight: Flight): void {
  flight.startAt = shared.now;
  flight.isSettled = false;
  flight.iterations = replica.pool.ticksLeft;
  last(shared, flight);
  if (flight.endAt > LAST_INSTANT) refuseDrain();
}

/** How long the stretch lasts, where all its iterations take the same time. */
function last(shared: Shared, flight: Flight): void {
  if (flight.iterations > 1) repeatUntilArrival(shared, flight);
  flight.endAt = (flight.startAt + flight.iterations * flight.iterationTime) as Nanoseconds;
}

function refuseDrain(): never {
  throw new ConfigError([
    { key: "horizon.tmaxSeconds", message: "the drain would pass 2^53 ns (the clock counts 104 days)" },
  ]);
}

/** Whether the batch just composed runs unchanged until something happens: it admits nothing and ends no prompt. */
const repeats = ({ asksEveryIteration }: Shared, { admitted, ended, preempted }: Flight): boolean =>
  admitted + ended.length + preempted === 0 && !asksEveryIteration;

/** For how many iterations it does, whatever arrives. */
function repeat(shared: Shared, replica: Replica, flight: Flight, isAhead: boolean): void {
  // What the iteration under way gives back when it ends may change the batch after this one.
  if (isAhead && replica.flight.finishing.length + replica.flight.finishingUnseated.length > 0) return;
  // Up to the next completion.
  const { pool } = replica;
  flight.iterations = flight.decodes > 0 ? pool.ticksLeft : UNLIMITED;
  if (flight.chunkCount > 0) flight.iterations = Math.min(flight.iterations, repeatsOfChunks(shared, flight));
}

/** For how many iterations the chunks just composed repeat: the last whole one must not end its prompt. */
function repeatsOfChunks(shared: Shared, { chunkCount, chunkId, chunkTokens }: Flight): number {
  // They move on in their prompts: with memory or context to count, one at a time.
  if (shared.varies) return 1;
  const { promptLeft } = shared.sequences;
  let most = UNLIMITED;
  for (let i = 0; i < chunkCount; i++)
    most = Math.min(most, Math.ceil(promptLeft[chunkId[i]] / chunkTokens[i]));
  return most;
}

/** Up to the first iteration that ends at or after the next arrival, and those composed by then. */
function repeatUntilArrival(shared: Shared, flight: Flight): void {
  // A router decides at the arrival whom it concerns: that replica's stretch is cut then.
  if (flight.dependsOnArrivals === false || shared.router !== null) return;
  const ahead = shared.nextArrivalAt - flight.startAt;
  // Told by a product: a division takes ten times as long, and every other stretch is over before.
  if ((flight.iterations - shared.depth + 1) * flight.iterationTime <= ahead) return;
  // At most as many as there were, so it fits into 32 bits.
  const most = Math.ceil(ahead / flight.iterationTime) + shared.depth - 1;
  flight.iterations = most > 1 ? most | 0 : 1;
}

/**
 * A stretch of decodes whose iterations differ in time, because the context grows, or that memory may end: one
 * by one, each rounded as it is priced.
 */
function walk(shared: Shared, replica: Replica, flight: Flight): void {
  const { memory, returned } = replica;
  const { iterations: most, iterationTime: first } = flight;
  if (memory !== null && flight === replica.flight) flight.usedBlocks = memory.used;
  const seenAt = flight.dependsOnArrivals && shared.router === null ? shared.nextArrivalAt : NEVER;
  const sumKv = flight.sumKv;
  let free = memory ? memory.free : 0;
  // A survivor taken leaves the first preempted request more to compute: the scheduler sees another head of the queue.
  const least = memory && returned.length > 0 ? Math.max(0, free - memory.before(returned.first)) : 0;
  let time: number = first;
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
      if (free < least) break;
    }
    flight.sumKv = sumKv + n * flight.decodes;
    price(shared, replica, flight);
    time = flight.iterationTime;
  }
  flight.iterationTime = first;
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
  flight.isSettled = true;
  if (flight.chunkCount > 0 && flight.iterations > 1) repeatChunks(shared, flight);
  if (replica.memory !== null) takeBlocks(shared, replica, replica.memory, flight);
  if (flight.decodes > 0) tick(shared, replica, flight);
  if (flight.ended.length > 0) endPrefills(shared, replica, flight);
}

/** The plan took the first iteration's chunks; their repeats follow. */
function repeatChunks(shared: Shared, { iterations, chunkCount, chunkId, chunkTokens }: Flight): void {
  const { promptLeft } = shared.sequences;
  for (let i = 0; i < chunkCount; i++) promptLeft[chunkId[i]] -= (iterations - 1) * chunkTokens[i];
}

/** Takes the blocks of a stretch's repeats, and counts the blocks in use, times time. */
function takeBlocks(shared: Shared, replica: Replica, memory: KvMemory, flight: Flight): void {
  const { ends, iterations, startAt, blocksIn } = flight;
  let used = flight.usedBlocks;
  // In a closed loop nobody may be known yet who will be measured: NaN, and then the measurement may begin here, too.
  const isBefore = !(startAt >= shared.measuredFrom);
  blocksIn.length = 0;
  if (isBefore) blocksIn.push(used);
  let area = used * (ends[0] - startAt);
  for (let i = 1; i < iterations; i++) {
    const blocks = blocksNeeded(replica, i);
    memory.take(blocks);
    used += blocks;
    if (isBefore) blocksIn.push(used);
    area += used * (ends[i] - ends[i - 1]);
  }
  flight.blockTime = area;
}

/** Moves the decode clock: one token an iteration for every active sequence. */
function tick(shared: Shared, replica: Replica, flight: Flight): void {
  const { pool } = replica;
  const { gaps, sequences } = shared;
  if (sequences.largestGap !== null) stretchGaps(shared, replica, flight);
  const { iterations } = flight;
  const measured = flight.decodes - replica.activeUnmeasured;
  const alike = firstGaps(shared, replica, flight, measured);
  if (shared.varies) countVarying(shared, replica, flight, measured, alike);
  else {
    gaps.sought = flight.iterationTime;
    gaps.addSought(measured * (iterations - 1) + alike);
  }
  pool.tick(iterations);
  replica.lastTickAt = flight.endAt;
  if (pool.ticksLeft === 0) finishDue(shared, replica, flight);
}

/** Those whose last token comes with the stretch's last iteration. */
function finishDue(shared: Shared, replica: Replica, flight: Flight): void {
  const { pool } = replica;
  const { finishedAt } = shared.sequences;
  do {
    const id = finishNext(shared, replica);
    finishedAt[id] = flight.endAt;
    flight.finishing.push(id);
  } while (pool.active > 0 && pool.ticksLeft === 0);
}

/** Where iterations differ in time or count what they hold: their gaps one by one, and the cached tokens. */
function countVarying(
  { gaps }: Shared,
  replica: Replica,
  { decodes, iterations, iterationTime, ends }: Flight,
  measured: number,
  first: number,
): void {
  gaps.add(iterationTime, first);
  for (let i = 1; i < iterations; i++) gaps.add(ends[i] - ends[i - 1], measured);
  replica.sumKv += decodes * iterations;
}

/** Prompts whose prefill ends, by id (model §2). */
function endPrefills(shared: Shared, replica: Replica, flight: Flight): void {
  const { ended } = flight;
  for (let i = 0; i < ended.length; i++) endPrefill(shared, replica, flight, ended.ids[i]);
}

/** A prompt's prefill ends: its first token, by convention, and its way into the pool. */
function endPrefill(shared: Shared, replica: Replica, flight: Flight, id: number): void {
  const { sequences, emitsAtPrefillEnd } = shared;
  const { decodeLeft, firstTokenAt, lastTokenAt, place } = sequences;
  const { endAt } = flight;
  const { pool } = replica;
  let left = decodeLeft[id];
  const isFirst = left === sequences.requests.outputTokens[id];
  if (emitsAtPrefillEnd === true && left > 0) {
    decodeLeft[id] = --left;
    if (isFirst) firstTokenAt[id] = lastTokenAt[id] = endAt;
    else resume(shared, replica, id, endAt);
  } else if (isFirst) firstTokenAt[id] = lastTokenAt[id] = NaN;
  if (left === 0) {
    pool.pass(id, place);
    lastTokenAt[id] = endAt; // which is its end
    flight.finishing.push(id);
  } else if (shared.byAdmission) enterByAdmission(shared, replica, id);
  else if (pool.active < shared.decodesAll && pool.idleCount === 0) {
    // With the next batch that decodes it would be active anyway: its scheduler `decodesAll` of so many.
    if (emitsAtPrefillEnd === true && (pool.freshCount === 0 || pool.freshAt === endAt)) pool.freshAt = endAt;
    else pool.freshAt = NaN;
    pool.start(id, place, left);
    if (id < shared.firstMeasured) replica.activeUnmeasured++;
  } else pool.append(id, place);
}

/** A preempted sequence's tokens are computed again, and one more comes. */
function resume(shared: Shared, replica: Replica, id: number, endAt: Nanoseconds): void {
  const { lastTokenAt } = shared.sequences;
  replica.resumedTokens++;
  if (shared.sequences.largestGap !== null) ownGap(shared, id, endAt);
  if (id >= shared.firstMeasured) shared.gaps.add(endAt - lastTokenAt[id], 1);
  lastTokenAt[id] = endAt;
}

/** The stretch is over: what it came to, and what those that finish with it held. */
export function end(shared: Shared, replica: Replica): void {
  const { flight } = replica;
  const { iterations, startAt, endAt } = flight;
  if (startAt >= shared.measuredFrom) {
    replica.busyTime += endAt - startAt;
    if (replica.memory !== null) replica.blockTime += flight.blockTime;
  } else if (endAt > shared.measuredFrom) countShare(shared, replica);
  flight.endAt = NEVER;
  replica.iterations += iterations;
  replica.decodeTokens += iterations * flight.decodes;
  replica.prefillTokens += iterations * flight.prefillTokens;
  if (flight.limitsDecode || flight.limitsPrefill) countLimits(replica, flight);
  if (flight.finishing.length + flight.finishingUnseated.length > 0) release(shared, replica, flight);
}

/** A limit of the policy's own decided. */
function countLimits(replica: Replica, { iterations, limitsDecode, limitsPrefill }: Flight): void {
  if (limitsDecode) replica.decodeLimited += iterations;
  if (limitsPrefill) replica.prefillLimited += iterations;
}

/** A stretch that the measurement began in counts from then on. */
function countShare({ measuredFrom }: Shared, replica: Replica): void {
  const { startAt, endAt, ends, blocksIn } = replica.flight;
  replica.busyTime += endAt - measuredFrom;
  for (let i = 0; i < blocksIn.length; i++) {
    const begin = Math.max(measuredFrom, i === 0 ? startAt : ends[i - 1]);
    replica.blockTime += blocksIn[i] * Math.max(ends[i] - begin, 0);
  }
}

/** Sequences that are done give back what they held, if anything, and leave. */
function release(shared: Shared, replica: Replica, { finishing, finishingUnseated }: Flight): void {
  const { memory } = replica;
  replica.resident -= finishing.length;
  if (memory !== null)
    for (let i = 0; i < finishing.length; i++) {
      const cached = cachedTokens(shared, finishing.ids[i], 0);
      memory.release(memory.blocksFor(cached), cached);
    }
  leave(shared, replica, finishing);
  leave(shared, replica, finishingUnseated);
}

/** Requests leave the system, answered. */
function leave(shared: Shared, replica: Replica, done: IdList): void {
  replica.answered += done.length;
  shared.completed += done.length;
  for (let i = 0; i < done.length; i++) if (done.ids[i] >= shared.firstMeasured) shared.completedMeasured++;
}
