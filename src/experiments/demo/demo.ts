/** `demo`: the main job in half a minute: the answer at once, then the table, a check against theory, the files. */
import { comparisonTable, headline, schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { Report, Table } from "../interface/report.js";
import { allKnown } from "../interface/experiment.js";
import { withScheduler } from "../interface/study.js";
import { sweepTime, timeFiles } from "../sweep/sweep-time.js";
import { mm1Rows } from "../validate/validate.js";
import { plain } from "../cells/quantity.js";

/** Windows and trials of the dashboard: fewer than a study's, enough to see its shape. */
const WINDOWS = 25;

const PATH = "demo/demo2";

async function execute({ study, trials, say }: ExperimentContext): Promise<Report> {
  const configs = study.schedulers.map((scheduler) => withScheduler(study, scheduler));
  const labels = configs.map(schedulerLabel);
  const first = await trials.run({ label: "first look", configs, seed: study.seed, trials: study.trials });
  const answer = headline(labels, first);
  say(answer);

  const sweep = await sweepTime(study, WINDOWS, trials, PATH);
  const checks = await mm1Rows(trials, study.seed);
  const passed = checks.every((row) => row.verdict === "pass");
  return {
    answer: [answer],
    tables: [comparisonTable("", labels, first), checkTable(checks)],
    notes: [...sweep.notes, checkNote(passed)],
    csv: sweep.csv,
    figures: sweep.figures,
    json: { results: sweep.csv[1].rows, checks },
    passed,
    next: [
      "llmsim run --scenario demo2 --lam 3",
      "llmsim validate",
      "llmsim sweep-time --scenario demo3 --ntrials 20",
    ],
  };
}

const checkNote = (passed: boolean): string =>
  passed
    ? "the engine agrees with M/M/1 theory (llmsim validate checks it against 20 more known answers)"
    : "the engine DISAGREES with M/M/1 theory: do not trust these numbers";

function checkTable(rows: Awaited<ReturnType<typeof mm1Rows>>): Table {
  return {
    title: "the same engine as an M/M/1 queue",
    columns: ["ρ", "metric", "theory ms", "found ms", "±", ""],
    rows: rows.map((row) => [
      Number(row.offered_load).toFixed(2),
      row.metric === "rts_p95_s" ? "response p95" : "response mean",
      plain(Number(row.theory) * 1000),
      plain(Number(row.estimate) * 1000),
      plain((Number(row.ci95_high) - Number(row.estimate)) * 1000),
      row.verdict === "pass" ? "pass" : "FAIL",
    ]),
  };
}

export const demo: Experiment = {
  name: "demo",
  question: "What does this tool do?",
  options: [],
  defaults: {
    scenario: "demo2",
    schedulers: ["decode-prioritizing", "prefill-prioritizing", "hybrid"],
    trials: 20,
    horizon: { tmaxSeconds: 5000 },
  },
  takesModel: false,
  unshared: allKnown,
  examples: ["demo"],
  writes: ["data/demo/", "figs/demo/"],
  outputs: () => timeFiles(PATH),
  run: execute,
};
