/** What all replicas of a trial share: what the engine was set up with, and where the trial is. */
import type { Senders } from "../workload/senders.js";
import type { GapLog } from "./gap-log.js";
import type { KvRules } from "./kv-memory.js";
import type { Stream } from "../numbers/random.js";
import type { Router } from "../policies/router.js";
import type { Limits, Scheduler } from "../policies/scheduler.js";
import type { Sequences } from "./sequences.js";
import type { ServiceTimeModel } from "../service-times/service-time-model.js";
import type { Nanoseconds } from "../numbers/units.js";

/** What the replicas of a trial have in common. */
export interface TrialState {
  readonly sequences: Sequences;
  /** Chooses a replica's own queue for each request; null: one central queue (model §1). */
  readonly router: Router | null;
  /** Random numbers for it, if there is one. */
  routing: Stream | null;
  readonly gaps: GapLog;
  readonly scheduler: Scheduler;
  readonly schedulerName: string;
  readonly model: ServiceTimeModel;
  readonly limits: Limits;
  /** Iterations that an engine has composed at once: 1, or 2 with asynchronous scheduling. */
  readonly depth: number;
  /** Decodes and partly prefilled prompts stand in the order of their admission, not of arrival and prefill end. */
  readonly byAdmission: boolean;
  /** No batch repeats unasked: the scheduler wants every iteration, or iteration times are random. */
  readonly asksEveryIteration: boolean;
  /**
   * The iteration time changes along a stretch of equal batches, or KV memory may end it. Only then are cached
   * tokens counted.
   */
  readonly varies: boolean;
  /**
   * The scheduler `decodesAll` of so many decoding sequences; 0 also where what a stretch comes to needs a look at its
   * sequences or iterations.
   */
  readonly decodesAll: number;
  /** And it does so even while prompts wait. */
  readonly decodesFirst: boolean;
  /** One iteration at a time, each composed: what the fast paths are held against (verification.ts). */
  readonly isPlain: boolean;
  /** `firstToken: prefill`: the iteration that ends a prompt's prefill emits output token 1. */
  readonly emitsAtPrefillEnd: boolean;
  /** Time that each request spends before the engine sees it (HTTP, tokenizer). */
  readonly overhead: Nanoseconds;
  /** Blocks of KV memory a replica has; UNLIMITED without that limit. */
  readonly usableBlocks: number;
  /** What such a memory goes by. */
  readonly kvRules: KvRules;
  /** Victims are chosen by class, wherever they run, and wait in their class again (vLLM's policy `priority`). */
  readonly preemptsByClass: boolean;
  /** Who sends the requests of a closed loop; null in an open one, or when nobody sends any more. */
  clients: Senders | null;
  /** Requests that arrive from here on are measured. */
  readonly warmup: Nanoseconds;
  /** The first measured request; ids are in order of arrival. In a closed loop UNLIMITED until it has arrived. */
  firstMeasured: number;
  /**
   * The instant of the first measured arrival: iteration time counts as measured from here on. In a closed loop the
   * earliest that is known: the clock passes none that is not.
   */
  measuredFrom: Nanoseconds;
  /** The last completion after which no measured request that had arrived was left; NaN before any. */
  measuredUntil: Nanoseconds;
  /** How many of them were completed. */
  settledMeasured: number;
  /** Iteration time between these two instants, over all replicas. */
  busyTime: number;
  /** The loop goes up to and with this instant. */
  until: Nanoseconds;
  /** Arrivals after this instant pause the loop. */
  arrivalsUntil: Nanoseconds;
  /** The loop stopped in the middle of an instant, before it took an arrival in. */
  isPaused: boolean;
  /** The clock. */
  now: Nanoseconds;
  /** When the engine sees the first arrival ahead, or NEVER. */
  nextArrivalAt: Nanoseconds;
  /** Requests that have arrived. */
  arrived: number;
  /** Requests completed, and those of them that are measured. */
  completed: number;
  completedMeasured: number;
  /** Requests that can never fit into the KV memory, and those of them that are measured. */
  rejected: number;
  rejectedMeasured: number;
}
