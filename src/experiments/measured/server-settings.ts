/**
 * The engine of a measured run, from its meta.json, by vLLM's own names: the arguments that it was started with
 * (`engine_kwargs`), and where the run asked the engine, what came of them with all defaults (`resolved_config`, a key a
 * sub-configuration) and how many blocks it found room for (`kv_cache`). What the engine said of itself goes before what
 * it was told.
 */
import { ConfigError, type Issue } from "../../core/errors.js";
import { BLOCK_TOKENS } from "../../core/numbers/units.js";
import type { InputFile, RunSettings } from "../interface/experiment.js";
import { fileOf, RUN_FILES } from "./run.js";

const MOST = 1_000_000_000;
type Values = Readonly<Record<string, unknown>>;
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;
const valuesOf = (value: unknown): Values =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Values) : {};

/** Where settings stand, first the one that goes before the others. */
const PLACES = [
  "kv_cache",
  "resolved_config.scheduler_config",
  "resolved_config.cache_config",
  "resolved_config.parallel_config",
  "resolved_config.model_config",
  "resolved_config.compilation_config",
  "engine_kwargs",
] as const;

/** A setting, and its name with the place that it was found in. */
interface Found {
  readonly value: unknown;
  readonly name: string;
}

function reader(meta: Values): (key: string) => Found {
  const places = PLACES.map((place) => {
    const values = place.split(".").reduce((inner: Values, key) => valuesOf(inner[key]), meta);
    return { place, values };
  });
  return (key) => {
    const at = places.find(({ values }) => isGiven(values[key]));
    return at
      ? { value: at.values[key], name: `${at.place}.${key}` }
      : { value: undefined, name: `engine_kwargs.${key}` };
  };
}

/**
 * The settings that the run brings; its KV memory is unlimited where meta.json does not name its blocks.
 * @throws ConfigError with what is missing or cannot be simulated
 */
export function settingsOf(inputs: readonly InputFile[]): RunSettings {
  const { file, values } = fileOf(inputs, RUN_FILES[1])!;
  const issues: Issue[] = [];
  const find = reader(valuesOf(values));
  const refuse = ({ value, name }: Found, allowed: string): void => {
    const found = value === undefined ? `missing ${name}` : `invalid ${name}: ${JSON.stringify(value)}`;
    issues.push({ key: file, message: `${file}: ${found} (${allowed})` });
  };
  const count = (key: string): number => {
    const found = find(key);
    const { value } = found;
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST) return value;
    refuse(found, `an integer at least 1 and at most ${MOST}`);
    return NaN;
  };
  const optional = (key: string): number | undefined => (isGiven(find(key).value) ? count(key) : undefined);
  const flag = (key: string): boolean | undefined => {
    const found = find(key);
    if (isGiven(found.value) && typeof found.value !== "boolean") refuse(found, "true or false");
    return typeof found.value === "boolean" ? found.value : undefined;
  };
  const demand = (key: string, wanted: unknown, words: string): void => {
    const found = find(key);
    if (isGiven(found.value) && found.value !== wanted) refuse(found, words);
  };

  const maxSequences = count("max_num_seqs");
  const maxTokens = count("max_num_batched_tokens");
  const blocks = optional("num_gpu_blocks") ?? optional("num_gpu_blocks_override");
  const blockTokens = optional("block_size");
  // 0 is vLLM's own: no prompt counts as long.
  const chunkSize =
    find("long_prefill_token_threshold").value === 0 ? undefined : optional("long_prefill_token_threshold");
  demand("data_parallel_size", 1, "1: a run of one engine");
  demand("enable_chunked_prefill", true, "true: prompts are prefilled in chunks");
  demand("policy", "fcfs", "fcfs: the requests of a run have no priorities");
  const isAsync = flag("async_scheduling");
  const caches = flag("enable_prefix_caching");
  const reservePrompt = flag("scheduler_reserve_full_isl");
  const eager = flag("enforce_eager");
  const watermark = find("watermark");
  const isShare = typeof watermark.value === "number" && watermark.value >= 0 && watermark.value < 1;
  if (isGiven(watermark.value) && !isShare) refuse(watermark, "a number at least 0 and below 1");
  if (issues.length > 0) throw new ConfigError(issues);
  const memory = blocks === undefined ? undefined : blocks * (blockTokens ?? BLOCK_TOKENS);
  return {
    source: file,
    engine: {
      maxSequences,
      maxTokens,
      ...(chunkSize !== undefined && { chunkSize }),
      ...(blockTokens !== undefined && { blockTokens }),
      ...(memory !== undefined && { kvTokens: memory }),
      ...(isAsync !== undefined && { async: isAsync }),
      ...(caches === false && { prefixCaching: false }),
      ...(reservePrompt !== undefined && { reservePrompt }),
      ...(isShare && watermark.value !== 0 && { watermark: watermark.value }),
    },
    notes: notesOn(file, {
      hasMemory: memory !== undefined,
      saysAsync: isAsync !== undefined,
      hasGraphs: eager !== true && !isWithoutGraphs(find("cudagraph_mode").value),
    }),
  };
}

/** What a reader must know of what the file says, or leaves open. */
function notesOn(
  file: string,
  said: { readonly hasMemory: boolean; readonly saysAsync: boolean; readonly hasGraphs: boolean },
): string[] {
  const notes: string[] = [];
  if (!said.hasMemory)
    notes.push(`${file} names no KV blocks (kv_cache.num_gpu_blocks): the memory is taken as unlimited`);
  if (!said.saysAsync) notes.push(`${file} does not say async_scheduling: taken as on, as vLLM has it`);
  if (!said.hasGraphs)
    notes.push(
      "the run had no CUDA graphs: its iterations take host time that a hardware file of a server with graphs has not",
    );
  return notes;
}

/** vLLM's CUDAGraphMode, by number or name. */
const isWithoutGraphs = (mode: unknown): boolean => mode === 0 || mode === "NONE";
