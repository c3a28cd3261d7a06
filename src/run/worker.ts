/** The worker's file: a wrapper round a pure function, with buffers that live as long as the thread. */
import { move, workerData } from "piscina";
import { Simulator } from "../core/simulate.js";
import type { Trace } from "../core/trace.js";
import { withTraces } from "../core/trace-registry.js";
import type { Task, TrialValues } from "../core/trial.js";
import { answer, type Answer } from "./executor.js";

const simulator = new Simulator(withTraces(workerData as readonly Trace[]));

export default (task: Task): Answer => {
  const given = answer(simulator, task);
  return given instanceof Float64Array ? (move(given) as TrialValues) : given;
};
