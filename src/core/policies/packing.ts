/** What several schedulers say alike: which prompt comes next, FCFS, and how many decode when there is none. */
import type { Limits, PromptQueue, View } from "./scheduler.js";

/** The queue whose head is next: partly prefilled prompts before unstarted ones, those if the cap admits one (model §2). */
export function nextPrompt(view: View): PromptQueue | undefined {
  // By its earlier name: plugins compare with it.
  if (view.prefilling.exists) return "partial";
  return view.waiting.exists && view.resident < view.limits.residentCap ? "waiting" : undefined;
}

/** The next piece of that queue's head: the whole prompt, or with chunking its next chunk. */
export const nextPiece = (view: View, from: PromptQueue): number =>
  Math.min(from === "waiting" ? view.waiting.left : view.prefilling.left, view.limits.chunk);

/** As many as fit into an iteration. */
export const asManyAsFit = ({ maxSequences, maxTokens }: Limits): number => Math.min(maxSequences, maxTokens);
