/** Prompts first, as the original vLLM: pure prefill iterations while a prompt may run, else decode (model §2). */
import { asManyAsFit } from "../packing.js";
import type { Batch, Scheduler, SchedulerDefinition, View } from "../scheduler.js";

class PrefillPrioritizing implements Scheduler {
  readonly decodesAll = asManyAsFit;

  compose(view: View, batch: Batch): void {
    const untouched = batch.tokensLeft;
    batch.pack();
    if (batch.tokensLeft === untouched)
      batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
  }
}

export const prefillPrioritizing: SchedulerDefinition = {
  name: "prefill-prioritizing",
  short: "prefill",
  order: 2,
  summary: "prefill as soon as a prompt waits, decode otherwise",
  source: "Kwon et al., PagedAttention, SOSP 2023 (vLLM V0)",
  backlog: "decoding",
  options: [],
  examples: [{ kind: "prefill-prioritizing" }],
  create: () => new PrefillPrioritizing(),
};
