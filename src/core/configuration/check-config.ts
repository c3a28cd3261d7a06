/** Every problem of a configuration at once; nothing else validates its numbers. */
import { checkOptions, checkSpec } from "../options/check-options.js";
import {
  capOf,
  complete,
  CONVENTION_OPTIONS,
  ENGINE_OPTIONS,
  type EngineConfig,
  HORIZON_OPTIONS,
  type PartialConfig,
  type SimulationConfig,
  WORKLOAD_OPTIONS,
} from "./config.js";
import type { Conventions } from "../options/conventions.js";
import { ConfigError, type Issue } from "../errors.js";
import { expectedRequests } from "./expected-requests.js";
import { usableBlocks } from "../numbers/units.js";
import { builtIn, member, type Registry } from "./registry.js";
import { SLO_OPTIONS } from "./slo.js";

/** Requests a trial may expect before `force` is asked for. */
export const MOST_REQUESTS = 1e8;

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
  if (process.clients && capOf(workload) !== null)
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
