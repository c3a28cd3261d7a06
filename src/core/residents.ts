/**
 * The ways in and out of a replica's active decodes, and out of its memory: what each costs in counts. Every
 * change of who decodes goes through here, so that the counts of cached tokens and blocks stay right.
 */
import { BLOCK_TOKENS, blocksFor } from "./kv-memory.js";
import { leavesWithGaps } from "./largest-gaps.js";
import type { Flight, Replica, Shared } from "./replica.js";

/** Tokens in the KV cache of a sequence that has been prefilled and has `decodeLeft` output tokens to come. */
export function cachedTokens(shared: Shared, id: number, decodeLeft: number): number {
  const { promptTokens, outputTokens } = shared.sequences.requests;
  const output = outputTokens[id];
  // The newest token of `firstToken: prefill` is cached by the iteration that follows.
  return promptTokens[id] + output - decodeLeft - (shared.emitsAtPrefillEnd && output > 0 ? 1 : 0);
}

/** Sequences of one phase need a block in the same iterations. */
const phaseOf = (cached: number, clock: number): number => (cached - clock) & (BLOCK_TOKENS - 1);

/** Blocks that the active sequences need for the iteration that follows `ahead` others. */
export const blocksNeeded = ({ phases, pool }: Replica, ahead = 0): number =>
  phases[phaseOf(0, pool.clock + ahead)];

/** An active sequence with so many cached tokens comes (1) or goes (-1). Nobody asks while times do not vary. */
function count(replica: Replica, cached: number, change: 1 | -1): void {
  replica.sumKv += change * cached;
  if (replica.memory) replica.phases[phaseOf(cached, replica.pool.clock)] += change;
}

/** The first `n` of the decode order are active, and no more. */
export function activateFirst(shared: Shared, replica: Replica, n: number): void {
  while (replica.pool.active < n) activate(shared, replica);
  while (replica.pool.active > n) deactivateLast(shared, replica);
}

/** The first idle sequence becomes active. */
function activate(shared: Shared, replica: Replica): void {
  const { decodeLeft, lastTokenAt } = shared.sequences;
  const { pool } = replica;
  const id = pool.activate(decodeLeft);
  if (pool.freshCount === 1) pool.freshAt = lastTokenAt[id];
  else if (pool.freshAt !== lastTokenAt[id]) pool.freshAt = NaN;
  if (shared.varies) count(replica, cachedTokens(shared, id, decodeLeft[id]), 1);
  if (id < shared.firstMeasured) replica.activeUnmeasured++;
}

/** The active sequence that is last in decode order steps back. */
export function deactivateLast(shared: Shared, replica: Replica): void {
  const { pool } = replica;
  const { decodeLeft, place } = shared.sequences;
  const id = pool.lastActive(place);
  const hasTicked = !pool.isFresh(id);
  pool.deactivate(id, decodeLeft);
  leftActive(shared, replica, id, hasTicked);
}

/** The active sequence that finishes next is done with decoding. Returns its id. */
export function finishNext(shared: Shared, replica: Replica): number {
  const id = replica.pool.finishNext();
  if (shared.sequences.largestGap !== null) leavesWithGaps(shared, replica, id);
  if (shared.varies) count(replica, cachedTokens(shared, id, 0), -1);
  if (id < shared.firstMeasured) replica.activeUnmeasured--;
  return id;
}

/** The counts of a sequence that has just left the active ones with tokens to come. */
function leftActive(shared: Shared, replica: Replica, id: number, hasTicked: boolean): void {
  const { decodeLeft, lastTokenAt } = shared.sequences;
  if (hasTicked) {
    lastTokenAt[id] = replica.lastTickAt;
    if (shared.sequences.largestGap !== null) leavesWithGaps(shared, replica, id);
  }
  if (shared.varies) count(replica, cachedTokens(shared, id, decodeLeft[id]), -1);
  if (id < shared.firstMeasured) replica.activeUnmeasured--;
}

/**
 * Takes the memory of the resident that is last in running order and not in the batch being composed: it goes to
 * the head of the waiting and will compute its tokens again, except in the blocks of its own that survive.
 * Running order is that of admission, or the decodes in their order and then the partly prefilled prompts.
 * @param batch the batch being composed
 * @param cursor the replica's partly prefilled prompts from here on are not in it
 * @returns whether there was one
 */
export function preemptLast(shared: Shared, replica: Replica, batch: Flight, cursor: number): boolean {
  const { pool, partial, flight } = replica;
  const { admission, decodeLeft, place, promptLeft } = shared.sequences;
  const order = shared.byAdmission ? admission : place;
  const later = (a: number, b: number): number => (b < 0 || (a >= 0 && order[a] > order[b]) ? a : b);
  const part = partial.length > cursor ? partial.ids[partial.length - 1] : -1;
  const isPart = part >= 0 && !shared.byAdmission;
  // Of the active ones the first `batch.decodes` have their token already.
  const active = !isPart && pool.active > batch.decodes ? pool.lastActive(place) : -1;
  const idle = isPart ? -1 : pool.lastIdle;
  let last = -1;
  if (flight !== batch && !isPart)
    for (let i = 0; i < flight.finishing.length; i++) last = later(flight.finishing.ids[i], last);
  const id = later(part, later(active, later(idle, last)));
  if (id < 0) return false;

  const left = id === part ? promptLeft[id] : 0;
  if (id === active) {
    const hasTicked = !pool.isFresh(id);
    pool.dropActive(id, decodeLeft);
    leftActive(shared, replica, id, hasTicked);
  } else if (id === idle) pool.dropLastIdle();
  else if (id === part) partial.length--;
  else {
    flight.finishing.remove(id);
    flight.finishingUnseated.push(id);
  }
  const known = shared.sequences.known(id);
  const cached = id === part ? known - left : cachedTokens(shared, id, id === last ? 0 : decodeLeft[id]);
  replica.resident--;
  replica.preemptions++;
  batch.preempted++;
  if (id === last) replica.memory!.release(blocksFor(cached));
  else {
    replica.memory!.preempt(id, blocksFor(cached), Math.floor(cached / BLOCK_TOKENS));
    replica.recomputedTokens += known - left;
    promptLeft[id] = known;
    replica.returned.pushFront(id);
  }
  return true;
}
