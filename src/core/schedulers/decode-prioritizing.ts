/**
 * Request-level batching, as FasterTransformer does: while any sequence decodes, decode and nothing else;
 * then one prefill iteration for a new batch (model §2).
 */
import { nextPiece, nextPrompt } from "../packing.js";
import type { Batch, Scheduler, SchedulerDefinition, View } from "../scheduler.js";
import { tokens } from "../units.js";

/** Packs whole pieces; only the first of an iteration may be cut, when it is longer than the whole budget. */
function packWhole(view: View, batch: Batch): void {
  let isFirst = true;
  while (batch.slotsLeft > 0) {
    const from = nextPrompt(view);
    if (from === undefined) return;
    let piece = nextPiece(view, from);
    if (piece > batch.tokensLeft) {
      if (!isFirst) return;
      piece = batch.tokensLeft;
    }
    if (batch.chunk(from, tokens(piece)) === 0) return;
    isFirst = false;
  }
}

class DecodePrioritizing implements Scheduler {
  compose(view: View, batch: Batch): void {
    if (view.decodable === 0) {
      packWhole(view, batch);
      return;
    }
    batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
    batch.dependsOn("nothing");
  }
}

export const decodePrioritizing: SchedulerDefinition = {
  name: "decode-prioritizing",
  short: "decode",
  order: 1,
  summary: "decode all running sequences to the end, then prefill the next batch",
  source: "request-level batching, FasterTransformer",
  backlog: "waiting",
  options: [],
  examples: [{ kind: "decode-prioritizing" }],
  create: () => new DecodePrioritizing(),
};
