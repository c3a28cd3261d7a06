/** `plot`: every figure again, from the CSVs alone; nothing is simulated. */
import { timeSeriesDashboard } from "../charts/index.js";
import { ConfigError } from "../core/errors.js";
import type { Experiment, ExperimentContext, Figure, Report, Row, Tables } from "./experiment.js";
import {
  capacityBars,
  congestionType,
  driftAgainstLambda,
  growthRates,
  responseOverTime,
} from "./figures/capacity.js";
import { chunkFigures } from "./figures/chunk.js";
import { hybridAgainstRatio, hybridDashboard } from "./figures/hybrid.js";
import { schedulerComparison } from "./stability/figure.js";

const TIME = ["scheduler", "t_max_s", "trials", "ttft_mean_s", "tbt_mean_s", "rts_p95_s", "throughput_qps"];
const SERIES = ["scheduler", "lambda_qps", "t_max_s", "rts_mean_s"];
const RESULTS = ["scheduler", "lambda_qps", "verdict", "trend_verdict", "drift", "first_to_grow"];
const SUMMARY = ["scheduler", "lambda_star_qps", "ci95_low", "ci95_high", "upper_bound_qps"];
const CHUNK = ["scheduler", "t_max_s", "chunk_size", "trials", "itl_p99_s"];
const RATIO = ["scheduler", "t_max_s", "ratio", "trials", "decode_limit_binding", "prefill_limit_binding"];
const IMPACT = ["scheduler", "b0", "chunk_size", "lambda_star_qps", "ci95_low", "ci95_high"];

/** One kind of table: the files it stands in, the columns it must have, the figures it becomes. */
interface Source {
  readonly file: RegExp;
  readonly required: readonly string[];
  readonly draw: (name: string, rows: readonly Row[], tables: Tables) => Figure[] | Promise<Figure[]>;
}

const trialsOf = (rows: readonly Row[]): string => `${rows[0]?.trials ?? "?"} trials, 95 % intervals`;

const SOURCES: readonly Source[] = [
  {
    file: /^(.+)_time_series_results\.csv$/,
    required: TIME,
    draw: (s, rows) => [
      {
        path: `${s}_dashboard.png`,
        spec: timeSeriesDashboard({
          rows,
          title: `${s}: metrics against the time window`,
          subtitle: trialsOf(rows),
        }),
      },
    ],
  },
  {
    file: /^(.+)_stability_time_series\.csv$/,
    required: SERIES,
    draw: async (s, rows, tables) => [
      { path: `${s}_time_series.png`, spec: responseOverTime(s, rows) },
      {
        path: `${s}_scheduler_comparison.png`,
        spec: schedulerComparison(
          s,
          rows,
          (await tables.read(`${s}_capacity_summary.csv`, SUMMARY)) ?? [],
          "95 % intervals",
        ),
      },
    ],
  },
  {
    file: /^(.+)_stability_results\.csv$/,
    required: RESULTS,
    draw: (s, rows) => [
      { path: `${s}_stability_vs_lambda.png`, spec: driftAgainstLambda(s, rows) },
      { path: `${s}_growth_rates.png`, spec: growthRates(s, rows) },
      { path: `${s}_congestion_type.png`, spec: congestionType(s, rows) },
    ],
  },
  {
    file: /^(.+)_capacity_summary\.csv$/,
    required: SUMMARY,
    draw: (s, rows) => [
      {
        path: `${s}_capacity_bar.png`,
        spec: capacityBars(`${s}: stability boundary`, rows, "λ* by the drift test, 95 % intervals"),
      },
    ],
  },
  {
    file: /^hybrid_ratio_(.+)_time_series\.csv$/,
    required: RATIO,
    draw: (s, rows) => [
      { path: `hybrid_ratio_${s}_dashboard.png`, spec: hybridDashboard(s, rows, trialsOf(rows)) },
    ],
  },
  {
    file: /^hybrid_ratio_(.+)_steady_state\.csv$/,
    required: RATIO,
    draw: (s, rows) => [
      { path: `hybrid_ratio_${s}_steady_vs_ratio.png`, spec: hybridAgainstRatio(s, rows, trialsOf(rows)) },
    ],
  },
  {
    file: /^(demo3)_chunking_impact\.csv$/,
    required: IMPACT,
    draw: (s, rows) => [
      {
        path: `${s}_chunking_impact.png`,
        spec: capacityBars(
          `${s}: chunking apart from b0`,
          rows.map((row) => ({
            ...row,
            setting: `b0 = ${row.b0}, ${row.chunk_size === null ? "no chunking" : `chunk ${row.chunk_size}`}`,
          })),
          "λ*, 95 % intervals; the earlier study changed b0 and chunking together",
          "setting",
        ),
      },
    ],
  },
];

