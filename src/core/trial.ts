/** What a worker runs: some trials of some configurations, as plain data in and typed arrays out. */
import type { SimulationConfig } from "./config.js";
import { InvariantError } from "./errors.js";
import { METRICS } from "./metrics.js";
import { runTrial, type Simulator } from "./simulate.js";

export interface TrialTask {
  readonly seed: number;
  /** Trials first, first + 1, …, first + count − 1. */
  readonly first: number;
  readonly count: number;
  /** Checked configurations; those that share a workload and a horizon share its random numbers. */
  readonly configs: readonly SimulationConfig[];
  /** Check every law while simulating. */
  readonly verify: boolean;
}

/** Metric values: trial after trial, configuration after configuration, in the order of METRICS. */
export type TrialValues = Float64Array<ArrayBuffer>;

/** Runs a task. A failed invariant names the seed and trial that replay it. */
export function runTask(simulator: Simulator, task: TrialTask): TrialValues {
  const width = METRICS.length;
  const values = new Float64Array(task.count * task.configs.length * width);
  let at = 0;
  for (let trial = task.first; trial < task.first + task.count; trial++) {
    for (const config of task.configs) {
      try {
        const requests = simulator.draw(config, task.seed, trial);
        values.set(runTrial(simulator, config, requests, { ...task, trial }).values, at);
      } catch (error) {
        if (error instanceof InvariantError)
          throw new InvariantError(
            `${error.message} (scheduler ${config.scheduler.kind}, seed ${task.seed}, trial ${trial})`,
          );
        throw error;
      }
      at += width;
    }
  }
  return values;
}
