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
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { blocksNeeded, cachedTokens, enterByAdmission, finishNext } from "./residents.js";
import { LAST_INSTANT, NEVER, UNLIMITED, ns, type Nanoseconds } from "../numbers/units.js";

/**
 * Composes the next iteration, or stretch of iterations, of a replica that has work.
 * @param scheduled the replica's own when it is idle, else its `next`, to start when the one under way ends
 * @returns whether the batch holds anything
 */
export function begin(shared: TrialState, plan: Plan, replica: Replica, scheduled: ScheduledBatch): boolean {
  if (!plan.compose(scheduled)) return false;
  schedule(shared, replica, scheduled);
  return true;
}

/** What the batch just composed costs, and for how many iterations it runs. */
function schedule(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const isAhead = shared.depth > 1 && scheduled !== replica.scheduled;
  // No ternary: the compiler would make its number an object.
  if (isAhead) scheduled.startAt = replica.scheduled.endAt;
  else scheduled.startAt = shared.now;
  scheduled.isSettled = false;
  if (shared.varies) scheduled.sumKv = scheduled.decodes > 0 ? replica.sumKv : 0;
  price(shared, replica, scheduled);
  scheduled.iterations = 1;
  if (repeats(shared, scheduled)) repeat(shared, replica, scheduled, isAhead);
  if (shared.varies) priceStretch(shared, replica, scheduled);
  else last(shared, scheduled);
  if (scheduled.endAt > LAST_INSTANT) refuseDrain();
}

/** What decodes, as priced, decodes on until one finishes or an arrival, like a batch just composed. */
export function runOn(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  scheduled.startAt = shared.now;
  scheduled.isSettled = false;
  scheduled.iterations = replica.pool.ticksLeft;
  last(shared, scheduled);
  if (scheduled.endAt > LAST_INSTANT) refuseDrain();
}

/** How long the stretch lasts, where all its iterations take the same time. */
function last(shared: TrialState, scheduled: ScheduledBatch): void {
  if (scheduled.iterations > 1) repeatUntilArrival(shared, scheduled);
  scheduled.endAt = (scheduled.startAt + scheduled.iterations * scheduled.iterationTime) as Nanoseconds;
}

function refuseDrain(): never {
  throw new ConfigError([
    { key: "horizon.tmaxSeconds", message: "the drain would pass 2^53 ns (the clock counts 104 days)" },
  ]);
}

/** Whether the batch just composed runs unchanged until something happens: it admits nothing and ends no prompt. */
const repeats = (
  { asksEveryIteration }: TrialState,
  { admitted, ended, preempted }: ScheduledBatch,
): boolean => admitted + ended.length + preempted === 0 && !asksEveryIteration;

/** For how many iterations it does, whatever arrives. */
function repeat(shared: TrialState, replica: Replica, scheduled: ScheduledBatch, isAhead: boolean): void {
  // What the iteration under way gives back when it ends may change the batch after this one.
  if (isAhead && replica.scheduled.finishing.length + replica.scheduled.finishingUnseated.length > 0) return;
  // Up to the next completion.
  const { pool } = replica;
  scheduled.iterations = scheduled.decodes > 0 ? pool.ticksLeft : UNLIMITED;
  if (scheduled.chunkCount > 0)
    scheduled.iterations = Math.min(scheduled.iterations, repeatsOfChunks(shared, scheduled));
}

/** For how many iterations the chunks just composed repeat: the last whole one must not end its prompt. */
function repeatsOfChunks(shared: TrialState, { chunkCount, chunkId, chunkTokens }: ScheduledBatch): number {
  // They move on in their prompts: with memory or context to count, one at a time.
  if (shared.varies) return 1;
  const { promptLeft } = shared.sequences;
  let most = UNLIMITED;
  for (let i = 0; i < chunkCount; i++)
    most = Math.min(most, Math.ceil(promptLeft[chunkId[i]] / chunkTokens[i]));
  return most;
}

/** Up to the first iteration that ends at or after the next arrival, and those composed by then. */
function repeatUntilArrival(shared: TrialState, scheduled: ScheduledBatch): void {
  // A router decides at the arrival whom it concerns: that replica's stretch is cut then.
  if (scheduled.dependsOnArrivals === false || shared.router !== null) return;
  const ahead = shared.nextArrivalAt - scheduled.startAt;
  // Told by a product: a division takes ten times as long, and every other stretch is over before.
  if ((scheduled.iterations - shared.depth + 1) * scheduled.iterationTime <= ahead) return;
  // At most as many as there were, so it fits into 32 bits.
  const most = Math.ceil(ahead / scheduled.iterationTime) + shared.depth - 1;
  scheduled.iterations = most > 1 ? most | 0 : 1;
}

