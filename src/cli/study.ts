/** The study that a command line asks for: defaults < scenario < `--config` < `--set` < flags. */
import { basename, extname } from "node:path";
import { fileLayer } from "../config/file-layer.js";
import type { Layer, Setting } from "../config/layer.js";
import { numberOrText } from "../config/lists.js";
import { parseSet } from "../config/set.js";
import { hint } from "../config/suggest.js";
import { resolveStudy, scenarioOf } from "../config/study.js";
import { ConfigError, type Issue } from "../core/errors.js";
import { builtIn } from "../core/registry.js";
import { readSlo } from "../core/targets.js";
import type { Experiment, Study, Variant } from "../experiments/experiment.js";
import { FileError, type FileSystem, readNamed } from "../io/files.js";
import { isScenarioFile, loadScenario } from "../io/scenarios.js";
import { MODEL_FLAGS } from "./flags.js";
import { camelCase, flagName } from "./options.js";
import type { Flags } from "./program.js";
import { shellWord } from "./shell.js";
import type { Streams } from "./streams.js";
import { changesOf } from "./variants.js";

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
function flagLayer(flags: Flags, issues: Issue[]): Layer {
  const values: Tree = {};
  const names = new Map<string, string>();
  for (const { flag, key } of MODEL_FLAGS) {
    const text = flags[camelCase(flag)] as string | undefined;
    if (text === undefined) continue;
    const value = numberOrText(text);
    put(values, key, value);
    names.set(key, flagName(flag));
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
  return { source: "flag", values: values, origin: (key) => names.get(key) };
}

/** Reads every layer and resolves them; problems are added to `issues`, and then there is no study. */
export async function studyFrom(
  experiment: Experiment,
  flags: Flags,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
  issues: Issue[],
): Promise<Study | undefined> {
  try {
    const defaults = defaultsOf(experiment);
    const layers: Layer[] = [];
    const file = flags.config as string | undefined;
    if (file !== undefined) layers.push(await configLayer(file, cwd, fs));
    const assignments = flags.set as string[] | undefined;
    if (assignments) layers.push(await parseSet(assignments));
    layers.push(flagLayer(flags, issues));
    if (!experiment.takesModel) refuseModel(experiment, layers, issues);
    const named = scenarioOf(layers);
    const usual = scenarioOf([defaults])!;
    // A file that brings a model of its own is laid over nothing: what it leaves out has core's defaults.
    const own = named === undefined ? ownName(layers, file) : undefined;
    const studyOn = async (name: string, further: readonly Layer[] = []): Promise<Study> => {
      const scenario = await scenarioLayers(name, usual, cwd, fs);
      const below = own === undefined ? scenario.layers : [];
      const all = [defaults, ...below, ...layers, ...further];
      const study = resolveStudy(all, builtIn, { force: flags.force === true });
      const chosenBy = [
        ...(file === undefined || flags.scenario !== undefined ? [`--scenario ${shellWord(name)}`] : []),
        ...(file === undefined ? [] : [`--config ${shellWord(file)}`]),
      ].join(" ");
      return { ...study, scenario: own ?? scenario.name, chosenBy };
    };
    const changes = await changesOf(experiment, flags, (name) => configLayer(name, cwd, fs), issues);
    const studies: Study[] = [];
    for (const name of experiment.scenarioLists?.[named ?? ""] ?? [named ?? usual])
      studies.push(...(await told(() => studyOn(name), issues)));
    const variants: Variant[] = [];
    for (const { label, settings, scenario = named ?? usual, layers: further } of changes)
      for (const study of await told(() => studyOn(scenario, further), issues))
        variants.push({ label, settings, study });
    if (studies.length === 0) return undefined;
    return { ...studies[0], others: studies.slice(1), ...(variants.length > 0 && { variants }) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}

/** The study, or none; those of its problems that no other study has are added. */
async function told(study: () => Promise<Study>, issues: Issue[]): Promise<Study[]> {
  try {
    return [await study()];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const issue of error.issues)
      if (!issues.some(({ message }) => message === issue.message)) issues.push(issue);
    return [];
  }
}

/** A layer whose file could not be read: told with all other problems. */
const unread = (source: string, message: string): Layer => ({
  source,
  values: {},
  issues: [{ key: "", message }],
});

async function configLayer(file: string, cwd: string, fs: FileSystem): Promise<Layer> {
  if (file === "") return unread(file, "invalid --config: empty (a YAML or JSON file)");
  try {
    return await fileLayer(await readNamed(fs, cwd, file), file, "study");
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return unread(file, `--config: ${error.message}`);
  }
}

/** The scenario. Under one that has problems lies the usual one, so that all other settings are judged as well. */
async function scenarioLayers(
  nameOrFile: string,
  usual: string,
  cwd: string,
  fs: FileSystem,
): Promise<{ readonly name: string; readonly layers: readonly Layer[] }> {
  const { name, layer } = await loadScenario(nameOrFile, cwd, fs).catch((error: unknown) => {
    if (!(error instanceof FileError && isScenarioFile(nameOrFile))) throw error;
    return { name: nameOrFile, layer: unread(nameOrFile, `scenario: ${error.message}`) };
  });
  if ((layer.issues ?? []).length === 0) return { name, layers: [layer] };
  return { name, layers: [(await loadScenario(usual, cwd, fs)).layer, layer] };
}

/** A configuration file that brings a model of its own and names no scenario gives the study its name. */
function ownName(layers: readonly Layer[], file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const { workload, service } = layers[0].values;
  return workload && service ? basename(file, extname(file)) : undefined;
}

/** A command that fixes its own settings takes only the seed: a setting that did nothing would mislead. */
function refuseModel(experiment: Experiment, layers: readonly Layer[], issues: Issue[]): void {
  for (const { source, values } of layers)
    for (const key of Object.keys(values))
      if (key !== "seed" && key !== "$schema")
        issues.push({
          key,
          message: `${source === "flag" ? "--" : `${source}: `}${key}: ${experiment.name} fixes its own settings (only seed can be set)`,
        });
}
