/** A worker that dies at its task again and again: it exits, or runs out of memory. */
import type { Task } from "../core/trial/trial.js";

/** The reason where its heap was full. */
export const OUT_OF_MEMORY = "ran out of memory";

export class WorkerFault extends Error {
  readonly task: Task;
  /** `ran out of memory`, `exited with code 1`. */
  readonly reason: string;
  constructor(task: Task, reason: string, attempts: number) {
    super(`a worker ${reason}, ${attempts} times over: ${describeTask(task)}`);
    this.name = "WorkerFault";
    this.task = task;
    this.reason = reason;
  }

  get isForWantOfMemory(): boolean {
    return this.reason === OUT_OF_MEMORY;
  }
}

/** The task in a line: what to look at. */
export function describeTask(task: Task): string {
  if ("kind" in task)
    return `stability of ${task.config.scheduler.kind}, seed ${task.seed}, trial ${task.trial}`;
  const last = task.first + task.count - 1;
  const trials = task.count === 1 ? `trial ${task.first}` : `trials ${task.first} to ${last}`;
  return `${trials} of ${task.configs.map(({ scheduler }) => scheduler.kind).join(", ")}, seed ${task.seed}`;
}
