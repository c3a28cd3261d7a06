/**
 * Iteration-level scheduling of Orca (Yu et al., OSDI 2022): every decode, then whole prompts FCFS while cap and
 * budget admit. A prompt that does not fit beside the decodes waits, and all behind it; only one longer than the
 * whole budget is cut, in every iteration that runs it, to what the decodes leave.
 */
import { asManyAsFit, nextPiece, nextPrompt } from "../packing.js";
import type { Batch, Scheduler, SchedulerDefinition, View } from "../scheduler.js";
import { tokens } from "../../numbers/units.js";

class Orca implements Scheduler {
  readonly decodesAll = asManyAsFit;

  compose(view: View, batch: Batch): void {
    batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
    const { maxTokens, chunk } = view.limits;
    while (batch.slotsLeft > 0 && batch.tokensLeft > 0) {
      const from = nextPrompt(view);
      if (from === undefined) return;
      let piece = nextPiece(view, from);
      if (piece > batch.tokensLeft) {
        // Where chunks fit into the budget nothing is cut; elsewhere a partly prefilled prompt is one that was.
        const isLong = from === "waiting" ? piece > maxTokens : chunk > maxTokens;
        if (!isLong) return;
        piece = batch.tokensLeft;
      }
      if (batch.chunk(from, tokens(piece)) === 0) return;
    }
  }
}

export const orca: SchedulerDefinition = {
  name: "orca",
  short: "orca",
  order: 6,
  summary: "every decode, then whole prompts while they fit",
  source: "Yu et al., Orca, OSDI 2022",
  backlog: "waiting",
  options: [],
  examples: [{ kind: "orca" }],
  create: () => new Orca(),
};
