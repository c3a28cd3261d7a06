/**
 * The model flags as a layer of a study. It stands alone, with nothing of Node, because the explorer's page reads
 * the same flags from its address: both judge a setting in the same words.
 */
import type { Layer, Setting } from "../config/layer.js";
import { numberOrText, parseList } from "../config/lists.js";
import { hint } from "../config/suggest.js";
import { ConfigError, type Issue } from "../core/errors.js";
import { readSlo } from "../core/measures/targets.js";
import type { Experiment } from "../experiments/interface/experiment.js";
import { MODEL_FLAGS, MODEL_SWITCHES } from "./flags.js";
import { camelCase, flagName } from "./options.js";
import type { Flags } from "./given-flags.js";

const DEFAULT_SEED = 1;

/** What an experiment starts from, as a layer. */
export function defaultsOf(experiment: Experiment): Layer {
  const { scenario, schedulers, trials, horizon, conventions } = experiment.defaults;
  return {
    source: "defaults",
    values: {
      scenario: scenario ?? "demo2",
      schedulers: schedulers ?? ["decode-prioritizing", "prefill-prioritizing", "hybrid"],
      trials: trials ?? 20,
      seed: DEFAULT_SEED,
      ...(horizon && { horizon }),
      ...(conventions && { conventions }),
    },
  };
}

type Tree = Record<string, unknown>;

function put(tree: Tree, key: string, value: Setting): void {
  const path = key.split(".");
  let at = tree;
  for (const name of path.slice(0, -1)) at = (at[name] ??= {}) as Tree;
  at[path.at(-1)!] = value;
}

/** The model flags as a layer; errors call each setting by its flag. */
export function flagLayer(flags: Flags, issues: Issue[]): Layer {
  const values: Tree = {};
  const names = new Map<string, string>();
  for (const { flag, key, isList } of MODEL_FLAGS) {
    const text = flags[camelCase(flag)] as string | undefined;
    if (text === undefined) continue;
    names.set(key, flagName(flag));
    try {
      put(values, key, isList === true ? parseList(text, flagName(flag)) : numberOrText(text));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      issues.push(...error.issues);
    }
  }
  for (const { on, off, key } of MODEL_SWITCHES) {
    const isOn = flags[camelCase(on)] as boolean | undefined;
    if (isOn === undefined) continue;
    put(values, key, isOn);
    names.set(key, isOn ? on : off);
  }
  if (flags.chunking === false) {
    if (flags.chunkSize !== undefined)
      issues.push({
        key: "--no-chunking",
        message: "--no-chunking contradicts --chunk-size (give one of them)",
      });
    put(values, "engine.chunkSize", null);
    names.set("engine.chunkSize", "--no-chunking");
  }
  if (flags.slo !== undefined) {
    const { requests, targetText, problems } = readSlo(flags.slo as string, hint);
    for (const message of problems) issues.push({ key: "--slo", message: `--slo: ${message}` });
    for (const [key, value] of Object.entries(requests)) put(values, `slo.${key}`, value);
    if (targetText !== "") put(values, "slo.targets", targetText);
    names.set("slo", "--slo");
  }
  const schedulers = flags.scheduler as string[] | undefined;
  if (schedulers) {
    values.schedulers = schedulers.join(",");
    names.set("schedulers", "--scheduler");
  }
  if (flags.seed !== undefined) {
    values.seed = numberOrText(flags.seed as string);
    names.set("seed", "--seed");
  }
  if (flags.scenario !== undefined) {
    values.scenario = flags.scenario;
    names.set("scenario", "--scenario");
  }
  if (flags.hardware !== undefined) {
    values.hardware = flags.hardware;
    names.set("hardware", "--hardware");
  }
  return { source: "flag", values: values, origin: (key) => names.get(key) };
}

/** The flags that change a study and stay in its words: what the explorer's page begins with, and hands back. */
export const SETTINGS: readonly string[] = [
  "--scheduler",
  ...MODEL_FLAGS.map(({ flag }) => flagName(flag)),
  ...MODEL_SWITCHES.map(({ on }) => on),
  "--seed",
].map((name) => name.slice(2));

/** Those of them that were given, by name without dashes, as they were typed. */
export function settingsOf(flags: Flags): Record<string, string> {
  const given: Record<string, string> = {};
  for (const name of SETTINGS) {
    const value = flags[camelCase(name)];
    if (value !== undefined) given[name] = Array.isArray(value) ? value.join(",") : String(value);
  }
  if (flags.chunking === false) given["chunk-size"] = "none";
  return given;
}
