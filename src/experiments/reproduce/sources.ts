/** Which table becomes which figures: the files by name, the columns each must have, and what draws them. */
import { timeSeriesDashboard } from "../../charts/index.js";
import type { Figure, Row } from "../interface/report.js";
import { schedulerComparison } from "../stability/figure.js";
import {
  capacityBars,
  congestionType,
  driftAgainstLambda,
  growthRates,
  responseOverTime,
} from "../figures/capacity.js";
import { chunkingImpact } from "../figures/demo3.js";
import { hybridAgainstRatio, hybridDashboard } from "../figures/hybrid.js";
import { REPLAY_COLUMNS, replayFigure, replayFile } from "../measured/figure.js";

const METRICS = ["ttft_mean_s", "tbt_mean_s", "rts_p95_s", "throughput_qps"];
const BINDING = ["decode_limit_binding", "prefill_limit_binding"];
export const SERIES = ["scheduler", "lambda_qps", "t_max_s", "rts_mean_s", ...METRICS];
export const SUMMARY = ["scheduler", "lambda_star_qps", "ci95_low", "ci95_high", "upper_bound_qps"];
export const CHUNK = ["scheduler", "t_max_s", "chunk_size", "trials", ...METRICS, "itl_p99_s"];

/** One kind of table. */
export interface Source {
  /** Its file; the group is the scenario. */
  readonly file: RegExp;
  readonly required: readonly string[];
  /** A second table that its figures use when it is there. */
  readonly beside?: { readonly suffix: string; readonly required: readonly string[] };
  /** Its figures. */
  readonly figures: (scenario: string) => readonly string[];
  /** What each of them shows; undefined where there is nothing to draw. */
  readonly draw: (
    scenario: string,
    rows: readonly Row[],
    beside: readonly Row[],
  ) => readonly (object | undefined)[];
}

/** What a figure's reader must know, as far as the table tells. */
export const trialsOf = (rows: readonly Row[]): string => {
  const trials = [...new Set(rows.map((row) => row.trials).filter((cell) => typeof cell === "number"))];
  return trials.length === 0 ? "95 % intervals" : `${trials.join(" or ")} trials, 95 % intervals`;
};

/** A figure unless there was nothing to draw. */
export const figureAt = (path: string, spec: object | undefined): Figure[] =>
  spec === undefined ? [] : [{ path, spec }];

/** The figures of one table, as far as it has something to draw. */
export const figuresOf = (
  source: Source,
  scenario: string,
  rows: readonly Row[],
  beside: readonly Row[],
): Figure[] =>
  source.draw(scenario, rows, beside).flatMap((spec, i) => figureAt(source.figures(scenario)[i], spec));

/** Drawn from its own table, or else from those of both scenarios. */
export const IMPACT_FIGURE = "demo3_chunking_impact.png";

export const SOURCES: readonly Source[] = [
  {
    file: /^measured_(.+)_requests\.csv$/,
    required: REPLAY_COLUMNS,
    figures: (run) => [replayFile(run)],
    draw: (run, rows) => [replayFigure(run, rows).spec],
  },
  {
    file: /^(?!hybrid_ratio_)(.+)_time_series_results\.csv$/,
    required: ["scheduler", "t_max_s", ...METRICS],
    figures: (s) => [`${s}_dashboard.png`],
    draw: (s, rows) => {
      const title = `${s}: metrics against the time window`;
      return [timeSeriesDashboard({ rows, title, subtitle: trialsOf(rows) })];
    },
  },
  {
    file: /^(?!hybrid_ratio_)(.+)_stability_time_series\.csv$/,
    required: SERIES,
    beside: { suffix: "_capacity_summary.csv", required: SUMMARY },
    figures: (s) => [`${s}_time_series.png`, `${s}_scheduler_comparison.png`],
    draw: (s, rows, summary) => [
      responseOverTime(s, rows),
      schedulerComparison(s, rows, summary, "95 % intervals"),
    ],
  },
  {
    file: /^(.+)_stability_results\.csv$/,
    required: [
      "scheduler",
      "lambda_qps",
      "verdict",
      "trend_verdict",
      "drift",
      "drift_ci95_low",
      "drift_ci95_high",
      "first_to_grow",
    ],
    figures: (s) => [`${s}_stability_vs_lambda.png`, `${s}_growth_rates.png`, `${s}_congestion_type.png`],
    draw: (s, rows) => [driftAgainstLambda(s, rows), growthRates(s, rows), congestionType(s, rows)],
  },
  {
    file: /^(.+)_capacity_summary\.csv$/,
    required: SUMMARY,
    figures: (s) => [`${s}_capacity_bar.png`],
    draw: (s, rows) => [
      capacityBars(`${s}: stability boundary`, rows, `λ*${methodOf(rows)}, 95 % intervals`),
    ],
  },
  {
    file: /^hybrid_ratio_(.+)_time_series\.csv$/,
    required: ["t_max_s", "ratio", ...METRICS, ...BINDING],
    figures: (s) => [`hybrid_ratio_${s}_dashboard.png`],
    draw: (s, rows) => [hybridDashboard(s, rows, trialsOf(rows))],
  },
  {
    file: /^hybrid_ratio_(.+)_steady_state\.csv$/,
    required: ["scheduler", "ratio", ...METRICS, "itl_p99_s", ...BINDING],
    figures: (s) => [`hybrid_ratio_${s}_steady_vs_ratio.png`],
    draw: (s, rows) => [hybridAgainstRatio(s, rows, trialsOf(rows))],
  },
  {
    file: /^(demo3)_chunking_impact\.csv$/,
    required: ["scheduler", "b0", "chunk_size", "lambda_star_qps", "ci95_low", "ci95_high"],
    figures: () => [IMPACT_FIGURE],
    draw: (_, rows) => [chunkingImpact(rows)],
  },
];

/** ` by the drift test`, where the table says which. */
function methodOf(rows: readonly Row[]): string {
  const methods = [...new Set(rows.map((row) => row.method).filter((cell) => typeof cell === "string"))];
  return methods.length === 0 ? "" : ` by the ${methods.join(" or ")} test`;
}
