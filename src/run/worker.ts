/** The worker's file: a wrapper round a pure function, with buffers that live as long as the thread. */
import { move } from "piscina";
import { Simulator } from "../core/simulate.js";
import type { Task, TrialValues } from "../core/trial.js";
import { answer, type Answer } from "./executor.js";

const simulator = new Simulator();

export default (task: Task): Answer => {
  const given = answer(simulator, task);
  return given instanceof Float64Array ? (move(given) as TrialValues) : given;
};