/** Chunk sweeps of several schedulers at the same T share their figures. */
const CHUNK_FILE = /^chunk_size_sweep_(?:(.+)_)?([^_]+)_tmax([\d.]+)\.csv$/;

async function chunkSweeps(
  names: readonly string[],
  tables: Tables,
): Promise<{ figures: Figure[]; count: number }> {
  const groups = new Map<string, Row[]>();
  let count = 0;
  for (const name of names) {
    const match = CHUNK_FILE.exec(name);
    if (!match) continue;
    const key = match[1] ?? "";
    const rows = (await tables.read(name, CHUNK)) ?? [];
    groups.set(key, [...(groups.get(key) ?? []), ...rows]);
    count++;
  }
  const figures = [...groups].flatMap(([scenario, rows]) => {
    const longest = rows.reduce((most, row) => Math.max(most, Number(row.t_max_s)), 0);
    return chunkFigures(
      rows.filter((row) => row.t_max_s === longest),
      scenario === "" ? "" : `${scenario}_`,
      `${scenario === "" ? "demo2" : scenario}: chunk size`,
      `T = ${longest} s, ${trialsOf(rows)}`,
    );
  });
  return { figures, count };
}

/** With both demo3 scenarios: chunked against unchunked over time, and their capacities side by side. */
async function demo3Figures(tables: Tables): Promise<Figure[]> {
  const scenarios = ["demo3_b0_64", "demo3_b0_0"] as const;
  const read = async (suffix: string, required: readonly string[]): Promise<Row[] | undefined> => {
    const parts = await Promise.all(scenarios.map((s) => tables.read(`${s}${suffix}`, required)));
    if (parts.some((part) => part === undefined)) return undefined;
    return parts.flatMap((part, i) => part!.map((row) => ({ ...row, scenario: scenarios[i] })));
  };
  const figures: Figure[] = [];
  const series = await read("_stability_time_series.csv", SERIES);
  if (series)
    figures.push({
      path: "demo3_time_series.png",
      spec: responseOverTime(
        "demo3",
        series.map((row) => ({
          ...row,
          scheduler: `${row.scheduler}, ${row.scenario === "demo3_b0_64" ? "chunk 64" : "no chunking"}`,
        })),
      ),
    });
  const summary = await read("_capacity_summary.csv", SUMMARY);
  if (summary)
    figures.push({
      path: "demo3_capacity_comparison.png",
      spec: capacityBars(
        "demo3: stability boundaries",
        summary,
        "λ* by the drift test, 95 % intervals; the scenarios differ in b0 and in chunking",
        "scenario",
      ),
    });
  return figures;
}

async function execute({ tables }: ExperimentContext): Promise<Report> {
  const names = await tables.list();
  const figures: Figure[] = [];
  let count = 0;
  for (const name of names)
    for (const { file, required, draw } of SOURCES) {
      const match = file.exec(name);
      if (!match || (name.startsWith("hybrid_ratio_") && !file.source.startsWith("^hybrid"))) continue;
      const rows = (await tables.read(name, required)) ?? [];
      count++;
      if (rows.length > 0) figures.push(...(await draw(match[1], rows, tables)));
    }
  const chunk = await chunkSweeps(names, tables);
  figures.push(...chunk.figures, ...(await demo3Figures(tables)));
  if (count + chunk.count === 0)
    throw new ConfigError([
      {
        key: "--out-data",
        message: "no results to plot: run a command first, e.g. llmsim sweep-time --scenario demo2",
      },
    ]);
  return {
    answer: [`redrew ${figures.length} figures from ${count + chunk.count} tables, nothing simulated`],
    tables: [],
    notes: [],
    csv: [],
    figures,
    json: { results: figures.map(({ path }) => ({ figure: path })) },
    passed: true,
    next: ["llmsim reproduce --check"],
  };
}

export const plot: Experiment = {
  name: "plot",
  summary: "redraw every figure from the CSVs",
  question: "Can I have the figures again?",
  options: [],
  defaults: {},
  takesModel: false,
  examples: ["plot", "plot --out-data results --out-figs pictures"],
  writes: ["figs/: every figure of the tables in data/"],
  run: execute,
};
