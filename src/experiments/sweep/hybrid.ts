/** `hybrid`: the decode ratio of mixed batches, over time and in its final window, and whether it ever binds. */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { builtIn, member } from "../../core/configuration/registry.js";
import { ConfigError } from "../../core/errors.js";
import { halfWidth, pairedDifference, summarize } from "../../stats/index.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { Report, Row } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { allKnown } from "../interface/experiment.js";
import { again, isClosed, isReplay } from "../interface/study.js";
import { hybridAgainstRatio, hybridDashboard } from "../figures/hybrid.js";
import { exactBoundary, fewNotes, loadNotes } from "../load/capacity.js";
import { loadFlag, loadOptionOf, timesTheLoad, valueAt } from "../load/load-option.js";
import { keepingUp, overloaded } from "../load/overload.js";
import { plain, scaleOf } from "../cells/quantity.js";
import { rejections } from "../load/rejection.js";
import { KEY_COLUMNS, keyCells, rowOf, metricColumns } from "../cells/rows.js";
import { subtitle, windowsOf } from "../tables/caption.js";
import { type FurtherColumn, pointTable } from "../tables/sweeping.js";
import type { TrialRecords } from "../interface/trials.js";

function checkRatios(ratios: readonly number[]): void {
  const issues = ratios.flatMap((ratio, i) => {
    const problem = !(ratio > 0 && ratio < 1)
      ? "a number above 0 and below 1"
      : i > 0 && ratio <= ratios[i - 1]
        ? `above ${ratios[i - 1]}, the one before: ratios ascend`
        : undefined;
    return problem === undefined
      ? []
      : [{ key: "--ratios", message: `invalid --ratios: ${ratio} (${problem})` }];
  });
  if (issues.length > 0) throw new ConfigError(issues);
}

const SHOWN = [
  ["ttft_mean_s", "TTFT"],
  ["tbt_mean_s", "TBT"],
  ["itl_p99_s", "ITL p99"],
  ["rts_p95_s", "RTS p95"],
] as const;

/** What the sweep's table shows beside the metrics: how often the ratio's limits decided. */
const bindingOf = (ratios: readonly number[], records: TrialRecords, window: number): FurtherColumn[] =>
  ["decode", "prefill"].map((side) => ({
    title: `${side} binds`,
    cells: ratios.map(
      (_, i) => `${plain(100 * summarize(records.metric(i, `${side}_limit_binding`, window)).mean)} %`,
    ),
  }));

/** Whether the ratio's limits decided anything in any trial of any ratio. */
const everBinds = (ratios: readonly number[], records: TrialRecords, window: number): boolean =>
  ratios.some((_, i) =>
    ["decode_limit_binding", "prefill_limit_binding"].some((metric) =>
      records.metric(i, metric, window).some((share) => share > 0),
    ),
  );

/** Where an inert ratio would begin to matter: a cap near the present use, and where a formula gives it a load. */
function inertNote(study: Study, ratios: readonly number[], records: TrialRecords, window: number): string {
  const inSystem = summarize(records.metric(0, "number_in_system", window)).mean;
  const [least] = ratios;
  const scheduler = { kind: "hybrid", ratio: least, ratioOf: "sequences" };
  const load = exactBoundary({ ...study.config, scheduler }, study.registry);
  const places = Math.floor(least * study.config.engine.maxSequences);
  return (
    `${study.scenario}: the ratio had no effect: with about ${plain(inSystem)} requests in the system its limits never bound (the smallest share is ${places} of ${study.config.engine.maxSequences} places). ` +
    `It would matter with maxSequences near ${Math.max(2, Math.ceil(inSystem / least))}` +
    (Number.isFinite(load) && !isClosed(study) ? `, or with λ near ${plain(load)} per s` : "") +
    "; --ratio-of tokens divides the token budget instead"
  );
}

function answerOf(ratios: readonly number[], records: TrialRecords, window: number, binds: boolean): string {
  if (!binds)
    return `the decode ratio makes no difference here: all ${ratios.length} ratios give the same numbers, because its limits never bind`;
  const last = ratios.length - 1;
  const change = (metric: string): string => {
    const difference = pairedDifference(
      records.metric(last, metric, window),
      records.metric(0, metric, window),
    );
    const from = summarize(records.metric(0, metric, window)).mean;
    const scale = scaleOf("s", [from]);
    return `${plain(from * scale.factor)} to ${plain((from + difference.mean) * scale.factor)} ${scale.unit} (± ${plain(halfWidth(difference) * scale.factor)})`;
  };
  return `from ratio ${ratios[0]} to ${ratios[last]}: mean TTFT ${change("ttft_mean_s")}, P99 ITL ${change("itl_p99_s")}`;
}

/** The load of a study, in a few words. */
const loadOf = ({ config, registry = builtIn }: Study): string => {
  const { arrivals } = config.workload;
  const { clients, ratePerSecond } = member(registry.arrivals, arrivals.kind).create(arrivals);
  return clients ? `${clients.count} clients` : `λ ${ratePerSecond}`;
};

/** A rate at which the split matters more often than not. */
const BUSY_RATE = 5;

/** The flag that asks for more of it. */
function moreLoad(study: Study): string[] {
  const { config, registry } = study;
  const option = loadOptionOf(config, registry);
  if (!option) return [];
  const hasRate = !isClosed(study) && !isReplay(study);
  const value = hasRate ? valueAt(config, BUSY_RATE, registry) : timesTheLoad(config, 2, registry);
  return [loadFlag(option, value)];
}

