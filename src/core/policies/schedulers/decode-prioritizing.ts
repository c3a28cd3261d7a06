/**
 * Request-level batching, as FasterTransformer does: while any sequence decodes, decode and nothing else;
 * then one prefill iteration for a new batch (model §2).
 */
import { asManyAsFit } from "../packing.js";
import type { Batch, Scheduler, SchedulerDefinition, View } from "../scheduler.js";
import { UNLIMITED } from "../../numbers/units.js";

class DecodePrioritizing implements Scheduler {
  readonly decodesAll = asManyAsFit;
  readonly decodesFirst = true;

  compose(view: View, batch: Batch): void {
    if (view.decodable === 0) {
      // Only the first of an iteration may be cut, when it is longer than the whole budget.
      batch.pack(UNLIMITED, UNLIMITED, true);
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
