/** What a router sees at the instant of its decision: counts of the replicas, and the request. */
import { NEVER } from "../numbers/units.js";
import type { Fleet, RoutedRequest } from "../policies/router.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import type { Requests } from "../workload/requests.js";
import { endedBy } from "./stretch.js";

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
    const ended = isFlying ? endedBy(scheduled, this.shared.now, replica.engine.varies) : 0;
    // Output tokens that a prefill emits for a preempted request are no decodes.
    const { prefillTokens, decodeTokens, resumedTokens, recomputedTokens } = replica;
    const computed = prefillTokens + decodeTokens + resumedTokens - recomputedTokens;
    return replica.routedTokens - computed - ended * (scheduled.decodes + scheduled.prefillTokens);
  }
  random(): number {
    return this.shared.routing!.uniform();
  }
}

/** The request that arrives; one object for all of a trial, which looks its row up. */
export class Arriving implements RoutedRequest {
  id = 0;

  constructor(private readonly requests: Requests) {}

  get promptTokens(): number {
    return this.requests.promptTokens[this.id];
  }

  get uncachedTokens(): number {
    return this.promptTokens - this.requests.hitTokens(this.id);
  }

  get outputTokens(): number {
    return this.requests.outputTokens[this.id];
  }

  get priority(): number | undefined {
    return this.requests.priority?.[this.id];
  }
}
