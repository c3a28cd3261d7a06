/**
 * vLLM V1: the running requests first, in the order of their admission (a decode takes one token, a partly
 * prefilled prompt the next chunk that fits, at its place in that order), then waiting ones while cap, budget and
 * memory admit. Batches are composed one iteration ahead (asynchronous scheduling, its default).
 */
import { asManyAsFit, nextPiece } from "../packing.js";
import type { Batch, Scheduler, SchedulerDefinition, View } from "../scheduler.js";
import { tokens } from "../units.js";

/** Decodes up to the first `upTo` of the order, as far as the budget goes. */
function decodeUpTo(batch: Batch, placed: number, upTo: number): number {
  const more = Math.min(upTo - placed, batch.tokensLeft, batch.slotsLeft);
  return more > 0 ? batch.decode(placed + more) : placed;
}

class Vllm implements Scheduler {
  readonly decodesAll = asManyAsFit;
  readonly decodeOrder = "admission";

  compose(view: View, batch: Batch): void {
    let decodes = 0;
    while (view.partial.exists && batch.tokensLeft > 0) {
      decodes = decodeUpTo(batch, decodes, view.partial.decodesAhead);
      // Memory for these decodes may have cost the prompt its place.
      if (!view.partial.exists || batch.tokensLeft === 0 || batch.slotsLeft === 0) break;
      const piece = Math.min(nextPiece(view, "partial"), batch.tokensLeft);
      // Granted nothing, it was preempted itself, and with it all behind it.
      if (batch.chunk("partial", tokens(piece)) === 0) break;
    }
    decodeUpTo(batch, decodes, view.decodable);
    while (view.waiting.exists && view.resident < view.limits.residentCap) {
      if (batch.tokensLeft === 0 || batch.slotsLeft === 0) return;
      const piece = Math.min(nextPiece(view, "waiting"), batch.tokensLeft);
      if (batch.chunk("waiting", tokens(piece)) === 0) return;
    }
  }
}

export const vllm: SchedulerDefinition = {
  name: "vllm",
  short: "vllm",
  order: 4,
  summary: "vLLM V1: running requests first, then waiting ones, asynchronously",
  source: "vLLM 0.19, V1 scheduler",
  backlog: "waiting",
  async: true,
  fixes: { firstToken: "prefill", mixedBatch: "sum", sequenceCap: "resident" },
  options: [],
  examples: [{ kind: "vllm" }],
  create: () => new Vllm(),
};
