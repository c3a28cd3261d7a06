/**
 * The drift of a configuration at one arrival rate, measured from a backlog (theory §3): how big the backlog
 * must be, how long the batches, which tokens count, and what the answer says.
 */
import type { SimulationConfig } from "../../core/config.js";
import { builtIn, member, type Registry } from "../../core/registry.js";
import type { StabilityTask } from "../../core/trial.js";
import { driftOf, type Drift } from "../../stats/index.js";
import type { RequestMeans } from "../../theory/index.js";
import { meansOf } from "../load.js";
import type { StabilityRecord, Trials } from "../trials.js";

/** Batches of equal time that are measured, after some that let the start's phases mix. */
const BATCHES = 20;
const SETTLE = 2;
/** Cycles of the policy that a batch must hold. */
const CYCLES = 50;

/** No run is longer than this: a little over half of what the clock counts. */
const LONGEST_SECONDS = 5e6;

/** What the drift test needs to know of a configuration. */
export interface Subject {
  readonly config: SimulationConfig;
  readonly means: RequestMeans;
  /** The backlog stands in the decode pool, and decode tokens alone count; else prompts wait, and all count. */
  readonly decodes: boolean;
  /** Tokens of a request that count, on average. */
  readonly tokens: number;
  /** Prompts that one cycle of the policy serves at most: what a batch must hold many of. */
  readonly perCycle: number;
}

export function subjectOf(config: SimulationConfig, registry: Registry = builtIn): Subject {
  const { maxTokens, maxSequences, chunkSize, replicas } = config.engine;
  const means = meansOf(config, config.engine, registry);
  const definition = member(registry.schedulers, config.scheduler.kind);
  const decodes =
    config.conventions.sequenceCap === "iteration" &&
    definition.backlog === "decoding" &&
    means.meanDecodes > 0;
  const piece = Math.max(1, Math.min(means.meanPrompt, chunkSize ?? Infinity));
  return {
    config,
    means,
    decodes,
    tokens: decodes ? means.meanDecodes : means.meanPrompt + means.meanDecodes,
    perCycle:
      definition.backlog === "waiting" ? Math.min(maxSequences, Math.ceil(maxTokens / piece)) * replicas : 1,
  };
}

/** A measurement of the drift at one rate. */
export interface DriftAt {
  readonly lambda: number;
  readonly drift: Drift;
  /** Arrivals simulated. */
  readonly arrivals: number;
  /** The backlog was gone before the end: the system is stable, and by far. */
  readonly emptied: boolean;
  /** Requests that a start from empty had not finished, as a share of the arrivals; NaN when not asked for. */
  readonly left: number;
}

export interface Effort {
  readonly seed: number;
  readonly trial: number;
  /** Arrivals, about; more when the batches would hold too few cycles. */
  readonly arrivals: number;
  /** The greatest |drift| that the backlog must outlast. */
  readonly drift: number;
  readonly fromEmpty: boolean;
}

/** Arrivals at least, so that each batch holds enough cycles. */
export const fewestArrivals = ({ perCycle }: Subject): number => BATCHES * CYCLES * Math.max(perCycle, 4);

/** Measures the drift at some rates, all at once. */
export async function measureDrifts(
  trials: Trials,
  label: string,
  asked: readonly { readonly subject: Subject; readonly lambda: number; readonly effort: Effort }[],
): Promise<DriftAt[]> {
  const tasks = asked.map(({ subject, lambda, effort }) => taskOf(subject, lambda, effort));
  const records = await trials.stability(label, tasks);
  return records.map(({ decodeTokens, prefillTokens, prompts, emptied, left }, i) => {
    const { subject, lambda } = asked[i];
    const served = subject.decodes ? decodeTokens : decodeTokens.map((count, b) => count + prefillTokens[b]);
    const { batchSeconds } = tasks[i];
    const arrivals = lambda * batchSeconds * BATCHES;
    const controls = controlsOf(subject, lambda * batchSeconds, { decodeTokens, prefillTokens, prompts });
    return {
      lambda,
      drift: driftOf(served, lambda * subject.tokens * batchSeconds, controls),
      arrivals,
      emptied,
      left: left / arrivals,
    };
  });
}

/**
 * What has mean zero in every batch, whatever the policy: with heavy-tailed prompts most of the noise is theirs,
 * and their mean is known. Where prompts are stable, those that end are those that arrive; where they wait,
 * prompts, their tokens and the decodes that follow are still of the same requests.
 */
function controlsOf(
  { decodes, means }: Subject,
  arrivals: number,
  {
    decodeTokens,
    prefillTokens,
    prompts,
  }: Pick<StabilityRecord, "decodeTokens" | "prefillTokens" | "prompts">,
): Float64Array[] {
  const { meanPrompt, meanDecodes } = means;
  if (decodes)
    return [
      prompts.map((count) => count - arrivals),
      prefillTokens.map((count) => count - arrivals * meanPrompt),
    ];
  const byPrompts = prefillTokens.map((count, b) => count - prompts[b] * meanPrompt);
  if (meanDecodes === 0) return [byPrompts];
  return [byPrompts, prefillTokens.map((count, b) => count - (decodeTokens[b] * meanPrompt) / meanDecodes)];
}

function taskOf(subject: Subject, lambda: number, effort: Effort): StabilityTask {
  const { config } = subject;
  // At rates far below the boundary the clock would run out; there the backlog is gone long before.
  const arrivals = Math.min(Math.max(effort.arrivals, fewestArrivals(subject)), LONGEST_SECONDS * lambda);
  const all = (arrivals * (BATCHES + SETTLE)) / BATCHES;
  const { maxSequences, replicas } = config.engine;
  return {
    kind: "stability",
    seed: effort.seed,
    trial: effort.trial,
    config: atRate(config, lambda),
    backlog: Math.ceil(10 * Math.min(maxSequences, all) * replicas + 3 * effort.drift * all),
    batches: BATCHES,
    settle: SETTLE,
    batchSeconds: arrivals / BATCHES / lambda,
    fromEmpty: effort.fromEmpty,
  };
}

/** The configuration at another arrival rate. */
export const atRate = <C extends Pick<SimulationConfig, "workload">>(config: C, lambda: number): C => ({
  ...config,
  workload: { ...config.workload, arrivals: { ...config.workload.arrivals, ratePerSecond: lambda } },
});
