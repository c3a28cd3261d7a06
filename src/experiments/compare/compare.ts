/**
 * `compare`: two or more configurations on common random numbers, each against the first; or against an earlier
 * result (`--baseline`), paired where both saw the same requests.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import type { Registry } from "../../core/configuration/registry.js";
import { ConfigError, type Issue } from "../../core/errors.js";
import { hasColumn, metricsOf } from "../../core/measures/metrics.js";
import { pairedDifference, summarize, welchOf } from "../../stats/index.js";
import {
  ASSERT_OPTION,
  annotationsOf,
  assertionAnswer,
  assertionsOf,
  assertionTable,
  checkAssertions,
  judge,
  jsonAssertions,
} from "../tables/assertions.js";
import { drawnFrom, readBaseline, resultFor, unpaired, type Baseline } from "./baseline.js";
import {
  jsonPairs,
  metricDifference,
  PAIR_COLUMNS,
  pairFigure,
  pairRows,
  pairTable,
  sentence,
  withoutVerdict,
  type Pair,
} from "./pairs.js";
import { differing, requireSettings, settingsAnswer, settingsOf } from "./differing-settings.js";
import { HEADLINE, schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions, OptionsOf } from "../interface/options.js";
import type { Report, Table } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { allKnown } from "../interface/experiment.js";
import { again, withScheduler } from "../interface/study.js";
import { fewNotes, loadNotes } from "../load/capacity.js";
import { keepingUp, overloaded } from "../load/overload.js";
import { rejections } from "../load/rejection.js";
import { jsonMetrics, keyCells } from "../cells/rows.js";
import { subtitle } from "../tables/caption.js";
import { measuresFor } from "../load/tail.js";
import { metricTitle } from "../cells/metric-words.js";
import { COMPARED, pointTable, type Shown } from "../tables/sweeping.js";
import type { TrialRecords } from "../interface/trials.js";

/** A configuration with its name. */
interface Entry {
  readonly label: string;
  readonly config: SimulationConfig;
}

/** Every variant under each of its schedulers. */
function entriesOf(study: Study): Entry[] {
  const variants = study.variants ?? [{ label: "as given", settings: {}, study }];
  return variants.flatMap(({ label, study: own }) =>
    own.schedulers.map((scheduler) => {
      const many = own.schedulers.length > 1;
      const name = schedulerLabel({ scheduler });
      const full = !many ? label : variants.length === 1 ? name : `${label}, ${name}`;
      return { label: full, config: withScheduler(own, scheduler) };
    }),
  );
}

/** Metrics that both configurations have. */
const shared = (a: SimulationConfig, b: SimulationConfig): string[] =>
  metricsOf(a)
    .filter((metric) => metricsOf(b).includes(metric))
    .map(({ name }) => name);

/** @param further metrics that were measured besides */
const toFirst = (entries: readonly Entry[], records: TrialRecords, further: readonly string[]): Pair[] =>
  entries.slice(1).map(({ label, config }, i) => ({
    label,
    to: entries[0].label,
    how: "paired",
    trials: records.trials,
    metrics: [...shared(config, entries[0].config), ...further].map((metric) =>
      metricDifference(
        metric,
        pairedDifference(records.metric(i + 1, metric), records.metric(0, metric)),
        summarize(records.metric(0, metric)).mean,
      ),
    ),
  }));

/** Every configuration to its own in the earlier result, and why the two are not paired where they are not. */
function toBaseline(
  baseline: Baseline,
  entries: readonly Entry[],
  records: TrialRecords,
  study: Study,
): { readonly pairs: Pair[]; readonly notes: string[] } {
  const pairs: Pair[] = [];
  const notes: string[] = [];
  entries.forEach(({ label, config }, i) => {
    const result = resultFor(baseline, config);
    const why = unpaired(baseline, result, config, study);
    const to = `${baseline.file}${result.configuration === undefined ? "" : ` (${result.configuration})`}`;
    const known = [...result.metrics.keys()];
    pairs.push({
      label,
      to,
      how: why === undefined ? "paired" : "welch",
      trials: records.trials,
      metrics: metricsOf(config)
        .map(({ name }) => name)
        .filter((name) => known.includes(name))
        .map((metric) => {
          const own = records.metric(i, metric);
          const base = result.metrics.get(metric)!;
          const difference =
            why === undefined
              ? pairedDifference(own, result.values.get(metric) ?? [])
              : welchOf(summarize(own), base);
          return metricDifference(metric, difference, base.mean);
        }),
    });
    if (result.scheduler !== config.scheduler.kind)
      notes.push(
        `${label} is ${config.scheduler.kind}, the only result of ${baseline.file} is ${result.scheduler}`,
      );
    notes.push(
      why === undefined
        ? `${label} and ${to} are paired: the same requests, trial by trial`
        : `${label} and ${to} are not paired (${why}): Welch's interval for two samples that share nothing`,
    );
  });
  return { pairs, notes: [...new Set(notes)] };
}

