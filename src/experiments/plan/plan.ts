/**
 * `plan`: how much load an engine bears within an SLO, and how many replicas a given load takes, for each scheduler
 * and chunk size, beside the analytic bound that no policy can pass.
 */
import { conditionText, type Condition } from "../../core/measures/condition.js";
import type { SimulationConfig } from "../../core/configuration/config.js";
import { ConfigError, type Issue } from "../../core/errors.js";
import { limitText } from "../tables/assertions.js";
import { schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions, OptionsOf } from "../interface/options.js";
import type { Report } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { again, isClosed, isReplay, tryStability, withScheduler } from "../interface/study.js";
import { capacityBound } from "../load/capacity.js";
import { loadFlag, loadOptionOf, valueAt } from "../load/load-option.js";
import { metricWords } from "../cells/metric-words.js";
import { findLoad } from "./load-search.js";
import { objectiveOf } from "./objective.js";
import { PLAN_FIGURE, planFigure } from "./figure.js";
import { POINT_COLUMNS, withReplicas, type Point, type Setting } from "./points.js";
import { findReplicas, floorOf } from "./replica-search.js";
import {
  answers,
  nearest,
  nearness,
  notesOf,
  perSecond,
  summaryRow,
  tableOf,
  type Plan,
} from "./plan-words.js";
import { given, plain } from "../cells/quantity.js";
import { arrivalRate, KEY_COLUMNS, metricColumns } from "../cells/rows.js";
import { subtitle } from "../tables/caption.js";

const COLUMNS = [
  "scheduler",
  "t_max_s",
  "chunk_size",
  "ratio",
  "trials",
  "slo",
  "replicas",
  "lambda_max_qps",
  "lambda_max_ci95_low",
  "lambda_max_ci95_high",
  "holds_qps",
  "limited_by",
  "upper_bound_qps",
  "fraction_of_bound",
  "lambda_qps",
  "replicas_fewest",
  "replicas_perhaps",
  "replicas_floor",
];

/** The engine of a study with each of the chunk sizes, under each scheduler. */
function configsOf(study: Study, chunkSizes: readonly (number | null)[]): SimulationConfig[] {
  return study.schedulers.flatMap((scheduler) =>
    chunkSizes.map((chunkSize) => {
      const config = withScheduler(study, scheduler);
      return { ...config, engine: { ...config.engine, chunkSize } };
    }),
  );
}

/** A chunk size of the list; NaN for what is none. */
const chunkOf = (text: string): number | null => (text === "none" || text === "off" ? null : Number(text));

const OPTIONS = [
  {
    key: "chunkSizes",
    flag: "--chunk-sizes <list>",
    kind: "values",
    summary: "chunk sizes to plan with, none among them (default: the engine's own)",
  },
  {
    key: "maxReplicas",
    flag: "--max-replicas <n>",
    kind: "integer",
    min: 1,
    max: 10_000,
    default: 64,
    summary: "most replicas to try",
  },
  {
    key: "precision",
    flag: "--precision <r>",
    kind: "number",
    min: 0.001,
    max: 0.2,
    default: 0.01,
    summary: "how closely the highest load is bracketed, relative",
  },
] as const satisfies ExperimentOptions;

const chunksOf = (study: Study, options: Partial<OptionsOf<typeof OPTIONS>>): (number | null)[] => {
  const { chunkSizes } = options;
  return chunkSizes ? chunkSizes.map(chunkOf) : [study.config.engine.chunkSize];
};

/** Refused before anything is written: an SLO that holds nowhere is a wrong number somewhere. */
function refuseHopeless(plans: readonly Plan[], targets: readonly Condition[]): void {
  if (plans.some(({ load, replicas }) => Number.isFinite(load.load) || replicas.fewest !== undefined)) return;
  const best = plans.reduce((a, b) =>
    nearest(a.load.points).use.mean <= nearest(b.load.points).use.mean ? a : b,
  );
  const point = nearest(best.load.points);
  throw new ConfigError([
    {
      key: "--slo",
      message: `no load meets --slo: ${targets.map(conditionText).join(", ")} (${nearness(point, `the nearest is ${best.label} at ${perSecond(point.load)}:`)})`,
    },
  ]);
}

const TABLE = "plan.csv";
const POINTS = "plan_points.csv";

