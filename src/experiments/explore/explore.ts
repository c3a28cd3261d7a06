/** `explore`: one HTML file that runs the same core in the browser; here it gets its settings and a first result. */
import type { Issue } from "../../core/errors.js";
import { METRICS } from "../../core/measures/metrics.js";
import type { Experiment, ExperimentContext, Workspace } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { Report } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { allKnown } from "../interface/experiment.js";
import { again, withScheduler } from "../interface/study.js";
import { comparisonTable, headline, schedulerLabel } from "../tables/comparison.js";
import { type Base, filled, type PageData, storedOf } from "./page-data.js";
import { loadNotes } from "../load/capacity.js";
import { keepingUp } from "../load/overload.js";
import { rejections } from "../load/rejection.js";
import { jsonMetrics, keyCells } from "../cells/rows.js";
import { run } from "../run/run.js";

const DEFAULT_SEED = 1;

/** The bases: the package's scenarios, before them the study where it is more than one of those with flags. */
async function basesOf(study: Study, workspace: Workspace): Promise<{ base: string; bases: Base[] }> {
  const bases = (await workspace.scenarios()).map(({ name, alias, summary, values }): Base => ({
    name,
    ...(alias !== undefined && { alias }),
    summary,
    command: `--scenario ${name}`,
    values,
  }));
  const assignments = study.assignments ?? [];
  const known = bases.find(({ name, alias }) => name === study.scenario || alias === study.scenario);
  if (known && assignments.length === 0 && again(study) === `--scenario ${study.scenario}`)
    return { base: known.name, bases };
  const base = `${study.scenario} as given`;
  const own: Base = {
    name: base,
    summary: "the study of the command line",
    command: [again(study), ...assignments.map((one) => `--set ${quoted(one)}`)].join(" "),
    values: { ...study.config, schedulers: study.schedulers, trials: study.trials, seed: study.seed },
  };
  return { base, bases: [own, ...bases] };
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

const PAGE = "explore.html";

const OPTIONS = [
  { key: "open", flag: "--open", kind: "flag", summary: "open the page in the browser" },
  {
    key: "serve",
    flag: "--serve",
    kind: "flag",
    summary: "serve the page on 127.0.0.1 until interrupted",
  },
] as const satisfies ExperimentOptions;

async function execute({
  study,
  options,
  workspace,
  trials,
}: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const template = await workspace.page("explore");
  const configs = study.schedulers.map((scheduler) => withScheduler(study, scheduler));
  const labels = configs.map(schedulerLabel);
  const records = await trials.run({ label: "explore", configs, seed: study.seed, trials: study.trials });
  const { schedulers, trials: usual, horizon } = run.defaults;
  const data: PageData = {
    version: workspace.version,
    defaults: { schedulers, trials: usual, seed: DEFAULT_SEED, horizon },
    ...(await basesOf(study, workspace)),
    settings: study.settings ?? {},
    stored: storedOf(records),
  };
  const keeping = keepingUp(records, study.registry);
  const path = PAGE;
  const { serve, open } = options;
  return {
    answer: [headline(labels, records, study.registry), ...rejections(records, labels)],
    tables: [comparisonTable("", labels, records, study.registry)],
    notes: loadNotes(study, labels, records),
    csv: [],
    figures: [],
    texts: [{ path, text: filled(template, data) }],
    ...((serve || open) && { show: { path, serve, open } }),
    json: {
      page: path,
      results: configs.map((config, i) => ({
        ...keyCells(config, records.trials),
        keeps_up: keeping[i],
        metrics: jsonMetrics(records, i, false),
      })),
    },
    passed: true,
    next: [`llmsim run ${again(study)}`, `llmsim animate ${again(study)}`],
  };
}

/** Numbers that the page stores: some 40 MB of text, and as much as a browser opens at once. */
const MOST_STORED = 2_000_000;

function check(_: unknown, study: Study | undefined): Issue[] {
  if (!study) return [];
  const issues: Issue[] = [];
  const most = Math.floor(MOST_STORED / (study.schedulers.length * METRICS.length));
  if (study.trials > most)
    issues.push({
      key: "trials",
      message: `invalid trials: ${study.trials} (at most ${most}: the page holds every trial's values)`,
    });
  if (study.trace)
    issues.push({
      key: "--trace",
      message: "explore cannot show a recorded trace: its page brings no requests along (use run)",
    });
  return issues;
}

export const explore: Experiment<typeof OPTIONS> = {
  name: "explore",
  question: "What happens when I turn this knob?",
  options: OPTIONS,
  defaults: run.defaults,
  takesModel: true,
  unshared: allKnown,
  examples: ["explore --open", "explore --scenario demo3 --lam 8 --serve"],
  writes: ["data/explore.html, one file that needs no network"],
  outputs: () => ({ data: [PAGE] }),
  check,
  run: execute,
};
