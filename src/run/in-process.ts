/**
 * Runs tasks in this process, one simulation at a time with a turn of the event loop between, in which Ctrl-C is
 * heard. For tests, debugging and one-core timing (`--workers 0`).
 */
import { setImmediate } from "node:timers/promises";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import { Simulator } from "../core/trial/simulate.js";
import { runTask, type Task, type TrialValues } from "../core/trial/trial.js";
import type { Executor } from "./executor.js";
import type { Memory } from "./memory.js";

/**
 * @param registry the built-in one, unless a test brings a wrong engine
 * @param signal aborted when the user asks to stop: nothing more is begun
 * @param memory what a task must fit into; without limit unless given
 */
export function inProcess(registry: Registry = builtIn, signal?: AbortSignal, memory?: Memory): Executor {
  const simulator = new Simulator(registry);
  const simulate = async (task: Task): Promise<TrialValues> => {
    await setImmediate();
    signal?.throwIfAborted();
    return runTask(simulator, task);
  };
  return {
    width: 1,
    run: (task: Task) => memory?.during(task, () => each(task)) ?? each(task),
    close: async () => {},
  };

  async function each(task: Task): Promise<TrialValues> {
    if ("kind" in task) return simulate(task);
    // Checked windows are simulated each by itself (core/trial/trial.ts).
    const spans = task.verify && task.windows.length > 0 ? task.windows.map((end) => [end]) : [task.windows];
    const parts: TrialValues[] = [];
    for (let first = task.first; first < task.first + task.count; first++)
      for (const config of task.configs)
        for (const windows of spans)
          parts.push(await simulate({ ...task, first, count: 1, configs: [config], windows }));
    const values = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      values.set(part, at);
      at += part.length;
    }
    return values;
  }
}
