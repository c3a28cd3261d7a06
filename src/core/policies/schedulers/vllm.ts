/**
 * vLLM V1: the running requests first, in the order of their admission (a decode takes one token, a partly
 * prefilled prompt the next chunk that fits, at its place in that order), then waiting ones while cap, budget and
 * memory admit. Batches are composed one iteration ahead (asynchronous scheduling, its default).
 */
import { textOf, type Spec } from "../../options/definition.js";
import { asManyAsFit, nextPiece } from "../packing.js";
import type { Batch, OneByOne, Scheduler, SchedulerDefinition, View } from "../scheduler.js";
import { tokens } from "../../numbers/units.js";

/** Decodes up to the first `upTo` of the order, as far as the budget goes. */
function decodeUpTo(batch: Batch, placed: number, upTo: number): number {
  const more = Math.min(upTo - placed, batch.tokensLeft, batch.slotsLeft);
  return more > 0 ? batch.decode(placed + more) : placed;
}

/**
 * The running requests where a victim may stand anywhere. One that stood before the current request and was not in the
 * batch leaves vLLM's index one too far on, until 2026-08 (#49206): the next request is passed over.
 */
function serveOneByOne(view: View, batch: Batch, residents: OneByOne, skips: boolean): void {
  while (batch.tokensLeft > 0 && batch.slotsLeft > 0) {
    if (view.prefilling.exists && view.prefilling.decodesAhead <= residents.decodes) {
      const piece = Math.min(nextPiece(view, "prefilling"), batch.tokensLeft);
      if (batch.chunk("prefilling", tokens(piece)) === 0) return;
    } else if (residents.decodes === view.decodable || !residents.decodeNext()) return;
    if (skips && residents.unservedVictims > 0) residents.skip(residents.unservedVictims);
  }
}

class Vllm implements Scheduler {
  readonly decodesAll = asManyAsFit;
  readonly decodeOrder = "admission";
  readonly preemptsByClass = true;
  readonly reservesPrompt: boolean;
  readonly emptyBlocksFirst: boolean;
  private readonly skips: boolean;

  constructor(spec: Spec) {
    const version = textOf(spec, "version");
    this.reservesPrompt = version !== "0.16";
    this.emptyBlocksFirst = version === "2026-08";
    this.skips = version !== "2026-08";
  }

  compose(view: View, batch: Batch): void {
    // Each resident needs at most a block more than its tokens: with so many free nobody is preempted.
    if (batch.oneByOne && view.freeBlocks < view.resident + view.limits.maxTokens)
      serveOneByOne(view, batch, batch.oneByOne, this.skips);
    else this.serve(view, batch);
    while (view.waiting.exists && view.resident < view.limits.residentCap) {
      if (batch.tokensLeft === 0 || batch.slotsLeft === 0) return;
      const piece = Math.min(nextPiece(view, "waiting"), batch.tokensLeft);
      if (batch.chunk("waiting", tokens(piece)) === 0) return;
    }
  }

  private serve(view: View, batch: Batch): void {
    let decodes = 0;
    while (view.prefilling.exists && batch.tokensLeft > 0) {
      decodes = decodeUpTo(batch, decodes, view.prefilling.decodesAhead);
      // Memory for these decodes may have cost the prompt its place.
      if (!view.prefilling.exists || batch.tokensLeft === 0 || batch.slotsLeft === 0) break;
      const piece = Math.min(nextPiece(view, "prefilling"), batch.tokensLeft);
      // Granted nothing, it was preempted itself, and with it all behind it.
      if (batch.chunk("prefilling", tokens(piece)) === 0) break;
    }
    decodeUpTo(batch, decodes, view.decodable);
  }
}

export const vllm: SchedulerDefinition = {
  name: "vllm",
  short: "vllm",
  order: 4,
  summary: "vLLM V1: running requests first, then waiting ones, asynchronously",
  source: "vLLM 0.19, V1 scheduler; 0.16 and August 2026 by `version`",
  backlog: "waiting",
  async: true,
  fixes: { firstToken: "prefill", mixedBatch: "sum", sequenceCap: "resident" },
  options: [
    {
      key: "version",
      kind: "choice",
      choices: ["0.16", "0.19", "2026-08"],
      default: "0.19",
      summary: "whose rules of KV memory: 0.16 reserves no prompts, 2026-08 takes empty blocks first",
    },
  ],
  examples: [{ kind: "vllm" }, { kind: "vllm", version: "2026-08" }],
  create: (spec) => new Vllm(spec),
};
