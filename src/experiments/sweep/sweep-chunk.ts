/** `sweep-chunk`: no chunking against each chunk size, on the same random numbers. */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { ConfigError } from "../../core/errors.js";
import { builtIn, type Registry } from "../../core/configuration/registry.js";
import { halfWidth, pairedDifference, simultaneous, summarize, verdict } from "../../stats/index.js";
import { schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { CsvFile, Report, Table } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { allKnown } from "../interface/experiment.js";
import { again, tryStability, withScheduler } from "../interface/study.js";
import { chunkFigures, chunkFiles } from "../figures/chunk.js";
import { loadNotes } from "../load/capacity.js";
import { keepingUp, overloaded } from "../load/overload.js";
import { relativeChange } from "../cells/quantity.js";
import { rejections } from "../load/rejection.js";
import { KEY_COLUMNS, keyCells, metricCells, metricColumns } from "../cells/rows.js";
import { subtitle } from "../tables/caption.js";
import {
  COMPARED,
  differenceCells,
  differenceColumns,
  failureCell,
  failureColumn,
  failures,
  pointTable,
} from "../tables/sweeping.js";
import type { TrialRecords } from "../interface/trials.js";

const columnsOf = ({ config }: Study): string[] => [
  ...KEY_COLUMNS,
  ...metricColumns(config),
  ...differenceColumns(COMPARED),
];

/** The scheduler's name in file names. */
export const shortName = (config: SimulationConfig): string =>
  builtIn.schedulers.find(({ name }) => name === config.scheduler.kind)?.short ?? config.scheduler.kind;

/** Ascending whole sizes within the budget, each once; every problem at once. */
function checkSizes(sizes: readonly number[], study: Study): void {
  const { maxTokens } = study.config.engine;
  const issues = sizes.flatMap((size, i) => {
    const problem = !(Number.isInteger(size) && size >= 1 && size <= maxTokens)
      ? `an integer at least 1 and at most the token budget, ${maxTokens}`
      : i > 0 && size <= sizes[i - 1]
        ? `above ${sizes[i - 1]}, the one before: sizes ascend`
        : undefined;
    return problem === undefined
      ? []
      : [{ key: "--sizes", message: `invalid --sizes: ${size} (${problem})` }];
  });
  if (issues.length > 0) throw new ConfigError(issues);
}

/** What begins the names of its files: nothing for the usual scenario. */
const prefixOf = ({ scenario }: Study): string => (scenario === "demo2" ? "" : `${scenario}_`);

const tableOf = (study: Study, base: SimulationConfig): string =>
  `chunk_size_sweep_${prefixOf(study)}${shortName(base)}_tmax${base.horizon.tmaxSeconds}.csv`;

interface Sweep {
  readonly label: string;
  readonly csv: CsvFile;
  readonly table: Table;
  readonly answer: string;
  readonly rejected: readonly string[];
  readonly failed: readonly string[];
  readonly notes: readonly string[];
}

const OPTIONS = [
  {
    key: "sizes",
    flag: "--sizes <list>",
    kind: "list",
    default: "8,16,...,512",
    summary: "chunk sizes in tokens, ascending",
  },
] as const satisfies ExperimentOptions;

async function sweepOf(
  { study, trials }: ExperimentContext<typeof OPTIONS>,
  base: SimulationConfig,
  sizes: readonly number[],
): Promise<Sweep> {
  const withChunk = (chunkSize: number | null): SimulationConfig => ({
    ...base,
    engine: { ...base.engine, chunkSize },
  });
  const configs = [withChunk(null), ...sizes.map(withChunk)];
  const label = schedulerLabel(base);
  const records = await trials.run({
    label: `chunk sizes, ${label}`,
    configs,
    seed: study.seed,
    trials: study.trials,
    goesOnAfterFailures: true,
  });
  const names = ["no chunking", ...sizes.map((size) => `chunk ${size}`)];
  const rows = configs.map((config, i) => ({
    ...keyCells(config, study.trials, undefined, study.registry),
    scheduler: label,
    ...metricCells(records, i),
    ...(i === 0 ? {} : differenceCells(COMPARED, records, i, 0)),
    ...failureCell(records, i),
  }));
  return {
    label,
    csv: { path: tableOf(study, base), columns: [...columnsOf(study), ...failureColumn(records)], rows },
    table: pointTable(
      label,
      ["chunk"],
      ["off", ...sizes.map(String)].map((name) => [name]),
      COMPARED,
      records,
      configs.map((_, i) => i),
      { registry: study.registry },
    ),
    answer: answerOf(label, sizes, names, records, study.registry),
    failed: failures(records, names).map((line) => `${label}: ${line}`),
    rejected: rejections(records, [""]),
    notes: loadNotes(study, names, records).map((note) => `${label}: ${note}`),
  };
}

/** The chunk size that helps a metric most and the one that harms it most, by intervals that hold for all sizes at once. */
function answerOf(
  label: string,
  sizes: readonly number[],
  names: readonly string[],
  records: TrialRecords,
  registry?: Registry,
): string {
  const { failed } = records;
  if (failed.has(0)) return `${label}: no chunk size is compared, as the run without chunking failed`;
  if (failed.size === sizes.length) return `${label}: no chunk size is compared, as all of them failed`;
  const keeping = keepingUp(records, registry);
  const overload = overloaded(names, records, keeping, registry, "chunk size");
  const left = overload === undefined ? "" : `; ${overload}`;
  if (!keeping[0] || keeping.every((keeps, i) => i === 0 || !keeps)) return `${label}: ${overload}`;
  const parts = (["rts_p95_s", "itl_p99_s"] as const).map((metric) => {
    const name = metric === "rts_p95_s" ? "P95 response time" : "P99 ITL";
    const base = summarize(records.metric(0, metric)).mean;
    const compared = sizes
      .map((size, i) => {
        const difference = pairedDifference(records.metric(i + 1, metric), records.metric(0, metric));
        return { size, difference: simultaneous(difference, sizes.length) };
      })
      .filter((_, i) => keeping[i + 1] && !failed.has(i + 1))
      .sort((a, b) => a.difference.mean - b.difference.mean);
    const change = ({ difference }: (typeof compared)[number]): string =>
      relativeChange(Math.abs(difference.mean) / base, halfWidth(difference) / base);
    const best = compared[0];
    const worst = compared[compared.length - 1];
    const said = [
      verdict(best.difference, true) === "better"
        ? `chunk ${best.size} lowers ${name} most, by ${change(best)}`
        : `no chunk size lowers ${name} by a resolved difference`,
    ];
    if (verdict(worst.difference, true) === "worse")
      said.push(`chunk ${worst.size} raises it most, by ${change(worst)}`);
    return said.join(", ");
  });
  return `${label}: ${parts.join("; ")}${left}`;
}

async function execute(context: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const { study, options } = context;
  const { sizes } = options;
  checkSizes(sizes, study);
  const sweeps: Sweep[] = [];
  for (const scheduler of study.schedulers)
    sweeps.push(await sweepOf(context, withScheduler(study, scheduler), sizes));
  const rows = sweeps.flatMap(({ csv }) => csv.rows);
  return {
    failed: sweeps.flatMap(({ failed }) => failed),
    answer: [...sweeps.map(({ answer }) => answer), ...new Set(sweeps.flatMap(({ rejected }) => rejected))],
    tables: sweeps.map(({ table }) => table),
    notes: sweeps.flatMap(({ notes }) => notes),
    csv: sweeps.map(({ csv }) => csv),
    figures: chunkFigures(
      rows,
      prefixOf(study),
      `${study.scenario}: chunk size`,
      `T = ${study.config.horizon.tmaxSeconds} s, ${subtitle(study)}`,
    ),
    json: { results: rows },
    passed: true,
    next: [`llmsim sweep-chunk ${again(study)} --scheduler hybrid`, ...tryStability(study)],
  };
}

export const sweepChunk: Experiment<typeof OPTIONS> = {
  name: "sweep-chunk",
  question: "Does chunked prefill help, and which size?",
  options: OPTIONS,
  defaults: {
    scenario: "demo2",
    schedulers: ["decode-prioritizing"],
    trials: 100,
    horizon: { tmaxSeconds: 5000 },
  },
  takesModel: true,
  unshared: allKnown,
  examples: [
    "sweep-chunk --sizes 8,16,...,512",
    "sweep-chunk --scheduler hybrid --sizes 32:512:x2 --ntrials 20",
  ],
  writes: [
    "data/chunk_size_sweep_<scheduler>_tmax<T>.csv",
    "figs/{throughput,ttft,tbt,rts_p95,itl_p99}_vs_chunk.png",
  ],
  outputs: ({ study }) => ({
    data: study.schedulers.map((scheduler) => tableOf(study, withScheduler(study, scheduler))),
    figures: chunkFiles(prefixOf(study)),
  }),
  run: execute,
};
