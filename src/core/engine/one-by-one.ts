/**
 * Serving residents one by one, where a victim of scarce memory may stand anywhere in running order, even in the batch
 * being composed. While one is served the active decodes are those that the batch holds, and that one.
 */
import type { OpenBatch } from "./open-batch.js";
import { preemptByClass } from "./preemption.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { activateFirst, blocksNeeded, cachedTokens, enterByAdmission } from "./residents.js";
import type { Tokens } from "../numbers/units.js";

/** Memory is wanted for a resident. */
export function serve(batch: OpenBatch, id: number): void {
  batch.serving = id;
  activateFirst(batch.shared, batch.replica, batch.scheduled.decodes);
}

/** Somebody goes for the one being served; it may be that one. */
export function preemptFor(batch: OpenBatch): true {
  const { admission } = batch.shared.sequences;
  const { tokensLeft } = batch;
  const id = preemptByClass(batch);
  if (admission[id] < admission[batch.serving] && batch.tokensLeft === tokensLeft) batch.unservedVictims++;
  return true;
}

/** A token for the next sequence in decode order. @returns whether it kept its place */
export function decodeNext(batch: OpenBatch): boolean {
  const { shared, replica, scheduled } = batch;
  const memory = replica.memory!;
  activateFirst(shared, replica, scheduled.decodes);
  batch.serving = replica.pool.firstIdle;
  activateFirst(shared, replica, scheduled.decodes + 1);
  let needed;
  while ((needed = blocksNeeded(replica) - batch.decodeBlocks) > memory.free) {
    preemptFor(batch);
    if (!replica.pool.isActive(batch.serving)) return false;
  }
  const cached = cachedTokens(shared, batch.serving, shared.sequences.decodeLeft[batch.serving]);
  memory.grow(batch.serving, cached, cached + 1);
  batch.decodeBlocks += needed;
  scheduled.decodes++;
  batch.tokensLeft = (batch.tokensLeft - 1) as Tokens;
  batch.slotsLeft--;
  return true;
}

/**
 * The next `n` residents behind the one just served get nothing in this batch: a prompt keeps its place, a decoding
 * sequence leaves the order until the next batch.
 */
export function passOver(batch: OpenBatch, n: number): void {
  const { shared, replica, scheduled, serving } = batch;
  const { pool, prefilling, skipped } = replica;
  const { admission } = shared.sequences;
  activateFirst(shared, replica, scheduled.decodes);
  const behind: number[] = [];
  const look = (id: number): void => {
    if (admission[id] > admission[serving]) behind.push(id);
  };
  pool.forEach(look);
  for (let i = batch.cursor; i < prefilling.length; i++) look(prefilling.ids[i]);
  const { finishing } = replica.scheduled;
  if (replica.scheduled !== scheduled) for (let i = 0; i < finishing.length; i++) look(finishing.ids[i]);
  behind.sort((a, b) => admission[a] - admission[b]);
  for (const id of behind.slice(0, n))
    if (prefilling.includes(id)) batch.cursor++;
    else if (pool.dropIdle(id)) skipped.push(id);
}

/** Who was passed over by the batch before takes its place in the order again. */
export function takeUpSkipped(shared: TrialState, replica: Replica): void {
  const { skipped } = replica;
  for (let i = 0; i < skipped.length; i++) enterByAdmission(shared, replica, skipped.ids[i]);
  skipped.length = 0;
}
