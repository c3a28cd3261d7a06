/** What vLLM can be told that changes its schedule and is not simulated. All else that is not simulated is ignored. */
import type { Issue } from "../../core/errors.js";
import { show } from "../telling.js";
import { naming, type Facts } from "./fact.js";
import { readNumber } from "./arguments.js";
import type { PythonValue } from "./python.js";

interface Unsupported {
  readonly names: readonly string[];
  /** The values, besides None and False, that leave the schedule as it is. */
  readonly harmless: readonly (string | number)[];
  /** What is allowed, and why nothing else is. */
  readonly allowed: string;
  /** A log tells what came of it. */
  readonly asArgument?: boolean;
}

const sentence = (what: string): string => `${what} changes the schedule and is not simulated`;

const UNSUPPORTED: readonly Unsupported[] = [
  {
    names: ["kv_transfer_config", "ec_transfer_config"],
    harmless: [],
    allowed: `none: ${sentence("a KV connector")}`,
  },
  { names: ["kv_offloading_size"], harmless: [0], allowed: `none: ${sentence("KV memory on the host")}` },
  {
    names: ["pipeline_parallel_size"],
    harmless: [1],
    allowed: `1: ${sentence("pipeline parallelism")}`,
  },
  {
    names: ["decode_context_parallel_size", "prefill_context_parallel_size"],
    harmless: [1],
    allowed: `1: ${sentence("context parallelism")}`,
  },
  {
    names: [
      ...["speculative_config", "speculative_model", "num_speculative_tokens"],
      ...["spec_method", "spec_model", "spec_tokens", "num_lookahead_slots"],
    ],
    harmless: [0],
    allowed: `none: ${sentence("speculative decoding")}`,
  },
  {
    names: ["max_num_partial_prefills", "max_long_partial_prefills"],
    harmless: [1],
    allowed: `1: ${sentence("more")}`,
  },
  {
    names: ["num_scheduler_steps"],
    harmless: [1],
    allowed: `1: ${sentence("scheduling for several steps")}`,
  },
  { names: ["scheduler_delay_factor"], harmless: [0], allowed: `0: ${sentence("a delay")}` },
  { names: ["max_num_scheduled_tokens"], harmless: [], allowed: `none: ${sentence("a second budget")}` },
  {
    names: ["scheduler_cls"],
    harmless: ["vllm.v1.core.sched.scheduler.Scheduler", "vllm.v1.core.sched.async_scheduler.AsyncScheduler"],
    allowed: "vLLM's own: any other is not simulated",
  },
  {
    names: ["mamba_cache_mode"],
    harmless: ["none", "all"],
    allowed: `none, all: ${sentence("cutting prompts at blocks")}`,
  },
  {
    names: ["config"],
    harmless: [],
    allowed: "none: that file is not read, give its settings as flags",
    asArgument: true,
  },
  {
    names: ["runner"],
    harmless: ["auto", "generate"],
    allowed: "generate: pooling is not simulated",
  },
];

function isHarmless(value: PythonValue, harmless: readonly (string | number)[]): boolean {
  if (value === null || value === false) return true;
  const plain = typeof value === "string" ? (readNumber(value) ?? value) : value;
  return harmless.some((one) => one === plain) || plain === "None";
}

/** Names of what is refused unless it is harmless. */
export const REFUSED: readonly string[] = UNSUPPORTED.flatMap(({ names }) => names);

/** A value as it was written, in a line. */
function shown(value: PythonValue): string {
  if (typeof value === "string") return show(readNumber(value) ?? value).replaceAll('\\"', '"');
  return show(typeof value === "object" && value !== null && "opaque" in value ? value.opaque : value);
}

/** All of it that was asked for, told at once. */
export function unsupported(facts: Facts): Issue[] {
  return UNSUPPORTED.flatMap(({ names, harmless, allowed, asArgument }) =>
    names.flatMap((key): Issue[] => {
      const fact = facts.get(key);
      if (!fact || (asArgument && fact.at) || isHarmless(fact.value, harmless)) return [];
      const { at, name } = naming(key, fact);
      return [{ key, message: `${at}unsupported ${name}: ${shown(fact.value)} (${allowed})` }];
    }),
  );
}
