/** The scheduler of vLLM V1: running requests first, in admission order; then waiting ones, FCFS. */
import type { Composition } from "./composition.js";
import { isLastInFlight } from "./sequence.js";

export function composeVllm(composition: Composition): void {
  const { replica, input } = composition;
  const { maxTokens, maxSequences } = input.engine;
  const chunkSize = input.engine.chunkSize ?? Infinity;
  let budget = maxTokens;

  // Each running request gets its known tokens less its computed ones, cut to the budget: one for a decode, the
  // next chunk for a partly prefilled prompt, at its place in the order of admission. (A token in flight is
  // known: its request decodes on.) Whoever memory throws out is the last, so nobody stands behind it.
  for (const sequence of [...replica.resident]) {
    if (budget === 0 || sequence.state === "preempted") break;
    if (isLastInFlight(sequence)) continue;
    if (sequence.state === "decoding") {
      if (!composition.decode(sequence)) break;
      budget -= 1;
    } else {
      const tokens = Math.min(composition.tokensLeft(sequence), chunkSize, budget);
      if (!composition.chunk(sequence, tokens)) break;
      budget -= tokens;
    }
  }

  // Waiting requests while a place and budget are left; a head that does not fit stops the loop, and after a
  // preemption no head is admitted.
  for (const sequence of composition.waiting) {
    if (budget === 0 || replica.resident.length >= maxSequences) break;
    const tokens = Math.min(composition.tokensLeft(sequence), chunkSize, budget);
    if (!composition.chunk(sequence, tokens)) break;
    budget -= tokens;
  }
}
