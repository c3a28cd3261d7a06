/**
 * The configuration of a simulation: plain data, so that it crosses threads, stands in files and hashes.
 * `check` finds every problem at once; nothing else validates numbers.
 */
import { checkOptions, checkSpec, withDefaults } from "./check-options.js";
import type { Conventions } from "./conventions.js";
import { CONVENTION_OPTIONS, ENGINE_OPTIONS, HORIZON_OPTIONS, WORKLOAD_OPTIONS } from "./config-options.js";
import type { Described, Spec } from "./definition.js";

export type { Conventions } from "./conventions.js";
export { REFERENCE, STANDARD } from "./conventions.js";
export {
  CONVENTION_OPTIONS,
  ENGINE_OPTIONS,
  HORIZON_OPTIONS,
  LONGEST_WINDOW_SECONDS,
  WORKLOAD_OPTIONS,
} from "./config-options.js";
import { ConfigError, type Issue } from "./errors.js";
import { expectedRequests } from "./expected-requests.js";
import { usableBlocks } from "./kv-memory.js";
import { builtIn, member, type Registry } from "./registry.js";
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
  /** Requests of an open stream that are out at once, at the most (capped-stream.ts); null or absent: as many as come. */
  readonly maxConcurrency?: number | null;
}

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

/** Requests a trial may expect before `force` is asked for. */
export const MOST_REQUESTS = 1e8;

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
      discipline: completeSpec(registry.disciplines, given.engine?.discipline ?? { kind: "fcfs" }),
      router: completeSpec(registry.routers, given.engine?.router ?? { kind: "central" }),
    },
    scheduler: completeSpec(registry.schedulers, scheduler),
    conventions: withDefaults(CONVENTION_OPTIONS, given.conventions ?? {}) as Conventions,
    horizon: withDefaults(HORIZON_OPTIONS, given.horizon ?? {}) as HorizonConfig,
    ...(given.slo && { slo: withDefaults(SLO_OPTIONS, given.slo) as SloConfig }),
  };
}

const asRecord = (value: object): Readonly<Record<string, unknown>> => value as Record<string, unknown>;

/**
 * Every problem of a completed configuration; empty when it can be simulated.
 * @param limits.force lifts the limit on the expected number of requests
 */
export function check(
  config: SimulationConfig,
  registry: Registry = builtIn,
  limits: { readonly force?: boolean } = {},
): Issue[] {
  const { workload, engine, horizon } = config;
  const issues = [
    ...checkSpec(registry.arrivals, workload.arrivals, "arrival process", "workload.arrivals"),
    ...checkSpec(registry.lengths, workload.promptTokens, "length law", "workload.promptTokens"),
    ...checkSpec(registry.lengths, workload.outputTokens, "length law", "workload.outputTokens"),
    ...checkOptions(WORKLOAD_OPTIONS, { maxConcurrency: null, ...workload }, "workload.", [
      "arrivals",
      "promptTokens",
      "outputTokens",
    ]),
    ...checkSpec(registry.serviceTimes, config.service, "service-time model", "service"),
    ...checkOptions(ENGINE_OPTIONS, asRecord(engine), "engine.", ["discipline", "router"]),
    ...checkSpec(registry.disciplines, engine.discipline, "discipline", "engine.discipline"),
    ...checkSpec(registry.routers, engine.router, "router", "engine.router"),
    ...checkSpec(registry.schedulers, config.scheduler, "scheduler", "scheduler"),
    ...checkOptions(CONVENTION_OPTIONS, asRecord(config.conventions), "conventions."),
    ...checkOptions(HORIZON_OPTIONS, asRecord(horizon), "horizon."),
    ...(config.slo ? checkOptions(SLO_OPTIONS, asRecord(config.slo), "slo.") : []),
  ];
  return issues.length > 0 ? issues : [...checkTogether(config, registry, limits.force ?? false)];
}

