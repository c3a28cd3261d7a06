/** How schedulers fill a batch with prompts, FCFS: the packing rules that several of them share. */
import type { Batch, PromptQueue, View } from "./scheduler.js";
import { tokens, UNLIMITED } from "./units.js";

/** The queue whose head is next: partly prefilled prompts before unstarted ones, those if the cap admits one (model §2). */
export function nextPrompt(view: View): PromptQueue | undefined {
  if (view.partial.exists) return "partial";
  return view.waiting.exists && view.resident < view.limits.residentCap ? "waiting" : undefined;
}

/** The next piece of that queue's head: the whole prompt, or with chunking its next chunk. */
export const nextPiece = (view: View, from: PromptQueue): number =>
  Math.min(from === "partial" ? view.partial.left : view.waiting.left, view.limits.chunk);

/**
 * Packs prompts FCFS, each cut to fit: at most `prompts` of them and `budget` tokens, inside what the batch has
 * left.
 * @returns whether one of these two limits ended it: places with tokens left, or tokens with places left
 */
export function packPrompts(view: View, batch: Batch, prompts = UNLIMITED, budget = UNLIMITED): boolean {
  for (;;) {
    const from = nextPrompt(view);
    if (from === undefined) return false;
    if (prompts === 0) return batch.tokensLeft > 0;
    if (budget === 0) return batch.slotsLeft > 0;
    if (batch.slotsLeft === 0 || batch.tokensLeft === 0) return false;
    const piece = Math.min(nextPiece(view, from), budget, batch.tokensLeft);
    if (batch.chunk(from, tokens(piece)) === 0) return false;
    budget -= piece;
    prompts--;
  }
}
