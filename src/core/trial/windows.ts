/**
 * One pass for all time windows: the trial is simulated once, and forks at the end of each window into a run
 * that drains without further arrivals. The results are those of simulating each window alone.
 */
import type { SimulationConfig } from "../configuration/config.js";
import { checkTotals } from "../measures/invariants.js";
import { follow } from "../engine/arrivals.js";
import { advance } from "../engine/loop.js";
import { type Measure, measureFurther } from "../measures/measures.js";
import { measure } from "../measures/metrics.js";
import type { Requests } from "../workload/requests.js";
import { outcomeOf, type Simulator } from "./simulate.js";
import { Snapshot } from "../engine/snapshot.js";
import { Tally } from "../measures/tally.js";
import { NEVER, type Instant } from "../numbers/units.js";

/**
 * The metrics of each window, in the order of METRICS, and what is measured besides.
 * @param requests all of the trial's
 * @param windows ends of the windows, ascending
 */
export function measureWindows(
  simulator: Simulator,
  config: SimulationConfig,
  requests: Requests,
  windows: readonly Instant[],
  options: { readonly seed: number; readonly trial: number; readonly measures?: readonly Measure[] },
): Float64Array[] {
  const state = simulator.begin(config, requests, options);
  const snapshot = new Snapshot(state.newQueue);
  const { shared } = state;
  const all: Float64Array[] = [];
  const tally = new Tally(shared, config.conventions.tbt);
  const finish = (fork: Instant): void => {
    const outcome = outcomeOf(state);
    tally.count(outcome, fork);
    checkTotals(config, outcome, tally);
    const values = measure(outcome, tally, config);
    all.push(measureFurther(options.measures ?? [], outcome, tally, values));
    tally.release(outcome);
  };
  for (const end of windows) {
    shared.arrivalsUntil = end;
    advance(state, NEVER);
    if (shared.isPaused) {
      snapshot.save(state);
      const fork = shared.now;
      requests.count = shared.arrived;
      follow(shared, []);
      advance(state, NEVER);
      finish(fork);
      snapshot.restore(state);
    } else if (shared.arrived === requests.count) finish(NEVER);
  }
  return all;
}
