/** What the suites of the experiments run on: studies of the package's scenarios, and the Trials port in this process. */
import { readFileSync } from "node:fs";
import {
  complete,
  type PartialConfig,
  REFERENCE,
  type SimulationConfig,
  STANDARD,
} from "../../src/core/configuration/config.js";
import type { Spec } from "../../src/core/options/definition.js";
import { METRICS, metricIndex } from "../../src/core/measures/metrics.js";
import { builtIn, type Registry } from "../../src/core/configuration/registry.js";
import type { Experiment, ExperimentContext } from "../../src/experiments/interface/experiment.js";
import type { ExperimentOptions, OptionsOf } from "../../src/experiments/interface/options.js";
import type { Study } from "../../src/experiments/interface/study.js";
import { TrialRecords, type TrialRequest, type Trials } from "../../src/experiments/interface/trials.js";
import { optionValues } from "../../src/flags/options.js";
import { jsonPieces } from "../../src/io/json.js";
import { inProcess } from "../../src/run/in-process.js";
import { type Progress, runner } from "../../src/run/runner.js";

export const silent: Progress = { begin: () => {}, advance: () => {}, end: () => {} };

/** Trials simulated in this process, by the engine that `registry` makes. */
export const trialsWith = (registry: Registry = builtIn): Trials => runner(inProcess(registry), silent);

/** A document as a reader of its JSON has it. */
export const asJson = (document: unknown): unknown => JSON.parse([...jsonPieces(document, 1)].join(""));

/** All three, as every command has them by default. */
export const THREE: readonly Spec[] = [
  { kind: "decode-prioritizing" },
  { kind: "prefill-prioritizing" },
  { kind: "hybrid", ratio: 0.5, ratioOf: "sequences" },
];

type Model = Pick<PartialConfig, "workload" | "service" | "engine">;

/** A scenario of the package, from its file. */
export const scenario = (name: string): Model =>
  JSON.parse(readFileSync(new URL(`../../data/scenarios/${name}.json`, import.meta.url), "utf8")) as Model;

export interface StudyOptions {
  readonly schedulers?: readonly Spec[];
  readonly trials?: number;
  readonly seed?: number;
  readonly conventions?: "standard" | "reference";
  readonly horizon?: PartialConfig["horizon"];
  readonly rate?: number;
}

/** A study of a scenario of the package; T 200 s and 5 trials unless told. */
export function studyOf(name: string, options: StudyOptions = {}): Study {
  const { workload, service, engine } = scenario(name);
  const { rate, horizon, trials = 5, seed = 1, schedulers = THREE } = options;
  const config = complete({
    workload:
      rate === undefined ? workload : { ...workload, arrivals: { kind: "poisson", ratePerSecond: rate } },
    service,
    ...(engine && { engine }),
    scheduler: schedulers[0]!,
    conventions: options.conventions === "reference" ? REFERENCE : STANDARD,
    horizon: { tmaxSeconds: 200, ...horizon },
  });
  const { workload: traffic, service: model, engine: machine, conventions, horizon: span } = config;
  const base = { workload: traffic, service: model, engine: machine, conventions, horizon: span };
  return { scenario: name, config: base, schedulers, trials, seed };
}

/** The options of an experiment that is given none. */
export const usual = <Options extends ExperimentOptions>(experiment: Experiment<Options>) =>
  optionValues(experiment, {}, []) as OptionsOf<Options>;

/** What an experiment is called with, alone in the world: no earlier results, nothing to write, nobody to tell. */
export function contextOf<Options extends ExperimentOptions>(
  study: Study,
  trials: Trials,
  options: OptionsOf<Options>,
): ExperimentContext<Options> {
  const nothing = (): never => {
    throw new Error("this experiment runs no other");
  };
  return {
    study,
    trials,
    options,
    tables: { list: async () => [], read: async () => undefined },
    workspace: {
      version: "0",
      core: "0",
      study: nothing,
      write: nothing,
      writeText: nothing,
      readText: nothing,
      manifest: nothing,
      readFile: nothing,
      hashText: nothing,
      hashCsv: nothing,
      scenarios: async () => [],
      page: async () => "{{DATA}}",
      picture: nothing,
      figureLink: nothing,
      policyHash: nothing,
    },
    say: () => {},
    tell: () => {},
  };
}

/** An engine that answers 1 to everything: as wrong as can be, and quick. */
export const ones: Trials = {
  run: async (request) => {
    const records = new TrialRecords(request);
    records.values.fill(1);
    return records;
  },
  stability: () => Promise.reject(new Error("this engine runs from empty only")),
};

/**
 * Records that hold given values: `table[config][metric]` is a value a trial. Metrics that are not given have none.
 */
export function recordsOf(
  configs: readonly SimulationConfig[],
  table: readonly Readonly<Record<string, readonly number[]>>[],
): TrialRecords {
  const trials = Math.max(...table.flatMap((metrics) => Object.values(metrics).map(({ length }) => length)));
  const request: TrialRequest = { label: "", configs, seed: 1, trials };
  const records = new TrialRecords(request);
  records.values.fill(NaN);
  table.forEach((metrics, config) => {
    for (const [metric, values] of Object.entries(metrics))
      values.forEach((value, trial) => {
        records.values[records.offset(trial, config) + metricIndex(metric)] = value;
      });
  });
  return records;
}

export const METRIC_NAMES: readonly string[] = METRICS.filter(({ needs }) => !needs).map(({ name }) => name);
