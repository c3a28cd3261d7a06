/** `stability`: a sweep over λ and the boundary λ* of each scheduler, by a drift test with three verdicts. */
import { capOf, type SimulationConfig } from "../../core/configuration/config.js";
import { ConfigError } from "../../core/errors.js";
import { schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { Report, Row } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { again, isClosed, isReplay, withScheduler } from "../interface/study.js";
import { capacityBound, exactBoundary } from "../load/capacity.js";
import { plain } from "../cells/quantity.js";
import { atRate } from "../load/load-option.js";
import { unfitNotes } from "../load/rejection.js";
import { validityNotes } from "../load/validity.js";
import { metricCells, metricColumns, finite } from "../cells/rows.js";
import { subtitle, windowsOf } from "../tables/caption.js";
import { subjectOf } from "./backlogged.js";
import { type Boundary, findBoundary } from "./boundary.js";
import { schedulerComparison } from "./figure.js";
import { studyGrid, TREND_WINDOWS, trendPoint, type TrendPoint } from "./trend.js";
import { answerOf, capNote, tableOf } from "./stability-words.js";
import { TrialRecords } from "../interface/trials.js";
import { type Bracket, bracketOf, type DriftVerdict, verdictsAt } from "./verdicts.js";

const RESULT_COLUMNS = [
  "scheduler",
  "lambda_qps",
  "verdict",
  "trend_verdict",
  "drift",
  "drift_ci95_low",
  "drift_ci95_high",
  "throughput_qps",
  "ttft_mean_s",
  "tbt_mean_s",
  "rts_mean_s",
  "rts_p95_s",
  "n_arrived",
  "n_completed",
  "utilization",
  "first_to_grow",
];
const MEANS = RESULT_COLUMNS.slice(7, 15);
const SUMMARY_COLUMNS = [
  "scheduler",
  "lambda_star_qps",
  "ci95_low",
  "ci95_high",
  "stable_up_to_qps",
  "unstable_from_qps",
  "upper_bound_qps",
  "exact_qps",
  "fraction_of_bound",
  "method",
];
/** The default grid, as shares of λ*. */
const GRID = [0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1, 1.2];

/** Where nothing varies the interval is a point, and may lie a rounding error above the bound. */
const ROUNDING = 1 + 1e-9;

type Method = "drift" | "trend";

/** All that one scheduler's sweep came to. */
interface Sweep {
  readonly label: string;
  readonly config: SimulationConfig;
  readonly boundary: Boundary;
  readonly drifts: readonly DriftVerdict[];
  readonly trends: readonly TrendPoint[];
  readonly bracket: Bracket;
  readonly trendBracket: Bracket;
  readonly bound: number;
  readonly exact: number;
  readonly results: readonly Row[];
  readonly series: readonly Row[];
}

const fourDigits = (value: number): number => Number(value.toPrecision(4));

interface Settings {
  readonly method: Method;
  readonly precision: number;
  readonly lambdas: readonly number[] | null;
}

const OPTIONS = [
  {
    key: "method",
    flag: "--method <name>",
    kind: "choice",
    choices: ["drift", "trend"],
    default: "drift",
    summary: "which verdict makes λ*: drift, or the earlier study's trend",
  },
  {
    key: "precision",
    flag: "--precision <r>",
    kind: "number",
    min: 0.001,
    max: 0.2,
    default: 0.01,
    summary: "half-width of λ*'s interval, relative",
  },
  {
    key: "lambdas",
    flag: "--lambdas <list>",
    kind: "list",
    min: 0,
    above: true,
    max: 1e6,
    summary: "arrival rates to judge (default: around λ*)",
  },
] as const satisfies ExperimentOptions;

async function sweepOf(
  { study, trials }: ExperimentContext<typeof OPTIONS>,
  config: SimulationConfig,
  settings: Settings,
): Promise<Sweep> {
  const subject = subjectOf(config, study.registry);
  const bound = capacityBound(config, study.registry);
  const start = Number.isFinite(bound) ? bound : 1;
  const boundary = await findBoundary(trials, subject, study.seed, start, settings.precision);
  const grid =
    settings.lambdas ??
    (settings.method === "trend" ? studyGrid(study.scenario, config.scheduler.kind) : undefined) ??
    (Number.isFinite(boundary.lambda) ? GRID.map((share) => fourDigits(share * boundary.lambda)) : []);
  const drifts = await verdictsAt(trials, subject, study.seed, grid);
  const windows = windowsOf(config.horizon.tmaxSeconds, TREND_WINDOWS);
  const request = { label: "runs from empty", windows, seed: study.seed, trials: study.trials };
  const configs = grid.map((lambda) => atRate(config, lambda, study.registry));
  const records =
    configs.length > 0
      ? await trials.run({ ...request, configs })
      : new TrialRecords({ ...request, configs });
  const label = schedulerLabel(config);
  const trends = grid.map((_, i) => trendPoint(records, i));
  const results = drifts.map(({ lambda, verdict, drift, emptied }, i): Row => {
    const cells = metricCells(records, i, TREND_WINDOWS - 1);
    return {
      scheduler: label,
      lambda_qps: lambda,
      verdict,
      trend_verdict: trends[i].verdict,
      drift: emptied ? null : drift.mean,
      drift_ci95_low: emptied ? null : drift.low,
      drift_ci95_high: emptied ? null : drift.high,
      ...Object.fromEntries(MEANS.map((metric) => [metric, cells[metric]])),
      first_to_grow: trends[i].firstToGrow,
    };
  });
  const series = grid.flatMap((lambda, i) =>
    windows.map((window, w) => ({
      scheduler: label,
      lambda_qps: lambda,
      t_max_s: window,
      ...metricCells(records, i, w),
    })),
  );
  return {
    label,
    config,
    boundary,
    drifts,
    trends,
    bracket: bracketOf(drifts),
    trendBracket: bracketOf(trends.map(({ verdict }, i) => ({ lambda: grid[i], verdict }))),
    bound,
    exact: exactBoundary(config, study.registry),
    results,
    series,
  };
}

/** What the chosen method says λ* is. */
function starOf(
  { boundary, trendBracket }: Sweep,
  method: Method,
): { lambda: number; low: number; high: number } {
  if (method === "drift") return boundary;
  // The greatest rate below all that the test flags; it has no interval.
  return { lambda: trendBracket.stableBelow, low: NaN, high: NaN };
}

/** What is wrong with a boundary, if anything: it is then not printed. */
function objection({ boundary, bracket, bound }: Sweep): string | undefined {
  if (!Number.isFinite(boundary.lambda)) return `no λ* was bracketed: ${boundary.shortfall}`;
  if (boundary.low > bound * ROUNDING)
    return `λ* = ${plain(boundary.lambda)} lies wholly above what any policy can serve (${plain(bound)} per s): not printed`;
  if (bracket.stable > boundary.high || bracket.unstable < boundary.low)
    return `the interval ${plain(boundary.low)} to ${plain(boundary.high)} and the bracket (stable at ${plain(bracket.stable)}, unstable at ${plain(bracket.unstable)}) disagree: not printed`;
  return undefined;
}

function summaryRow(sweep: Sweep, method: Method): Row {
  const star = starOf(sweep, method);
  const isRefused = method === "drift" && objection(sweep) !== undefined;
  const bracket = method === "drift" ? sweep.bracket : sweep.trendBracket;
  return {
    scheduler: sweep.label,
    lambda_star_qps: isRefused ? null : finite(star.lambda),
    ci95_low: isRefused ? null : finite(star.low),
    ci95_high: isRefused ? null : finite(star.high),
    stable_up_to_qps: finite(bracket.stable),
    unstable_from_qps: finite(bracket.unstable),
    upper_bound_qps: finite(sweep.bound),
    exact_qps: finite(sweep.exact),
    fraction_of_bound: isRefused ? null : finite(star.lambda / sweep.bound),
    method,
  };
}

function disagreements(sweep: Sweep): string[] {
  const at = sweep.drifts
    .filter(({ verdict }, i) => verdict !== "undecided" && verdict !== sweep.trends[i].verdict)
    .map(({ lambda }) => plain(lambda));
  if (at.length === 0) return [];
  return [
    `${sweep.label}: the trend test disagrees with the drift test at λ = ${at.join(", ")} (a start from empty rises at first, stable or not)`,
  ];
}

/** A boundary that stands, but is known less closely than was asked. */
const shortfalls = (sweeps: readonly Sweep[]): string[] =>
  sweeps.flatMap(({ label, boundary }) =>
    boundary.shortfall !== undefined && Number.isFinite(boundary.lambda)
      ? [`${label}: λ* is known to ${boundary.shortfall}`]
      : [],
  );

const filesOf = ({ scenario }: Study): { readonly data: string[]; readonly figures: string[] } => ({
  data: ["stability_results", "stability_time_series", "capacity_summary"].map(
    (table) => `${scenario}_${table}.csv`,
  ),
  figures: [`${scenario}_scheduler_comparison.png`],
});

/** Refused where there is no λ to vary, or nothing that could grow. */
function refuseUnvaried(study: Study): void {
  if (isReplay(study))
    throw new ConfigError([
      {
        key: "workload.arrivals",
        message:
          "invalid --trace: stability varies λ, and a trace's is what it is (--lengths-from takes its lengths alone; llmsim run --trace FILE --speedup 2 plays it twice as fast)",
      },
    ]);
  if (isClosed(study))
    throw new ConfigError([
      {
        key: "workload.arrivals.kind",
        message:
          "invalid workload.arrivals.kind: closed (stability varies λ, and a closed loop has none: its clients wait for answers, so no queue outgrows them; llmsim run --arrivals closed --clients 100 shows what more clients do)",
      },
    ]);
  const cap = capOf(study.config.workload);
  if (cap !== null)
    throw new ConfigError([
      {
        key: "workload.maxConcurrency",
        message: `invalid workload.maxConcurrency: ${cap} (stability looks for the λ at which queues grow, and a client that holds requests back keeps them from growing)`,
      },
    ]);
}

async function execute(context: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const { study, options: settings } = context;
  refuseUnvaried(study);
  const sweeps = await Promise.all(
    study.schedulers.map((scheduler) => sweepOf(context, withScheduler(study, scheduler), settings)),
  );
  const { method } = settings;
  const objections = sweeps.flatMap((sweep) => {
    const said = method === "drift" ? objection(sweep) : undefined;
    return said === undefined ? [] : [`${sweep.label}: ${said}`];
  });
  const summary = sweeps.map((sweep) => summaryRow(sweep, method));
  const results = sweeps.flatMap((sweep) => sweep.results);
  const series = sweeps.flatMap((sweep) => sweep.series);
  const { data, figures } = filesOf(study);
  return {
    answer: [answerOf(summary)],
    tables: [tableOf(summary)],
    notes: [
      ...unfitNotes(study.config, study.registry),
      ...validityNotes(study),
      ...objections,
      ...(method === "drift" ? shortfalls(sweeps) : []),
      ...capNote(study),
      ...sweeps.flatMap(disagreements),
      ...undecided(sweeps),
    ],
    csv: [
      { path: data[0], columns: RESULT_COLUMNS, rows: results },
      {
        path: data[1],
        columns: ["scheduler", "lambda_qps", "t_max_s", ...metricColumns(study.config)],
        rows: series,
      },
      { path: data[2], columns: SUMMARY_COLUMNS, rows: summary },
    ],
    figures: (series.length === 0 ? [] : figures).map((path) => ({
      path,
      spec: schedulerComparison(study.scenario, series, summary, subtitle(study)),
    })),
    json: { results: summary, points: results },
    passed: objections.length === 0,
    next: [
      `llmsim run ${again(study)} --lam ${plain(Number(summary[0].lambda_star_qps ?? 1) * 0.9)}`,
      `llmsim stability ${again(study)} --method ${method === "drift" ? "trend" : "drift"}`,
    ],
  };
}

function undecided(sweeps: readonly Sweep[]): string[] {
  const at = sweeps.flatMap(({ label, drifts }) =>
    drifts
      .filter(({ verdict }) => verdict === "undecided")
      .map(({ lambda }) => `${label} at ${plain(lambda)}`),
  );
  return at.length === 0 ? [] : [`undecided: ${at.join(", ")} (too near the boundary for this effort)`];
}

export const stability: Experiment<typeof OPTIONS> = {
  name: "stability",
  question: "How much load before it breaks?",
  options: OPTIONS,
  defaults: {
    scenario: "demo2",
    schedulers: ["decode-prioritizing", "prefill-prioritizing", "hybrid"],
    trials: 80,
    horizon: { tmaxSeconds: 200 },
  },
  takesModel: true,
  unshared: () => "its search goes on from what the earlier points came to",
  examples: ["stability --scenario demo2", "stability --scenario demo3_b0_64 --lambdas 8:12:0.5"],
  writes: [
    "data/<s>_stability_results.csv",
    "data/<s>_stability_time_series.csv",
    "data/<s>_capacity_summary.csv",
    "figs/<s>_scheduler_comparison.png",
  ],
  outputs: ({ study }) => filesOf(study),
  run: execute,
};
