/** A run that somebody sees from inside: for tests of the laws, and of what plain records do not tell. */
import type { SimulationConfig } from "../src/core/configuration/config.js";
import type { Inspector } from "../src/core/engine/inspector.js";
import { advance } from "../src/core/engine/loop.js";
import type { Outcome } from "../src/core/engine/outcome.js";
import { NEVER } from "../src/core/numbers/units.js";
import { outcomeOf, Simulator } from "../src/core/trial/simulate.js";
import type { Requests } from "../src/core/workload/requests.js";

/** Runs one trial to its end, as `Simulator.run` does. */
export function inspected(config: SimulationConfig, requests: Requests, inspector: Inspector): Outcome {
  const state = new Simulator().begin(config, requests, { seed: 1, trial: 1 });
  advance(state, NEVER, inspector);
  return outcomeOf(state);
}
