/**
 * Hardware: service times fitted to a GPU, by name from the package's data/hardware, where a new JSON file is new
 * hardware, or from the user's own file, as `llmsim calibrate` writes it (docs/hardware.md).
 *
 * A layer between scenario and `--config`: the scenario says what arrives, the hardware how long an iteration takes
 * and, where no scenario is named, what its server's limits are; whatever is set by hand still wins.
 */
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fileLayer } from "../config/file-layer.js";
import type { Layer, SpecInput } from "../config/layer.js";
import { hint } from "../config/suggest.js";
import { show } from "../config/telling.js";
import { withDefaults } from "../core/options/check-options.js";
import { builtIn, type Registry } from "../core/configuration/registry.js";
import { nodeFiles, readNamed, type FileSystem } from "./files.js";
import { isScenarioFile } from "./scenarios.js";

/** The package's hardware, seen alike from src/io and dist/io. */
export const HARDWARE_FOLDER = fileURLToPath(new URL("../../data/hardware/", import.meta.url));

/** The engine that the profiles were measured for. */
const SCHEDULER = "vllm";

/** What its server takes on cards with less than 70 GiB: assumed of hardware that does not say its own. */
export const ASSUMED_LIMITS = { maxTokens: 2048, maxSequences: 256 } as const;
/** Source of settings that are assumed. */
export const ASSUMED = "assumed";

/** A hardware file as far as it configures. */
interface HardwareFile {
  readonly name: string;
  readonly summary?: string;
  readonly gpu?: string;
  readonly service: SpecInput;
  readonly overheads: { readonly h: number; readonly f: number };
  readonly engine?: { readonly maxTokens?: number; readonly maxSequences?: number };
  readonly validity?: Readonly<Record<string, readonly [number, number]>>;
}

/** Hardware: its service times as a layer, and what else its file says. */
export interface Hardware extends Layer {
  /** The budget and the cap that its server takes where nothing else says them. */
  readonly limits?: HardwareFile["engine"];
  /** How many GPUs serve the model together; undefined: its file does not begin with their number. */
  readonly gpus?: number;
  /** The least and the most of what its service times were fitted to. */
  readonly validity?: HardwareFile["validity"];
}

/** The limits of the hardware's server as layers, what its file does not say assumed. */
export const serverLimits = ({ source, origin, limits = {} }: Hardware): Layer[] => [
  { source: ASSUMED, values: { engine: ASSUMED_LIMITS } },
  { source, values: { engine: limits }, ...(origin && { origin }) },
];

/**
 * What `--hardware` stands for when no scenario is named: vLLM with its defaults for online serving. A scheduler that
 * the registry does not have is left to the command.
 */
export function hardwareAlone(hardware: Hardware, registry: Registry = builtIn): Layer[] {
  const isThere = registry.schedulers.some(({ name }) => name === SCHEDULER);
  const values = { engine: { chunkSize: null }, ...(isThere && { schedulers: [SCHEDULER] }) };
  return [{ source: "hardware defaults", values }, ...serverLimits(hardware)];
}

async function packagedNames(files: FileSystem): Promise<string[]> {
  const names = await files.list(HARDWARE_FOLDER);
  return names.filter((name) => /^[^.].*\.json$/.test(name)).map((name) => basename(name, ".json"));
}

/** The hardware of the package, by name. */
export async function listHardware(
  files: FileSystem = nodeFiles,
): Promise<{ readonly name: string; readonly summary: string }[]> {
  const names = await packagedNames(files);
  const texts = await Promise.all(names.map((name) => files.readText(join(HARDWARE_FOLDER, `${name}.json`))));
  return texts.map((text) => {
    const { name, summary = "" } = JSON.parse(text) as HardwareFile;
    return { name, summary };
  });
}

/** A name fit for a header and a file name. */
export const hardwareName = (nameOrFile: string): string =>
  isScenarioFile(nameOrFile) ? basename(nameOrFile.replaceAll("\\", "/"), extname(nameOrFile)) : nameOrFile;

/**
 * Hardware as a layer of settings. A name that no hardware has and the problems of a file stand in the layer's
 * `issues`.
 * @param profileOnly the kernels alone: no host overhead (h = 0) and no KV imbalance (f = 1)
 * @throws FileError when a file cannot be read
 */
export async function loadHardware(
  nameOrFile: string,
  cwd: string,
  profileOnly: boolean,
  files: FileSystem = nodeFiles,
  registry: Registry = builtIn,
): Promise<Hardware> {
  if (isScenarioFile(nameOrFile)) {
    const text = await readNamed(files, cwd, nameOrFile);
    const layer = await fileLayer(text, nameOrFile, "hardware", registry);
    return (layer.issues ?? []).length > 0
      ? { ...layer, values: {} }
      : { ...layer, ...saidBy(layer.values as unknown as HardwareFile, profileOnly, registry) };
  }
  const source = `hardware ${nameOrFile}`;
  const names = await packagedNames(files);
  if (!names.includes(nameOrFile)) {
    const message = `unknown hardware: ${show(nameOrFile)} (one of: ${names.join(", ")}, or a file)${hint(nameOrFile, names)}`;
    return { source, values: {}, issues: [{ key: "hardware", message }] };
  }
  const text = await files.readText(join(HARDWARE_FOLDER, `${nameOrFile}.json`));
  return { source, ...saidBy(JSON.parse(text) as HardwareFile, profileOnly, registry) };
}

/** Every option of the model is set: nothing of a scenario's own service times is left below. */
function saidBy(
  { service, overheads, engine, gpu = "", validity }: HardwareFile,
  profileOnly: boolean,
  registry: Registry,
): Pick<Hardware, "values" | "limits" | "gpus" | "validity"> {
  const model = registry.serviceTimes.find(({ name }) => name === service.kind);
  const { h, f } = profileOnly ? { h: 0, f: 1 } : overheads;
  const gpus = /^(\d{1,6}) /.exec(gpu)?.[1];
  return {
    values: { service: withDefaults(model?.options ?? [], { ...service, hMs: h, f }) },
    ...(engine && { limits: engine }),
    ...(gpus !== undefined && { gpus: Number(gpus) }),
    ...(validity && { validity }),
  };
}
