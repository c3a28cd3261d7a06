/**
 * The ways in and out of a replica's active decodes: what each costs in counts. Every change of who decodes goes
 * through here, so that the counts of cached tokens and blocks stay right.
 */
import { leavesWithGaps } from "./largest-gaps.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";

/** Tokens in the KV cache of a sequence that has been prefilled and has `decodeLeft` output tokens to come. */
export function cachedTokens(shared: TrialState, id: number, decodeLeft: number): number {
  const { promptTokens, outputTokens } = shared.sequences.requests;
  const output = outputTokens[id];
  // The newest token of `firstToken: prefill` is cached by the iteration that follows.
  return promptTokens[id] + output - decodeLeft - (shared.emitsAtPrefillEnd && output > 0 ? 1 : 0);
}

/** Sequences of one phase need a block in the same iterations; `phases` has an entry each, a power of two in all. */
const phaseOf = (phases: Int32Array, cached: number, clock: number): number =>
  (cached - clock) & (phases.length - 1);

/** Blocks that the active sequences need for the iteration that follows `ahead` others. */
export const blocksNeeded = ({ phases, pool }: Replica, ahead = 0): number =>
  phases[phaseOf(phases, 0, pool.clock + ahead)];

/** An active sequence with so many cached tokens comes (1) or goes (-1). Nobody asks while times do not vary. */
function count(replica: Replica, cached: number, change: 1 | -1): void {
  replica.sumKv += change * cached;
  const { memory, phases, pool } = replica;
  if (memory) phases[phaseOf(phases, cached, pool.clock)] += change;
}

/** The first `n` of the decode order are active, and no more. */
export function activateFirst(shared: TrialState, replica: Replica, n: number): void {
  while (replica.pool.active < n) activate(shared, replica);
  while (replica.pool.active > n) deactivateLast(shared, replica);
}

/** The first idle sequence becomes active. */
function activate(shared: TrialState, replica: Replica): void {
  const { decodeLeft, lastTokenAt } = shared.sequences;
  const { pool } = replica;
  const id = pool.activate(decodeLeft);
  if (pool.freshCount === 1) pool.freshAt = lastTokenAt[id];
  else if (pool.freshAt !== lastTokenAt[id]) pool.freshAt = NaN;
  if (replica.engine.varies) count(replica, cachedTokens(shared, id, decodeLeft[id]), 1);
  if (id < shared.firstMeasured) replica.activeUnmeasured++;
}

/** The active sequence that is last in decode order steps back. */
export function deactivateLast(shared: TrialState, replica: Replica): void {
  const { pool } = replica;
  const { decodeLeft, place } = shared.sequences;
  const id = pool.lastActive(place);
  const hasTicked = !pool.isFresh(id);
  pool.deactivate(id, decodeLeft);
  leftActive(shared, replica, id, hasTicked);
}

/** A sequence enters the pool where its admission places it; active ones behind it step back. */
export function enterByAdmission(shared: TrialState, replica: Replica, id: number): void {
  const { pool } = replica;
  const { admission, place } = shared.sequences;
  place[id] = admission[id];
  if (!pool.isLast(place[id]))
    while (pool.active > 0 && place[pool.lastActive(place)] > place[id]) deactivateLast(shared, replica);
  pool.insert(id, place);
}

/** The active sequence that finishes next is done with decoding. Returns its id. */
export function finishNext(shared: TrialState, replica: Replica): number {
  const id = replica.pool.finishNext();
  if (shared.sequences.largestGap !== null) leavesWithGaps(shared, replica, id);
  if (replica.engine.varies) count(replica, cachedTokens(shared, id, 0), -1);
  if (id < shared.firstMeasured) replica.activeUnmeasured--;
  return id;
}

/** An active sequence leaves the pool with tokens to come. */
export function dropActive(shared: TrialState, replica: Replica, id: number): void {
  const hasTicked = !replica.pool.isFresh(id);
  replica.pool.dropActive(id, shared.sequences.decodeLeft);
  leftActive(shared, replica, id, hasTicked);
}

/** The counts of a sequence that has just left the active ones with tokens to come. */
function leftActive(shared: TrialState, replica: Replica, id: number, hasTicked: boolean): void {
  const { decodeLeft, lastTokenAt } = shared.sequences;
  if (hasTicked) {
    lastTokenAt[id] = replica.lastTickAt;
    if (replica.memory) shared.sequences.tickedAt[id] = replica.pool.clock;
    if (shared.sequences.largestGap !== null) leavesWithGaps(shared, replica, id);
  }
  if (replica.engine.varies) count(replica, cachedTokens(shared, id, decodeLeft[id]), -1);
  if (id < shared.firstMeasured) replica.activeUnmeasured--;
}
