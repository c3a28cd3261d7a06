/** `validate`: the simulator against queueing theory, line by line; exit code 1 when a check fails. */
import { summarize } from "../../stats/index.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { Cell, Report, Row, Table } from "../interface/report.js";
import { allKnown } from "../interface/experiment.js";
import { arrivalRate } from "../cells/rows.js";
import { measuredRun } from "../measured/measured.js";
import type { Trials } from "../interface/trials.js";
import { type Anchor, QUEUE_ANCHORS } from "./anchors.js";
import { coverage, COVERAGE_RANGE, type CoverageSize, FULL_COVERAGE } from "./coverage.js";
import { identities } from "./identities.js";
import { limitAnchors } from "./limits.js";

/** An anchor passes when theory is this near in standard errors … */
const MOST_STANDARD_ERRORS = 3.5;
/** … and the standard error is at most this share of the value, so that a wide interval cannot pass. */
const MOST_RELATIVE_ERROR = 0.01;

/** Trials of each anchor: so many that Student's t at 3.5 standard errors is nearly normal. */
const TRIALS = 100;
/** Warm-up before measurement, as a share of the measured time. */
const WARMUP_SHARE = 0.1;

const COLUMNS = [
  "check",
  "offered_load",
  "lambda_qps",
  "metric",
  "theory",
  "estimate",
  "ci95_low",
  "ci95_high",
  "standard_error",
  "relative_error",
  "trials",
  "verdict",
];

async function checkAnchor(anchor: Anchor, trials: Trials, seed: number, effort: number): Promise<Row[]> {
  const rate = arrivalRate(anchor.config);
  const measured = (anchor.requests * effort) / TRIALS / rate;
  const config = {
    ...anchor.config,
    horizon: {
      ...anchor.config.horizon,
      tmaxSeconds: measured * (1 + WARMUP_SHARE),
      warmupSeconds: measured * WARMUP_SHARE,
    },
  };
  // Less effort is less sharp, by the square root; more effort does not ask for more.
  const widest = MOST_RELATIVE_ERROR / Math.sqrt(Math.min(1, effort));
  const records = await trials.run({ label: anchor.name, configs: [config], seed, trials: TRIALS });
  return anchor.expected.map(({ metric, theory }) => {
    const { mean, low, high, sd, n } = summarize(records.metric(0, metric));
    const standardError = sd / Math.sqrt(n);
    const isNear = Math.abs(mean - theory) <= MOST_STANDARD_ERRORS * standardError + ROUNDING * theory;
    const isSharp = standardError <= widest * theory;
    return {
      check: anchor.name,
      offered_load: anchor.offeredLoad,
      lambda_qps: rate,
      metric,
      theory,
      estimate: mean,
      ci95_low: low,
      ci95_high: high,
      standard_error: standardError,
      relative_error: (mean - theory) / theory,
      trials: TRIALS,
      verdict: isNear && isSharp ? "pass" : "fail",
    };
  });
}

/** Where every trial gives the same value there is no spread, only the rounding of sums. */
const ROUNDING = 1e-9;

const emptyRow = Object.fromEntries(COLUMNS.map((column) => [column, null as Cell]));

/** The M/M/1 lines alone, at the loads that take little time: what `demo` shows. */
export async function mm1Rows(trials: Trials, seed: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const anchor of QUEUE_ANCHORS)
    if (anchor.name === "M/M/1" && anchor.offeredLoad < 0.85)
      rows.push(...(await checkAnchor(anchor, trials, seed, 1)));
  return rows;
}

