/**
 * `validate --measured`: a measured run of a real engine, replayed. Same arrivals, lengths, prefix hits and engine
 * settings; service times from a hardware file; the errors of TTFT, TPOT and end-to-end time are what it answers.
 */
import { ConfigError, type Issue } from "../core/errors.js";
import { replayFigure } from "./figures/replay.js";
import {
  type Experiment,
  type ExperimentContext,
  type Report,
  type Row,
  type Table,
  withScheduler,
} from "./experiment.js";
import { compare, type Comparison, METRICS } from "./measured/compare.js";
import { measuredTimes, replay, type Times } from "./measured/replay.js";
import { type MeasuredRequest, readRequests, RUN_FILES } from "./measured/run.js";
import { settingsOf } from "./measured/settings.js";
import { missed, readTolerance, type Tolerance } from "./measured/tolerance.js";

/** `-1.25` as `−1.3 %`. */
const signed = (pct: number): string => {
  const text = Math.abs(pct).toFixed(1);
  return `${text === "0.0" ? "" : pct < 0 ? "−" : "+"}${text} %`;
};

const meanOf = (found: readonly Comparison[], metric: string): Comparison =>
  found.find((one) => one.metric === metric && one.statistic === "mean")!;

function answerOf(found: readonly Comparison[], tolerance: Tolerance | undefined): string[] {
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

function tableOf(found: readonly Comparison[]): Table {
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

const REQUEST_COLUMNS = [
  "request_id",
  "arrived_s",
  "prompt_tokens",
  "output_tokens",
  "prefix_hit_tokens",
  ...METRICS.flatMap(({ key }) => [`${key}_measured_s`, `${key}_simulated_s`]),
];

function requestRows(
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

/** `run1` from `runs/run1/`, fit for the name of a file. */
const nameOf = (folder: string): string =>
  folder
    .split(/[/\\]/)
    .filter((part) => part !== "" && part !== "." && part !== "..")
    .at(-1)
    ?.replace(/[^\w.-]+/g, "_")
    .replace(/^[^a-z0-9]+/i, "") || "run";

/** Requests that the engine turned away cannot be compared. */
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

function reportOn({ study, options, inputs = [] }: ExperimentContext): Report {
  const folder = String(options.measured);
  const run = readRequests(inputs, folder);
  const config = withScheduler(study, study.schedulers[0]);
  const simulated = replay(config, run, study.registry);
  const { kvTokens } = config.engine;
  refuseRejected(run, simulated, kvTokens ?? Infinity, inputs[0].file);
  const measured = run.map(measuredTimes);
  // The first request warms a cold engine up.
  const found = compare(measured.slice(1), simulated.slice(1));
  const tolerance = typeof options.tolerance === "string" ? readTolerance(options.tolerance) : undefined;
  const failures = tolerance ? missed(tolerance, found) : [];
  const name = nameOf(folder);
  const summary = found.map(({ metric, statistic, requests, measured: real, simulated: ours, errorPct }) => ({
    metric: `${metric}_${statistic}_s`,
    requests,
    measured: requests === 0 ? null : real,
    simulated: requests === 0 ? null : ours,
    error_pct: requests === 0 ? null : errorPct,
  }));
  const rows = requestRows(run.slice(1), measured.slice(1), simulated.slice(1));
  const hits = run.filter(({ hitTokens }) => hitTokens > 0);
  const hitTokens = hits.reduce((sum, request) => sum + request.hitTokens, 0);
  const seconds = run[run.length - 1].arrivedAt - run[0].arrivedAt;
  return {
    answer: answerOf(found, tolerance),
    tables: [tableOf(found)],
    notes: [
      `${run.length} requests in ${seconds.toFixed(1)} s, ${hits.length} with prefix hits (${hitTokens} tokens); the first is left out: it meets a cold engine`,
      "times count from when the engine picks a request up: at the end of the iteration in which it arrives, at once when idle",
    ],
    csv: [
      {
        path: `measured_${name}.csv`,
        columns: ["metric", "requests", "measured", "simulated", "error_pct"],
        rows: summary,
      },
      { path: `measured_${name}_requests.csv`, columns: REQUEST_COLUMNS, rows },
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

function check(
  options: Partial<ExperimentContext["options"]>,
  study: ExperimentContext["study"] | undefined,
) {
  const issues: Issue[] = [];
  if (typeof options.tolerance === "string")
    try {
      readTolerance(options.tolerance);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
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
export const measuredRun: Experiment = {
  name: "validate",
  question: "Is it like real serving?",
  options: [
    {
      key: "measured",
      flag: "--measured <dir>",
      kind: "text",
      summary: `replay a measured run instead: a folder of ${RUN_FILES.join(", ")}`,
    },
    {
      key: "kvTokens",
      flag: "--kv-tokens <n>",
      kind: "integer",
      min: 16,
      max: 1_000_000_000,
      summary: "with --measured: tokens of its KV memory (default: as its meta.json says, else unlimited)",
    },
    {
      key: "tolerance",
      flag: "--tolerance <list>",
      kind: "text",
      summary: "with --measured: largest errors of the means in %, e.g. ttft=10,tpot=5,e2e=6; exit 1 beyond",
    },
  ],
  defaults: { schedulers: ["vllm"], trials: 1 },
  takesModel: "machine",
  reads: {
    option: "measured",
    what: "measured run",
    ofFolder: RUN_FILES,
  },
  settingsOf: (inputs, options) => {
    // Problems of the requests are told together with those of the settings.
    readRequests(inputs, String(options.measured));
    return settingsOf(inputs, (options.kvTokens as number | null) ?? null);
  },
  examples: [],
  writes: [
    "data/measured_<run>.csv, data/measured_<run>_requests.csv and figs/measured_<run>.png (--measured)",
  ],
  check,
  run: (context) => new Promise((resolve) => resolve(reportOn(context))),
};
