/** The worker's file: a wrapper round a pure function, with buffers that live as long as the thread. */
import { move, workerData } from "piscina";
import { Simulator } from "../core/simulate.js";
import { type PluginFile, withPlugins } from "../core/plugin.js";
import type { Trace } from "../core/trace.js";
import { withTraces } from "../core/trace-registry.js";
import type { Task, TrialValues } from "../core/trial.js";
import { answer, type Answer, answerTo } from "./executor.js";

const simulator = new Simulator(withTraces(workerData as readonly Trace[]));
/** A simulator for each set of plugins, which are imported once; who has none loads nothing for them. */
const plugged = new Map<string, Simulator>();

async function simulatorWith(plugins: readonly PluginFile[]): Promise<Simulator> {
  const key = JSON.stringify(plugins);
  const found = plugged.get(key);
  if (found) return found;
  const { loadPlugin } = await import("./plugin-files.js");
  const loaded = await Promise.all(plugins.map((file) => loadPlugin(file)));
  const made = new Simulator(withPlugins(loaded, simulator.registry));
  plugged.set(key, made);
  return made;
}

const sent = (given: Answer): Answer =>
  given instanceof Float64Array ? (move(given) as TrialValues) : given;

export default (task: Task): Answer | Promise<Answer> => {
  const { plugins = [] } = task;
  if (plugins.length === 0) return sent(answer(simulator, task));
  return simulatorWith(plugins).then((simulator) => sent(answer(simulator, task)), answerTo);
};
