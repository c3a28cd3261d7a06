/**
 * What `reproduce` runs: the earlier study's experiments at its sizes and under its conventions, and what it
 * takes to tell its findings from its artefacts. `quick` is the same in small, for CI.
 */
import type { Conventions } from "../../core/configuration/config.js";
import { hybrid } from "../sweep/hybrid.js";
import { stability } from "../stability/stability.js";
import { sweepChunk } from "../sweep/sweep-chunk.js";
import { sweepTimeExperiment } from "../sweep/sweep-time.js";
import { validate } from "../validate/validate.js";
import type { Experiment } from "../interface/experiment.js";
import type { ExperimentOptions, OptionsOf } from "../interface/options.js";
import type { CsvFile } from "../interface/report.js";
import type { StudySettings } from "../interface/study.js";

/** One experiment of the reproduction. */
export interface Step<Options extends ExperimentOptions = ExperimentOptions> {
  readonly name: string;
  readonly experiment: Experiment<Options>;
  readonly settings: StudySettings;
  readonly options: OptionsOf<Options>;
  /** Under what name a table is kept, if it is; all of them under their own unless given. */
  readonly keep?: (path: string) => string | undefined;
}

/** The tables of a step that are kept. */
export const keptOf = ({ keep = (path) => path }: Step, tables: readonly CsvFile[]): CsvFile[] =>
  tables.flatMap((table) => {
    const path = keep(table.path);
    return path === undefined ? [] : [{ ...table, path }];
  });

const REFERENCE_RESIDENT: Conventions = {
  firstToken: "decode",
  mixedBatch: "max",
  sequenceCap: "resident",
  tbt: "tokens",
};

interface Size {
  readonly trials?: number;
  readonly tmaxSeconds?: number;
}

/** Settings of one scenario under the study's conventions, smaller where `quick` asks for it. */
const under = (
  scenario: string,
  { trials, tmaxSeconds }: Size,
  more: Partial<StudySettings> = {},
): StudySettings => ({
  scenario,
  conventions: "reference",
  ...(trials !== undefined && { trials }),
  ...(tmaxSeconds !== undefined && { horizon: { tmaxSeconds } }),
  ...more,
});

const STABILITY = ["demo2", "demo3_b0_64", "demo3_b0_0"] as const;

/** Only the capacity summary, under a name that says which cap. */
const residentSummary = (path: string): string | undefined =>
  path.endsWith("_capacity_summary.csv") ? path.replace(".csv", "_resident.csv") : undefined;

/** Only λ*, b0 and chunk size, for the comparison at the same b0. */
const boundaryOnly = (path: string): string | undefined =>
  path.endsWith("_capacity_summary.csv") ? path : undefined;

export const CHUNKING_COLUMNS = ["scheduler", "b0", "chunk_size", "lambda_star_qps", "ci95_low", "ci95_high"];

/** Chunking apart from b0, which the study changed together: λ* with and without chunks at either b0. */
export const CHUNKING_CASES = [
  { scenario: "demo3_b0_64", b0: 64, chunkSize: 64 },
  { scenario: "demo3_b0_64", b0: 64, chunkSize: null },
  { scenario: "demo3_b0_0", b0: 0, chunkSize: 64 },
  { scenario: "demo3_b0_0", b0: 0, chunkSize: null },
] as const;

export const chunkingStep = (b0: number, chunkSize: number | null): string =>
  `λ* at b0 ${b0}, ${chunkSize === null ? "no chunking" : `chunk ${chunkSize}`}`;

/** Holds its options against those of its experiment. */
const step = <Options extends ExperimentOptions>(one: Step<Options>): Step => one;

export function stepsOf(quick: boolean): Step[] {
  const size = (trials: number, tmaxSeconds: number): Size => (quick ? { trials, tmaxSeconds } : {});
  const windows = quick ? 10 : 100;
  const precision = quick ? 0.03 : 0.01;
  const grid = (...full: number[]): number[] | null => (quick ? full : null);
  return [
    ...(quick
      ? []
      : [step({ name: "validation", experiment: validate, settings: {}, options: { coverage: false } })]),
    ...["demo2", "demo3"].map((scenario) =>
      step({
        name: `time windows, ${scenario}`,
        experiment: sweepTimeExperiment,
        settings: under(scenario, size(4, 400)),
        options: { windows },
      }),
    ),
    ...STABILITY.map((scenario) =>
      step({
        name: `stability, ${scenario}`,
        experiment: stability,
        settings: under(scenario, size(4, 40)),
        options: { method: "drift", precision, lambdas: grid(1, 4) },
      }),
    ),
    ...STABILITY.map((scenario) =>
      step({
        name: `λ* under the resident cap, ${scenario}`,
        experiment: stability,
        settings: under(scenario, { trials: 2, tmaxSeconds: 10 }, { conventions: REFERENCE_RESIDENT }),
        options: { method: "drift", precision, lambdas: [1] },
        keep: residentSummary,
      }),
    ),
    ...["decode-prioritizing", "hybrid"].map((scheduler) =>
      step({
        name: `chunk sizes, ${scheduler}`,
        experiment: sweepChunk,
        settings: under("demo2", size(4, 400), { schedulers: [scheduler] }),
        options: { sizes: [8, 16, 32, 64, 128, 256, 512] },
      }),
    ),
    ...["demo2", "demo3"].map((scenario) =>
      step({
        name: `decode ratio, ${scenario}`,
        experiment: hybrid,
        settings: under(scenario, size(4, 100)),
        options: { ratios: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9], npoints: quick ? 5 : 50 },
      }),
    ),
    ...CHUNKING_CASES.map(({ scenario, b0, chunkSize }) =>
      step({
        name: chunkingStep(b0, chunkSize),
        experiment: stability,
        settings: under(scenario, { trials: 2, tmaxSeconds: 10 }, { chunkSize }),
        options: { method: "drift", precision, lambdas: [1] },
        keep: boundaryOnly,
      }),
    ),
  ];
}
