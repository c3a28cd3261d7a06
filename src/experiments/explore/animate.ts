/** `animate`: the timeline of the schedulers on the same arrivals, as an animated GIF for slides. */
import { commonEnd, firstStall, type Lane, time } from "../../charts/index.js";
import { Simulator } from "../../core/trial/simulate.js";
import { schedulerLabel } from "../tables/comparison.js";
import type { Experiment, ExperimentContext } from "../interface/experiment.js";
import type { ExperimentOptions } from "../interface/options.js";
import type { Report } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { again, withScheduler } from "../interface/study.js";
import { LaneRecorder } from "./recording.js";
import { plain } from "../cells/quantity.js";
import { arrivalRate } from "../cells/rows.js";
import { run } from "../run/run.js";

const TRIAL = 1;

/** Each lane's first stall in words, for those who cannot see the picture and for the terminal. */
const stallWords = (lane: Lane): string => {
  const stall = firstStall(lane);
  if (!stall) return `${lane.label}: no stall`;
  return `${lane.label}: first stall at ${time(lane.startAt[stall.from])}, ${stall.kind} ${time(stall.seconds)}`;
};

const fileOf = ({ scenario }: Study): string => `${scenario}_timeline.gif`;

const OPTIONS = [
  {
    key: "iterations",
    flag: "--iterations <n>",
    kind: "integer",
    min: 2,
    max: 1000,
    default: 300,
    summary: "iterations of a scheduler to show, a picture each",
  },
] as const satisfies ExperimentOptions;

async function execute({ study, options, trials }: ExperimentContext<typeof OPTIONS>): Promise<Report> {
  const most = options.iterations;
  const simulator = new Simulator(study.registry);
  const { seed } = study;
  const lanes: Lane[] = [];
  for (const scheduler of study.schedulers) {
    if ((await trials.goesOn?.()) === false) break;
    const config = withScheduler(study, scheduler);
    const recorder = new LaneRecorder(most);
    const requests = simulator.draw(config, seed, TRIAL);
    const outcome = simulator.run(config, requests, { seed, trial: TRIAL, observer: recorder });
    lanes.push(recorder.lane(schedulerLabel(config), outcome));
  }
  const seconds = commonEnd(lanes);
  const path = fileOf(study);
  return {
    answer: [
      seconds > 0
        ? `${lanes.length} schedulers on the same arrivals, the first ${time(seconds)}`
        : "no request arrives: there is nothing to show",
    ],
    tables: [],
    notes: lanes.map(stallWords),
    csv: [],
    figures: [],
    ...(seconds > 0 && {
      animations: [
        {
          path,
          lanes,
          seconds,
          frames: Math.min(most, Math.max(...lanes.map(({ count }) => count))),
          heading: `${study.scenario}, λ = ${plain(arrivalRate(study.config, study.registry))} per s, seed ${seed}, trial ${TRIAL}`,
        },
      ],
    }),
    json: {
      results: lanes.map((lane) => {
        const stall = firstStall(lane);
        return {
          scheduler: lane.label,
          iterations: lane.count,
          first_stall: stall
            ? { kind: stall.kind, at_s: lane.startAt[stall.from], time_s: stall.seconds }
            : null,
        };
      }),
    },
    passed: true,
    next: [`llmsim explore ${again(study)} --open`],
  };
}

export const animate: Experiment<typeof OPTIONS> = {
  name: "animate",
  question: "What does each scheduler do, iteration by iteration?",
  options: OPTIONS,
  defaults: { ...run.defaults, trials: 1 },
  takesModel: true,
  examples: ["animate", "animate --scenario demo3 --lam 6 --iterations 200"],
  writes: ["figs/<s>_timeline.gif", "figs/<s>_timeline.png, its last picture"],
  outputs: ({ study }) => ({ figures: [fileOf(study)] }),
  run: execute,
};
