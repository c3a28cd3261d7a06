/**
 * The drift of a configuration at one arrival rate, measured from a backlog (theory §3): how big the backlog
 * must be, how long the batches, which tokens count, and what the answer says.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { builtIn, member, type Registry } from "../../core/configuration/registry.js";
import type { StabilityTask } from "../../core/trial/trial.js";
import { driftOf, type Drift } from "../../stats/index.js";
import type { RequestMeans } from "../../theory/index.js";
import { offeredBy } from "../load/capacity.js";
import { atRate } from "../load/load-option.js";
import type { StabilityRecord, Trials } from "../interface/trials.js";

/** Batches of equal time that are measured, after some that let the start's phases mix. */
const BATCHES = 20;
const SETTLE = 2;
/** Cycles of the policy that a batch must hold. */
const CYCLES = 50;

/** No run is longer than this: a little over half of what the clock counts. */
const LONGEST_SECONDS = 5e6;

/**
 * Where the order reads sizes the backlog is what it leaves of so many times as many: it must be of the sizes that
 * are served last near λ*, or the run works off others first. That takes memory, so runs are shorter.
 */
const LEFT_OF = 20;
const MOST_SORTED = 240_000;
/** There the backlog need not outlast more: farther from λ* only the pilot looks. */
const SORTED_DRIFT = 0.3;

/** What the drift test needs to know of a configuration. */
export interface Subject {
  readonly config: SimulationConfig;
  readonly registry: Registry;
  readonly means: RequestMeans;
  /** The backlog stands in the decode pool, and decode tokens alone count; else prompts wait, and all count. */
  readonly decodes: boolean;
  /** Tokens of a request that count, on average. */
  readonly tokens: number;
  /** Requests of an arrival: the others can never fit into the KV memory. */
  readonly admitted: number;
  /** The order of the prompts depends on their sizes: what is served is not like what arrives. */
  readonly readsSizes: boolean;
  /** Prompts that one cycle of the policy serves at most: what a batch must hold many of. */
  readonly perCycle: number;
}

export function subjectOf(config: SimulationConfig, registry: Registry = builtIn): Subject {
  const { maxTokens, maxSequences, chunkSize, replicas } = config.engine;
  const { means, admitted } = offeredBy(config, registry);
  const definition = member(registry.schedulers, config.scheduler.kind);
  // With limited KV memory whoever does not fit waits: it works as a cap on the residents.
  const decodes =
    config.engine.kvTokens === null &&
    config.conventions.sequenceCap === "iteration" &&
    definition.backlog === "decoding" &&
    means.meanDecodes > 0;
  const { discipline } = config.engine;
  const order = member(registry.disciplines, discipline.kind);
  const piece = Math.max(1, Math.min(means.meanPrompt, chunkSize ?? Infinity));
  return {
    config,
    registry,
    means,
    decodes,
    tokens: (decodes ? means.meanDecodes : means.meanPrompt + means.meanDecodes) * admitted,
    admitted,
    readsSizes: !decodes && order.readsSizes?.(discipline) === true,
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
    const controls = controlsOf(subject, lambda * batchSeconds * subject.admitted, {
      decodeTokens,
      prefillTokens,
      prompts,
    });
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
 * prompts, their tokens and the decodes that follow are still of the same requests. Nothing of it holds where the
 * order chooses by size.
 */
function controlsOf(
  { decodes, means, readsSizes }: Subject,
  arrivals: number,
  {
    decodeTokens,
    prefillTokens,
    prompts,
  }: Pick<StabilityRecord, "decodeTokens" | "prefillTokens" | "prompts">,
): Float64Array[] {
  const { meanPrompt, meanDecodes } = means;
  if (readsSizes) return [];
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
  const { readsSizes } = subject;
  const asked = readsSizes ? Math.min(effort.arrivals, MOST_SORTED) : effort.arrivals;
  const arrivals = Math.min(Math.max(asked, fewestArrivals(subject)), LONGEST_SECONDS * lambda);
  const drift = readsSizes ? Math.min(effort.drift, SORTED_DRIFT) : effort.drift;
  const all = (arrivals * (BATCHES + SETTLE)) / BATCHES;
  const { maxSequences, replicas } = config.engine;
  const backlog = Math.ceil(10 * Math.min(maxSequences, all) * replicas + 3 * drift * all);
  return {
    kind: "stability",
    seed: effort.seed,
    trial: effort.trial,
    config: atRate(config, lambda, subject.registry),
    backlog,
    ...(readsSizes && { leftOf: LEFT_OF }),
    batches: BATCHES,
    settle: SETTLE,
    batchSeconds: arrivals / BATCHES / lambda,
    fromEmpty: effort.fromEmpty,
  };
}