/**
 * A stretch of decodes whose iterations differ in time, because the context grows, or that memory may end: one
 * by one, each rounded as it is priced.
 */
function priceStretch(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { memory, preempted } = replica;
  const { iterations: most, iterationTime: first } = scheduled;
  if (memory !== null && scheduled === replica.scheduled) scheduled.usedBlocks = memory.used;
  const seenAt = scheduled.dependsOnArrivals && shared.router === null ? shared.nextArrivalAt : NEVER;
  const sumKv = scheduled.sumKv;
  let free = memory ? memory.free : 0;
  // A survivor taken leaves the first preempted request more to compute: the scheduler sees another head of the queue.
  const least = memory && preempted.length > 0 ? Math.max(0, free - memory.before(preempted.first)) : 0;
  let time: number = first;
  let at: number = scheduled.startAt;
  // Iterations composed by the instant at which the arrival is seen still belong to the stretch.
  let after = at >= seenAt ? shared.depth - 1 : NEVER;
  let n = 0;
  for (;;) {
    if (n === scheduled.ends.length) {
      const ends = new Float64Array(2 * n);
      ends.set(scheduled.ends);
      scheduled.ends = ends;
    }
    at += time;
    scheduled.ends[n++] = at;
    if (at >= seenAt) after = Math.min(after - 1, shared.depth - 1);
    if (n >= most || after <= 0) break;
    if (memory) {
      free -= blocksNeeded(replica, n);
      if (free < least) break;
    }
    scheduled.sumKv = sumKv + n * scheduled.decodes;
    price(shared, replica, scheduled);
    time = scheduled.iterationTime;
  }
  scheduled.iterationTime = first;
  scheduled.sumKv = sumKv;
  scheduled.iterations = n;
  scheduled.endAt = ns(at);
}

/** How many of a stretch's iterations have ended by an instant. */
export function endedBy(scheduled: ScheduledBatch, instant: number, varies: boolean): number {
  const { iterations, startAt, ends } = scheduled;
  if (!varies)
    return Math.max(0, Math.min(iterations, Math.floor((instant - startAt) / scheduled.iterationTime)));
  let ended = 0;
  while (ended < iterations && ends[ended] <= instant) ended++;
  return ended;
}

/** Ends a stretch early, at its first iteration that ends at `instant` or later (`after`: strictly later). */
export function cut(
  shared: TrialState,
  scheduled: ScheduledBatch,
  instant: Nanoseconds,
  after: boolean,
): void {
  let iterations;
  if (shared.varies) {
    const { ends } = scheduled;
    let ended = 0;
    if (instant > scheduled.startAt || (after && instant === scheduled.startAt))
      while (ended < scheduled.iterations && (after ? ends[ended] <= instant : ends[ended] < instant))
        ended++;
    else ended = -1;
    iterations = ended + 1;
  } else {
    const elapsed = (instant - scheduled.startAt) / scheduled.iterationTime;
    iterations = after ? Math.floor(elapsed) + 1 : Math.ceil(elapsed);
  }
  iterations = Math.max(1, iterations + shared.depth - 1);
  if (iterations >= scheduled.iterations) return;
  scheduled.iterations = iterations;
  scheduled.endAt = scheduled.endOf(iterations, shared.varies);
}

/** Counts a stretch whose end is certain: tokens, first tokens, ITLs, and who finishes with it. */
export function settle(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  scheduled.isSettled = true;
  if (scheduled.chunkCount > 0 && scheduled.iterations > 1) repeatChunks(shared, scheduled);
  if (replica.memory !== null) takeBlocks(shared, replica, replica.memory, scheduled);
  if (scheduled.decodes > 0) tick(shared, replica, scheduled);
  if (scheduled.ended.length > 0) endPrefills(shared, replica, scheduled);
}

/** The plan took the first iteration's chunks; their repeats follow. */
function repeatChunks(
  shared: TrialState,
  { iterations, chunkCount, chunkId, chunkTokens }: ScheduledBatch,
): void {
  const { promptLeft } = shared.sequences;
  for (let i = 0; i < chunkCount; i++) promptLeft[chunkId[i]] -= (iterations - 1) * chunkTokens[i];
}

/** Takes the blocks of a stretch's repeats, and counts the blocks in use, times time. */
function takeBlocks(shared: TrialState, replica: Replica, memory: KvMemory, scheduled: ScheduledBatch): void {
  const { ends, iterations, startAt, blocksIn } = scheduled;
  let used = scheduled.usedBlocks;
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
  scheduled.blockTime = area;
}

