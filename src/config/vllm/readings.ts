/** The settings of vLLM that are one setting of a study: which, and how its value is read. */
import type { Setting } from "../layer.js";
import { show } from "../telling.js";
import { readNumber } from "./arguments.js";
import { KV_TOKENS } from "./fact.js";
import type { PythonValue } from "./python.js";

interface Reading {
  /** The dotted key of the study. */
  readonly key: string;
  /** Its value; undefined for what cannot stand there. */
  read(value: PythonValue): Setting;
  /** What can, where that is not the key's to say. */
  readonly allowed?: string;
}

/** A number, or the text that stands where one belongs: core refuses it as what was typed. */
export const numeric = (value: PythonValue): number | string =>
  typeof value === "number" ? value : typeof value === "string" ? (readNumber(value) ?? value) : show(value);

const number = (key: string): Reading => ({ key, read: numeric });
const either = (key: string, yes: boolean | null): Reading => ({
  key,
  read: (value) => (value === true ? yes : value === false ? false : undefined),
  allowed: "True or False",
});

export const READINGS: Readonly<Record<string, Reading>> = {
  max_num_batched_tokens: number("engine.maxTokens"),
  max_num_seqs: number("engine.maxSequences"),
  block_size: number("engine.blockTokens"),
  data_parallel_size: number("engine.replicas"),
  watermark: number("engine.watermark"),
  [KV_TOKENS]: number("engine.kvTokens"),
  long_prefill_token_threshold: {
    key: "engine.chunkSize",
    read: (value) => (numeric(value) === 0 ? null : numeric(value)),
  },
  async_scheduling: either("engine.async", true),
  scheduler_reserve_full_isl: either("engine.reservePrompt", true),
  // True is the simulator's own way: hits are given, and a preempted request finds its own blocks again.
  enable_prefix_caching: either("engine.prefixCaching", null),
  scheduling_policy: {
    key: "engine.discipline.kind",
    read: (value) => (value === "fcfs" || value === "priority" ? value : undefined),
    allowed: "one of: fcfs, priority",
  },
};