/** Problems between values that are each in range. */
function* checkTogether(config: SimulationConfig, registry: Registry, force: boolean): Generator<Issue> {
  const { workload, horizon, engine } = config;
  const prompts = member(registry.lengths, workload.promptTokens.kind).create(workload.promptTokens);
  if (prompts.least < 1)
    yield {
      key: "workload.promptTokens",
      message: "invalid workload.promptTokens: 0 is possible (every prompt has at least 1 token)",
    };
  yield* checkMemory(engine);
  const process = member(registry.arrivals, workload.arrivals.kind).create(workload.arrivals);
  if (process.clients && (workload.maxConcurrency ?? null) !== null)
    yield {
      key: "workload.maxConcurrency",
      message: `invalid workload.maxConcurrency: ${workload.maxConcurrency} (none: of a closed loop as many are out as it has clients)`,
    };
  const { blockTokens, kvTokens } = engine;
  const most = kvTokens === null ? Infinity : usableBlocks(kvTokens, blockTokens) * blockTokens;
  if (prompts.least > most && most > 0)
    yield {
      key: "engine.kvTokens",
      message: `invalid engine.kvTokens: ${kvTokens} (the shortest prompt has ${prompts.least} tokens, and one block of ${blockTokens} is the null block)`,
    };
  const { fixes = {} } = member(registry.schedulers, config.scheduler.kind);
  for (const [field, fixed] of Object.entries(fixes)) {
    const value = config.conventions[field as keyof Conventions];
    if (value !== fixed)
      yield {
        key: `conventions.${field}`,
        message: `invalid conventions.${field}: ${value} (${config.scheduler.kind} means ${field}: ${fixed})`,
      };
  }
  const outputs = member(registry.lengths, workload.outputTokens.kind).create(workload.outputTokens);
  const isHalf = prompts.joint?.isHalf ?? outputs.joint?.isHalf ?? false;
  if (isHalf && prompts.joint?.table !== outputs.joint?.table)
    yield {
      key: "workload.outputTokens",
      message:
        "invalid workload.outputTokens: not the other half of the pairs (both sides pairs, with as many values and the same weights)",
    };
  if (horizon.warmupSeconds >= horizon.tmaxSeconds)
    yield {
      key: "horizon.warmupSeconds",
      message: `invalid horizon.warmupSeconds: ${horizon.warmupSeconds} (below horizon.tmaxSeconds = ${horizon.tmaxSeconds})`,
    };
  const expected = Math.min(
    expectedRequests(config, horizon.tmaxSeconds, registry),
    horizon.maxRequests ?? Infinity,
  );
  if (expected > MOST_REQUESTS && !force)
    yield {
      key: "horizon.tmaxSeconds",
      message: `too many requests: about ${expected} a trial (at most ${MOST_REQUESTS}, or force it)`,
    };
}

/** What the settings of the KV memory must be besides in range. */
function* checkMemory({ blockTokens, kvTokens, prefixCaching }: EngineConfig): Generator<Issue> {
  if ((blockTokens & (blockTokens - 1)) !== 0)
    yield {
      key: "engine.blockTokens",
      message: `invalid engine.blockTokens: ${blockTokens} (a power of two from 1 to 1024)`,
    };
  else if (kvTokens !== null && kvTokens < 2 * blockTokens)
    yield {
      key: "engine.kvTokens",
      message: `invalid engine.kvTokens: ${kvTokens} (at least ${2 * blockTokens}, two blocks of ${blockTokens}: one is the null block)`,
    };
  if (prefixCaching === true)
    yield {
      key: "engine.prefixCaching",
      message:
        "invalid engine.prefixCaching: true (blocks shared by content are not simulated yet; none: own blocks and given prefix hits are found again, false: nothing is)",
    };
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

/** Completes and checks a configuration, or throws a ConfigError with every problem. */
export function prepare(
  given: PartialConfig,
  registry: Registry = builtIn,
  limits: { readonly force?: boolean } = {},
): SimulationConfig {
  const missing = (["workload", "service", "scheduler"] as const).filter((key) => !isObject(given?.[key]));
  if (missing.length > 0)
    throw new ConfigError(
      missing.map((key) => ({ key, message: `missing ${key} (an object; see docs/model.md)` })),
    );
  const config = complete(given, registry);
  const issues = check(config, registry, limits);
  if (issues.length > 0) throw new ConfigError(issues);
  return config;
}
