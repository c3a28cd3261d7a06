/**
 * Stall-free batching of Sarathi-Serve (Agrawal et al., OSDI 2024, algorithm 3): every decode first, then partly
 * prefilled prompts, then new ones FCFS, each cut to what is left of the token budget. No decode ever waits for a
 * prompt; the budget, and not a share of it, bounds how much a prompt lengthens an iteration.
 */
import { asManyAsFit } from "../packing.js";
import type { Batch, Scheduler, SchedulerDefinition, View } from "../scheduler.js";

class Sarathi implements Scheduler {
  readonly decodesAll = asManyAsFit;

  compose(view: View, batch: Batch): void {
    batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
    batch.pack();
  }
}

export const sarathi: SchedulerDefinition = {
  name: "sarathi",
  short: "sarathi",
  order: 5,
  summary: "every decode, then prompts cut to what is left of the budget",
  source: "Agrawal et al., Sarathi-Serve, OSDI 2024",
  backlog: "waiting",
  options: [],
  examples: [{ kind: "sarathi" }],
  create: () => new Sarathi(),
};
