/** The scheduler of vLLM V1: running requests first, in admission order; then waiting ones, FCFS. */
import type { Composition, Lost } from "./composition.js";
import { isLastInFlight } from "./sequence.js";

export function composeVllm(composition: Composition): void {
  const { replica, input } = composition;
  const { maxTokens, maxSequences } = input.engine;
  const chunkSize = input.engine.chunkSize ?? Infinity;
  let budget = maxTokens;

  // Each running request gets its known tokens less its computed ones, cut to the budget: one for a decode, the
  // next chunk for a partly prefilled prompt, at its place in the order of admission. (A token in flight is
  // known: its request decodes on.) Whoever has its last token in flight gets nothing, and keeps its place.
  const { resident } = replica;
  const isMended = input.scheduler.kind === "vllm" && input.scheduler.version === "2026-08";
  for (let i = 0; i < resident.length && budget > 0; i++) {
    const sequence = resident[i]!;
    if (isLastInFlight(sequence)) continue;
    const isDecoding = sequence.state === "decoding";
    const tokens = isDecoding ? 1 : Math.min(composition.tokensLeft(sequence), chunkSize, budget);
    // Its tokens go back to the budget. One that stood before and was not scheduled leaves i where it is, one too
    // far on: until 2026-08 the loop then skips the next request (#49206).
    const lost: Lost = (place, taken) => {
      budget += taken;
      if (place < i && (taken > 0 || isMended)) i -= 1;
    };
    const isServed = isDecoding
      ? composition.decode(sequence, lost)
      : composition.chunk(sequence, tokens, lost);
    if (!isServed) break;
    budget -= tokens;
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
