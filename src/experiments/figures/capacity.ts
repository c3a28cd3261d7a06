/** Figures of the stability sweeps: drift, growth and what grows first against λ; capacities as bars. */
import { bars, dashboard, lineBand, type LineBandOptions, tiles } from "../../charts/index.js";
import type { Row } from "../interface/report.js";

const LAMBDA = { column: "lambda_qps", title: "arrival rate λ (requests/s)" };
const SCHEDULER = { column: "scheduler", title: "scheduler" };
const ZERO = [{ value: 0, label: "boundary" }];

const schedulersOf = (rows: readonly Row[]): string[] => [
  ...new Set(rows.map((row) => String(row.scheduler))),
];

const ratesOf = (rows: readonly Row[], scheduler: string): number[] =>
  [...new Set(rows.filter((row) => row.scheduler === scheduler).map((row) => Number(row.lambda_qps)))].sort(
    (a, b) => a - b,
  );

/** More lines than these cannot be told apart. */
const FEW = 3;

/** A scheduler's rows at its lowest, its middle and its highest rate. */
function fewRates(rows: readonly Row[], scheduler: string): Row[] {
  const rates = ratesOf(rows, scheduler);
  const shown = [rates[0], rates[rates.length >> 1], rates[rates.length - 1]];
  return rows.filter((row) => row.scheduler === scheduler && shown.includes(Number(row.lambda_qps)));
}

/** Mean response time against T, a panel per scheduler, a line for each of a few λ. */
export function responseOverTime(scenario: string, rows: readonly Row[]): object {
  const schedulers = schedulersOf(rows);
  const isThinned = schedulers.some((scheduler) => ratesOf(rows, scheduler).length > FEW);
  return dashboard({
    rows,
    x: { column: "t_max_s", title: "time window T (s)", zero: true },
    series: { column: "lambda_qps", title: "λ (requests/s)" },
    panels: schedulers.map((scheduler) => ({
      rows: fewRates(rows, scheduler),
      y: { column: "rts_mean_s", title: `${scheduler}: mean RTS (s)` },
    })),
    title: `${scenario}: response time against the time window`,
    subtitle: [
      "from empty, 95 % intervals",
      ...(isThinned ? ["of each scheduler the lowest, the middle and the highest λ"] : []),
    ],
  });
}

/** A line figure of what the backlogged runs found; undefined when there were none. */
const driftFigure = (options: LineBandOptions): object | undefined =>
  options.rows.some((row) => typeof row[options.y.column] === "number") ? lineBand(options) : undefined;

/** The drift from a backlog: above 0 the system is unstable. */
export const driftAgainstLambda = (scenario: string, rows: readonly Row[]): object | undefined =>
  driftFigure({
    rows,
    x: LAMBDA,
    y: { column: "drift", title: "drift (share of the offered work)", rules: ZERO },
    series: SCHEDULER,
    title: `${scenario}: stability against the arrival rate`,
    subtitle: ["drift from a backlogged start, 95 % intervals; below 0 stable", ...disagreements(rows)],
  });

/** Where the two tests differ, by scheduler: `stable by drift, unstable by trend: hybrid 6 of 10 λ, …`. */
function disagreements(rows: readonly Row[]): string[] {
  const judged = rows.filter((row) => row.verdict !== "undecided" && row.trend_verdict !== null);
  const apart = judged.filter((row) => row.verdict !== row.trend_verdict);
  if (judged.length === 0) return [];
  if (apart.length === 0) return [`the trend test agrees at all ${judged.length} points`];
  const kinds = [...new Set(apart.map((row) => `${row.verdict} by drift, ${row.trend_verdict} by trend`))];
  return kinds.map((kind) => {
    const own = apart.filter((row) => `${row.verdict} by drift, ${row.trend_verdict} by trend` === kind);
    const parts = schedulersOf(own).map((scheduler) => {
      const rates = own.filter((row) => row.scheduler === scheduler).map((row) => Number(row.lambda_qps));
      const [low, high] = [Math.min(...rates), Math.max(...rates)];
      const of = judged.filter((row) => row.scheduler === scheduler).length;
      const where = low === high ? `at ${low}` : `between ${low} and ${high}`;
      return `${scheduler} ${rates.length} of ${of} λ, ${where}`;
    });
    return `${kind}: ${parts.join("; ")}`;
  });
}

/** Requests per second by which the backlog grows. */
export const growthRates = (scenario: string, rows: readonly Row[]): object | undefined =>
  driftFigure({
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

/** Which metric the trend test sees grow first, a tile for each λ; below it what the drift says there. */
export const congestionType = (scenario: string, rows: readonly Row[]): object =>
  tiles({
    rows,
    series: SCHEDULER,
    x: { column: "lambda_qps", symbol: "λ" },
    word: { column: "first_to_grow", words: ["none", "TTFT", "TBT", "RTS"] },
    note: { column: "verdict" },
    title: `${scenario}: congestion type`,
    subtitle: [
      "which of TTFT, TBT and RTS rises most by the trend test, from empty, at each λ (requests/s)",
      "below λ the verdict of the drift test: growth where it says stable is the run filling up, not congestion",
    ],
  });

/** λ* with its interval and the bound for any policy; undefined when no scheduler has a λ*. */
export function capacityBars(
  title: string,
  all: readonly Row[],
  subtitle: string,
  category?: string,
): object | undefined {
  const rows = all.filter((row) => typeof row.lambda_star_qps === "number").map(asBar);
  if (rows.length === 0) return undefined;
  return bars({
    rows,
    series: SCHEDULER,
    value: { column: "lambda_star_qps", title: "λ* (requests/s)" },
    ...(category !== undefined && { category: { column: category } }),
    bound: { column: "upper_bound_qps", title: "bound for any policy" },
    title,
    subtitle,
  });
}

/** The capacity summary names its interval without the metric; figures look for it under the metric's name. */
const asBar = (row: Row): Row => ({
  ...row,
  lambda_star_qps_ci95_low: row.ci95_low,
  lambda_star_qps_ci95_high: row.ci95_high,
  upper_bound_qps: row.upper_bound_qps ?? null,
});
