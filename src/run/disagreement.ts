/**
 * Two results of one shard that are not the same: a machine that computes wrongly, a simulator that is no function of its
 * task, or a result that was changed. Queues may do a shard twice; whenever both results are seen they are compared.
 */
import { InvariantError } from "../core/errors.js";
import type { Task } from "../core/trial/trial.js";
import { describeTask } from "./worker-fault.js";

export class Disagreement extends InvariantError {
  constructor(task: Task, first: string, second: string) {
    super(`two results of one shard differ: ${describeTask(task)}: one of ${first}, one of ${second}`);
    this.name = "Disagreement";
  }
}
