/**
 * `validate --measured`: a measured run of a real engine, replayed. Same arrivals, lengths, prefix hits and engine
 * settings; service times from a hardware file; the errors of TTFT, TPOT and end-to-end time are what it answers.
 */
import { ConfigError, type Issue } from "../../core/errors.js";
import type { Experiment, ExperimentContext, RunSettings } from "../interface/experiment.js";
import type { ExperimentOptions, OptionsOf } from "../interface/options.js";
import type { Report } from "../interface/report.js";
import { type Study, withScheduler } from "../interface/study.js";
import { replayFigure, replayFile } from "./figure.js";
import { compare } from "./agreement.js";
import { measuredTimes, replay, type Times } from "./replay.js";
import {
  answerOf,
  REQUEST_COLUMNS,
  requestRows,
  SUMMARY_COLUMNS,
  summaryRows,
  tableOf,
} from "./agreement-report.js";
import { fileOf, type MeasuredRequest, readRequests, RUN_FILES } from "./run.js";
import { settingsOf } from "./server-settings.js";
import { missed, readTolerance } from "./tolerance.js";

/** `run1` from `runs/run1/`, fit for the name of a file. */
const nameOf = (folder: string): string =>
  folder
    .split(/[/\\]/)
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .at(-1)
    ?.replace(/[^\w.-]+/g, "_")
    .replace(/^[^a-z0-9]+/i, "") || "run";

/** Requests that the engine rejected cannot be compared. */
function refuseRejected(
  run: readonly MeasuredRequest[],
  simulated: readonly Times[],
  kvTokens: number,
  file: string,
): void {
  const issues = run.flatMap(({ line, promptTokens, outputTokens }, i) =>
    Number.isNaN(simulated[i].e2e)
      ? [
          {
            key: file,
            message: `${file}:${line}: a request of ${promptTokens} + ${outputTokens} tokens never fits into ${kvTokens} tokens of KV memory (--kv-tokens)`,
          },
        ]
      : [],
  );
  if (issues.length > 0) throw new ConfigError(issues.slice(0, 10));
}

const filesOf = (folder: string): { readonly data: string[]; readonly figures: string[] } => {
  const name = `measured_${nameOf(folder)}`;
  return { data: [`${name}.csv`, `${name}_requests.csv`], figures: [replayFile(nameOf(folder))] };
};

const OPTIONS = [
  {
    key: "measured",
    flag: "--measured <dir>",
    kind: "text",
    asks: true,
    summary: `replay a measured run instead: a folder of ${RUN_FILES.join(", ")}`,
  },
  {
    key: "tolerance",
    flag: "--tolerance <list>",
    kind: "text",
    summary: "with --measured: largest errors of the means in %, e.g. ttft=10,tpot=5,e2e=6; exit 1 beyond",
  },
] as const satisfies ExperimentOptions;

function reportOn({ study, options, inputs = [] }: ExperimentContext<typeof OPTIONS>): Report {
  const folder = options.measured;
  const run = readRequests(inputs, folder);
  const config = withScheduler(study, study.schedulers[0]);
  const simulated = replay(config, run, study.registry);
  const { kvTokens } = config.engine;
  refuseRejected(run, simulated, kvTokens ?? Infinity, fileOf(inputs, RUN_FILES[0])!.file);
  const measured = run.map(measuredTimes);
  // The first request warms a cold engine up.
  const found = compare(measured.slice(1), simulated.slice(1));
  const tolerance = options.tolerance !== null ? readTolerance(options.tolerance) : undefined;
  const failures = tolerance ? missed(tolerance, found) : [];
  const name = nameOf(folder);
  const { data } = filesOf(folder);
  const summary = summaryRows(found);
  const rows = requestRows(run.slice(1), measured.slice(1), simulated.slice(1));
  const hits = run.filter(({ hitTokens }) => hitTokens > 0);
  const hitTokens = hits.reduce((sum, request) => sum + request.hitTokens, 0);
  const seconds = run[run.length - 1].arrivedAt - run[0].arrivedAt;
  return {
    answer: answerOf(found, tolerance),
    tables: [tableOf(found)],
    notes: [
      `${run.length} requests in ${seconds.toFixed(1)} s, ${hits.length} with prefix hits (${hitTokens} tokens); the first is left out: it meets a cold engine`,
      ...(settingsOf(inputs).notes ?? []),
      "times count from when the engine picks a request up: at the end of the iteration in which it arrives, at once when idle",
    ],
    csv: [
      {
        path: data[0],
        columns: SUMMARY_COLUMNS,
        rows: summary,
      },
      { path: data[1], columns: REQUEST_COLUMNS, rows },
    ],
    figures: [replayFigure(name, rows)],
    json: {
      run: name,
      results: summary,
      ...(tolerance && { tolerance_pct: tolerance, missed: failures }),
    },
    passed: failures.length === 0,
    next: [],
  };
}

/** What is wrong with it, if anything. */
function issuesOf(work: () => unknown): readonly Issue[] {
  try {
    work();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
}

function check({ tolerance }: Partial<OptionsOf<typeof OPTIONS>>, study: Study | undefined): Issue[] {
  const issues = typeof tolerance === "string" ? [...issuesOf(() => readTolerance(tolerance))] : [];
  if (!study) return issues;
  if (study.hardware === undefined)
    issues.push({
      key: "--hardware",
      message: "missing --hardware (a name or a file: the service times to replay the run with)",
    });
  const { replicas } = study.config.engine;
  if (replicas !== 1)
    issues.push({ key: "engine.replicas", message: `engine.replicas: ${replicas} (1: a run of one engine)` });
  if (study.schedulers.length !== 1)
    issues.push({
      key: "schedulers",
      message: `schedulers: ${study.schedulers.map(({ kind }) => kind).join(", ")} (one: the run's engine had one)`,
    });
  return issues;
}

/** What `validate` is when a measured run is given. */
export const measuredRun: Experiment<typeof OPTIONS> = {
  name: "validate",
  question: "Is it like real serving?",
  options: OPTIONS,
  defaults: { schedulers: ["vllm"], trials: 1 },
  takesModel: "machine",
  reads: {
    option: "measured",
    what: "measured run",
    ofFolder: RUN_FILES,
  },
  settingsOf: (inputs, options) => {
    // Problems of the requests are told together with those of the settings.
    const issues = issuesOf(() => readRequests(inputs, String(options.measured)));
    const isThere = fileOf(inputs, RUN_FILES[1]) !== undefined;
    const settings = (): RunSettings => settingsOf(inputs);
    if (issues.length > 0) throw new ConfigError([...issues, ...(isThere ? issuesOf(settings) : [])]);
    return settings();
  },
  examples: [],
  writes: [
    "data/measured_<run>.csv (--measured)",
    "data/measured_<run>_requests.csv",
    "figs/measured_<run>.png",
  ],
  outputs: ({ options }) => filesOf(options.measured),
  check,
  run: (context) => new Promise((resolve) => resolve(reportOn(context))),
};
