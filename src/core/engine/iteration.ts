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
import { growStretch } from "./decode-blocks.js";
import { firstGaps } from "./first-gaps.js";
import type { IdList } from "../queues/id-list.js";
import { ownGap, stretchGaps } from "./largest-gaps.js";
import type { Plan } from "./plan.js";
import { schedule } from "./stretch.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { blocksNeeded, cachedTokens, enterByAdmission, finishNext } from "./residents.js";
import { NEVER, type Instant } from "../numbers/units.js";

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

/** Counts a stretch whose end is certain: tokens, first tokens, ITLs, and who finishes with it. */
export function settle(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  scheduled.isSettled = true;
  if (scheduled.chunkCount > 0 && scheduled.iterations > 1) repeatChunks(shared, scheduled);
  if (replica.memory !== null) takeBlocks(shared, replica, scheduled);
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
function takeBlocks(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { ends, iterations, startAt, blocksIn } = scheduled;
  let used = scheduled.usedBlocks;
  // In a closed loop nobody may be known yet who will be measured: NaN, and then the measurement may begin here, too.
  const isBefore = !(startAt >= shared.measuredFrom);
  // A length set calls the runtime, whatever it was: 140 instructions (`npm run bench -- instructions`).
  if (blocksIn.length > 0) blocksIn.length = 0;
  if (isBefore) blocksIn.push(used);
  let area = used * (ends[0] - startAt);
  for (let i = 1; i < iterations; i++) {
    used += blocksNeeded(replica, i);
    if (isBefore) blocksIn.push(used);
    area += used * (ends[i] - ends[i - 1]);
  }
  scheduled.blockTime = area;
  if (iterations > 1) growStretch(shared, replica, iterations, used - scheduled.usedBlocks);
}

/** Moves the decode clock: one token an iteration for every active sequence. */
function tick(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { pool } = replica;
  const { gaps, sequences } = shared;
  if (sequences.largestGap !== null) stretchGaps(shared, replica, scheduled);
  const { iterations } = scheduled;
  const measured = scheduled.decodes - replica.activeUnmeasured;
  const alike = firstGaps(shared, replica, scheduled, measured);
  if (replica.engine.varies) countVarying(shared, replica, scheduled, measured, alike);
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
  } else if (replica.engine.byAdmission) enterByAdmission(shared, replica, id);
  else if (pool.active < replica.engine.decodesAll && pool.idleCount === 0) {
    // With the next batch that decodes it would be active anyway: its scheduler `decodesAll` of so many.
    if (emitsAtPrefillEnd === true && (pool.freshCount === 0 || pool.freshAt === endAt)) pool.freshAt = endAt;
    else pool.freshAt = NaN;
    pool.start(id, place, left);
    if (id < shared.firstMeasured) replica.activeUnmeasured++;
  } else pool.append(id, place);
}

/** A preempted sequence's tokens are computed again, and one more comes. */
function resume(shared: TrialState, replica: Replica, id: number, endAt: Instant): void {
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
      memory.release(finishing.ids[i], cached, cached);
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