/** Refuses schedulers that the earlier result does not have, before anything runs. */
function requireResults(baseline: Baseline, entries: readonly Entry[]): void {
  const missing = entries.filter(({ config }) => resultFor(baseline, config) === undefined);
  if (missing.length === 0) return;
  const have = [...new Set(baseline.results.map(({ scheduler }) => scheduler))].join(", ");
  throw new ConfigError(
    [...new Set(missing.map(({ config }) => config.scheduler.kind))].map((kind) => ({
      key: "--baseline",
      message: `no result of ${kind} in --baseline: ${baseline.file} (it has: ${have})`,
    })),
  );
}

/** What differs from the settings of the earlier result, in a sentence each. */
const otherSettings = (baseline: Baseline, entries: readonly Entry[], study: Study): string[] =>
  settingsAnswer(
    baseline,
    entries.map(({ label, config }) => ({
      label,
      settings: differing(resultFor(baseline, config), config, study),
    })),
  );

const TABLE = "compare.csv";
const FIGURE = "compare.png";

const OPTIONS = [
  {
    key: "with",
    flag: "--with <settings>",
    kind: "with",
    summary:
      "one more configuration: the settings as given, with a scenario, a configuration file, key=value, or several with commas between (repeatable)",
  },
  {
    key: "baseline",
    flag: "--baseline <file>",
    kind: "input",
    summary:
      "an earlier document of run --json or compare --json; with --per-trial differences are paired; other settings than its are told, and refused with --assert",
  },
  {
    key: "metric",
    flag: "--metric <name>",
    kind: "metric",
    summary: `what the answer is about (default: ${HEADLINE})`,
  },
  ASSERT_OPTION,
  { key: "perTrial", flag: "--per-trial", kind: "flag", summary: "with --json, also each trial's values" },
] as const satisfies ExperimentOptions;

async function execute({
  study,
  options,
  trials,
  workspace,
}: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const entries = entriesOf(study);
  const configs = entries.map(({ config }) => config);
  const labels = entries.map(({ label }) => label);
  const file = options.baseline;
  const baseline = file !== null ? readBaseline(file, await workspace.readFile(file)) : undefined;
  if (baseline) requireResults(baseline, entries);
  const conditions = assertionsOf(options);
  const others = baseline ? otherSettings(baseline, entries, study) : [];
  if (conditions.length > 0) requireSettings(others);
  const metric = options.metric ?? HEADLINE;
  const records = await trials.run({
    ...{ label: "compare", configs, seed: study.seed, trials: study.trials },
    ...measuresFor(conditions, [metric]),
  });

  const earlier = baseline && toBaseline(baseline, entries, records, study);
  const keeping = keepingUp(records, study.registry);
  const pairs = [
    ...toFirst(entries, records, hasColumn(metric) ? [] : [metric]).map((pair, i) =>
      keeping[0] && keeping[i + 1] ? pair : withoutVerdict(pair),
    ),
    ...(earlier?.pairs ?? []).map((pair, i) => (keeping[i] ? pair : withoutVerdict(pair))),
  ];
  const overload = overloaded(labels, records, keeping, study.registry, "configuration");
  const named = shownOf(configs, metric);
  const judged = judge(conditions, labels, records);
  return {
    answer: [
      ...others,
      ...(overload === undefined ? [] : [overload]),
      ...rejections(records, labels),
      ...pairs.map((pair) => sentence(pair, metric)),
      ...(judged.length > 0 ? [assertionAnswer(judged)] : []),
    ],
    tables: [
      configurationTable(labels, records, study.registry),
      pairTable(pairs, named),
      ...(judged.length > 0 ? [assertionTable(judged)] : []),
    ],
    notes: [...(earlier?.notes ?? []), ...loadNotesOn(study, records), ...fewNotes(study, records)],
    csv: [{ path: TABLE, columns: PAIR_COLUMNS, rows: pairRows(pairs) }],
    figures: pairFigure(
      FIGURE,
      pairs,
      named,
      `${study.scenario}: differences`,
      `T = ${study.config.horizon.tmaxSeconds} s, ${subtitle(study)}`,
    ),
    json: {
      results: resultsOf(entries, records, keeping, study, options.perTrial),
      differences: jsonPairs(pairs, metric),
      ...(judged.length > 0 && { assertions: jsonAssertions(judged) }),
    },
    passed: judged.every(({ holding }) => holding !== "fail"),
    undecided: judged.some(({ holding }) => holding === "undecided"),
    annotations: annotationsOf(judged),
    next: [
      `llmsim sweep ${again(study)} --vary chunk-size=none,64,128,256`,
      `llmsim run ${again(study)} --per-trial --json`,
    ],
  };
}

