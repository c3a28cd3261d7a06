/** The worker's file: a wrapper round a pure function, with buffers that live as long as the thread. */
import { move, workerData } from "piscina";
import { Simulator } from "../core/trial/simulate.js";
import { type PluginFile, withPlugins } from "../core/configuration/plugin.js";
import type { Trace } from "../core/workload/trace.js";
import { withTraces } from "../core/configuration/trace-registry.js";
import type { Task, TrialValues } from "../core/trial/trial.js";
import { answer, type Answer, answerTo } from "./executor.js";
import { bytesOf, isLarge } from "./task-memory.js";

let simulator = new Simulator(withTraces(workerData as readonly Trace[]));
/** A simulator for each set of plugins, which are imported once; who has none loads nothing for them. */
const plugged = new Map<string, Simulator>();

async function answerWith(plugins: readonly PluginFile[], task: Task): Promise<Answer> {
  const { loadPlugin, watching } = await import("./plugin-files.js");
  const key = JSON.stringify(plugins);
  const made =
    plugged.get(key) ??
    new Simulator(
      withPlugins(await Promise.all(plugins.map((file) => loadPlugin(file))), simulator.registry),
    );
  plugged.set(key, made);
  return watching(plugins, () => Promise.resolve(answer(made, task)));
}

const sent = (given: Answer): Answer =>
  given instanceof Float64Array ? (move(given) as TrialValues) : given;

export default (task: Task): Answer | Promise<Answer> => {
  const { plugins = [] } = task;
  if (plugins.length > 0) return answerWith(plugins, task).then(sent, answerTo);
  const answered = sent(answer(simulator, task));
  // Its buffers are another thread's room.
  if (isLarge(bytesOf(task, simulator.registry))) simulator = new Simulator(simulator.registry);
  return answered;
};
