/**
 * What `instructions` counts: the loop over and over, on one trial's requests. First all schedulers in turns, so that it
 * is compiled for all of them, then the one that is asked for.
 * Arguments: its name, the number of trials. Prints the requests of these.
 */
import { prepare, Simulator } from "../../dist/bundle/index.js";
import { demo2, SCHEDULERS } from "./demo2.js";

const [asked, trials] = process.argv.slice(2);
const simulators = new Map();

function rounds(kind, count) {
  const simulator = simulators.get(kind) ?? new Simulator();
  simulators.set(kind, simulator);
  const config = prepare(demo2(kind, { tmaxSeconds: 5000 }));
  const drawn = simulator.draw(config, 1, 1);
  for (let i = 0; i < count; i++) simulator.run(config, drawn, { seed: 1, trial: 1 });
  return count * drawn.count;
}

for (let round = 0; round < 4; round++) for (const { kind } of SCHEDULERS) rounds(kind, 15);
console.log(rounds(asked, Number(trials)));