const configurationTable = (
  labels: readonly string[],
  records: TrialRecords,
  registry: Registry | undefined,
): Table =>
  pointTable(
    "",
    ["configuration"],
    labels.map((label) => [label]),
    COMPARED,
    records,
    labels.map((_, i) => i),
    { registry },
  );

/** The metrics whose differences are shown, the one that the answer is about among them. */
function shownOf(configs: readonly SimulationConfig[], metric: string): Shown {
  const hasSlo = configs.every(({ slo }) => slo !== undefined);
  const shown: Shown = [
    ...COMPARED.slice(1),
    COMPARED[0],
    ...(hasSlo ? ([["slo_attainment", "attainment"]] as const) : []),
  ];
  return shown.some(([name]) => name === metric) ? shown : [...shown, [metric, metricTitle(metric)] as const];
}

/** What `--json` says of each configuration. */
const resultsOf = (
  entries: readonly Entry[],
  records: TrialRecords,
  keeping: readonly boolean[],
  { registry }: Study,
  perTrial: boolean,
): object[] =>
  entries.map(({ label, config }, i) => ({
    configuration: label,
    ...keyCells(config, records.trials, undefined, registry),
    keeps_up: keeping[i],
    metrics: jsonMetrics(records, i, perTrial),
    settings: settingsOf(config),
    ...(perTrial && { drawn: drawnFrom(config) }),
  }));

/** The warnings of the loads that are compared, each once. */
const loadNotesOn = (study: Study, records: TrialRecords): Set<string> =>
  new Set(
    (study.variants ?? [{ study }]).flatMap((one) => {
      const at = records.configs.findIndex((config) => config.workload === one.study.config.workload);
      return at < 0 ? [] : loadNotes(one.study, [], records);
    }),
  );

/** Something to compare with. */
function check(options: Partial<OptionsOf<typeof OPTIONS>>, study: Study | undefined): Issue[] {
  const unmeasured = checkAssertions(options, study);
  if (options.with !== null || options.baseline !== null || !study || study.schedulers.length > 1)
    return unmeasured;
  return [
    ...unmeasured,
    {
      key: "--with",
      message:
        "nothing to compare with (--with demo3, --with my.yaml, --with engine.maxTokens=512,chunk-size=64, several of --scheduler, or --baseline FILE)",
    },
  ];
}

export const compare: Experiment<typeof OPTIONS> = {
  name: "compare",
  question: "Which of these configurations is better, and is the difference real?",
  options: OPTIONS,
  defaults: {
    scenario: "demo2",
    schedulers: ["hybrid"],
    trials: 20,
    horizon: { tmaxSeconds: 5000 },
  },
  takesModel: true,
  unshared: allKnown,
  examples: [
    "compare --with chunk-size=64 --with chunk-size=64,scheduler.ratio=0.3",
    "compare --scenario demo3 --with demo3_b0_0 --metric itl_p99_s",
    "compare --scheduler decode,prefill,hybrid --lam 3",
  ],
  writes: ["data/compare.csv", "figs/compare.png"],
  outputs: () => ({ data: [TABLE], figures: [FIGURE] }),
  check,
  run: execute,
};