/** Every check as a row; `effort` scales the requests of each anchor (tests use less). */
export async function validationRows(
  trials: Trials,
  seed: number,
  effort = 1,
  coverageSize?: CoverageSize,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const anchor of [...QUEUE_ANCHORS, ...limitAnchors()])
    rows.push(...(await checkAnchor(anchor, trials, seed, effort)));
  for (const { name, config, requests, failure } of await identities(trials, seed))
    rows.push({
      ...emptyRow,
      check: name,
      lambda_qps: arrivalRate(config),
      metric: failure ?? `every law, ${requests} requests`,
      verdict: failure === undefined ? "pass" : "fail",
    });
  if (coverageSize)
    for (const load of [0.5, 0.8]) {
      const { share, experiments, config } = await coverage(trials, seed, load, coverageSize);
      const [least, most] = COVERAGE_RANGE;
      rows.push({
        ...emptyRow,
        check: "coverage of 95 % intervals, M/M/1",
        offered_load: load,
        lambda_qps: arrivalRate(config),
        metric: `share of ${experiments} experiments`,
        theory: 0.95,
        estimate: share,
        ci95_low: least,
        ci95_high: most,
        relative_error: (share - 0.95) / 0.95,
        trials: coverageSize.trials,
        verdict: share >= least && share <= most ? "pass" : "fail",
      });
    }
  return rows;
}

/** How the table calls a metric: R response time, Wq wait before the first batch, as in the theory. */
const SYMBOLS: Readonly<Record<string, string>> = {
  rts_mean_s: "R",
  rts_p95_s: "R p95",
  queueing_delay_mean_s: "Wq",
  ttft_mean_s: "TTFT",
  tbt_mean_s: "TBT",
};

const decimals = (value: Cell, count: number): string =>
  typeof value === "number" && Number.isFinite(value) ? value.toFixed(count) : "";

function tableOf(rows: readonly Row[]): Table {
  return {
    title: "",
    columns: ["check", "ρ", "metric", "theory ms", "found ms", "error", "z", ""],
    rows: rows.map((row) => {
      const symbol = SYMBOLS[String(row.metric)];
      const ms = (cell: Cell): string =>
        typeof cell === "number" ? (symbol ? (cell * 1000).toPrecision(6) : cell.toPrecision(3)) : "";
      const se = row.standard_error;
      const z =
        typeof se === "number" && se > 0 ? ((row.estimate as number) - (row.theory as number)) / se : null;
      return [
        String(row.check),
        row.offered_load === 0 ? "→0" : decimals(row.offered_load, 2),
        symbol ?? "",
        ms(row.theory),
        ms(row.estimate),
        typeof row.relative_error === "number" ? `${(row.relative_error * 100).toFixed(2)} %` : "",
        decimals(z, 1),
        row.verdict === "pass" ? "pass" : "FAIL",
      ];
    }),
  };
}

const TABLE = "validation.csv";

const OPTIONS = [
  {
    key: "coverage",
    flag: "--coverage",
    kind: "flag",
    summary: "also check that 95 % intervals cover, over 1000 experiments (about a minute)",
  },
] as const satisfies ExperimentOptions;

async function execute({ study, options, trials }: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const rows = await validationRows(trials, study.seed, 1, options.coverage ? FULL_COVERAGE : undefined);
  const failed = rows.filter((row) => row.verdict !== "pass");
  const worst = rows.reduce((most, row) => Math.max(most, Math.abs((row.relative_error as number) ?? 0)), 0);
  const verdict =
    failed.length === 0
      ? `the simulator agrees with theory in all ${rows.length} checks (largest error ${(worst * 100).toFixed(2)} %)`
      : `the simulator disagrees with theory in ${failed.length} of ${rows.length} checks: ${[...new Set(failed.map((row) => row.check))].join("; ")}`;
  return {
    answer: [verdict],
    tables: [tableOf(rows)],
    notes: [
      `a check passes when theory lies within ${MOST_STANDARD_ERRORS} standard errors of the estimate (z) and a standard error is at most 1 %`,
    ],
    csv: [{ path: TABLE, columns: COLUMNS, rows }],
    figures: [],
    json: { results: rows },
    passed: failed.length === 0,
    next: options.coverage ? [] : ["llmsim validate --coverage"],
  };
}

export const validate: Experiment<typeof OPTIONS> = {
  name: "validate",
  question: "Can I trust the numbers?",
  options: OPTIONS,
  defaults: {},
  takesModel: false,
  variant: measuredRun,
  unshared: allKnown,
  examples: [
    "validate",
    "validate --coverage --seed 7",
    "validate --measured run/ --hardware rtxpro6000_llama-3.1-8b",
  ],
  writes: ["data/validation.csv"],
  outputs: () => ({ data: [TABLE] }),
  run: execute,
};
