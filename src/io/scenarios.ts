/**
 * Scenarios: by name from the package's data/scenarios, where a new JSON file is a new scenario, or from the
 * user's own file. Those of the package are checked by its tests, not each time they are loaded.
 */
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileLayer } from "../config/file-layer.js";
import type { Layer, StudyInput } from "../config/layer.js";
import { hint } from "../config/suggest.js";
import { show } from "../config/telling.js";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import { nodeFiles, readNamed, type FileSystem } from "./files.js";

/** The package's scenarios, seen alike from src/io and dist/io. */
export const SCENARIO_FOLDER = fileURLToPath(new URL("../../data/scenarios/", import.meta.url));

/** What a scenario's file says of itself. */
export interface ScenarioSummary {
  readonly name: string;
  /** Another name for it. */
  readonly alias?: string;
  readonly summary: string;
  readonly source: string;
}

export interface Scenario {
  /** As the user gave it; of a file its name without folder and extension. Fit for a file name. */
  readonly name: string;
  readonly layer: Layer;
}

type ScenarioFile = ScenarioSummary & StudyInput;

const EXTENSIONS = [".json", ".yaml", ".yml"];

/** Whether a scenario is given by file: by a path, or by a name with an extension. */
export const isScenarioFile = (nameOrFile: string): boolean =>
  /[/\\]/.test(nameOrFile) || EXTENSIONS.includes(extname(nameOrFile).toLowerCase());

async function packaged(files: FileSystem): Promise<ScenarioFile[]> {
  const names = (await files.list(SCENARIO_FOLDER)).filter((name) => /^[^.].*\.json$/.test(name));
  const texts = await Promise.all(names.map((name) => files.readText(join(SCENARIO_FOLDER, name))));
  return texts.map((text) => JSON.parse(text) as ScenarioFile);
}

/** The scenarios of the package, by name. */
export async function listScenarios(files: FileSystem = nodeFiles): Promise<ScenarioSummary[]> {
  return (await packaged(files)).map(({ name, alias, summary, source }) => ({
    name,
    ...(alias === undefined ? {} : { alias }),
    summary,
    source,
  }));
}

/**
 * A scenario as a layer. A name that no scenario has and the problems of a file stand in the layer's `issues`,
 * so that `resolveStudy` tells them with all others.
 * @param cwd what a relative path starts from
 * @throws FileError when a file cannot be read
 */
export async function loadScenario(
  nameOrFile: string,
  cwd: string,
  files: FileSystem = nodeFiles,
  registry: Registry = builtIn,
): Promise<Scenario> {
  if (isScenarioFile(nameOrFile)) {
    const text = await readNamed(files, cwd, nameOrFile);
    const layer = await fileLayer(text, nameOrFile, "scenario", registry);
    return { name: basename(nameOrFile.replaceAll("\\", "/"), extname(nameOrFile)), layer: partsOf(layer) };
  }
  const source = `scenario ${nameOrFile}`;
  const all = await packaged(files);
  const found = all.find(({ name, alias }) => name === nameOrFile || alias === nameOrFile);
  if (found) return { name: nameOrFile, layer: partsOf({ source, values: found }) };
  const names = all.flatMap(({ name, alias }) => (alias === undefined ? [name] : [alias, name]));
  const message = `unknown scenario: ${show(nameOrFile)} (one of: ${names.join(", ")}, or a file)${hint(nameOrFile, names)}`;
  return { name: nameOrFile, layer: { source, values: {}, issues: [{ key: "scenario", message }] } };
}

/** The layer with the parts that configure; what the file says of itself is left out. */
function partsOf(layer: Layer): Layer {
  const { workload, service, engine } = layer.values;
  return { ...layer, values: { workload, service, engine } };
}
