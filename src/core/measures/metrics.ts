/** The metrics of one trial, from its table of sequences (model §4). Every metric is described here, once. */
import { clientWaits } from "./client-wait.js";
import { capOf, type SimulationConfig } from "../configuration/config.js";
import type { Replica } from "../state/replica.js";
import type { Outcome } from "../engine/outcome.js";
import type { Tally } from "./tally.js";
import { toSeconds } from "../numbers/units.js";

export interface MetricDefinition {
  /** Name in CSV and JSON; the unit is last. */
  readonly name: string;
  readonly unit: string;
  readonly summary: string;
  /** Which way is better for the people served; "neither" for plain counts. */
  readonly better: "lower" | "higher" | "neither";
  /** Written only where the configuration has that: objectives of each request, a KV memory. */
  readonly needs?: "slo" | "memory" | "cap";
}

const SHARES = [0.5, 0.9, 0.95, 0.99] as const;

/** The times that have percentiles. */
const TIMES = [
  ["ttft", "time to first token: first token − arrival"],
  ["tbt", "time between tokens of a request (vLLM: TPOT), by the convention in force"],
  ["itl", "inter-token latency: every gap between consecutive tokens, pooled over requests"],
  ["rts", "response time (end-to-end latency): completion − arrival"],
  ["queueing_delay", "composition of the first batch that holds the request − arrival"],
] as const;

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
    needs: "slo",
  },
  {
    name: "slo_attainment",
    unit: "",
    summary: "share of the injected requests that meet the SLO asked of each",
    better: "higher",
    needs: "slo",
  },
  {
    name: "kv_utilization",
    unit: "",
    summary: "share of the KV memory in use, averaged over the makespan (as batches were composed)",
    better: "neither",
    needs: "memory",
  },
  {
    ...counted("n_preemptions", "preemptions of the whole trial, on all replicas"),
    better: "lower",
    needs: "memory",
  },
  ...["mean", ...SHARES.map((share) => `p${share * 100}`)].map((statistic) => ({
    name: `client_wait_${statistic}_s`,
    unit: "s",
    summary: `${statistic} of the wait at the client: sending − the instant at which the request was due`,
    better: "lower" as const,
    needs: "cap" as const,
  })),
];

export type TimeName = (typeof TIMES)[number][0];
export const TIME_NAMES: readonly TimeName[] = TIMES.map(([name]) => name);

const PERCENTILE = /^([a-z_]+)_p(\d{1,2}(?:\.\d{1,6})?)(?:_s)?$/;

/** The percentile that a word names, of whatever rank: `ttft_p99_s`, `rts_p99.9`. */
export function percentileNamed(
  word: string,
): { readonly time: TimeName; readonly percent: number } | undefined {
  const [, name, digits] = PERCENTILE.exec(word) ?? [];
  const time = TIME_NAMES.find((one) => one === name);
  const percent = Number(digits);
  return time !== undefined && percent > 0 ? { time, percent } : undefined;
}

/** Whether every file has a column for a metric. */
export const hasColumn = (metric: string): boolean => METRICS.some(({ name }) => name === metric);

/** A metric by its name: one of METRICS, or a percentile that no file has a column for. */
export function metricOf(name: string): MetricDefinition | undefined {
  const found = METRICS.find((metric) => metric.name === name);
  const percentile = found ? undefined : percentileNamed(name);
  if (!percentile) return found;
  const { time, percent } = percentile;
  const likeIt = METRICS.find((metric) => metric.name === `${time}_p99_s`)!;
  return {
    ...likeIt,
    name: `${time}_p${percent}_s`,
    summary: likeIt.summary.replace("p99", `p${percent}`),
  };
}

/** The metrics that a configuration has. */
export const metricsOf = (config: Having): readonly MetricDefinition[] =>
  METRICS.filter(({ needs }) => has(needs, config));

/** What decides which metrics there are. */
export type Having = Pick<SimulationConfig, "slo" | "engine" | "workload">;

function has(needs: MetricDefinition["needs"], { slo, engine, workload }: Having): boolean {
  if (needs === "slo") return slo !== undefined;
  if (needs === "cap") return capOf(workload) !== null;
  return needs === undefined || engine.kvTokens !== null;
}

/** The metrics of a trial by name; NaN where the trial has no value. */
export type Metrics = Readonly<Record<string, number>>;

/** `measure`'s values by the names of the metrics that the configuration has. */
export function asRecord(values: Float64Array, config: SimulationConfig): Metrics {
  const record: Record<string, number> = {};
  METRICS.forEach(({ name, needs }, i) => {
    if (has(needs, config)) record[name] = values[i];
  });
  return record;
}

const indexByName = new Map(METRICS.map((metric, i) => [metric.name, i]));

/** Place of a metric in `METRICS` and in `measure`'s values. */
export function metricIndex(name: string): number {
  const index = indexByName.get(name);
  if (index === undefined) throw new RangeError(`no metric named ${name}`);
  return index;
}

/** The values of `METRICS` for a finished trial, or a window of one, that `tally` has counted. */
export function measure(outcome: Outcome, tally: Tally): Float64Array {
  const { shared, replicas, firstMeasured, arrived, measuredFrom: from, measuredUntil: until } = outcome;
  const { finishedAt } = shared.sequences;
  const measured = arrived - firstMeasured;
  const values = new Float64Array(METRICS.length);
  let at = 0;
  const put = (value: number): void => void (values[at++] = value);

  const { ttft, tbt, rts, delay } = tally.times;
  for (const sample of [ttft, tbt, shared.gaps, rts, delay]) {
    put(sample.mean);
    sample.percentiles(SHARES, values, at);
    at += SHARES.length;
  }
  for (let i = 0; i < at; i++) values[i] = toSeconds(values[i]);

  let presence = rts.sum;
  const makespan = toSeconds(until - from);
  for (let i = measured > 0 ? tally.spanning(outcome) : firstMeasured; i < firstMeasured; i++)
    if (finishedAt[i] > from) presence += Math.min(finishedAt[i], until) - from;
  const total = (of: (replica: Replica) => number): number =>
    replicas.reduce((sum, replica) => sum + of(replica), 0);
  const iterations = total((replica) => replica.iterations);
  const { promptTokens, outputTokens } = tally.measured;
  put(shared.completedMeasured / makespan);
  put(outputTokens / makespan);
  put((promptTokens + outputTokens) / makespan);
  put(outcome.busyTime / (until - from) / replicas.length);
  put(measured);
  put(shared.completedMeasured);
  put(shared.rejectedMeasured);
  put(iterations);
  put(makespan);
  put(presence / (until - from));
  put(total((replica) => replica.decodeLimited) / iterations);
  put(total((replica) => replica.prefillLimited) / iterations);
  put(NaN); // What an SLO asks of each request is put in by who judges it.
  put(NaN);
  const usable = total(({ memory }) => memory?.usable ?? NaN);
  // A batch composed ahead holds its blocks beyond the last completion: in a short run that may come to more than all.
  put(Math.min(total(({ blockTime }) => blockTime) / (usable * (until - from)), 1));
  put(usable > 0 ? total(({ preemptions }) => preemptions) : NaN);
  clientWaits(outcome, SHARES, values, at);
  for (; at < METRICS.length; at++) values[at] = toSeconds(values[at]);
  if (measured === 0) values.fill(NaN, metricIndex("throughput_qps"), metricIndex("n_arrived"));
  return values;
}
