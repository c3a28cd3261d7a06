/** The engine of a measured run, from its meta.json: vLLM's own names of its arguments. */
import { ConfigError, type Issue } from "../../core/errors.js";
import { BLOCK_TOKENS } from "../../core/kv-memory.js";
import type { InputFile, RunSettings } from "../experiment.js";
import { fileOf, RUN_FILES } from "./run.js";

const MOST = 1_000_000_000;
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/**
 * The settings that the run brings; its KV memory is unlimited where meta.json does not name its blocks.
 * @throws ConfigError with what is missing or cannot be simulated
 */
export function settingsOf(inputs: readonly InputFile[]): RunSettings {
  const { file, values } = fileOf(inputs, RUN_FILES[1])!;
  const issues: Issue[] = [];
  const refuse = (key: string, value: unknown, allowed: string): void => {
    const found = value === undefined ? `missing ${key}` : `invalid ${key}: ${JSON.stringify(value)}`;
    issues.push({ key: file, message: `${file}: ${found} (${allowed})` });
  };
  const meta = (typeof values === "object" && values !== null ? values : {}) as Record<string, unknown>;
  const given = meta.engine_kwargs;
  const engine = (typeof given === "object" && given !== null ? given : {}) as Record<string, unknown>;
  const count = (key: string): number => {
    const value = engine[key];
    if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MOST) return value;
    refuse(`engine_kwargs.${key}`, value, `an integer at least 1 and at most ${MOST}`);
    return NaN;
  };
  const optional = (key: string): number | undefined => (isGiven(engine[key]) ? count(key) : undefined);

  const maxSequences = count("max_num_seqs");
  const maxTokens = count("max_num_batched_tokens");
  const blocks = optional("num_gpu_blocks") ?? optional("num_gpu_blocks_override");
  const blockTokens = optional("block_size");
  if ((optional("data_parallel_size") ?? 1) !== 1)
    refuse("engine_kwargs.data_parallel_size", engine.data_parallel_size, "1: a run of one engine");
  if (engine.enable_chunked_prefill === false)
    refuse("engine_kwargs.enable_chunked_prefill", false, "true: prompts are prefilled in chunks");
  const { async_scheduling: isAsync } = engine;
  if (isGiven(isAsync) && typeof isAsync !== "boolean")
    refuse("engine_kwargs.async_scheduling", isAsync, "true or false");
  if (issues.length > 0) throw new ConfigError(issues);
  const memory = blocks === undefined ? undefined : blocks * (blockTokens ?? BLOCK_TOKENS);
  return {
    source: file,
    engine: {
      maxSequences,
      maxTokens,
      ...(blockTokens !== undefined && { blockTokens }),
      ...(memory !== undefined && { kvTokens: memory }),
      ...(typeof isAsync === "boolean" && { async: isAsync }),
    },
  };
}
