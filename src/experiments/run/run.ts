/** `run`: one scenario, one or several schedulers, any setting by flag. */
import type { SimulationConfig } from "../../core/configuration/config.js";
import type { Issue } from "../../core/errors.js";
import { expectedRequests } from "../../core/configuration/expected-requests.js";
import { builtIn } from "../../core/configuration/registry.js";
import {
  annotationsOf,
  ASSERT_OPTION,
  assertionAnswer,
  assertionsOf,
  assertionTable,
  checkAssertions,
  jsonAssertions,
  judge,
} from "../tables/assertions.js";
import { drawnFrom } from "../compare/baseline.js";
import { settingsOf } from "../compare/differing-settings.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions, OptionsOf } from "../interface/options.js";
import type { Report } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { again, withScheduler } from "../interface/study.js";
import {
  comparisonTable,
  differenceTable,
  headline,
  jsonDifferences,
  schedulerLabel,
} from "../tables/comparison.js";
import { fewNotes, loadNotes } from "../load/capacity.js";
import { keepingUp } from "../load/overload.js";
import {
  checkPrecision,
  jsonPrecision,
  PRECISION_OPTIONS,
  precisionAnswer,
  precisionNotes,
  precisionOf,
  runToPrecision,
} from "./precision.js";
import { requestFile } from "./request-rows.js";
import { rejections } from "../load/rejection.js";
import { jsonMetrics, keyCells } from "../cells/rows.js";
import { DEFAULT_ITERATIONS, timelineFile } from "./timeline.js";
import { sloReport } from "./slo-report.js";
import { measuresFor } from "../load/tail.js";
import type { TrialRecords } from "../interface/trials.js";

/** Rows of `--requests`, and iterations of `--timeline`, over all schedulers: a file is made in memory, as one text. */
const MOST_ROWS = 2_000_000;
const MOST_ITERATIONS = 1_000_000;

const OPTIONS = [
  ...PRECISION_OPTIONS,
  ASSERT_OPTION,
  {
    key: "requests",
    flag: "--requests <file>",
    kind: "file",
    summary: "write one row per request of the first trial (CSV)",
  },
  {
    key: "timeline",
    flag: "--timeline <file>",
    kind: "file",
    summary: "write the first trial as a Chrome trace, for ui.perfetto.dev (JSON)",
  },
  {
    key: "timelineLimit",
    flag: "--timeline-limit <n>",
    kind: "integer",
    min: 1,
    max: MOST_ITERATIONS,
    default: DEFAULT_ITERATIONS,
    summary: "iterations of each scheduler in the timeline",
  },
  { key: "perTrial", flag: "--per-trial", kind: "flag", summary: "with --json, also each trial's values" },
] as const satisfies ExperimentOptions;

async function execute({ study, options, trials, tell }: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const configs = study.schedulers.map((scheduler) => withScheduler(study, scheduler));
  const labels = configs.map(schedulerLabel);
  const conditions = assertionsOf(options);
  const goal = precisionOf(options);
  const measures = measuresFor([...conditions, ...(study.targets ?? [])], goal ? [goal.metric] : []);
  const request = { label: "run", configs, seed: study.seed, trials: study.trials, ...measures };
  const precise = goal && (await runToPrecision(trials, request, goal, labels, tell));
  const records = precise?.records ?? (await trials.run(request));
  const tables = [comparisonTable("", labels, records, study.registry)];
  if (labels.length > 1 && records.trials > 1) tables.push(differenceTable(labels, records, study.registry));
  const { perTrial } = options;
  const timeline =
    options.timeline !== null
      ? await timelineFile(
          options.timeline,
          configs,
          study.seed,
          options.timelineLimit,
          trials,
          study.registry,
        )
      : undefined;
  const judged = judge(conditions, labels, records);
  const slo = sloReport(study, labels, records);
  tables.push(...slo.tables);
  if (judged.length > 0) tables.push(assertionTable(judged));
  return {
    answer: [
      headline(labels, records, study.registry),
      ...rejections(records, labels),
      ...(precise ? [precisionAnswer(precise, goal, labels)] : []),
      ...slo.answer,
      ...(judged.length > 0 ? [assertionAnswer(judged)] : []),
    ],
    tables,
    notes: [
      ...loadNotes(study, labels, records),
      ...fewNotes(study, records),
      ...(precise ? precisionNotes(precise, goal, labels) : []),
      ...(timeline?.notes ?? []),
    ],
    csv:
      options.requests !== null
        ? [await requestFile(options.requests, configs, study.seed, trials, study.registry)]
        : [],
    texts: timeline ? [timeline.file] : [],
    figures: [],
    trials: records.trials,
    json: {
      ...(precise && { precision: jsonPrecision(precise, goal, labels) }),
      results: resultsOf(configs, records, study, perTrial),
      differences: jsonDifferences(configs, records, study.registry),
      ...slo.json,
      ...(judged.length > 0 && { assertions: jsonAssertions(judged) }),
    },
    passed: judged.every(({ holding }) => holding !== "fail"),
    undecided: judged.some(({ holding }) => holding === "undecided"),
    annotations: annotationsOf(judged),
    next: [
      `llmsim sweep-time ${again(study)}`,
      "llmsim validate",
      `llmsim run ${again(study)} --requests requests.csv`,
    ],
  };
}

