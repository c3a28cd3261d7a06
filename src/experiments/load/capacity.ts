/** What theory says of a study's load: the bound on λ for every policy, and warnings that follow from it. */
import type { Spec } from "../../core/options/definition.js";
import type { SimulationConfig } from "../../core/configuration/config.js";
import type { LengthLaw } from "../../core/workload/length-law.js";
import { builtIn, member, type Registry } from "../../core/configuration/registry.js";
import { Requests } from "../../core/workload/requests.js";
import { simulate } from "../../core/trial/simulate.js";
import { usualBlockSeconds } from "../../core/workload/trace-arrivals.js";
import { summarize } from "../../stats/index.js";
import { hybridBoundary, singleRequest, upperBound, type AffineEngine } from "../../theory/index.js";
import { isClosed, isReplay, type Study } from "../interface/study.js";
import { computedPrompts, memoryTokens, offered, type Offered } from "./offered.js";
import { plain } from "../cells/quantity.js";
import { arrivalRate } from "../cells/rows.js";
import { enoughFor } from "./tail.js";
import type { TrialRecords } from "../interface/trials.js";
import { validityNotes } from "./validity.js";

/** The engine of a configuration as theory's formulas take it; undefined for service models they do not cover. */
export function affineEngine(
  config: Pick<SimulationConfig, "service" | "engine">,
  registry: Registry = builtIn,
): AffineEngine | undefined {
  const terms = member(registry.serviceTimes, config.service.kind).affine?.(config.service);
  if (!terms) return undefined;
  const { maxTokens, maxSequences, chunkSize } = config.engine;
  const most = memoryTokens(config.engine);
  return {
    ...{ ...terms, maxTokens, maxSequences, chunkSize },
    ...(most < Infinity && { memoryTokens: most }),
  };
}

/** The law that a spec names; every experiment finds laws by this. */
export const lengthLaw = (spec: Spec, registry: Registry = builtIn): LengthLaw =>
  member(registry.lengths, spec.kind).create(spec);

/** What a configuration's requests ask of the engine, and how many of them it can ever take. */
export function offeredBy(
  { workload, conventions, engine }: Omit<SimulationConfig, "scheduler">,
  registry?: Registry,
): Offered {
  const { promptTokens, outputTokens } = workload;
  const { firstToken } = conventions;
  const { maxTokens, chunkSize, kvTokens, blockTokens, prefixCaching } = engine;
  const asked = [maxTokens, chunkSize, firstToken, kvTokens, blockTokens, prefixCaching];
  return once(["offered", promptTokens, outputTokens, ...asked], registry, () => {
    const [prompt, output] = [lengthLaw(promptTokens, registry), lengthLaw(outputTokens, registry)];
    return offered(engine, prompt, output, firstToken);
  });
}

/**
 * The highest λ per second that any policy can serve, over all replicas; NaN where no formula covers it. λ counts
 * all that arrive, those too that can never fit into the KV memory and are rejected, which takes no time.
 */
export function capacityBound(config: Omit<SimulationConfig, "scheduler">, registry?: Registry): number {
  const engine = affineEngine(config, registry);
  if (!engine) return NaN;
  const { means, admitted } = offeredBy(config, registry);
  if (admitted === 0) return NaN;
  const bound = upperBound(engine, means, config.conventions.mixedBatch) / admitted;
  return bound * config.engine.replicas;
}

/** The exact boundary where a formula gives it: with a fixed share of the sequences for decodes, over all replicas. */
export function exactBoundary(config: SimulationConfig, registry: Registry = builtIn): number {
  const engine = affineEngine(config, registry);
  // Who decodes under a limit of memory is for the memory to say.
  if (!engine || engine.memoryTokens) return NaN;
  const ratio = member(registry.schedulers, config.scheduler.kind).decodeShare?.(config.scheduler);
  if (ratio === undefined) return NaN;
  const { means } = offeredBy(config, registry);
  const { mixedBatch } = config.conventions;
  return hybridBoundary(engine, means, mixedBatch, ratio) * config.engine.replicas;
}

