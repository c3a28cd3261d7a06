/**
 * Trial records as rows of a CSV and as entries of the JSON document: for each metric its mean over trials
 * under the metric's name, its 95 % interval and its standard deviation.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { type Having, METRICS, metricsOf, type MetricDefinition } from "../../core/measures/metrics.js";
import { builtIn, member, type Registry } from "../../core/configuration/registry.js";
import { summarize, type Summary } from "../../stats/index.js";
import type { Cell, Row } from "../interface/report.js";
import type { TrialRecords } from "../interface/trials.js";

/** What JSON and tables take for a number: null where there is none. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What a metric's mean, interval and standard deviation are called. */
const namesOf = (name: string): string[] => [name, `${name}_ci95_low`, `${name}_ci95_high`, `${name}_sd`];
const NAMES = new Map(METRICS.map(({ name }) => [name, namesOf(name)]));

const columnsOf = (metrics: readonly MetricDefinition[]): string[] =>
  metrics.flatMap(({ name }) => namesOf(name));

/** The columns that a configuration's metrics become. */
export const metricColumns = (config: Having): string[] => columnsOf(metricsOf(config));

/** The columns of the metrics that every configuration has. */
export const METRIC_COLUMNS: readonly string[] = columnsOf(METRICS.filter(({ needs }) => !needs));

/** The cells of all metrics of one configuration (and window). */
export const metricCells = (records: TrialRecords, config: number, window = 0): Row =>
  rowOf({}, records, config, window);

/**
 * A row: the cells of `keys`, and those of all metrics. Two rows of so many cells put together by `...` take ten times
 * as long.
 */
export function rowOf(keys: Row, records: TrialRecords, config: number, window = 0): Row {
  const cells: Record<string, Cell> = { ...keys };
  for (const { name } of metricsOf(records.configs[config])) {
    const { mean, low, high, sd } = summarize(records.metric(config, name, window));
    const [ofMean, ofLow, ofHigh, ofSd] = NAMES.get(name)!;
    cells[ofMean] = finite(mean);
    cells[ofLow] = finite(low);
    cells[ofHigh] = finite(high);
    cells[ofSd] = finite(sd);
  }
  return cells;
}

/** The columns of one metric, and its cells. */
export const columnsFor = namesOf;
export function cellsFor(records: TrialRecords, config: number, metric: string): Row {
  const { mean, low, high, sd } = summarize(records.metric(config, metric));
  const [ofMean, ofLow, ofHigh, ofSd] = namesOf(metric);
  return { [ofMean]: finite(mean), [ofLow]: finite(low), [ofHigh]: finite(high), [ofSd]: finite(sd) };
}

/** The key columns that name a configuration. */
export const KEY_COLUMNS = ["scheduler", "t_max_s", "lambda_qps", "chunk_size", "ratio", "trials"] as const;

/** The key cells of a configuration; empty means none. */
export function keyCells(
  config: SimulationConfig,
  trials: number,
  window?: number,
  registry?: Registry,
): Row {
  return {
    scheduler: config.scheduler.kind,
    t_max_s: window ?? config.horizon.tmaxSeconds,
    lambda_qps: finite(arrivalRate(config, registry)),
    chunk_size: config.engine.chunkSize,
    ratio: (config.scheduler.ratio as number | undefined) ?? null,
    trials,
  };
}

/** λ of a configuration, per second; NaN for a closed loop, which has none. */
export function arrivalRate(
  config: Pick<SimulationConfig, "workload">,
  registry: Registry = builtIn,
): number {
  const { arrivals } = config.workload;
  return member(registry.arrivals, arrivals.kind).create(arrivals).ratePerSecond;
}

/** A summary as the JSON document holds it. */
export interface JsonSummary {
  readonly mean: number | null;
  readonly sd: number | null;
  readonly ci95_low: number | null;
  readonly ci95_high: number | null;
  readonly n: number;
  /** Each trial's value, under `--per-trial`; NaN and infinities are null in the document. */
  readonly values?: Float64Array;
}

export const jsonSummary = ({ mean, sd, low, high, n }: Summary): JsonSummary => ({
  mean: finite(mean),
  sd: finite(sd),
  ci95_low: finite(low),
  ci95_high: finite(high),
  n,
});

/** All metrics of one configuration for the JSON document. */
export function jsonMetrics(
  records: TrialRecords,
  config: number,
  perTrial: boolean,
): Record<string, JsonSummary> {
  return Object.fromEntries(
    metricsOf(records.configs[config]).map(({ name }) => {
      const values = records.metric(config, name);
      const summary = jsonSummary(summarize(values));
      return [name, perTrial ? { ...summary, values: Float64Array.from(values) } : summary];
    }),
  );
}
