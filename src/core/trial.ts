/** What a worker runs: some trials of some configurations, as plain data in and typed arrays out. */
import { type BacklogTask, leftAt, runBacklog } from "./backlog.js";
import type { SimulationConfig } from "./config.js";
import { InvariantError } from "./errors.js";
import { METRICS } from "./metrics.js";
import type { PluginFile } from "./plugin.js";
import { runTrial, type Simulator } from "./simulate.js";
import { fromSeconds } from "./units.js";
import { measureWindows } from "./windows.js";

export interface TrialTask {
  readonly seed: number;
  /** Trials first, first + 1, …, first + count − 1. */
  readonly first: number;
  readonly count: number;
  /** Checked configurations; those that share a workload and a horizon share its random numbers. */
  readonly configs: readonly SimulationConfig[];
  /** Time windows (model §4), ascending, none longer than the configurations'; none: the whole horizon. */
  readonly windows: readonly number[];
  /** Check every law while simulating. */
  readonly verify: boolean;
  /** Files with schedulers that the configurations may name. */
  readonly plugins?: readonly PluginFile[];
}

/** A run from a backlog, and one from empty with the same number of arrivals to hold against it. */
export interface StabilityTask extends BacklogTask {
  readonly kind: "stability";
  /** Also count what an empty start leaves unfinished after as many arrivals. */
  readonly fromEmpty: boolean;
  readonly plugins?: readonly PluginFile[];
}

export type Task = TrialTask | StabilityTask;

/** Values of METRICS by trial, configuration and window, the last index running fastest. */
export type TrialValues = Float64Array<ArrayBuffer>;

/** Runs a task. A failed invariant names the seed and trial that replay it. */
export const runTask = (simulator: Simulator, task: Task): TrialValues =>
  "kind" in task ? runStability(simulator, task) : runTrials(simulator, task);

/** What a stability task answers, packed: emptied, left, then decode tokens, prefill tokens and prompts by batch. */
function runStability(simulator: Simulator, task: StabilityTask): TrialValues {
  const { decodeTokens, prefillTokens, prompts, emptied } = runBacklog(simulator, task);
  const horizon = { ...task.config.horizon, tmaxSeconds: task.batchSeconds * task.batches };
  const left = task.fromEmpty ? leftAt(simulator, { ...task.config, horizon }, task.seed, task.trial) : NaN;
  return Float64Array.from([emptied ? 1 : 0, left, ...decodeTokens, ...prefillTokens, ...prompts]);
}

function runTrials(simulator: Simulator, task: TrialTask): TrialValues {
  const width = METRICS.length;
  const perConfig = Math.max(1, task.windows.length) * width;
  const values = new Float64Array(task.count * task.configs.length * perConfig);
  let at = 0;
  for (let trial = task.first; trial < task.first + task.count; trial++) {
    for (const config of task.configs) {
      try {
        runWindows(simulator, task, config, trial, values.subarray(at, at + perConfig));
      } catch (error) {
        if (error instanceof InvariantError)
          throw new InvariantError(
            `${error.message} (scheduler ${config.scheduler.kind}, seed ${task.seed}, trial ${trial})`,
          );
        throw error;
      }
      at += perConfig;
    }
  }
  return values;
}

/** One trial of one configuration, over each window. */
function runWindows(
  simulator: Simulator,
  task: TrialTask,
  config: SimulationConfig,
  trial: number,
  values: Float64Array,
): void {
  const requests = simulator.draw(config, task.seed, trial);
  const put = (found: Float64Array, i: number): void => values.set(found, i * METRICS.length);
  const windows = task.windows.map(fromSeconds);
  if (windows.length === 0) put(runTrial(simulator, config, requests, { ...task, trial }).values, 0);
  else if (task.verify)
    // The laws watch a run from its beginning to its end: each window alone.
    windows.forEach((end, i) => {
      requests.until(end);
      put(runTrial(simulator, config, requests, { ...task, trial }).values, i);
    });
  else measureWindows(simulator, config, requests, windows, { ...task, trial }).forEach(put);
}
