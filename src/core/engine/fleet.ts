/** What a router sees of the replicas: counts, as they are at the instant of its decision. */
import { NEVER } from "../numbers/units.js";
import type { Fleet } from "../policies/router.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { endedBy } from "./iteration.js";

export class Replicas implements Fleet {
  constructor(
    private readonly shared: TrialState,
    private readonly all: readonly Replica[],
  ) {}
  get replicas(): number {
    return this.all.length;
  }
  get arrived(): number {
    return this.shared.arrived - 1;
  }
  outstanding(i: number): number {
    return this.all[i].routed - this.all[i].answered;
  }
  outstandingTokens(i: number): number {
    const replica = this.all[i];
    const { scheduled } = replica;
    const isFlying = scheduled.endAt !== NEVER;
    const ended = isFlying ? endedBy(scheduled, this.shared.now, this.shared.varies) : 0;
    // Output tokens that a prefill emits for a preempted request are no decodes.
    const { prefillTokens, decodeTokens, resumedTokens, recomputedTokens } = replica;
    const computed = prefillTokens + decodeTokens + resumedTokens - recomputedTokens;
    return replica.routedTokens - computed - ended * (scheduled.decodes + scheduled.prefillTokens);
  }
  random(): number {
    return this.shared.routing!.uniform();
  }
}
