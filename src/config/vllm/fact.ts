/** What is known of a vLLM server's settings: each under vLLM's own name, with where it was said. */
import type { PythonValue } from "./python.js";

export interface Fact {
  readonly value: PythonValue;
  /** Where a log says it; undefined for an argument. */
  readonly at?: { readonly file: string; readonly line: number };
}

/** Settings by vLLM's names, e.g. `max_num_seqs`. */
export type Facts = ReadonlyMap<string, Fact>;

/** What the log prints when the server has its memory, in tokens; no setting of vLLM's has that name. */
export const KV_TOKENS = "kv_cache_tokens";
/** vLLM's version, as its log prints it. */
export const VERSION = "version";

/** How an error speaks of it: where, to open the line, and what the user calls it. */
export const naming = (name: string, { at }: Fact): { readonly at: string; readonly name: string } =>
  at === undefined
    ? { at: "--vllm-args: ", name: `--${name.replaceAll("_", "-")}` }
    : { at: `${at.file}:${at.line}: `, name };
