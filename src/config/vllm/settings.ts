/** What a vLLM server was told, in the keys of a study. docs/hardware.md has the table. */
import type { Issue } from "../../core/errors.js";
import type { Layer, Setting } from "../layer.js";
import { show } from "../telling.js";
import { SWITCHES } from "./arguments.js";
import { naming, VERSION, type Fact, type Facts } from "./fact.js";
import { numeric, READINGS } from "./readings.js";
import { REFUSED, unsupported } from "./unsupported.js";
import { KNOWN_VERSIONS, versionOf } from "./version.js";

/** What the server has where it is told nothing, whatever the card. */
export const VLLM_DEFAULTS: Layer = {
  source: "vLLM's defaults",
  values: {
    engine: {
      chunkSize: null,
      replicas: 1,
      async: null,
      discipline: { kind: "fcfs" },
      prefixCaching: null,
      reservePrompt: null,
      blockTokens: 16,
      watermark: 0,
    },
    schedulers: ["vllm"],
  },
};

/** What is read together with others. */
const TOGETHER = [
  VERSION,
  "enable_chunked_prefill",
  "num_gpu_blocks_override",
  "performance_mode",
  "tensor_parallel_size",
];
const READ = new Set([...Object.keys(READINGS), ...TOGETHER, ...REFUSED]);

/** Whether a setting of that name says anything about the schedule. */
export const matters = (name: string): boolean => READ.has(name);

/** What a server's log and arguments come to. */
export interface ServerSettings {
  readonly layer: Layer;
  /** What was said, by the study's keys. */
  readonly told: ReadonlyMap<string, Setting>;
  /** vLLM's version, as it was printed. */
  readonly version?: string;
  /** GPUs of a replica, and how an error names where that was said. */
  readonly gpus?: { readonly count: number; readonly at: string; readonly name: string };
  /** Names of what has no meaning here, in their order. */
  readonly ignored: readonly string[];
}

const DEFAULT_BLOCK = 16;

/** Settings as a layer; problems are added to `issues`. */
export function serverSettings(facts: Facts, issues: Issue[]): ServerSettings {
  const known = new Map([...facts].filter(([, { value }]) => value !== null && value !== "None"));
  const found = new Settings(known, issues);
  issues.push(...unsupported(known));
  found.readAlone();
  found.readMemory();
  const version = found.readVersion();
  found.readChunking();
  found.readMode();
  const gpus = found.readGpus();
  return {
    layer: found.layer(),
    told: found.told,
    ...(version !== undefined && { version }),
    ...(gpus && { gpus }),
    ignored: [...facts.keys()].filter((name) => !matters(name)),
  };
}

class Settings {
  readonly told = new Map<string, Setting>();
  private readonly origins = new Map<string, string>();

  constructor(
    private readonly known: ReadonlyMap<string, Fact>,
    private readonly issues: Issue[],
  ) {}

  readAlone(): void {
    for (const [name, reading] of Object.entries(READINGS)) {
      const value = this.value(name);
      if (value === undefined) continue;
      const setting = reading.read(value);
      if (setting === undefined) this.refuse(name, `invalid %: ${show(value)} (${reading.allowed})`);
      else this.put(reading.key, setting, name);
    }
  }

  /** A number of blocks counts unless a log printed what it came to. */
  readMemory(): void {
    const value = this.value("num_gpu_blocks_override");
    const isPrinted = this.told.has("engine.kvTokens") && this.known.get("num_gpu_blocks_override")?.at;
    if (value === undefined || isPrinted) return;
    const [count, size] = [numeric(value), this.told.get("engine.blockTokens") ?? DEFAULT_BLOCK];
    const isSound = typeof count === "number" && typeof size === "number";
    this.put("engine.kvTokens", isSound ? count * size : count, "num_gpu_blocks_override");
  }

  readVersion(): string | undefined {
    const printed = this.value(VERSION);
    if (typeof printed !== "string") return undefined;
    const found = versionOf(printed);
    if (!found) this.refuse(VERSION, `unknown version of vLLM: ${show(printed)} (${KNOWN_VERSIONS})`);
    else {
      this.put("scheduler.version", found.version, VERSION);
      if (!found.isAsync && !this.told.has("engine.async")) this.put("engine.async", false, VERSION);
    }
    return printed;
  }

  /** Without chunks vLLM is Orca: every decode, then whole prompts while they fit; composed ahead as ever. */
  readChunking(): void {
    const value = this.value("enable_chunked_prefill");
    if (value === undefined || value === true) return;
    if (value !== false)
      return this.refuse("enable_chunked_prefill", `invalid %: ${show(value)} (True or False)`);
    this.put("schedulers", "orca", "enable_chunked_prefill");
    this.told.delete("scheduler.version"); // an option of `vllm` alone
    if (!this.told.has("engine.async")) this.put("engine.async", true, "enable_chunked_prefill");
    if (!this.told.has("engine.maxTokens"))
      this.refuse(
        "enable_chunked_prefill",
        "missing max_num_batched_tokens (without chunked prefill it is the model's context length, or more)",
      );
  }

  /** One of vLLM's modes doubles what it takes by itself. */
  readMode(): void {
    const isComplete = this.told.has("engine.maxTokens") && this.told.has("engine.maxSequences");
    if (this.value("performance_mode") === "throughput" && !isComplete)
      this.refuse(
        "performance_mode",
        "unsupported %: throughput (it doubles the card's defaults: give max_num_batched_tokens and max_num_seqs)",
      );
  }

  readGpus(): ServerSettings["gpus"] {
    const name = "tensor_parallel_size";
    const value = this.value(name);
    if (value === undefined) return undefined;
    const count = numeric(value);
    if (typeof count === "number" && Number.isInteger(count) && count >= 1)
      return { count, ...naming(name, this.known.get(name)!) };
    this.refuse(name, `invalid %: ${show(count)} (an integer at least 1)`);
    return undefined;
  }

  layer(): Layer {
    const tree: Record<string, unknown> = {};
    for (const [key, value] of this.told) {
      let at = tree;
      const path = key.split(".");
      for (const part of path.slice(0, -1)) at = (at[part] ??= {}) as Record<string, unknown>;
      at[path.at(-1)!] = value;
    }
    return { source: "vllm", values: tree, origin: (key) => this.origins.get(key) };
  }

  /** A setting's value; a flag that should have one and has none is refused. */
  private value(name: string): Fact["value"] | undefined {
    const value = this.known.get(name)?.value;
    if (value !== true || SWITCHES.includes(name)) return value;
    this.refuse(name, "missing value: %");
    return undefined;
  }

  private put(key: string, value: Setting, name: string): void {
    const { at } = this.known.get(name)!;
    this.told.set(key, value);
    const { name: flag } = naming(name, { value: null });
    this.origins.set(key, at ? `${at.file}:${at.line}: ${key}` : `--vllm-args ${flag}`);
  }

  /** A problem, `%` in it standing for what the user calls the setting. */
  private refuse(name: string, problem: string): void {
    const shown = naming(name, this.known.get(name)!);
    this.issues.push({ key: name, message: shown.at + problem.replace("%", () => shown.name) });
  }
}