interface Sweep {
  readonly answer: readonly string[];
  readonly report: Pick<Report, "tables" | "notes" | "csv" | "figures">;
  readonly rows: readonly Row[];
}

const filesOf = ({ scenario }: Study): { readonly data: string[]; readonly figures: string[] } => {
  const name = `hybrid_ratio_${scenario}`;
  return {
    data: [`${name}_time_series.csv`, `${name}_steady_state.csv`],
    figures: [`${name}_dashboard.png`, `${name}_steady_vs_ratio.png`],
  };
};

const OPTIONS = [
  {
    key: "ratios",
    flag: "--ratios <list>",
    kind: "list",
    default: "0.1:0.9:0.1",
    summary: "decode shares, ascending, each in (0, 1)",
  },
  {
    key: "npoints",
    flag: "--npoints <n>",
    kind: "integer",
    min: 1,
    max: 10_000,
    default: 50,
    summary: "time windows, at T·i/n",
  },
] as const satisfies ExperimentOptions;

async function sweepOf(
  { study, trials }: ExperimentContext<typeof OPTIONS>,
  ratios: readonly number[],
  windows: readonly number[],
  ratioOf: string,
): Promise<Sweep> {
  const configs = ratios.map((ratio): SimulationConfig => ({
    ...study.config,
    scheduler: { kind: "hybrid", ratio, ratioOf },
  }));
  const records = await trials.run({
    label: `ratios, ${study.scenario}`,
    configs,
    windows,
    seed: study.seed,
    trials: study.trials,
  });
  const last = windows.length - 1;
  const columns = [...KEY_COLUMNS, ...metricColumns(study.config)];
  const series = configs.flatMap((config, i) =>
    windows.map((window, w) => rowOf(keyCells(config, study.trials, window, study.registry), records, i, w)),
  );
  const steady = series.filter(({ t_max_s }) => t_max_s === windows[last]);
  const binds = everBinds(ratios, records, last);
  const names = ratios.map((ratio) => `ratio ${ratio}`);
  const keeping = keepingUp(records, study.registry, last);
  const overload = overloaded(names, records, keeping, study.registry, "ratio");
  const { data, figures } = filesOf(study);
  const what = `${subtitle(study)}, ratio of ${ratioOf}, ${loadOf(study)}`;
  return {
    answer: [
      `${study.scenario}: ${overload ?? answerOf(ratios, records, last, binds)}`,
      ...rejections(records, names, last),
    ],
    rows: steady,
    report: {
      tables: [
        pointTable(
          `${study.scenario}, T = ${windows[last]} s`,
          ["ratio"],
          ratios.map((ratio) => [String(ratio)]),
          SHOWN,
          records,
          ratios.map((_, i) => i),
          { window: last, further: bindingOf(ratios, records, last), registry: study.registry },
        ),
      ],
      notes: [
        ...(binds ? [] : [inertNote(study, ratios, records, last)]),
        ...loadNotes(study, names, records, last),
        ...fewNotes(study, records, last),
      ],
      csv: [
        { path: data[0], columns, rows: series },
        { path: data[1], columns, rows: steady },
      ],
      figures: [
        { path: figures[0], spec: hybridDashboard(study.scenario, series, what) },
        { path: figures[1], spec: hybridAgainstRatio(study.scenario, steady, what) },
      ],
    },
  };
}

async function execute(context: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const { study, options } = context;
  const { ratios, npoints } = options;
  checkRatios(ratios);
  const windows = windowsOf(study.config.horizon.tmaxSeconds, npoints);
  const ratioOf = String(study.schedulers.find(({ kind }) => kind === "hybrid")?.ratioOf ?? "sequences");
  const sweeps: Sweep[] = [];
  for (const one of [study, ...(study.others ?? [])])
    sweeps.push(await sweepOf({ ...context, study: one }, ratios, windows, ratioOf));
  return {
    answer: sweeps.flatMap(({ answer }) => answer),
    tables: sweeps.flatMap(({ report }) => report.tables),
    notes: sweeps.flatMap(({ report }) => report.notes),
    csv: sweeps.flatMap(({ report }) => report.csv),
    figures: sweeps.flatMap(({ report }) => report.figures),
    json: { results: sweeps.flatMap(({ rows }) => rows) },
    passed: true,
    next: [
      ["llmsim hybrid", again(study), "--ratio-of tokens", ...moreLoad(study)].join(" "),
      `llmsim hybrid ${again(study)} --max-sequences 40`,
    ],
  };
}

export const hybrid: Experiment<typeof OPTIONS> = {
  name: "hybrid",
  question: "Which split between decodes and prompts, and does it matter?",
  options: OPTIONS,
  defaults: { scenario: "demo3", schedulers: ["hybrid"], trials: 50, horizon: { tmaxSeconds: 1000 } },
  takesModel: true,
  scenarioLists: { both: ["demo2", "demo3"] },
  unshared: allKnown,
  examples: [
    "hybrid --scenario demo3 --ratios 0.1:0.9:0.1",
    "hybrid --scenario demo2 --ratio-of tokens --lam 5 --ratios 0.5,0.95",
  ],
  writes: [
    "data/hybrid_ratio_<s>_time_series.csv",
    "data/hybrid_ratio_<s>_steady_state.csv",
    "figs/hybrid_ratio_<s>_dashboard.png",
    "figs/hybrid_ratio_<s>_steady_vs_ratio.png",
  ],
  outputs: ({ study }) => {
    const each = [study, ...(study.others ?? [])].map(filesOf);
    return { data: each.flatMap(({ data }) => data), figures: each.flatMap(({ figures }) => figures) };
  },
  run: execute,
};