/** What `--json` says of each configuration. */
function resultsOf(
  configs: readonly SimulationConfig[],
  records: TrialRecords,
  { registry }: Study,
  perTrial: boolean,
): object[] {
  const keeping = keepingUp(records, registry);
  return configs.map((config, i) => ({
    ...keyCells(config, records.trials, undefined, registry),
    keeps_up: keeping[i],
    metrics: jsonMetrics(records, i, perTrial),
    settings: settingsOf(config),
    ...(perTrial && { drawn: drawnFrom(config) }),
  }));
}

/** Files that would be too long. */
function checkFiles(options: Partial<OptionsOf<typeof OPTIONS>>, study: Study | undefined): Issue[] {
  if (!study) return [];
  const { requests, timeline, timelineLimit } = options;
  const { config, schedulers, registry = builtIn } = study;
  const { tmaxSeconds, maxRequests } = config.horizon;
  const count = schedulers.length;
  const rows = count * Math.min(maxRequests ?? Infinity, expectedRequests(config, tmaxSeconds, registry));
  const issues: Issue[] = [];
  if (typeof requests === "string" && rows > MOST_ROWS)
    issues.push({
      key: "--requests",
      message: `--requests: about ${Math.round(rows)} rows (at most ${MOST_ROWS}; --n-queries ends a trial sooner)`,
    });
  if (typeof timeline === "string" && timelineLimit !== undefined && timelineLimit * count > MOST_ITERATIONS)
    issues.push({
      key: "--timeline-limit",
      message: `invalid --timeline-limit: ${String(timelineLimit)} (at most ${Math.floor(MOST_ITERATIONS / count)} of each scheduler: they are ${count})`,
    });
  return issues;
}

export const run: Experiment<typeof OPTIONS> = {
  name: "run",
  question: "Which scheduler is best for this load, and by how much?",
  options: OPTIONS,
  defaults: {
    scenario: "demo2",
    schedulers: ["decode-prioritizing", "prefill-prioritizing", "hybrid"],
    trials: 20,
    horizon: { tmaxSeconds: 5000 },
  },
  takesModel: true,
  unshared: ({ precision }) =>
    precision === null ? undefined : "--precision adds trials by what the earlier ones came to",
  examples: [
    "run --precision 0.01",
    "run --scenario demo2 --lam 3 --ntrials 20",
    "run --scheduler hybrid --ratio 0.3 --chunk-size 64 --json",
    "run --scheduler hybrid --assert ttft_p95_s<0.5",
  ],
  writes: ["the files of --requests and --timeline"],
  outputs: () => ({}),
  check: (options, study) => [
    ...checkPrecision(options, study),
    ...checkAssertions(options, study),
    ...checkFiles(options, study),
  ],
  run: execute,
};
