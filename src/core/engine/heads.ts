/** The prompts that a batch may take next, as a scheduler sees them: each when it looks. */
import type { Head, PrefillingHead } from "../policies/scheduler.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import type { Tokens } from "../numbers/units.js";

/** The queues of prompts of a batch being composed (plan.ts). */
export interface PromptQueues {
  readonly shared: TrialState;
  readonly replica: Replica;
  /** Unstarted prompts that the batch may still take. */
  readonly unstarted: number;
  /** The id at the head of the unstarted. */
  readonly firstWaiting: number;
  /** The first partly prefilled prompt that the batch has not taken, by its place. */
  readonly cursor: number;
  /** Prompt tokens to go of the head of a queue. */
  leftOf(id: number, isWaiting: boolean): Tokens;
}

/** The first unstarted prompt: a preempted request, else the discipline's first. */
export class FirstWaiting implements Head {
  constructor(private readonly queues: PromptQueues) {}

  get exists(): boolean {
    return this.queues.unstarted > 0;
  }

  get left(): Tokens {
    return this.queues.leftOf(this.queues.firstWaiting, true);
  }
}

/** The first partly prefilled prompt that the batch has not taken yet. */
export class FirstPrefilling implements PrefillingHead {
  constructor(private readonly queues: PromptQueues) {}

  get exists(): boolean {
    return this.queues.cursor < this.queues.replica.prefilling.length;
  }

  get left(): Tokens {
    const { replica, cursor } = this.queues;
    return this.queues.leftOf(replica.prefilling.ids[cursor], false);
  }

  get decodesAhead(): number {
    const { shared, replica, cursor } = this.queues;
    const { admission } = shared.sequences;
    return replica.pool.ahead(admission[replica.prefilling.ids[cursor]], admission);
  }
}
