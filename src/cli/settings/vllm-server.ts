/**
 * `--vllm-log` and `--vllm-args`: the settings of a vLLM server, from what it printed when it started and from its
 * command line, which counts where both say something. A layer over the hardware and below `--config`; what neither
 * says is the card's default, or vLLM's own (docs/hardware.md).
 */
import { resolve } from "node:path";
import type { Layer, Setting } from "../../config/layer.js";
import type { Study as Resolved } from "../../config/study.js";
import { readArguments } from "../../config/vllm/arguments.js";
import { naming, type Fact, type Facts } from "../../config/vllm/fact.js";
import { LogReader } from "../../config/vllm/log.js";
import { matters, serverSettings, VLLM_DEFAULTS, type ServerSettings } from "../../config/vllm/settings.js";
import type { Issue } from "../../core/errors.js";
import type { ServerUse } from "../../experiments/interface/study.js";
import { FileError } from "../../io/files.js";
import { ASSUMED_LIMITS, type Hardware, serverLimits } from "../../io/hardware.js";
import type { Flags } from "../../flags/given-flags.js";
import { shellWord } from "../../core/foreign-words.js";
import type { Streams } from "../streams.js";

/** The flags, as commander reads them, with their summaries. */
export const VLLM_FLAGS: readonly (readonly [flag: string, summary: string])[] = [
  ["--vllm-log <file>", "a vLLM server's settings, from what it printed when it started (docs/hardware.md)"],
  ["--vllm-args <text>", "a vLLM server's settings, from its command line in quotes; over those of its log"],
];

/** A server as the flags tell it. */
export interface Server {
  /** Its settings, on a card where one is known. */
  layersOn(hardware: Hardware | undefined): Layer[];
  /** What was said and what was not, of a study that these layers went into. */
  useIn(study: Resolved, hardware: Hardware | undefined): ServerUse;
  /** The flags again, for commands to try next. */
  readonly again: string;
}

/** The server that the flags tell of; problems are added to `issues`. */
export async function serverFrom(
  flags: Flags,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
  issues: Issue[],
): Promise<Server | undefined> {
  const [log, args] = [flags.vllmLog, flags.vllmArgs] as (string | undefined)[];
  if (log === undefined && args === undefined) return undefined;
  const before = issues.length;
  const said = args === undefined ? new Map<string, Fact>() : readArguments(args, issues);
  const printed = log === undefined ? [] : await logFacts(log, { cwd, fs }, issues);
  // What could not be read would be told again as missing.
  if (issues.length > before) return undefined;
  const facts = new Map([...printed, ...said]);
  const found = serverSettings(facts, issues);
  return {
    layersOn: (hardware) => layersOf(found, hardware),
    useIn: (study, hardware) => ({
      ...(log !== undefined && { log }),
      ...(args !== undefined && { args: true }),
      ...(found.version !== undefined && { version: found.version }),
      told: Object.fromEntries(found.told),
      untold: untold(found, study),
      ...(found.gpus && found.gpus.count > 1 && hardware?.gpus === undefined && { gpus: found.gpus.count }),
      ignored: found.ignored,
    }),
    again: [
      ...(log === undefined ? [] : [`--vllm-log ${shellWord(log)}`]),
      ...(args === undefined ? [] : [`--vllm-args ${shellWord(commandOf(said))}`]),
    ].join(" "),
  };
}

/** A command line that says the same of the schedule; the rest, which may hold a key, is left out. */
function commandOf(said: Facts): string {
  const flags = [...said].flatMap(([name, fact]) => {
    if (!matters(name)) return [];
    const flag = naming(name, fact).name;
    if (fact.value === false) return [flag.replace("--", "--no-")];
    return fact.value === true ? [flag] : [flag, shellWord(fact.value as string)];
  });
  return ["vllm serve", ...flags].join(" ");
}

async function logFacts(
  file: string,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
  issues: Issue[],
): Promise<ReturnType<LogReader["end"]>> {
  const reader = new LogReader(file, matters);
  const refuse = (message: string): void => void issues.push({ key: "--vllm-log", message });
  if (file === "") refuse("invalid --vllm-log: empty (what a vLLM server printed)");
  else
    try {
      for await (const line of fs.readLines(resolve(cwd, file))) reader.read(line);
      return reader.end(issues);
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      refuse(`--vllm-log: ${new FileError("read", file, error.reason).message}`);
    }
  return new Map();
}

function layersOf({ layer, told, gpus }: ServerSettings, hardware: Hardware | undefined): Layer[] {
  const layers: Layer[] = [VLLM_DEFAULTS];
  if (hardware) {
    layers.push(...serverLimits(hardware));
    // By itself vLLM takes no more sequences than tokens.
    const budget = told.get("engine.maxTokens");
    if (typeof budget === "number" && budget < (hardware.limits?.maxSequences ?? ASSUMED_LIMITS.maxSequences))
      layers.push({ ...VLLM_DEFAULTS, values: { engine: { maxSequences: budget } } });
  }
  const cards = hardware?.gpus;
  if (gpus && cards !== undefined && cards !== gpus.count) {
    const allowed = `${hardware!.source} has ${cards} ${cards === 1 ? "GPU" : "GPUs"}`;
    const message = `${gpus.at}invalid ${gpus.name}: ${gpus.count} (${allowed})`;
    return [...layers, { ...layer, issues: [{ key: "tensor_parallel_size", message }] }];
  }
  return [...layers, layer];
}

/** What a server has that nobody said, with where its value comes from. */
function untold({ told }: ServerSettings, { config, schedulers, origins }: Resolved): ServerUse["untold"] {
  const { maxTokens, maxSequences, kvTokens } = config.engine;
  const found: { key: string; value: Setting; from: string }[] = [];
  const add = (key: string, value: Setting, at = key): void => {
    if (!told.has(key)) found.push({ key, value, from: origins.get(at) ?? "defaults" });
  };
  add("engine.maxTokens", maxTokens);
  add("engine.maxSequences", maxSequences);
  add("engine.kvTokens", kvTokens);
  schedulers.forEach(({ kind, version }, i) => {
    if (kind === "vllm") add("scheduler.version", version, `schedulers.${i}.version`);
  });
  return found;
}
