/**
 * `sweep`: any key of the configuration, or two, over a list of values, on common random numbers.
 *
 * `sweep-chunk` (engine.chunkSize) and `hybrid` (scheduler.ratio) are settings of it with more to say of their own
 * key, on the same machinery (sweeping.ts).
 */
import { hasColumn, METRICS } from "../../core/measures/metrics.js";
import { HEADLINE, schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { CsvFile, Report, Row } from "../interface/report.js";
import type { Study, Variant } from "../interface/study.js";
import { allKnown } from "../interface/experiment.js";
import { again, withScheduler } from "../interface/study.js";
import { sweepFigures } from "../figures/sweep.js";
import { fewNotes, loadNotes } from "../load/capacity.js";
import { rejections } from "../load/rejection.js";
import { metricTitle } from "../cells/metric-words.js";
import { cellsFor, columnsFor, KEY_COLUMNS, keyCells, metricCells, metricColumns } from "../cells/rows.js";
import { subtitle } from "../tables/caption.js";
import { measuresFor } from "../load/tail.js";
import { TrialRecords } from "../interface/trials.js";
import {
  bestSentence,
  COMPARED,
  differenceCells,
  differenceColumns,
  failureCell,
  failureColumn,
  failures,
  pointTable,
  type Shown,
} from "../tables/sweeping.js";

/** Keys that the key columns of every CSV hold already. */
const HELD: Readonly<Record<string, string>> = {
  schedulers: "scheduler",
  "horizon.tmaxSeconds": "t_max_s",
  "workload.arrivals.ratePerSecond": "lambda_qps",
  "engine.chunkSize": "chunk_size",
  "scheduler.ratio": "ratio",
};

/** What tables and sentences call keys that have a short name. */
const SPOKEN: Readonly<Record<string, string>> = {
  schedulers: "scheduler",
  "horizon.tmaxSeconds": "T",
  "workload.arrivals.ratePerSecond": "λ",
  "engine.chunkSize": "chunk",
};
const spoken = (key: string): string => SPOKEN[key] ?? shortKey(key);

/** `engine.maxTokens` is maxTokens in file names and tables. */
const shortKey = (key: string): string => key.slice(key.lastIndexOf(".") + 1);

const shownOf = (study: Study): Shown =>
  study.config.slo
    ? [...COMPARED.filter(([metric]) => metric !== "tbt_mean_s"), ["slo_attainment", "attainment"]]
    : COMPARED;

/** A point under one scheduler. */
interface Place {
  readonly variant: Variant;
  readonly series: string;
  readonly study: Study;
}

/** Schedulers are told apart by what does not vary. */
function seriesOf(variant: Variant, keys: readonly string[]): Place[] {
  const { study } = variant;
  const isVaried = keys.some((key) => key.startsWith("scheduler."));
  if (keys.includes("schedulers")) return [{ variant, series: "", study }];
  const labels = study.schedulers.map((scheduler) =>
    isVaried ? scheduler.kind : schedulerLabel({ scheduler }),
  );
  return study.schedulers.map((scheduler, i) => ({
    variant,
    series: labels.indexOf(labels[i]) === i ? labels[i] : `${labels[i]} ${i + 1}`,
    study: { ...study, schedulers: [scheduler] },
  }));
}

const shown = (value: string | number | null): string => (value === null ? "none" : String(value));
const pointName = ({ settings }: Variant, besides: readonly string[] = []): string =>
  Object.entries(settings)
    .filter(([key]) => !besides.includes(key))
    .map(([key, value]) => `${spoken(key)} ${shown(value)}`)
    .join(", ") || "as given";

const RATE = "workload.arrivals.ratePerSecond";

/**
 * The points that the answer compares: where load is one of two keys, those at its least and at its greatest value
 * (that less load is better needs no answer), else all.
 */
function loadsOf(
  own: readonly number[],
  keys: readonly string[],
  places: readonly Place[],
): { readonly load: string; readonly at: readonly number[] }[] {
  if (keys.length < 2 || !keys.includes(RATE)) return [{ load: "", at: own }];
  const rateOf = (i: number): number => Number(places[i].variant.settings[RATE]);
  const rates = [...new Set(own.map(rateOf))].sort((a, b) => a - b);
  return [...new Set([rates[0], rates[rates.length - 1]])].map((rate) => ({
    load: `at λ ${rate}: `,
    at: own.filter((i) => rateOf(i) === rate),
  }));
}

/** The name of its files, without extension. */
function fileName({ scenario, variants = [] }: Study): string {
  const where = scenario === "demo2" ? "" : `${scenario}_`;
  return `sweep_${where}${Object.keys(variants[0]?.settings ?? {})
    .map(shortKey)
    .join("_")}`;
}

const OPTIONS = [
  {
    key: "vary",
    flag: "--vary <key=list>",
    kind: "vary",
    summary:
      "a key of the configuration, or a model flag's name, and its values: numbers, ranges or words (once or twice)",
  },
  {
    key: "metric",
    flag: "--metric <name>",
    kind: "metric",
    summary: `what the answer is about (default: ${HEADLINE}, or with --slo slo_attainment)`,
  },
] as const satisfies ExperimentOptions;

async function execute({ study, options, trials }: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const variants = study.variants ?? [{ label: "as given", settings: {}, study }];
  const keys = Object.keys(variants[0].settings);
  const places = variants.flatMap((variant) => seriesOf(variant, keys));
  const configs = places.map((place) => withScheduler(place.study, place.study.schedulers[0]));
  const metric = options.metric ?? (study.config.slo ? "slo_attainment" : HEADLINE);
  const label = `sweep over ${keys.map(shortKey).join(" and ")}`;
  const records = await trials.run({
    ...{ label, configs, seed: study.seed, trials: study.trials },
    ...measuresFor([], [metric]),
    goesOnAfterFailures: true,
  });

  const usual = shownOf(study);
  const compared: Shown = usual.some(([name]) => name === metric)
    ? usual
    : [...usual, [metric, metricTitle(metric)]];
  const all = [...new Set(places.map(({ series }) => series))];
  const { columns, rows } = valuesOf(study, places, records, metric, compared);
  const name = fileName(study);
  const ofSeries = all.map((series) => {
    const own = places.flatMap((place, i) => (place.series === series ? [i] : []));
    return { series, own };
  });
  const lead = (series: string): string => (series === "" || all.length === 1 ? "" : `${series}: `);
  const names = places.map(({ variant, series }) => lead(series) + pointName(variant));
  const notes = [
    ...new Set(
      places.flatMap((place, i) =>
        records.failed.has(i) ? [] : loadNotes(place.study, [names[i]], only(records, i)),
      ),
    ),
  ];
  return {
    answer: [
      ...ofSeries.flatMap(({ series, own }) =>
        loadsOf(own, keys, places).map(({ load, at }) => {
          const named = at.map((i) => pointName(places[i].variant, load === "" ? [] : [RATE]));
          return lead(series) + load + bestSentence(records, at, named, metric, study.registry);
        }),
      ),
      ...shortened(rejections(records, names), "lines"),
    ],
    failed: failures(records, names),
    tables: ofSeries.map(({ series, own }) =>
      pointTable(
        series,
        keys.map(spoken),
        own.map((i) => Object.values(places[i].variant.settings).map(shown)),
        compared,
        records,
        own,
        { registry: study.registry },
      ),
    ),
    notes: [...shortened(notes), ...fewNotes(study, records)],
    csv: [{ path: `${name}.csv`, columns, rows }],
    figures: figuresOf(study, places, rows, metric),
    json: { results: rows },
    passed: true,
    next: [
      `llmsim sweep ${again(study)} --vary lam=1:6:1 --vary engine.maxTokens=256:2048:x2`,
      `llmsim compare ${again(study)} --with chunk-size=64`,
    ],
  };
}

function figuresOf(
  study: Study,
  places: readonly Place[],
  rows: readonly Row[],
  metric: string,
): ReturnType<typeof sweepFigures> {
  const keys = Object.keys(places[0].variant.settings);
  return sweepFigures({
    path: `${fileName(study)}.png`,
    rows,
    keys: keys.map(spoken),
    series: places.map(({ series }) => series),
    settings: places.map(({ variant }) =>
      Object.fromEntries(Object.entries(variant.settings).map(([key, value]) => [spoken(key), value])),
    ),
    metric,
    hasSlo: study.config.slo !== undefined,
    title: `${study.scenario}: ${keys.join(" and ")}`,
    subtitle: `T = ${study.config.horizon.tmaxSeconds} s, ${subtitle(study)}`,
  });
}

/** The CSV: a row for each place. */
function valuesOf(
  study: Study,
  places: readonly Place[],
  records: TrialRecords,
  metric: string,
  compared: Shown,
): Pick<CsvFile, "columns" | "rows"> {
  const { configs } = records;
  const first = (series: string): number => places.findIndex((place) => place.series === series);
  const rows = places.map(({ variant, series }, i): Row => ({
    ...keyCells(configs[i], study.trials, undefined, study.registry),
    scheduler: schedulerLabel(configs[i]),
    ...Object.fromEntries(Object.entries(variant.settings).filter(([key]) => HELD[key] === undefined)),
    ...metricCells(records, i),
    ...(hasColumn(metric) ? {} : cellsFor(records, i, metric)),
    ...(i === first(series) ? {} : differenceCells(compared, records, i, first(series))),
    ...failureCell(records, i),
  }));
  const columns = [
    ...KEY_COLUMNS,
    ...Object.keys(places[0].variant.settings).filter((key) => HELD[key] === undefined),
    ...metricColumns(study.config),
    ...(hasColumn(metric) ? [] : columnsFor(metric)),
    ...differenceColumns(compared),
    ...failureColumn(records),
  ];
  return { columns, rows };
}

/** The records of one of several configurations. */
function only(records: TrialRecords, config: number): TrialRecords {
  const one = new TrialRecords({
    label: "",
    configs: [records.configs[config]],
    seed: 0,
    trials: records.trials,
  });
  for (let trial = 0; trial < records.trials; trial++) {
    const from = records.offset(trial, config);
    one.values.set(records.values.subarray(from, from + METRICS.length), one.offset(trial, 0));
  }
  return one;
}

const MOST_NOTES = 6;

/** A sweep into overload would print a warning for each point. */
const shortened = (notes: readonly string[], what = "warnings"): string[] =>
  notes.length <= MOST_NOTES
    ? [...notes]
    : [...notes.slice(0, MOST_NOTES), `${notes.length - MOST_NOTES} more points have such ${what}`];

export const sweep: Experiment<typeof OPTIONS> = {
  name: "sweep",
  question: "What does this setting do, over a range of its values?",
  options: OPTIONS,
  defaults: {
    scenario: "demo2",
    schedulers: ["hybrid"],
    trials: 20,
    horizon: { tmaxSeconds: 2000 },
  },
  takesModel: true,
  unshared: allKnown,
  examples: [
    "sweep --vary engine.chunkSize=none,8,16,...,512 --scheduler decode",
    "sweep --vary lam=1:6:1 --vary engine.maxTokens=128:2048:x2",
    "sweep --vary scheduler=decode,prefill,hybrid --metric ttft_p99_s",
  ],
  writes: ["data/sweep_<keys>.csv", "figs/sweep_<keys>.png"],
  outputs: ({ study }) => ({ data: [`${fileName(study)}.csv`], figures: [`${fileName(study)}.png`] }),
  run: execute,
};
