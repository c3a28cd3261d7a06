/** Blocks for decodes: of those that need one, a cache that knows whose each is gives to each by itself. */
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { blocksNeeded, cachedTokens } from "./residents.js";

/** Of the active sequences that need a block for the batch being composed, and of which the first `having` have theirs. */
export function growDecodes(shared: TrialState, replica: Replica, having: number, blocks: number): void {
  const memory = replica.memory!;
  if (memory.countsOnly) memory.growAll(blocks);
  else growEach(shared, replica, 0, having, blocks);
}

/** In decode order, for the iteration that follows `ahead` others. */
function growEach(shared: TrialState, replica: Replica, ahead: number, having: number, blocks: number): void {
  const memory = replica.memory!;
  const { blockTokens } = replica.engine.kvRules;
  const { place } = shared.sequences;
  const cachedOf = new Map<number, number>();
  replica.pool.forEachActive((id, ticksLeft) => {
    const cached = cachedTokens(shared, id, ticksLeft) + ahead;
    if (cached % blockTokens === 0) cachedOf.set(id, cached);
  });
  const inOrder = [...cachedOf].sort(([a], [b]) => place[a] - place[b]);
  for (const [id, cached] of inOrder.slice(having, having + blocks)) memory.grow(id, cached, cached + 1);
}

/** The iterations of a stretch after its first take their blocks, `blocks` in all. */
export function growStretch(shared: TrialState, replica: Replica, iterations: number, blocks: number): void {
  const memory = replica.memory!;
  if (memory.countsOnly) memory.growAll(blocks);
  else
    for (let ahead = 1; ahead < iterations; ahead++)
      growEach(shared, replica, ahead, 0, blocksNeeded(replica, ahead));
}
