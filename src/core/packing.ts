/** How schedulers fill a batch with prompts, FCFS: the one packing rule that several of them share. */
import type { Batch, PromptQueue, View } from "./scheduler.js";
import { tokens, type Tokens } from "./units.js";

/** Partly prefilled prompts go before unstarted ones (model §2). */
export const PROMPT_QUEUES: readonly PromptQueue[] = ["partial", "waiting"];

/** Whether the head of that queue exists and the resident cap lets it run. */
export const admits = (view: View, from: PromptQueue): boolean =>
  view[from].exists && (from === "partial" || view.resident < view.limits.residentCap);

/** The next piece of the queue's head: the whole prompt, or with chunking its next chunk. */
export const nextPiece = (view: View, from: PromptQueue): Tokens =>
  tokens(Math.min(view[from].left, view.limits.chunk));

/**
 * Packs prompts FCFS, each cut to fit: at most `prompts` of them and `budget` tokens, inside what the batch
 * has left. Stops at the first that gets nothing.
 */
export function packPrompts(view: View, batch: Batch, prompts: number, budget: number): void {
  for (const from of PROMPT_QUEUES) {
    while (prompts > 0 && batch.slotsLeft > 0 && admits(view, from)) {
      const piece = Math.min(nextPiece(view, from), budget, batch.tokensLeft);
      if (piece <= 0 || batch.chunk(from, tokens(piece)) === 0) return;
      budget -= piece;
      prompts--;
    }
  }
}
