/**
 * What `instructions` counts: the loop over and over, on one trial's requests, or whole trials. First all cases in turns, so that it is
 * compiled for all of them, then the one that is asked for.
 * Arguments: its name, the number of trials. Prints the requests of these.
 */
import { prepare, simulate, Simulator } from "../../dist/bundle/index.js";
import { COUNTED, WHOLE } from "./counted.js";

const [asked, trials] = process.argv.slice(2);
const simulators = new Map();

function rounds(name, count) {
  const simulator = simulators.get(name) ?? new Simulator();
  simulators.set(name, simulator);
  if (name === WHOLE) return wholeTrials(simulator, COUNTED[name], count);
  const config = prepare(COUNTED[name]);
  const drawn = simulator.draw(config, 1, 1);
  for (let i = 0; i < count; i++) simulator.run(config, drawn, { seed: 1, trial: 1 });
  return count * drawn.count;
}

function wholeTrials(simulator, config, count) {
  let requests = 0;
  for (let trial = 1; trial <= count; trial++)
    requests += simulate(config, { seed: 1, trial, simulator }).outcome.arrived;
  return requests;
}

for (let round = 0; round < 4; round++) for (const name of Object.keys(COUNTED)) rounds(name, 15);
console.log(rounds(asked, Number(trials)));