async function execute({ study, options, trials }: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const targets = objectiveOf(study);
  const { registry } = study;
  const setting: Setting = { trials, seed: study.seed, count: study.trials, targets, registry };
  const { maxReplicas: most, precision } = options;
  const chunkSizes = chunksOf(study, options);
  const labelOf = (config: SimulationConfig): string =>
    chunkSizes.length > 1
      ? `${schedulerLabel(config)}, chunk ${config.engine.chunkSize ?? "off"}`
      : schedulerLabel(config);
  const searched = await Promise.all(
    configsOf(study, chunkSizes).map(async (config) => {
      const label = labelOf(config);
      const bound = capacityBound(config, registry);
      const load = await findLoad(setting, `load, ${label}`, config, bound, precision);
      return { label, config, bound, boundOfOne: capacityBound(withReplicas(config, 1), registry), load };
    }),
  );
  const plans: Plan[] = await Promise.all(
    searched.map(async (one) => {
      const floor = floorOf(arrivalRate(one.config, registry), one.boundOfOne);
      return {
        ...one,
        replicas: await findReplicas(setting, `replicas, ${one.label}`, one.config, floor, most),
      };
    }),
  );
  refuseHopeless(plans, targets);
  const load = `λ = ${loadText(study)} per s`;
  const slo = targets.map(conditionText).join(", ");
  const highest = plans.reduce((most, { load: { load: one } }) => (one > most ? one : most), 0);
  const rows = plans.map((plan) => summaryRow(plan, study, slo));
  const plotted = (of: (plan: Plan) => readonly Point[]) =>
    plans.flatMap((plan) => of(plan).map(({ row }) => ({ series: plan.label, row })));
  const points = plans.flatMap(({ load: found, replicas }) => [...found.points, ...replicas.points]);
  return {
    answer: answers(plans, load),
    tables: [tableOf(plans, load)],
    notes: notesOf(plans, study, most),
    csv: [
      { path: TABLE, columns: COLUMNS, rows },
      {
        path: POINTS,
        columns: [...KEY_COLUMNS, ...POINT_COLUMNS, ...metricColumns(study.config)],
        rows: points.map(({ row }) => row),
      },
    ],
    figures: planFigure(
      targets,
      plotted((plan) => plan.load.points),
      plotted((plan) => plan.replicas.points),
      load,
      `${study.scenario}: ${targets.map((target) => `${metricWords(target.metric)} ${SIGNS.get(target.relation) ?? target.relation} ${limitText(target)}`).join(", ")}`,
      `T = ${study.config.horizon.tmaxSeconds} s, ${subtitle(study)}`,
    ),
    json: { results: rows, points: points.map(({ row }) => row) },
    passed: true,
    next: [
      ...(highest > 0 ? [`llmsim run ${again(study)} ${atShare(study, highest * 0.9)}`] : []),
      ...tryStability(study),
    ],
  };
}

/** Relations as a figure has them. */
const SIGNS: ReadonlyMap<string, string> = new Map([
  ["<=", "≤"],
  [">=", "≥"],
]);

/** The study's load: a rate as it was given, a trace's to four digits. */
function loadText(study: Study): string {
  const load = arrivalRate(study.config, study.registry);
  return isReplay(study) ? plain(load) : given(load);
}

/** The flag that gives a study another load. */
function atShare(study: Study, load: number): string {
  const { config, registry } = study;
  return loadFlag(loadOptionOf(config, registry)!, plain(valueAt(config, load, registry)));
}

/** What cannot be planned, found before anything is simulated. */
function check(options: Partial<OptionsOf<typeof OPTIONS>>, study: Study | undefined): Issue[] {
  if (study === undefined) return [];
  const issues: Issue[] = [];
  const refuse = (key: string, message: string): void => void issues.push({ key, message });
  if (objectiveOf(study).length === 0)
    refuse("--slo", "missing --slo (what must hold, e.g. --slo ttft_p99=0.5s,itl_p99=100ms)");
  if (study.trials < 2)
    refuse("trials", `invalid trials: ${study.trials} (at least 2: an SLO is judged on intervals)`);
  for (const text of options.chunkSizes ?? []) {
    const size = chunkOf(text);
    const { maxTokens } = study.config.engine;
    if (size !== null && !(Number.isInteger(size) && size >= 1 && size <= maxTokens))
      refuse(
        "--chunk-sizes",
        `invalid --chunk-sizes: ${text} (none, or an integer at least 1 and at most the token budget, ${maxTokens})`,
      );
  }
  if (study.trace?.seconds === 0 && isReplay(study))
    refuse(
      "--trace",
      "invalid --trace: all requests at one instant (plan varies the load, and there is no rate to vary; --lengths-from takes its lengths alone)",
    );
  if (loadOptionOf(study.config, study.registry) === null || isClosed(study))
    refuse("workload.arrivals", `arrival process ${study.config.workload.arrivals.kind} has no rate to vary`);
  const { maxReplicas } = options;
  if (issues.length > 0 || maxReplicas === undefined) return issues;
  const floors = configsOf(study, chunksOf(study, options)).map((config) =>
    floorOf(arrivalRate(config, study.registry), capacityBound(withReplicas(config, 1), study.registry)),
  );
  const least = floors.reduce((a, b) => Math.min(a, b));
  if (least > maxReplicas)
    refuse(
      "--max-replicas",
      `unreachable --max-replicas: ${maxReplicas} (λ = ${loadText(study)} per s takes at least ${least}: no policy serves more than ${plain(capacityBound({ ...study.config, engine: { ...study.config.engine, replicas: 1 } }, study.registry))} per s on one)`,
    );
  return issues;
}

export const plan: Experiment<typeof OPTIONS> = {
  name: "plan",
  question: "How much load within my SLO, and how many replicas does my load take?",
  options: OPTIONS,
  defaults: {
    scenario: "demo2",
    schedulers: ["decode-prioritizing", "prefill-prioritizing", "hybrid"],
    trials: 20,
    horizon: { tmaxSeconds: 1000 },
  },
  takesModel: true,
  unshared: () => "its search goes on from what the earlier points came to",
  examples: [
    "plan --slo ttft_p99=0.5s,itl_p99=100ms --lam 20",
    "plan --slo tbt=50ms,attainment=95% --chunk-sizes none,64,256",
  ],
  writes: ["data/plan.csv", "data/plan_points.csv", "figs/plan.png"],
  outputs: () => ({ data: [TABLE, POINTS], figures: [PLAN_FIGURE] }),
  check,
  run: execute,
};
