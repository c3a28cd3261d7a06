/**
 * The study that a command line asks for: defaults < scenario < hardware < vLLM's log and arguments < `--config` <
 * `--set` < flags.
 */
import { basename, extname } from "node:path";
import { fileLayer } from "../../config/file-layer.js";
import { LayerIssues } from "../../config/layer-issues.js";
import { nameOf, type Layer } from "../../config/layer.js";
import { parseSet } from "../../config/set.js";
import { hardwareOf, resolveStudy, scenarioOf } from "../../config/study.js";
import { ConfigError, type Issue } from "../../core/errors.js";
import { withPlugins } from "../../core/configuration/plugin.js";
import type { Registry } from "../../core/configuration/registry.js";
import type { Trace } from "../../core/workload/trace.js";
import type { Experiment, RunSettings } from "../../experiments/interface/experiment.js";
import type { Study, Variant } from "../../experiments/interface/study.js";
import { FileError, type FileSystem, readNamed } from "../../io/files.js";
import { ASSUMED, type Hardware, hardwareAlone, hardwareName, loadHardware } from "../../io/hardware.js";
import { isScenarioFile, loadScenario } from "../../io/scenarios.js";
import { defaultsOf, flagLayer, settingsOf } from "../../flags/flag-layer.js";
import { MACHINE_KEYS } from "../../flags/flags.js";
import { flagName } from "../../flags/options.js";
import type { Plugged } from "./plugins.js";
import type { Flags } from "../../flags/given-flags.js";
import { shellWord } from "../../core/foreign-words.js";
import type { Streams } from "../streams.js";
import { besideTrace, type Traffic, trafficFrom } from "./traffic.js";
import { changesOf } from "./study-variants.js";
import { serverFrom } from "./vllm-server.js";

/** A study and the recorded traces that its workers need. */
export interface StudyAndTraces {
  readonly study: Study;
  readonly traces: readonly Trace[];
}

/**
 * Reads every layer and resolves them; problems are added to `issues`, and then there is no study.
 * @param run settings that the experiment's files bring
 */
// Each step needs what the ones before it read: apart they would hand each other a dozen values.
// eslint-disable-next-line max-lines-per-function
export async function studyFrom(
  experiment: Experiment,
  flags: Flags,
  streams: Pick<Streams, "cwd" | "fs" | "stdin">,
  issues: Issue[],
  plugged: Plugged,
  run?: RunSettings,
): Promise<StudyAndTraces | undefined> {
  const { cwd, fs } = streams;
  try {
    const traffic: Traffic = await trafficFrom(flags, streams, issues);
    const registry = withPlugins(plugged.plugins, traffic.registry);
    const server = await serverFrom(flags, { cwd, fs }, issues);
    const defaults = defaultsOf(experiment);
    const layers: Layer[] = [];
    const file = flags.config as string | undefined;
    if (file !== undefined) layers.push(await configLayer(file, cwd, fs, registry));
    layers.push(...traffic.over);
    const assignments = flags.set as string[] | undefined;
    const typed = flagLayer(besideTrace(flags), issues);
    const set = assignments ? [await parseSet(assignments)] : [];
    // A flag that gives a kind (--arrivals) says which keys --set may name, and has the last word all the same.
    const inOrder = [...layers, ...(assignments ? [{ ...typed, issues: [] }] : []), ...set, typed];
    layers.push(...set, typed);
    if (experiment.takesModel !== true) refuseModel(experiment, layers, issues);
    const named = scenarioOf(layers);
    const usual = scenarioOf([defaults])!;
    const hardware = await hardwareFrom(layers, flags, cwd, fs, issues);
    // A file that brings a model of its own is laid over nothing: what it leaves out has core's defaults.
    const own = named === undefined ? ownName(layers, file, hardware !== undefined) : undefined;
    const studyOn = async (name: string, further: readonly Layer[] = []): Promise<Study> => {
      const scenario = await scenarioLayers(name, usual, cwd, fs);
      const below = own === undefined ? scenario.layers : [];
      const isChanged = hardwareOf(further) !== undefined;
      const on = isChanged ? await hardwareFrom([...layers, ...further], flags, cwd, fs, issues) : hardware;
      const machine = [
        // Without a scenario, hardware comes with the engine that it was measured for.
        ...(on ? [...(named === undefined ? hardwareAlone(on.layer) : []), on.layer] : []),
        ...(server?.layersOn(on?.layer) ?? []),
        ...(run ? [{ source: run.source, values: { engine: run.engine } }] : []),
      ];
      const all = [defaults, ...below, ...machine, ...traffic.below, ...inOrder, ...further];
      const study = resolveStudy(all, registry, { force: flags.force === true });
      const namesScenario = file === undefined ? !on || named !== undefined : flags.scenario !== undefined;
      const chosenBy = choosing(namesScenario ? name : undefined, flags, [server?.again, traffic.again]);
      const { trace } = traffic;
      const assumed = [...study.origins].flatMap(([key, from]) => (from === ASSUMED ? [key] : []));
      return {
        ...study,
        scenario: own ?? scenario.name,
        ...(on && { hardware: on.name }),
        ...(on?.layer.validity && { validity: on.layer.validity }),
        chosenBy,
        settings: settingsOf(flags),
        assignments: assignments ?? [],
        registry,
        ...(trace && { trace }),
        ...(server && { vllm: server.useIn(study, on?.layer) }),
        ...(assumed.length > 0 && { assumed }),
        ...(plugged.uses.length > 0 && { plugins: plugged.uses }),
      };
    };
    const layerOf = (name: string): Promise<Layer> => configLayer(name, cwd, fs, registry);
    const changes = await changesOf(experiment, flags, layerOf, issues);
    const names = experiment.scenarioLists?.[named ?? ""] ?? [named ?? usual];
    const studies = await each(names, (name) => told(() => studyOn(name), issues));
    const variants = await each(
      changes,
      async ({ label, settings, scenario = named ?? usual, layers: further }) => {
        const found = await told(() => studyOn(scenario, further), issues);
        return found.map((study): Variant => ({ label, settings, study }));
      },
    );
    if (studies.length === 0) return undefined;
    const study = { ...studies[0], others: studies.slice(1), ...(variants.length > 0 && { variants }) };
    return { study, traces: traffic.traces };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    issues.push(...error.issues);
    return undefined;
  }
}

