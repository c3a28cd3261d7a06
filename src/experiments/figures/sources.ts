/** Which table becomes which figures: the files by name, the columns each must have, and what draws them. */
import { timeSeriesDashboard } from "../../charts/index.js";
import type { Figure, Row } from "../experiment.js";
import { schedulerComparison } from "../stability/figure.js";
import {
  capacityBars,
  congestionType,
  driftAgainstLambda,
  growthRates,
  responseOverTime,
} from "./capacity.js";
import { chunkingImpact } from "./demo3.js";
import { hybridAgainstRatio, hybridDashboard } from "./hybrid.js";
import { REPLAY_COLUMNS, replayFigure } from "./replay.js";

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
  readonly draw: (scenario: string, rows: readonly Row[], beside: readonly Row[]) => Figure[];
}

/** What a figure's reader must know, as far as the table tells. */
export const trialsOf = (rows: readonly Row[]): string => {
  const trials = [...new Set(rows.map((row) => row.trials).filter((cell) => typeof cell === "number"))];
  return trials.length === 0 ? "95 % intervals" : `${trials.join(" or ")} trials, 95 % intervals`;
};

/** A figure unless there was nothing to draw. */
export const figureAt = (path: string, spec: object | undefined): Figure[] =>
  spec === undefined ? [] : [{ path, spec }];

export const SOURCES: readonly Source[] = [
  {
    file: /^measured_(.+)_requests\.csv$/,
    required: REPLAY_COLUMNS,
    draw: (run, rows) => [replayFigure(run, rows)],
  },
  {
    file: /^(?!hybrid_ratio_)(.+)_time_series_results\.csv$/,
    required: ["scheduler", "t_max_s", ...METRICS],
    draw: (s, rows) => {
      const title = `${s}: metrics against the time window`;
      return figureAt(`${s}_dashboard.png`, timeSeriesDashboard({ rows, title, subtitle: trialsOf(rows) }));
    },
  },
  {
    file: /^(?!hybrid_ratio_)(.+)_stability_time_series\.csv$/,
    required: SERIES,
    beside: { suffix: "_capacity_summary.csv", required: SUMMARY },
    draw: (s, rows, summary) => [
      ...figureAt(`${s}_time_series.png`, responseOverTime(s, rows)),
      ...figureAt(`${s}_scheduler_comparison.png`, schedulerComparison(s, rows, summary, "95 % intervals")),
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
    draw: (s, rows) => [
      ...figureAt(`${s}_stability_vs_lambda.png`, driftAgainstLambda(s, rows)),
      ...figureAt(`${s}_growth_rates.png`, growthRates(s, rows)),
      ...figureAt(`${s}_congestion_type.png`, congestionType(s, rows)),
    ],
  },
  {
    file: /^(.+)_capacity_summary\.csv$/,
    required: SUMMARY,
    draw: (s, rows) =>
      figureAt(
        `${s}_capacity_bar.png`,
        capacityBars(`${s}: stability boundary`, rows, `λ*${methodOf(rows)}, 95 % intervals`),
      ),
  },
  {
    file: /^hybrid_ratio_(.+)_time_series\.csv$/,
    required: ["t_max_s", "ratio", ...METRICS, ...BINDING],
    draw: (s, rows) => figureAt(`hybrid_ratio_${s}_dashboard.png`, hybridDashboard(s, rows, trialsOf(rows))),
  },
  {
    file: /^hybrid_ratio_(.+)_steady_state\.csv$/,
    required: ["scheduler", "ratio", ...METRICS, "itl_p99_s", ...BINDING],
    draw: (s, rows) =>
      figureAt(`hybrid_ratio_${s}_steady_vs_ratio.png`, hybridAgainstRatio(s, rows, trialsOf(rows))),
  },
  {
    file: /^(demo3)_chunking_impact\.csv$/,
    required: ["scheduler", "b0", "chunk_size", "lambda_star_qps", "ci95_low", "ci95_high"],
    draw: (_, rows) => figureAt("demo3_chunking_impact.png", chunkingImpact(rows)),
  },
];

/** ` by the drift test`, where the table says which. */
function methodOf(rows: readonly Row[]): string {
  const methods = [...new Set(rows.map((row) => row.method).filter((cell) => typeof cell === "string"))];
  return methods.length === 0 ? "" : ` by the ${methods.join(" or ")} test`;
}
