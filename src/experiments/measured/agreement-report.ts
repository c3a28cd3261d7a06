/** A comparison as its reader gets it: the answer, the table, and the rows of its CSVs. */
import type { Row, Table } from "../interface/report.js";
import { type Comparison, METRICS } from "./agreement.js";
import type { Times } from "./replay.js";
import type { MeasuredRequest } from "./run.js";
import { missed, type Tolerance } from "./tolerance.js";

/** `-1.25` as `−1.3 %`. */
const signed = (pct: number): string => {
  const text = Math.abs(pct).toFixed(1);
  return `${text === "0.0" ? "" : pct < 0 ? "−" : "+"}${text} %`;
};

const meanOf = (found: readonly Comparison[], metric: string): Comparison =>
  found.find((one) => one.metric === metric && one.statistic === "mean")!;

/** The sentences that answer. */
export function answerOf(found: readonly Comparison[], tolerance: Tolerance | undefined): string[] {
  const errors = METRICS.map(({ key, title }) => {
    const { errorPct, requests } = meanOf(found, key);
    return `${title} ${requests === 0 ? "unknown" : signed(errorPct)}`;
  });
  const answer = `mean ${errors.join(", ")} of the measured run`;
  if (!tolerance) return [answer];
  const failures = missed(tolerance, found);
  const allowed = METRICS.flatMap(({ key, title }) =>
    tolerance[key] === undefined ? [] : [`${title} ±${tolerance[key]} %`],
  ).join(", ");
  if (failures.length === 0) return [answer, `all within ${allowed}`];
  const names = METRICS.filter(({ key }) => failures.includes(key)).map(({ title }) => title);
  return [answer, `outside ${allowed}: ${names.join(", ")}`];
}

/** The table of the terminal. */
export function tableOf(found: readonly Comparison[]): Table {
  return {
    title: "",
    columns: ["", "requests", "measured", "simulated", "error"],
    rows: found
      .filter(({ requests }) => requests > 0)
      .map(({ metric, statistic, requests, measured, simulated, errorPct }) => {
        const { title, unit, scale } = METRICS.find(({ key }) => key === metric)!;
        const value = (seconds: number): string => `${(seconds * scale).toPrecision(4)} ${unit}`;
        return [
          `${title} ${statistic}`,
          String(requests),
          value(measured),
          value(simulated),
          signed(errorPct),
        ];
      }),
  };
}

/** Columns of the table of requests; times in seconds. */
export const REQUEST_COLUMNS = [
  "request_id",
  "arrived_s",
  "prompt_tokens",
  "output_tokens",
  "prefix_hit_tokens",
  ...METRICS.flatMap(({ key }) => [`${key}_measured_s`, `${key}_simulated_s`]),
];

/** A row a request; a time that it does not have is empty. */
export function requestRows(
  run: readonly MeasuredRequest[],
  measured: readonly Times[],
  simulated: readonly Times[],
): Row[] {
  const cell = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return run.map((request, i) => ({
    request_id: request.id,
    arrived_s: request.arrivedAt - run[0].arrivedAt,
    prompt_tokens: request.promptTokens,
    output_tokens: request.outputTokens,
    prefix_hit_tokens: request.hitTokens,
    ...Object.fromEntries(
      METRICS.flatMap(({ key }) => [
        [`${key}_measured_s`, cell(measured[i][key])],
        [`${key}_simulated_s`, cell(simulated[i][key])],
      ]),
    ),
  }));
}

/** Columns of the table of errors. */
export const SUMMARY_COLUMNS = ["metric", "requests", "measured", "simulated", "error_pct"];

/** A row a statistic, in seconds and %; empty where no request has the time. */
export const summaryRows = (found: readonly Comparison[]): Row[] =>
  found.map(({ metric, statistic, requests, measured, simulated, errorPct }) => ({
    metric: `${metric}_${statistic}_s`,
    requests,
    measured: requests === 0 ? null : measured,
    simulated: requests === 0 ? null : simulated,
    error_pct: requests === 0 ? null : errorPct,
  }));
