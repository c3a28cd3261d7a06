/** What theory says of a study's load: the bound on λ for every policy, and warnings that follow from it. */
import type { Spec } from "../core/definition.js";
import type { SimulationConfig } from "../core/config.js";
import type { LengthLaw } from "../core/length-law.js";
import { builtIn, member, type Registry } from "../core/registry.js";
import { summarize } from "../stats/index.js";
import {
  hybridBoundary,
  requestMeans,
  singleRequest,
  upperBound,
  type AffineEngine,
  type RequestMeans,
} from "../theory/index.js";
import { isReplay, type Study } from "./experiment.js";
import { plain } from "./quantity.js";
import { arrivalRate } from "./rows.js";
import type { TrialRecords } from "./trials.js";

/** The engine of a configuration as theory's formulas take it; undefined for service models they do not cover. */
export function affineEngine(config: Pick<SimulationConfig, "service" | "engine">): AffineEngine | undefined {
  const { kind, cMs, aMs, b0 } = config.service;
  if (kind !== "affine" && kind !== "exponential") return undefined;
  const { maxTokens, maxSequences, chunkSize } = config.engine;
  return { cMs: cMs as number, aMs: aMs as number, b0: b0 as number, maxTokens, maxSequences, chunkSize };
}

/** The law that a spec names; every experiment finds laws by this. */
export const lengthLaw = (spec: Spec, registry: Registry = builtIn): LengthLaw =>
  member(registry.lengths, spec.kind).create(spec);

/** What a configuration's requests ask of the engine on average. */
export function meansOf(
  { workload, conventions }: Omit<SimulationConfig, "scheduler">,
  engine: Pick<AffineEngine, "maxTokens" | "chunkSize">,
  registry?: Registry,
): RequestMeans {
  const { promptTokens, outputTokens } = workload;
  const [prompt, output] = [lengthLaw(promptTokens, registry), lengthLaw(outputTokens, registry)];
  return requestMeans(engine, prompt, output, conventions.firstToken);
}

/** The highest λ per second that any policy can serve, over all replicas; NaN where no formula covers it. */
export function capacityBound(config: Omit<SimulationConfig, "scheduler">, registry?: Registry): number {
  const engine = affineEngine(config);
  if (!engine) return NaN;
  const means = meansOf(config, engine, registry);
  return upperBound(engine, means, config.conventions.mixedBatch) * config.engine.replicas;
}

/** The exact boundary where a formula gives it: hybrid with a ratio of sequences, per replica. */
export function exactBoundary(config: SimulationConfig, registry?: Registry): number {
  const engine = affineEngine(config);
  const { kind, ratio, ratioOf } = config.scheduler;
  if (!engine || kind !== "hybrid" || ratioOf !== "sequences") return NaN;
  const means = meansOf(config, engine, registry);
  const { mixedBatch } = config.conventions;
  return hybridBoundary(engine, means, mixedBatch, ratio as number) * config.engine.replicas;
}

const NEAR_BOUND = 0.95;
const BACKLOG_SHARE = 0.05;
/** Requests in flight at T take a few response times to end, whatever the load; a backlog takes more. */
const LONG_DRAIN = 5;
const FEW_TRIALS = 5;

/** Warnings about what a run can show, by configuration; `window` is the last one, which spans the horizon. */
export function loadNotes(
  study: Study,
  labels: readonly string[],
  records: TrialRecords,
  window = 0,
): string[] {
  const notes: string[] = [];
  const rate = arrivalRate(study.config, study.registry);
  const bound = capacityBound(study.config, study.registry);
  if (rate > NEAR_BOUND * bound)
    notes.push(
      `load: λ = ${plain(rate)} per s is ${plain((100 * rate) / bound)} % of what any policy can serve (at most ${plain(bound)} per s): queues grow with T`,
    );
  notes.push(...traceNotes(study));
  if (isReplay(study) && study.trials === 1)
    notes.push("one sample: the trace as it is, no interval (--ntrials 20 also resamples its minutes)");
  else if (study.trials === 1) notes.push("one trial: no interval (--ntrials 20 gives one)");
  else if (study.trials < FEW_TRIALS)
    notes.push(`${study.trials} trials: intervals are wide and rough (20 or more are usual)`);
  const { tmaxSeconds, warmupSeconds, maxRequests } = study.config.horizon;
  const span = tmaxSeconds - warmupSeconds;
  labels.forEach((label, i) => {
    const drain = summarize(records.metric(i, "makespan_s", window)).mean - span;
    if (maxRequests === null && drain > BACKLOG_SHARE * span && drain > LONG_DRAIN * aloneSeconds(study))
      notes.push(
        `${label}: it took ${plain(drain)} s more to finish what was left at T = ${plain(tmaxSeconds)} s: it did not keep up, and its means depend on T`,
      );
  });
  return notes;
}

/** What a reader must know of a recorded trace. */
function traceNotes({ config, trace, trials }: Study): string[] {
  const { kind, blockSeconds, speedup } = config.workload.arrivals;
  if (!trace || kind !== "trace") return [];
  const notes: string[] = [];
  const end = trace.seconds / (speedup as number);
  if (config.horizon.tmaxSeconds > end + 1)
    notes.push(`the trace ends at ${plain(end)} s, before T = ${plain(config.horizon.tmaxSeconds)} s`);
  if (trials > 1)
    notes.push(
      `trial 1 replays the trace, the others resample it in blocks of ${blockSeconds as number} s: intervals are about the mean over such traffic, and sd tells how much one trace varies; another day may differ by more`,
    );
  return notes;
}

/** Mean response time of a request that has the engine to itself; 0 where no formula gives it. */
function aloneSeconds({ config, registry }: Study): number {
  const engine = affineEngine(config);
  if (!engine) return 0;
  const { promptTokens, outputTokens } = config.workload;
  const [prompt, output] = [lengthLaw(promptTokens, registry), lengthLaw(outputTokens, registry)];
  return singleRequest(engine, prompt, output, config.conventions).responseTime;
}
