/** `windows`: a trial over a hundred time windows in one pass, against the longest window alone. */
import { prepare, Simulator } from "../../dist/index.js";
import { runTask } from "../../dist/core/trial/trial.js";
import { demo2, SCHEDULERS } from "./demo2.js";
import { assertMeasured, median, processorNs, table, wanted } from "./figures.js";

export const summary = "sweep-time's 100 windows of demo2, all metrics in each, against the longest alone";

export function run({ isSmoke, say }) {
  const size = isSmoke ? { seconds: 500, trials: 2, rounds: 1 } : { seconds: 5000, trials: 100, rounds: 5 };
  const simulator = new Simulator();
  const configs = SCHEDULERS.map(({ kind }) => prepare(demo2(kind, { tmaxSeconds: size.seconds })));
  const all = Array.from({ length: 100 }, (_, i) => (size.seconds * (i + 1)) / 100);
  const seconds = (windows) => {
    const started = processorNs();
    runTask(simulator, { seed: 1, first: 1, count: size.trials, configs, windows, verify: false });
    return (processorNs() - started) / 1e9;
  };
  const rounds = [];
  for (let round = -1; round < size.rounds; round++) {
    const pair = { alone: seconds([size.seconds]), windows: seconds(all) };
    if (round >= 0) rounds.push(pair); // the first compiles
  }
  const [alone, windows] = ["alone", "windows"].map((which) => median(rounds.map((pair) => pair[which])));
  const ratio = median(rounds.map((pair) => pair.windows / pair.alone));
  assertMeasured({ alone, windows, ratio });
  say(
    table([
      [`${size.trials} trials, ${SCHEDULERS.length} schedulers`, "s of one core", "ratio"],
      [`T = ${size.seconds} s alone`, alone.toFixed(2), "1.00"],
      ["100 windows", windows.toFixed(2), wanted(ratio, "≤", 4)],
    ]),
  );
}