/** Moves the decode clock: one token an iteration for every active sequence. */
function tick(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { pool } = replica;
  const { gaps, sequences } = shared;
  if (sequences.largestGap !== null) stretchGaps(shared, replica, scheduled);
  const { iterations } = scheduled;
  const measured = scheduled.decodes - replica.activeUnmeasured;
  const alike = firstGaps(shared, replica, scheduled, measured);
  if (shared.varies) countVarying(shared, replica, scheduled, measured, alike);
  else {
    gaps.sought = scheduled.iterationTime;
    gaps.addSought(measured * (iterations - 1) + alike);
  }
  pool.tick(iterations);
  replica.lastTickAt = scheduled.endAt;
  if (pool.ticksLeft === 0) finishDue(shared, replica, scheduled);
}

/** Those whose last token comes with the stretch's last iteration. */
function finishDue(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { pool } = replica;
  const { finishedAt } = shared.sequences;
  do {
    const id = finishNext(shared, replica);
    finishedAt[id] = scheduled.endAt;
    scheduled.finishing.push(id);
  } while (pool.active > 0 && pool.ticksLeft === 0);
}

/** Where iterations differ in time or count what they hold: their gaps one by one, and the cached tokens. */
function countVarying(
  { gaps }: TrialState,
  replica: Replica,
  { decodes, iterations, iterationTime, ends }: ScheduledBatch,
  measured: number,
  first: number,
): void {
  gaps.add(iterationTime, first);
  for (let i = 1; i < iterations; i++) gaps.add(ends[i] - ends[i - 1], measured);
  replica.sumKv += decodes * iterations;
}

/** Prompts whose prefill ends, by id (model §2). */
function endPrefills(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { ended } = scheduled;
  for (let i = 0; i < ended.length; i++) endPrefill(shared, replica, scheduled, ended.ids[i]);
}

/** A prompt's prefill ends: its first token, by convention, and its way into the pool. */
function endPrefill(shared: TrialState, replica: Replica, scheduled: ScheduledBatch, id: number): void {
  const { sequences, emitsAtPrefillEnd } = shared;
  const { decodeLeft, firstTokenAt, lastTokenAt, place } = sequences;
  const { endAt } = scheduled;
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
    scheduled.finishing.push(id);
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
function resume(shared: TrialState, replica: Replica, id: number, endAt: Nanoseconds): void {
  const { lastTokenAt } = shared.sequences;
  replica.resumedTokens++;
  if (shared.sequences.largestGap !== null) ownGap(shared, id, endAt);
  if (id >= shared.firstMeasured) shared.gaps.add(endAt - lastTokenAt[id], 1);
  lastTokenAt[id] = endAt;
}

/** The stretch is over: what it came to, and what those that finish with it held. */
export function end(shared: TrialState, replica: Replica): void {
  const { scheduled } = replica;
  const { iterations, startAt, endAt } = scheduled;
  if (startAt >= shared.measuredFrom) {
    replica.busyTime += endAt - startAt;
    if (replica.memory !== null) replica.blockTime += scheduled.blockTime;
  } else if (endAt > shared.measuredFrom) countShare(shared, replica);
  scheduled.endAt = NEVER;
  replica.iterations += iterations;
  replica.decodeTokens += iterations * scheduled.decodes;
  replica.prefillTokens += iterations * scheduled.prefillTokens;
  if (scheduled.limitsDecode || scheduled.limitsPrefill) countLimits(replica, scheduled);
  if (scheduled.finishing.length + scheduled.finishingUnseated.length > 0)
    release(shared, replica, scheduled);
}

/** A limit of the policy's own decided. */
function countLimits(replica: Replica, { iterations, limitsDecode, limitsPrefill }: ScheduledBatch): void {
  if (limitsDecode) replica.decodeLimited += iterations;
  if (limitsPrefill) replica.prefillLimited += iterations;
}

/** A stretch that the measurement began in counts from then on. */
function countShare({ measuredFrom }: TrialState, replica: Replica): void {
  const { startAt, endAt, ends, blocksIn } = replica.scheduled;
  replica.busyTime += endAt - measuredFrom;
  for (let i = 0; i < blocksIn.length; i++) {
    const begin = Math.max(measuredFrom, i === 0 ? startAt : ends[i - 1]);
    replica.blockTime += blocksIn[i] * Math.max(ends[i] - begin, 0);
  }
}

/** Sequences that are done give back what they held, if anything, and leave. */
function release(
  shared: TrialState,
  replica: Replica,
  { finishing, finishingUnseated }: ScheduledBatch,
): void {
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
function leave(shared: TrialState, replica: Replica, done: IdList): void {
  replica.answered += done.length;
  shared.completed += done.length;
  for (let i = 0; i < done.length; i++) if (done.ids[i] >= shared.firstMeasured) shared.completedMeasured++;
}