const NEAR_BOUND = 0.95;
const MANY_CLIENTS = 1.05;
const BACKLOG_SHARE = 0.05;
/** Requests in flight at T take a few response times to end, whatever the load; a backlog takes more. */
const LONG_DRAIN = 5;
const FEW_TRIALS = 5;
/** A block of more than this share of the trace leaves too little to chance. */
const LONG_BLOCK = 0.25;
const FEW_REQUESTS = 30;

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
      `load: λ = ${plain(rate)} per s is ${plain((100 * rate) / bound)} % of the most any policy can serve, ${plain(bound)} per s: ${rate > bound ? "queues grow with T" : "who keeps up takes long to settle"}`,
    );
  notes.push(...clientNotes(study, bound), ...traceNotes(study), ...validityNotes(study));
  if (isOneInstant(study)) return notes; // there is nothing to keep up with
  if (isReplay(study) && study.trials === 1)
    notes.push("one sample: the trace as it is, no interval (--ntrials 20 also resamples it)");
  else if (study.trials === 1) notes.push("one trial: no interval (--ntrials 20 gives one)");
  else if (study.trials < FEW_TRIALS)
    notes.push(`${study.trials} trials: intervals are wide and rough (20 or more are usual)`);
  const { tmaxSeconds } = study.config.horizon;
  labels.forEach((label, i) => {
    const drain = drainOf(study.config, records, i, window);
    if (!keepsUp(study.config, records, i, window, study.registry))
      notes.push(
        `${label}: it took ${plain(drain)} s more to finish what was left at T = ${plain(tmaxSeconds)} s: it did not keep up, and its means depend on T`,
      );
  });
  return notes;
}

/** What arrives at one instant is the same in every trial. */
const isOneInstant = (study: Study): boolean => isReplay(study) && study.trace?.seconds === 0;

/** The percentiles that every table shows. */
const SHOWN_PERCENTS = [95, 99];

/** Percentiles of few requests, those that were asked for besides as well, lie apart from those of many, on one side. */
export function fewNotes(study: Study, records: TrialRecords, window = 0): string[] {
  if (isOneInstant(study)) return [];
  const means = records.configs.map((_, i) => summarize(records.metric(i, "n_completed", window)).mean);
  const fewest = means.reduce((least, mean) => (mean > 0 ? Math.min(least, mean) : least), Infinity);
  const further = records.measures.flatMap((one) => (one.kind === "percentile" ? [one.percent] : []));
  const few = [...new Set([...SHOWN_PERCENTS, ...further])]
    .sort((a, b) => a - b)
    .map((percent) => ({ percent, enough: enoughFor(1 - percent / 100) }))
    .filter(({ enough }) => fewest < enough);
  if (few.length === 0) return [];
  const which = few.map(({ percent, enough }) => `P${percent} of fewer than ${enough}`).join(", ");
  return [
    `few requests a trial: ${which} is biased, and so is its mean over trials; --slo and --assert judge the requests of all trials`,
  ];
}

/** Saturation (Denning & Buzen 1978): so many clients, if none ever waited, would ask for all that can be served. */
function clientNotes(study: Study, bound: number): string[] {
  const { config, registry = builtIn } = study;
  const { arrivals } = config.workload;
  const { clients } = member(registry.arrivals, arrivals.kind).create(arrivals);
  if (!clients) return [];
  const enough = bound * (clients.thinkSeconds + aloneSeconds(config, registry));
  if (!(clients.count > MANY_CLIENTS * enough)) return [];
  return [
    `load: no policy serves more than ${plain(bound)} per s, and ${Math.ceil(enough)} clients that never wait for each other ask for that: beyond them more clients only wait longer`,
  ];
}

/** What a reader must know of a recorded trace. */
function traceNotes(study: Study): string[] {
  const { config, trace, trials } = study;
  const { blockSeconds, speedup } = config.workload.arrivals;
  if (!trace || !isReplay(study)) return [];
  const notes: string[] = [];
  const end = trace.seconds / (speedup as number);
  if (trace.seconds === 0)
    return [
      `all requests arrive at one instant: there is no rate${trials > 1 ? ", and every trial is the trace as it is: sd and intervals are 0" : ""}`,
    ];
  if (config.horizon.tmaxSeconds > end + 1)
    notes.push(`the trace ends at ${plain(end)} s, before T = ${plain(config.horizon.tmaxSeconds)} s`);
  const usual = usualBlockSeconds(trace.seconds);
  const block = (blockSeconds as number | null) ?? usual;
  const short = (seconds: number): string => `${Number(seconds.toPrecision(4))} s`;
  if (trials > 1)
    notes.push(
      `trial 1 replays the trace, the others resample it in blocks of ${short(block)}: intervals are about the mean over such traffic, and sd tells how much one trace varies; another day may differ by more`,
    );
  const remedy = usual < block ? ` (without --trace-block they are of ${short(usual)})` : "";
  if (trials > 1 && block > LONG_BLOCK * trace.seconds)
    notes.push(
      `blocks of ${short(block)} in a trace of ${short(trace.seconds)}: a trial is little more than the trace turned round, and sd and intervals are too small${remedy}`,
    );
  if (trials > 1 && trace.requests < FEW_REQUESTS)
    notes.push(
      `the trace has ${trace.requests} requests: trials that resample so few tell little of other traces, and sd and intervals are rough`,
    );
  return notes;
}

