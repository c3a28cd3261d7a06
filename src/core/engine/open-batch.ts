/** A batch being composed, as preemption sees it: what it holds of a sequence can be taken out of it again. */
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import type { Tokens } from "../numbers/units.js";

export interface OpenBatch {
  readonly shared: TrialState;
  readonly replica: Replica;
  readonly scheduled: ScheduledBatch;
  /** The replica's partly prefilled prompts before this place are in the batch, or passed over. */
  cursor: number;
  tokensLeft: Tokens;
  slotsLeft: number;
  /** Blocks taken for the batch's decodes. */
  decodeBlocks: number;
  /** The sequence that memory is wanted for; it has no token yet. */
  serving: number;
  /** Residents that were preempted for it, stood before it and had no token in the batch. */
  unservedVictims: number;
}

/**
 * Takes out of the batch what it holds of a sequence, whose blocks go with it.
 * @param part the sequence's place among the partly prefilled prompts; -1 if it decodes
 * @returns the tokens that it was to compute
 */
export function giveBack(batch: OpenBatch, id: number, part: number): number {
  const { replica, scheduled } = batch;
  if (part >= 0) return part < batch.cursor ? giveBackChunk(batch, id) : 0;
  // Where victims may stand in the batch, the active ones are those served, and the one being served.
  if (!replica.engine.preemptsByClass || id === batch.serving || !replica.pool.isActive(id)) return 0;
  scheduled.decodes--;
  batch.tokensLeft = (batch.tokensLeft + 1) as Tokens;
  batch.slotsLeft++;
  return 1;
}

function giveBackChunk(batch: OpenBatch, id: number): number {
  const { scheduled, shared } = batch;
  batch.cursor--;
  const at = scheduled.chunkId.subarray(0, scheduled.chunkCount).indexOf(id);
  if (at < 0) return 0;
  const tokens = scheduled.chunkTokens[at];
  scheduled.dropChunk(at);
  if (shared.sequences.promptLeft[id] === 0) scheduled.ended.remove(id);
  shared.sequences.promptLeft[id] += tokens;
  batch.tokensLeft = (batch.tokensLeft + tokens) as Tokens;
  batch.slotsLeft++;
  return tokens;
}
