/**
 * The configuration of a simulation: plain data, so that it crosses threads, stands in files and hashes.
 * check-config.ts finds every problem at once; nothing else validates numbers.
 */
import { withDefaults } from "../options/check-options.js";
import type { Conventions } from "../options/conventions.js";
import { CONVENTION_OPTIONS, ENGINE_OPTIONS, HORIZON_OPTIONS } from "./config-options.js";
import type { Described, Spec } from "../options/definition.js";

export type { Conventions } from "../options/conventions.js";
export { REFERENCE, STANDARD } from "../options/conventions.js";
export {
  CONVENTION_OPTIONS,
  ENGINE_OPTIONS,
  HORIZON_OPTIONS,
  LONGEST_WINDOW_SECONDS,
  WORKLOAD_OPTIONS,
} from "./config-options.js";
import { builtIn, type Registry } from "./registry.js";
import { SLO_OPTIONS, type SloConfig } from "./slo.js";

export interface EngineConfig {
  /** Token budget of an iteration. */
  readonly maxTokens: number;
  /** Sequence cap, per replica. */
  readonly maxSequences: number;
  /** Chunk size of chunked prefill, or null without it. */
  readonly chunkSize: number | null;
  readonly replicas: number;
  /** Tokens that a replica's KV cache holds, as vLLM logs it (one of its blocks is the null block); null: unlimited. */
  readonly kvTokens: number | null;
  /** Tokens of a KV block, a power of two. */
  readonly blockTokens: number;
  /**
   * null: a preempted request finds its own blocks, and given prefix hits count; false: nothing is found again
   * (vLLM's `enable_prefix_caching`). true, blocks shared by content, is not simulated.
   */
  readonly prefixCaching: boolean | null;
  /** The whole prompt must fit into the KV memory to be admitted, or only its chunk; null: as the scheduler has it. */
  readonly reservePrompt: boolean | null;
  /** Share of the KV blocks that an admission leaves free while anybody runs, in [0, 1) (vLLM's `watermark`). */
  readonly watermark: number;
  /** Asynchronous scheduling: batches are composed one iteration ahead; null: as the scheduler has it. */
  readonly async: boolean | null;
  /** Constant time that a request spends before the engine sees it, in ms (HTTP, tokenizer). */
  readonly overheadMs: number;
  /** Order of the unstarted prompts. */
  readonly discipline: Spec;
  /** Which replica's queue a request joins. */
  readonly router: Spec;
}

export interface HorizonConfig {
  /** Arrivals come in [0, tmaxSeconds]; then the system drains. */
  readonly tmaxSeconds: number;
  /** Arrivals also end after this many requests, whichever is first; null: no such limit. */
  readonly maxRequests: number | null;
  /** Requests that arrive earlier are simulated but not measured. */
  readonly warmupSeconds: number;
}

export interface WorkloadConfig {
  readonly arrivals: Spec;
  readonly promptTokens: Spec;
  readonly outputTokens: Spec;
  /** The cap on an open stream (capped-stream.ts), as it was given: `capOf` reads it. */
  readonly maxConcurrency?: number | null;
}

/** Requests of an open stream that are out at once, at the most; null: as many as come. */
export const capOf = ({ maxConcurrency = null }: Pick<WorkloadConfig, "maxConcurrency">): number | null =>
  maxConcurrency;

export interface SimulationConfig {
  readonly workload: WorkloadConfig;
  readonly service: Spec;
  readonly engine: EngineConfig;
  readonly scheduler: Spec;
  readonly conventions: Conventions;
  readonly horizon: HorizonConfig;
  /** What is asked of each request; without it goodput and attainment are not measured. */
  readonly slo?: SloConfig;
}

/** What a caller may leave out of a configuration: whatever has a default. */
export interface PartialConfig {
  readonly workload: WorkloadConfig;
  readonly service: Spec;
  readonly engine?: Partial<EngineConfig>;
  readonly scheduler: Spec;
  readonly conventions?: Partial<Conventions>;
  readonly horizon?: Partial<HorizonConfig>;
  readonly slo?: Partial<SloConfig>;
}

function completeSpec(family: readonly Described[], spec: Spec): Spec {
  const definition = family.find((candidate) => candidate.name === spec?.kind);
  return definition ? withDefaults(definition.options, spec) : spec;
}

/** What an engine has where nothing is said; a header says only what differs. */
export const USUAL_DISCIPLINE = "fcfs";
export const USUAL_ROUTER = "central";

/** Fills in every default. Does not check. */
export function complete(given: PartialConfig, registry: Registry = builtIn): SimulationConfig {
  const { workload, service, scheduler } = given;
  return {
    workload: {
      ...workload,
      arrivals: completeSpec(registry.arrivals, workload.arrivals),
      promptTokens: completeSpec(registry.lengths, workload.promptTokens),
      outputTokens: completeSpec(registry.lengths, workload.outputTokens),
    },
    service: completeSpec(registry.serviceTimes, service),
    engine: {
      ...(withDefaults(ENGINE_OPTIONS, given.engine ?? {}) as EngineConfig),
      discipline: completeSpec(registry.disciplines, given.engine?.discipline ?? { kind: USUAL_DISCIPLINE }),
      router: completeSpec(registry.routers, given.engine?.router ?? { kind: USUAL_ROUTER }),
    },
    scheduler: completeSpec(registry.schedulers, scheduler),
    conventions: withDefaults(CONVENTION_OPTIONS, given.conventions ?? {}) as Conventions,
    horizon: withDefaults(HORIZON_OPTIONS, given.horizon ?? {}) as HorizonConfig,
    ...(given.slo && { slo: withDefaults(SLO_OPTIONS, given.slo) as SloConfig }),
  };
}
