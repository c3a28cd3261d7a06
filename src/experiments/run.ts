/** `run`: one scenario, one or several schedulers, any setting by flag. */
import type { Experiment, ExperimentContext, Report } from "./experiment.js";
import { again, withScheduler } from "./experiment.js";
import { comparisonTable, differenceTable, headline, jsonDifferences, schedulerLabel } from "./comparison.js";
import { loadNotes } from "./load.js";
import { requestFile } from "./request-rows.js";
import { jsonMetrics, keyCells } from "./rows.js";

async function execute({ study, options, trials }: ExperimentContext): Promise<Report> {
  const configs = study.schedulers.map((scheduler) => withScheduler(study, scheduler));
  const labels = configs.map(schedulerLabel);
  const records = await trials.run({ label: "run", configs, seed: study.seed, trials: study.trials });
  const tables = [comparisonTable("", labels, records)];
  if (labels.length > 1 && study.trials > 1) tables.push(differenceTable(labels, records));
  const perTrial = options.perTrial === true;
  return {
    answer: [headline(labels, records)],
    tables,
    notes: loadNotes(study, labels, records),
    csv:
      typeof options.requests === "string"
        ? [requestFile(options.requests, configs, study.seed, study.registry)]
        : [],
    figures: [],
    json: {
      results: configs.map((config, i) => ({
        ...keyCells(config, study.trials, undefined, study.registry),
        metrics: jsonMetrics(records, i, perTrial),
      })),
      differences: jsonDifferences(configs, records),
    },
    passed: true,
    next: [
      `llmsim sweep-time ${again(study)}`,
      "llmsim validate",
      `llmsim run ${again(study)} --requests requests.csv`,
    ],
  };
}

export const run: Experiment = {
  name: "run",
  summary: "simulate one scenario under one or several schedulers",
  question: "Which scheduler is best for this load, and by how much?",
  options: [
    {
      key: "requests",
      flag: "--requests <file>",
      kind: "file",
      summary: "write one row per request of the first trial (CSV)",
    },
    { key: "perTrial", flag: "--per-trial", kind: "flag", summary: "with --json, also each trial's values" },
  ],
  defaults: {
    scenario: "demo2",
    schedulers: ["decode-prioritizing", "prefill-prioritizing", "hybrid"],
    trials: 20,
    horizon: { tmaxSeconds: 5000 },
  },
  takesModel: true,
  examples: [
    "run --scenario demo2 --lam 3 --ntrials 20",
    "run --scheduler hybrid --ratio 0.3 --chunk-size 64 --json",
  ],
  writes: ["the file of --requests"],
  run: execute,
};
