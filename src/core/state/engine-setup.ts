/** How the engines of one pool are set up: what stays as it is for a whole trial, the same for all its replicas. */
import type { Limits, Scheduler } from "../policies/scheduler.js";
import type { ServiceTimeModel } from "../service-times/service-time-model.js";
import type { KvCache, KvRules } from "./kv-cache.js";

/** Each replica has the setup of its pool (`replica.engine`). Today there is one pool. */
export interface EngineSetup {
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
  /** Blocks of KV memory a replica has; UNLIMITED without that limit. */
  readonly usableBlocks: number;
  readonly kvRules: KvRules;
  /** Makes an empty cache of that many blocks; null without that limit. */
  readonly newKvCache: (() => KvCache) | null;
  /** Victims are chosen by class, wherever they run, and wait in their class again (vLLM's policy `priority`). */
  readonly preemptsByClass: boolean;
}