/** All that comes of some, one after the other: problems are told in their order. */
async function each<T, R>(all: readonly T[], of: (one: T) => Promise<readonly R[]>): Promise<R[]> {
  const found: R[] = [];
  for (const one of all) found.push(...(await of(one)));
  return found;
}

/** The flags that lead to a study again: its scenario, where one is named, and what lies over it. */
const choosing = (
  scenario: string | undefined,
  { hardware, profileOnly, config }: Flags,
  others: readonly (string | undefined)[],
): string =>
  [
    ...(scenario === undefined ? [] : [`--scenario ${shellWord(scenario)}`]),
    ...(hardware === undefined ? [] : [`--hardware ${shellWord(hardware as string)}`]),
    ...(profileOnly === true ? ["--profile-only"] : []),
    ...(config === undefined ? [] : [`--config ${shellWord(config as string)}`]),
    ...others.filter((words) => words !== undefined && words !== ""),
  ].join(" ");

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

async function configLayer(file: string, cwd: string, fs: FileSystem, registry: Registry): Promise<Layer> {
  if (file === "") return unread(file, "invalid --config: empty (a YAML or JSON file)");
  try {
    return await fileLayer(await readNamed(fs, cwd, file), file, "study", registry);
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

/** The hardware that the layers name, as a layer; what contradicts it is added to `issues`. */
async function hardwareFrom(
  layers: readonly Layer[],
  flags: Flags,
  cwd: string,
  fs: FileSystem,
  issues: Issue[],
): Promise<{ readonly name: string; readonly layer: Hardware } | undefined> {
  const given = hardwareOf(layers);
  const profileOnly = flags.profileOnly === true;
  if (given === undefined) {
    if (profileOnly)
      issues.push({
        key: "--profile-only",
        message: "--profile-only: no hardware to leave the overheads out of (give --hardware)",
      });
    return undefined;
  }
  for (const layer of layers)
    if (layer.values.service?.kind !== undefined) {
      const { at, name } = nameOf({ layer, key: "service.kind" });
      issues.push({
        key: "service.kind",
        message: `${at}${name}: replaces the service times of hardware ${given} (leave out one of the two)`,
      });
    }
  const layer = await loadHardware(given, cwd, profileOnly, fs).catch((error: unknown) => {
    if (!(error instanceof FileError && isScenarioFile(given))) throw error;
    return unread(given, `hardware: ${error.message}`);
  });
  return { name: hardwareName(given), layer };
}

/**
 * A configuration file that brings a model of its own and names no scenario gives the study its name. Beside hardware,
 * which brings the service times, a part of the traffic is no model: the rest is the usual scenario's.
 */
function ownName(
  layers: readonly Layer[],
  file: string | undefined,
  hasHardware: boolean,
): string | undefined {
  if (file === undefined) return undefined;
  const { workload, service } = layers[0].values;
  const isWhole = ["arrivals", "promptTokens", "outputTokens"].every((part) =>
    Object.hasOwn(workload ?? {}, part),
  );
  return workload && (service || (hasHardware && isWhole)) ? basename(file, extname(file)) : undefined;
}

/** A command that fixes settings of its own does not take them: a setting that did nothing would mislead. */
function refuseModel(experiment: Experiment, layers: readonly Layer[], issues: Issue[]): void {
  const isMachine = experiment.takesModel === "machine";
  const taken = ["seed", "$schema", ...(isMachine ? MACHINE_KEYS : [])];
  const { variant } = experiment;
  const reason = (key: string): string => {
    if (isMachine) return `the measured run brings its own (what can be set: ${MACHINE_KEYS.join(", ")})`;
    const more = variant && MACHINE_KEYS.includes(key) ? ` without ${flagName(variant.options[0].flag)}` : "";
    return `${experiment.name} fixes its own settings (only seed can be set${more})`;
  };
  const found = new LayerIssues();
  for (const layer of layers)
    for (const key of Object.keys(layer.values)) {
      if (taken.includes(key)) continue;
      const names = layer.source === "flag" ? flagsOf(layer, key) : [`${layer.source}: ${key}`];
      for (const name of names) found.tell(layer, key, () => ({ key, message: `${name}: ${reason(key)}` }));
    }
  issues.push(...found.list());
}

/** The flags that gave what stands under a key. */
function flagsOf({ values, origin }: Layer, key: string): string[] {
  const nested = values[key as keyof typeof values];
  const below = typeof nested === "object" && nested !== null ? Object.keys(nested) : [];
  const leaves = [key, ...below.map((name) => `${key}.${name}`)];
  return leaves.flatMap((leaf) => origin?.(leaf) ?? []);
}
