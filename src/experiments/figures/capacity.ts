/** Figures of the stability sweeps: drift, growth and what grows first against λ; capacities as bars. */
import { bars, dashboard, lineBand } from "../../charts/index.js";
import type { Row } from "../experiment.js";

const LAMBDA = { column: "lambda_qps", title: "arrival rate λ (requests/s)" };
const SCHEDULER = { column: "scheduler", title: "scheduler" };
const ZERO = [{ value: 0, label: "boundary" }];

const schedulersOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.map((row) => String(row.scheduler))),
];

/** Mean response time against T, a panel per scheduler, a line per λ. */
export const responseOverTime = (scenario: string, rows: readonly Row[]): object =>
  dashboard({
    rows,
    x: { column: "t_max_s", title: "time window T (s)", zero: true },
    series: { column: "lambda_qps", title: "λ" },
    panels: schedulersOf(rows).map((scheduler) => ({
      rows: rows.filter((row) => row.scheduler === scheduler),
      y: { column: "rts_mean_s", title: `${scheduler}: mean response time (s)` },
    })),
    title: `${scenario}: response time against the time window`,
    subtitle: "from empty, 95 % intervals",
  });

/** The drift from a backlog: above 0 the system is unstable. */
export const driftAgainstLambda = (scenario: string, rows: readonly Row[]): object =>
  lineBand({
    rows,
    x: LAMBDA,
    y: { column: "drift", title: "drift (share of the offered work)", rules: ZERO },
    series: SCHEDULER,
    title: `${scenario}: stability against the arrival rate`,
    subtitle: `drift from a backlogged start, 95 % intervals; ${disagreement(rows)}`,
  });

function disagreement(rows: readonly Row[]): string {
  const judged = rows.filter((row) => row.verdict !== "undecided");
  const apart = judged.filter((row) => row.verdict !== row.trend_verdict).length;
  return `the trend test disagrees at ${apart} of ${judged.length} points`;
}

/** Requests per second by which the backlog grows. */
export const growthRates = (scenario: string, rows: readonly Row[]): object =>
  lineBand({
    rows: rows.map((row) => ({
      scheduler: row.scheduler,
      lambda_qps: row.lambda_qps,
      growth: scaled(row.drift, row.lambda_qps),
      growth_ci95_low: scaled(row.drift_ci95_low, row.lambda_qps),
      growth_ci95_high: scaled(row.drift_ci95_high, row.lambda_qps),
    })),
    x: LAMBDA,
    y: { column: "growth", title: "growth of the backlog (requests/s)", rules: ZERO },
    series: SCHEDULER,
    title: `${scenario}: growth of the backlog`,
    subtitle: "drift · λ from a backlogged start, 95 % intervals; below 0 it drains",
  });

const scaled = (drift: unknown, lambda: unknown): number | null =>
  typeof drift === "number" && typeof lambda === "number" ? drift * lambda : null;

const GROWS = ["none", "TTFT", "TBT", "RTS"];

/** Which metric the trend test sees grow first, by λ: a step for each metric. */
export const congestionType = (scenario: string, rows: readonly Row[]): object =>
  lineBand({
    rows: rows.map((row) => ({
      scheduler: row.scheduler,
      lambda_qps: row.lambda_qps,
      first: GROWS.indexOf(String(row.first_to_grow)),
    })),
    x: LAMBDA,
    y: {
      column: "first",
      title: "what grows first",
      zero: true,
      rules: GROWS.map((label, value) => ({ value, label })),
    },
    series: SCHEDULER,
    title: `${scenario}: congestion type`,
    subtitle: "of TTFT, TBT and RTS, the one that rises most by the trend test from empty",
  });

/** λ* with its interval and the bound for any policy. */
export const capacityBars = (
  title: string,
  rows: readonly Row[],
  subtitle: string,
  category?: string,
): object =>
  bars({
    rows: rows.filter((row) => typeof row.lambda_star_qps === "number").map(asBar),
    series: SCHEDULER,
    value: { column: "lambda_star_qps", title: "λ* (requests/s)" },
    ...(category !== undefined && { category: { column: category } }),
    bound: { column: "upper_bound_qps", title: "bound for any policy" },
    title,
    subtitle,
  });

/** The capacity summary names its interval without the metric; figures look for it under the metric's name. */
const asBar = (row: Row): Row => ({
  ...row,
  lambda_star_qps_ci95_low: row.ci95_low,
  lambda_star_qps_ci95_high: row.ci95_high,
  upper_bound_qps: row.upper_bound_qps ?? null,
});
