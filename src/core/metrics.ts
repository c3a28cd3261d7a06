/** The metrics of one trial, from its table of sequences (model §4). Every metric is described here, once. */
import type { SimulationConfig } from "./config.js";
import { percentiles, type Sample } from "./order-statistics.js";
import type { Replica } from "./replica.js";
import type { Outcome } from "./simulate.js";
import { toSeconds } from "./units.js";

export interface MetricDefinition {
  /** Name in CSV and JSON; the unit is last. */
  readonly name: string;
  readonly unit: string;
  readonly summary: string;
  /** Which way is better for the people served; "neither" for plain counts. */
  readonly better: "lower" | "higher" | "neither";
  /** Measured, and written, only where the configuration asks for it. */
  readonly optional?: true;
}

const SHARES = [0.5, 0.9, 0.95, 0.99] as const;

const TIMES: readonly (readonly [string, string])[] = [
  ["ttft", "time to first token: first token − arrival"],
  ["tbt", "time between tokens of a request (vLLM: TPOT), by the convention in force"],
  ["itl", "inter-token latency: every gap between consecutive tokens, pooled over requests"],
  ["rts", "response time (end-to-end latency): completion − arrival"],
  ["queueing_delay", "composition of the first batch that holds the request − arrival"],
];

const perSecond = (name: string, summary: string): MetricDefinition => ({
  name,
  unit: "1/s",
  summary,
  better: "higher",
});
const counted = (name: string, summary: string): MetricDefinition => ({
  name,
  unit: "",
  summary,
  better: "neither",
});

/** All metrics, in the order of every file and of `measure`'s values. */
export const METRICS: readonly MetricDefinition[] = [
  ...TIMES.flatMap(([name, summary]) =>
    ["mean", ...SHARES.map((share) => `p${share * 100}`)].map((statistic) => ({
      name: `${name}_${statistic}_s`,
      unit: "s",
      summary: `${statistic} of the ${summary}`,
      better: "lower" as const,
    })),
  ),
  perSecond("throughput_qps", "completed requests / makespan"),
  perSecond("output_tokens_per_s", "output tokens of completed requests / makespan"),
  perSecond("total_tokens_per_s", "prompt and output tokens of completed requests / makespan"),
  { name: "utilization", unit: "", summary: "iteration time / (makespan · replicas)", better: "neither" },
  counted("n_arrived", "measured requests that arrived"),
  counted("n_completed", "measured requests that were completed"),
  counted("n_rejected", "measured requests that were rejected"),
  counted("n_iterations", "iterations of the whole trial, on all replicas"),
  {
    name: "makespan_s",
    unit: "s",
    summary: "first measured arrival to last measured completion",
    better: "neither",
  },
  {
    name: "number_in_system",
    unit: "",
    summary: "requests in the system, averaged over the makespan",
    better: "lower",
  },
  counted("decode_limit_binding", "share of iterations in which the policy's own limit decided the decodes"),
  counted("prefill_limit_binding", "share of iterations in which the policy's own limit decided the prefill"),
  {
    ...perSecond("goodput_qps", "requests that meet the SLO asked of each / makespan"),
    optional: true,
  },
  {
    name: "slo_attainment",
    unit: "",
    summary: "share of the injected requests that meet the SLO asked of each",
    better: "higher",
    optional: true,
  },
];

/** The metrics of a trial by name; NaN where the trial has no value. */
export type Metrics = Readonly<Record<string, number>>;

/** `measure`'s values by the metrics' names; the optional ones only where they were asked for. */
export const asRecord = (values: Float64Array, optional = false): Metrics =>
  Object.fromEntries(
    METRICS.map((metric, i) => [metric, values[i]] as const)
      .filter(([metric]) => optional || !metric.optional)
      .map(([metric, value]) => [metric.name, value]),
  );

const indexByName = new Map(METRICS.map((metric, i) => [metric.name, i]));

/** Place of a metric in `METRICS` and in `measure`'s values. */
export function metricIndex(name: string): number {
  const index = indexByName.get(name);
  if (index === undefined) throw new RangeError(`no metric named ${name}`);
  return index;
}

/** Reused by one call after another: the four samples that a trial's rows become. */
const scratch = [0, 1, 2, 3].map(() => new Float64Array(0));

function buffer(i: number, count: number): Float64Array {
  if (scratch[i].length < count) scratch[i] = new Float64Array(count);
  return scratch[i];
}

/** The values of `METRICS` for a finished trial. */
export function measure(config: SimulationConfig, outcome: Outcome): Float64Array {
  const { shared, replicas, firstMeasured, arrived } = outcome;
  const { sequences, gaps } = shared;
  const { arrivedAt, promptTokens, outputTokens } = sequences.requests;
  const { startedAt, firstTokenAt, finishedAt } = sequences;
  const measured = arrived - firstMeasured;
  const ttft = buffer(0, measured);
  const tbt = buffer(1, measured);
  const rts = buffer(2, measured);
  const delay = buffer(3, measured);
  const perGap = config.conventions.tbt === "gaps" ? 1 : 0;
  let withToken = 0;
  let withGap = 0;
  let output = 0;
  let prompt = 0;
  for (let i = firstMeasured; i < arrived; i++) {
    const arrival = arrivedAt[i];
    const produced = outputTokens[i];
    const row = i - firstMeasured;
    output += produced;
    prompt += promptTokens[i];
    rts[row] = finishedAt[i] - arrival;
    delay[row] = startedAt[i] - arrival;
    if (produced === 0) continue;
    ttft[withToken++] = firstTokenAt[i] - arrival;
    if (produced > perGap) tbt[withGap++] = (finishedAt[i] - firstTokenAt[i]) / (produced - perGap);
  }

  const values: number[] = [];
  const plain = (sample: Float64Array, count: number): Sample => ({ values: sample, count, total: count });
  for (const sample of [
    plain(ttft, withToken),
    plain(tbt, withGap),
    { values: gaps.gap, weights: gaps.weight, count: gaps.count, total: gaps.total },
    plain(rts, measured),
    plain(delay, measured),
  ]) {
    values.push(toSeconds(sum(sample) / sample.total));
    for (const value of percentiles(sample, SHARES)) values.push(toSeconds(value));
  }

  const from = outcome.measuredFrom;
  const until = outcome.measuredUntil;
  const makespan = toSeconds(until - from);
  let presence = sum(plain(rts, measured));
  for (let i = 0; i < firstMeasured; i++) presence += Math.max(0, Math.min(finishedAt[i], until) - from);
  const total = (of: (replica: Replica) => number): number =>
    replicas.reduce((sum, replica) => sum + of(replica), 0);
  const iterations = total((replica) => replica.iterations);
  values.push(
    measured / makespan,
    output / makespan,
    (prompt + output) / makespan,
    outcome.busyTime / (until - from) / replicas.length,
    measured,
    shared.completedMeasured,
    0,
    iterations,
    makespan,
    presence / (until - from),
    total((replica) => replica.decodeLimited) / iterations,
    total((replica) => replica.prefillLimited) / iterations,
    ...METRICS.filter(({ optional }) => optional).map(() => NaN), // put in by those who measure them
  );
  if (measured === 0) values.fill(NaN, metricIndex("throughput_qps"), metricIndex("n_arrived"));
  return Float64Array.from(values);
}

function sum(sample: Sample): number {
  const { values, weights, count } = sample;
  let total = 0;
  if (weights) for (let i = 0; i < count; i++) total += values[i] * weights[i];
  else for (let i = 0; i < count; i++) total += values[i];
  return total;
}
