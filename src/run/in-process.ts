/**
 * Runs tasks in this process, one trial at a time with a turn of the event loop between, so that Ctrl-C is
 * heard within a trial (a second one, which ends the process; the first ends the run after this task). For tests, debugging and one-core timing (`--workers 0`).
 */
import { setImmediate } from "node:timers/promises";
import { builtIn, type Registry } from "../core/registry.js";
import { Simulator } from "../core/simulate.js";
import { runTask, type Task, type TrialValues } from "../core/trial.js";
import type { Executor } from "./executor.js";

/** @param registry the built-in one, unless a test brings a wrong engine */
export function inProcess(registry: Registry = builtIn): Executor {
  const simulator = new Simulator(registry);
  return {
    width: 1,
    async run(task: Task): Promise<TrialValues> {
      if ("kind" in task) {
        await setImmediate();
        return runTask(simulator, task);
      }
      const parts: TrialValues[] = [];
      for (let trial = task.first; trial < task.first + task.count; trial++) {
        await setImmediate();
        parts.push(runTask(simulator, { ...task, first: trial, count: 1 }));
      }
      const values = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of parts) {
        values.set(part, at);
        at += part.length;
      }
      return values;
    },
    close: async () => {},
  };
}
