/** The interface of an executor: where tasks are run. */
import { ConfigError, InvariantError, type Issue, PlanError, UnfitError } from "../core/errors.js";
import { valuesOfRun } from "../core/measures/measures.js";
import { type Simulator } from "../core/trial/simulate.js";
import { runTask, type Task, type TrialValues } from "../core/trial/trial.js";

export { Interrupted } from "./interrupted.js";

export interface Executor {
  /** Runs a task; rejects with the error that the simulation threw, or with Interrupted. */
  run(task: Task): Promise<TrialValues>;
  /** How many tasks it works on at once. */
  readonly width: number;
  /** About how many requests a task should simulate, where so many are asked for in all; the runner knows if not given. */
  readonly grain?: (requests: number) => number;
  close(): Promise<void>;
}

/** How many values a task comes to. */
export const expectedLength = (task: Task): number =>
  "kind" in task
    ? 2 + 3 * task.batches
    : task.count * task.configs.length * Math.max(1, task.windows.length) * valuesOfRun(task.measures);

/** What crosses the thread: an error's class would be lost on the way. */
export type Answer =
  | TrialValues
  | { readonly config: readonly Issue[] }
  | { readonly plan: readonly [scheduler: string, iteration: number, rule: string] }
  | { readonly invariant: string };

/** Runs a task and turns the simulation's own errors into plain data; any other error is thrown. */
export function answer(simulator: Simulator, task: Task): Answer {
  try {
    return runTask(simulator, task);
  } catch (error) {
    return answerTo(error);
  }
}

/** A simulation's own error as plain data; any other is thrown. */
export function answerTo(error: unknown): Answer {
  if (error instanceof ConfigError) return { config: error.issues };
  if (error instanceof PlanError) return { plan: [error.scheduler, error.iteration, error.rule] };
  if (error instanceof InvariantError) return { invariant: error.message };
  throw error;
}

/** The other side of `answer`: the values, or the error thrown again. */
export function valuesOf(given: Answer): TrialValues {
  if (given instanceof Float64Array) return given;
  if ("config" in given) throw new UnfitError(given.config);
  if ("plan" in given) throw new PlanError(...given.plan);
  throw new InvariantError(given.invariant);
}
