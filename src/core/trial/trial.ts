/** What a worker runs: some trials of some configurations, as plain data in and typed arrays out. */
import { type BacklogTask, leftAt, runBacklog } from "./backlog.js";
import { demandSame, differentValues } from "./verification.js";
import type { SimulationConfig } from "../configuration/config.js";
import { ConfigError, InvariantError, UnfitError } from "../errors.js";
import { type Measure, valuesOfRun } from "../measures/measures.js";
import type { PluginFile } from "../configuration/plugin.js";
import { runTrial, type Simulator } from "./simulate.js";
import { fromSeconds } from "../numbers/units.js";
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
  /** What to measure besides METRICS; absent rather than empty. */
  readonly measures?: readonly Measure[];
  /** Hold every run against the plain loop, watched by every law. */
  readonly verify: boolean;
  /** Simulate without the fast paths. */
  readonly plain?: boolean;
  /** Files with schedulers that the configurations may name. */
  readonly plugins?: readonly PluginFile[];
}

/** A run from a backlog, and one from empty with the same number of arrivals to hold against it. */
export interface StabilityTask extends BacklogTask {
  readonly kind: "stability";
  /** Also count what an empty start leaves unfinished after as many arrivals. */
  readonly fromEmpty: boolean;
  /** As a TrialTask's. */
  readonly verify?: boolean;
  readonly plain?: boolean;
  readonly plugins?: readonly PluginFile[];
}

export type Task = TrialTask | StabilityTask;

/** Values of METRICS and then of the task's measures by trial, configuration and window, the last index running fastest. */
export type TrialValues = Float64Array<ArrayBuffer>;

/** Runs a task. A failed invariant names the seed and trial that replay it. */
export const runTask = (simulator: Simulator, task: Task): TrialValues =>
  "kind" in task ? runStability(simulator, task) : runTrials(simulator, task);

/** What a stability task answers, packed: emptied, left, then decode tokens, prefill tokens and prompts by batch. */
function runStability(simulator: Simulator, task: StabilityTask): TrialValues {
  const { verify = false, plain = false, config } = task;
  const values = served(simulator, task, plain);
  if (!verify || plain) return values;
  const other = served(simulator, task, true);
  const at = values.findIndex((value, i) => !Object.is(value, other[i]));
  const difference = `a run from a backlog: value ${at} of its batches is ${values[at]}, not ${other[at]}`;
  const { seed, trial } = task;
  named(config, seed, trial, () =>
    demandSame(at < 0 ? undefined : difference, config.scheduler.kind, simulator.registry),
  );
  return values;
}

function served(simulator: Simulator, task: StabilityTask, plain: boolean): TrialValues {
  const { config, seed, trial, batchSeconds, batches, fromEmpty } = task;
  const { decodeTokens, prefillTokens, prompts, emptied } = runBacklog(simulator, task, plain);
  const horizon = { ...config.horizon, tmaxSeconds: batchSeconds * batches };
  const left = fromEmpty ? leftAt(simulator, { ...config, horizon }, { seed, trial, plain }) : NaN;
  return Float64Array.from([emptied ? 1 : 0, left, ...decodeTokens, ...prefillTokens, ...prompts]);
}

/** A failed invariant says what replays it, and settings that turn out to be none that they did in a trial. */
function named<T>({ scheduler }: SimulationConfig, seed: number, trial: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ConfigError) throw new UnfitError(error.issues);
    if (!(error instanceof InvariantError)) throw error;
    throw new InvariantError(`${error.message} (scheduler ${scheduler.kind}, seed ${seed}, trial ${trial})`);
  }
}

function runTrials(simulator: Simulator, task: TrialTask): TrialValues {
  const width = valuesOfRun(task.measures);
  const perConfig = Math.max(1, task.windows.length) * width;
  const values = new Float64Array(task.count * task.configs.length * perConfig);
  let at = 0;
  for (let trial = task.first; trial < task.first + task.count; trial++) {
    for (const config of task.configs) {
      const into = values.subarray(at, at + perConfig);
      named(config, task.seed, trial, () => runWindows(simulator, task, config, trial, into));
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
  const { seed, verify, plain = false, measures } = task;
  const requests = simulator.draw(config, seed, trial);
  const put = (found: Float64Array, i: number): void => values.set(found, i * valuesOfRun(measures));
  const windows = task.windows.map(fromSeconds);
  if (windows.length === 0)
    put(runTrial(simulator, config, requests, { seed, trial, verify, plain, measures }).values, 0);
  // What is due in a window may be sent after its end: a fork would lose it.
  else if (plain || requests.clients?.dueAt !== undefined)
    windows.forEach((end, i) => put(alone(end, verify, plain), i));
  else {
    const forked = measureWindows(simulator, config, requests, windows, {
      ...{ seed, trial },
      ...(measures && { measures }),
    });
    forked.forEach(put);
    // The forks of one pass against each window by itself, which the laws watch from its beginning to its end.
    if (verify)
      forked.forEach((found, i) => {
        const difference = differentValues({ values: found }, { values: alone(windows[i], true, true) });
        const told = difference && `window ${i + 1}: ${difference}`;
        demandSame(told, config.scheduler.kind, simulator.registry);
      });
  }

  function alone(end: number, isWatched: boolean, isPlain: boolean): Float64Array {
    requests.until(end);
    const how = { seed, trial, verify: isWatched, plain: isPlain, measures };
    return runTrial(simulator, config, requests, how).values;
  }
}
