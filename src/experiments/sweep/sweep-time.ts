/** `sweep-time`: metrics against the time window, from an empty start (model §4). */
import { timeSeriesDashboard } from "../../charts/index.js";
import { comparisonTable, headline, schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { Report, Row } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { allKnown } from "../interface/experiment.js";
import { again, tryStability, withScheduler } from "../interface/study.js";
import { subtitle, windowsOf } from "../tables/caption.js";
import { loadNotes } from "../load/capacity.js";
import { keepingUp } from "../load/overload.js";
import { rejections } from "../load/rejection.js";
import { KEY_COLUMNS, keyCells, metricCells, metricColumns } from "../cells/rows.js";
import type { Trials } from "../interface/trials.js";

/** What a time sweep writes; `path` begins the names. */
export const timeFiles = (path: string): { readonly data: [string, string]; readonly figures: [string] } => ({
  data: [`${path}_time_series_results.csv`, `${path}_final_results.csv`],
  figures: [`${path}_dashboard.png`],
});

/** Everything of a time sweep but its file names: also a part of `demo`. */
export async function sweepTime(study: Study, count: number, trials: Trials, path: string): Promise<Report> {
  const configs = study.schedulers.map((scheduler) => withScheduler(study, scheduler));
  const labels = configs.map(schedulerLabel);
  const windows = windowsOf(study.config.horizon.tmaxSeconds, count);
  const records = await trials.run({
    label: "time windows",
    configs,
    windows,
    seed: study.seed,
    trials: study.trials,
  });
  const rows: Row[] = configs.flatMap((config, i) =>
    windows.map((window, w) => ({
      ...keyCells(config, study.trials, window, study.registry),
      scheduler: labels[i],
      ...metricCells(records, i, w),
    })),
  );
  const last = windows.length - 1;
  const files = timeFiles(path);
  const columns = [...KEY_COLUMNS, ...metricColumns(study.config)];
  const final = rows.filter((row) => row.t_max_s === windows[last]);
  return {
    answer: [headline(labels, records, study.registry, last), ...rejections(records, labels, last)],
    tables: [comparisonTable(`at T = ${windows[last]} s`, labels, records, study.registry, last)],
    notes: loadNotes(study, labels, records, last),
    csv: [
      { path: files.data[0], columns, rows },
      { path: files.data[1], columns, rows: final },
    ],
    figures: [
      {
        path: files.figures[0],
        spec: timeSeriesDashboard({
          rows,
          title: `${study.scenario}: metrics against the time window`,
          subtitle: subtitle(study),
        }),
      },
    ],
    json: {
      keeps_up: keepingUp(records, study.registry, last).map((keeps, i) => ({
        scheduler: labels[i],
        keeps_up: keeps,
      })),
      results: rows,
    },
    passed: true,
    next: [`llmsim run ${again(study)} --warmup 500`, ...tryStability(study)],
  };
}

const OPTIONS = [
  {
    key: "windows",
    flag: "--windows <n>",
    kind: "integer",
    min: 1,
    max: 10_000,
    default: 100,
    summary: "time windows, at T·i/n",
  },
] as const satisfies ExperimentOptions;

export const sweepTimeExperiment: Experiment<typeof OPTIONS> = {
  name: "sweep-time",
  question: "How long must a run be, and do the metrics settle?",
  options: OPTIONS,
  defaults: {
    scenario: "demo2",
    schedulers: ["decode-prioritizing", "prefill-prioritizing", "hybrid"],
    trials: 100,
    horizon: { tmaxSeconds: 5000 },
  },
  takesModel: true,
  unshared: allKnown,
  examples: ["sweep-time --scenario demo2", "sweep-time --scenario demo3 --ntrials 20 --windows 50"],
  writes: ["data/<s>_time_series_results.csv", "data/<s>_final_results.csv", "figs/<s>_dashboard.png"],
  outputs: ({ study }) => timeFiles(study.scenario),
  run: ({ study, options, trials }: ExperimentContext<typeof OPTIONS>) =>
    sweepTime(study, options.windows, trials, study.scenario),
};