type Base = Omit<SimulationConfig, "scheduler">;

/** Seconds that it took to finish what was left at T. */
function drainOf({ horizon }: Base, records: TrialRecords, config: number, window: number): number {
  const span = horizon.tmaxSeconds - horizon.warmupSeconds;
  return summarize(records.metric(config, "makespan_s", window)).mean - span;
}

/** Whether a run finished what arrived: what was left at T took no longer than requests in flight do. */
export function keepsUp(
  config: Base,
  records: TrialRecords,
  place: number,
  window = 0,
  registry?: Registry,
): boolean {
  const { tmaxSeconds, warmupSeconds, maxRequests } = config.horizon;
  const drain = drainOf(config, records, place, window);
  // Clients who wait send nothing, and what arrives at one instant has no rate to keep up with.
  if (isClosed({ config, registry }) || Number.isNaN(arrivalRate(config, registry))) return true;
  const isBacklog = drain > BACKLOG_SHARE * (tmaxSeconds - warmupSeconds);
  return (
    maxRequests !== null || !isBacklog || drain <= LONG_DRAIN * aloneSeconds(records.configs[place], registry)
  );
}

/**
 * Mean response time of a request that has the engine to itself; where no formula gives it, what a request of mean
 * lengths takes.
 */
function aloneSeconds(config: Base, registry?: Registry): number {
  const { workload, engine, service, conventions } = config;
  const affine = affineEngine({ service, engine }, registry);
  if (!affine) return simulatedAlone(config, registry);
  const { promptTokens, outputTokens } = workload;
  const { blockTokens, prefixCaching } = engine;
  const asked = [affine, conventions, blockTokens, prefixCaching];
  return once(["alone", promptTokens, outputTokens, ...asked], registry, () => {
    const prompt = computedPrompts(lengthLaw(promptTokens, registry), engine);
    const output = lengthLaw(outputTokens, registry);
    return singleRequest(affine, prompt, output, conventions).responseTime;
  });
}

/** One request of mean lengths, under a scheduler that makes no difference to it. */
function simulatedAlone(config: Base, registry: Registry = builtIn): number {
  const { workload, engine, service, conventions } = config;
  const { promptTokens, outputTokens } = workload;
  return once(["simulated", promptTokens, outputTokens, engine, service, conventions], registry, () => {
    const tokens = (spec: Spec): number => Math.min(1e6, Math.round(lengthLaw(spec, registry).mean));
    const requests = Requests.of([
      { arrivedAt: 0, promptTokens: Math.max(1, tokens(promptTokens)), outputTokens: tokens(outputTokens) },
    ]);
    const arrivals = { kind: "poisson", ratePerSecond: 1 };
    const { metrics } = simulate(
      {
        ...{ engine, service, conventions },
        workload: { ...workload, arrivals },
        scheduler: { kind: "hybrid" },
        horizon: { tmaxSeconds: 1 },
      },
      { registry, requests },
    );
    return metrics.rts_mean_s || 0;
  });
}

/** What was worked out, by the laws that there are and what was asked. */
const known = new WeakMap<Registry, Map<string, unknown>>();
const MOST_KNOWN = 1000;

/** An answer that depends on nothing but the question, plain data: a heavy tail takes tenths of a second. */
function once<T>(question: readonly unknown[], registry: Registry = builtIn, answer: () => T): T {
  const answers = known.get(registry) ?? new Map<string, unknown>();
  known.set(registry, answers);
  const key = JSON.stringify(question);
  if (!answers.has(key)) {
    if (answers.size === MOST_KNOWN) answers.clear();
    answers.set(key, answer());
  }
  return answers.get(key) as T;
}
