/** The metrics of one trial, from its table of sequences (model §4). Every metric is described here, once. */
import { capOf, type SimulationConfig } from "../configuration/config.js";
import type { Outcome } from "../engine/outcome.js";
import { type Asked, MeasuredRun, SHARES, type TimeName, TIMES } from "./measured-run.js";
import type { Tally } from "./tally.js";

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

/** A metric with its formula. */
export interface Metric extends MetricDefinition {
  /** Its value of a trial; NaN where the trial has none. */
  readonly of: (run: MeasuredRun) => number;
}

/** So many in a second of the makespan; NaN where nobody arrived. */
const perSecond = (name: string, summary: string, of: (run: MeasuredRun) => number): Metric => ({
  name,
  unit: "1/s",
  summary,
  better: "higher",
  of: (run) => (run.arrived === 0 ? NaN : of(run) / run.makespan),
});
const counted = (name: string, summary: string, of: (run: MeasuredRun) => number): Metric => ({
  name,
  unit: "",
  summary,
  better: "neither",
  of,
});
/** The mean and the percentiles of a time, from what stands at their places. */
const ofTime = (
  name: string,
  summary: string,
  at: (run: MeasuredRun, place: number) => number,
  needs?: MetricDefinition["needs"],
): Metric[] =>
  ["mean", ...SHARES.map((share) => `p${share * 100}`)].map((statistic, place) => ({
    name: `${name}_${statistic}_s`,
    unit: "s",
    summary: `${statistic} of the ${summary}`,
    better: "lower" as const,
    ...(needs && { needs }),
    of: (run: MeasuredRun) => at(run, place),
  }));

/** All metrics, in the order of every file and of `measure`'s values. */
export const METRICS: readonly Metric[] = [
  ...TIMES.flatMap(([name, summary]) => ofTime(name, summary, (run, place) => run.timeAt(name, place))),
  perSecond(
    "throughput_qps",
    "completed requests / makespan",
    ({ outcome }) => outcome.shared.completedMeasured,
  ),
  perSecond(
    "output_tokens_per_s",
    "output tokens of completed requests / makespan",
    ({ demand }) => demand.outputTokens,
  ),
  perSecond(
    "total_tokens_per_s",
    "prompt and output tokens of completed requests / makespan",
    ({ demand }) => demand.promptTokens + demand.outputTokens,
  ),
  {
    name: "utilization",
    unit: "",
    summary: "iteration time / (makespan · replicas)",
    better: "neither",
    of: ({ arrived, duration, outcome }) =>
      arrived === 0 ? NaN : outcome.busyTime / duration / outcome.replicas.length,
  },
  counted("n_arrived", "measured requests that arrived", ({ arrived }) => arrived),
  counted(
    "n_completed",
    "measured requests that were completed",
    ({ outcome }) => outcome.shared.completedMeasured,
  ),
  counted(
    "n_rejected",
    "measured requests that were rejected",
    ({ outcome }) => outcome.shared.rejectedMeasured,
  ),
  counted("n_iterations", "iterations of the whole trial, on all replicas", ({ iterations }) => iterations),
  {
    name: "makespan_s",
    unit: "s",
    summary: "first measured arrival to last measured completion",
    better: "neither",
    of: ({ makespan }) => makespan,
  },
  {
    name: "number_in_system",
    unit: "",
    summary: "requests in the system, averaged over the makespan",
    better: "lower",
    of: ({ presence, duration }) => presence / duration,
  },
  counted(
    "decode_limit_binding",
    "share of iterations in which the policy's own limit decided the decodes",
    (run) => run.total((replica) => replica.decodeLimited) / run.iterations,
  ),
  counted(
    "prefill_limit_binding",
    "share of iterations in which the policy's own limit decided the prefill",
    (run) => run.total((replica) => replica.prefillLimited) / run.iterations,
  ),
  {
    ...perSecond("goodput_qps", "requests that meet the SLO asked of each / makespan", ({ met }) => met),
    needs: "slo",
  },
  {
    name: "slo_attainment",
    unit: "",
    summary: "share of the injected requests that meet the SLO asked of each",
    better: "higher",
    needs: "slo",
    of: ({ met, arrived }) => met / arrived,
  },
  {
    name: "kv_utilization",
    unit: "",
    summary: "share of the KV memory in use, averaged over the makespan (as batches were composed)",
    better: "neither",
    needs: "memory",
    of: (run) => {
      const usable = run.total(({ memory }) => memory?.usable ?? NaN);
      // A batch composed ahead holds its blocks beyond the last completion: in a short run that may come to more than all.
      return Math.min(run.total(({ blockTime }) => blockTime) / (usable * run.duration), 1);
    },
  },
  {
    ...counted("n_preemptions", "preemptions of the whole trial, on all replicas", (run) =>
      run.total(({ memory }) => memory?.usable ?? NaN) > 0
        ? run.total(({ preemptions }) => preemptions)
        : NaN,
    ),
    better: "lower",
    needs: "memory",
  },
  ...ofTime(
    "client_wait",
    "wait at the client: sending − the instant at which the request was due",
    (run, place) => run.clientWaitAt(place),
    "cap",
  ),
];

export type { TimeName } from "./measured-run.js";
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

/**
 * The values of `METRICS` for a finished trial, or a window of one, that `tally` has counted.
 * @param asked what is asked of each request; without it goodput and attainment are NaN
 */
export function measure(outcome: Outcome, tally: Tally, asked?: Asked): Float64Array {
  const run = new MeasuredRun(outcome, tally, asked);
  const values = new Float64Array(METRICS.length);
  for (let i = 0; i < values.length; i++) values[i] = METRICS[i].of(run);
  return values;
}
