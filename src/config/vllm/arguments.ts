/**
 * The command line of `vllm serve`. Names may have dashes or underscores, values stand behind a space or an equals
 * sign; of a flag given twice the last counts. What a flag is for that is not simulated is not known here, so that
 * whatever follows it without a dash belongs to it.
 */
import type { Issue } from "../../core/errors.js";
import { show } from "../telling.js";
import type { Fact } from "./fact.js";
import type { PythonValue } from "./python.js";
import { shellWords } from "./shell-words.js";

/** Short names of flags that matter here. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ["dcp", "decode_context_parallel_size"],
  ["dp", "data_parallel_size"],
  ["pcp", "prefill_context_parallel_size"],
  ["pp", "pipeline_parallel_size"],
  ["sc", "speculative_config"],
  ["tp", "tensor_parallel_size"],
]);

/** Flags without a value; each has an opposite with `no-`. */
export const SWITCHES = [
  "async_scheduling",
  "enable_chunked_prefill",
  "enable_prefix_caching",
  "scheduler_reserve_full_isl",
];
const TRUTH: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["false", false],
]);

const isFlag = (word: string): boolean => word.startsWith("-") && !/^-\d/.test(word);

/** The name, in vLLM's spelling, and what stands behind the equals sign. */
function split(word: string): { readonly name: string; readonly value?: string } {
  const equals = word.indexOf("=");
  const flag = equals < 0 ? word : word.slice(0, equals);
  const dashes = flag.startsWith("--") ? 2 : 1;
  // `--speculative-config.method ngram` is a part of that flag's value.
  const [base] = flag.slice(dashes).split(".");
  const plain = base.replaceAll("-", "_");
  const name = dashes === 1 ? (SHORT.get(plain) ?? plain) : plain;
  return equals < 0 ? { name } : { name, value: word.slice(equals + 1) };
}

/** The arguments by name; what cannot be read is added to `issues`. */
export function readArguments(line: string, issues: Issue[]): Map<string, Fact> {
  const found = new Map<string, Fact>();
  const refuse = (message: string): void => void issues.push({ key: "--vllm-args", message });
  const words = shellWords(line);
  if (!words) refuse("invalid --vllm-args: a quote is not closed (the command line of vllm serve)");
  else if (words.length === 0) refuse("invalid --vllm-args: empty (the command line of vllm serve)");
  const put = (name: string, value: PythonValue): void => {
    found.delete(name); // the last one's place
    found.set(name, { value });
  };
  for (let at = 0; words && at < words.length; at++) {
    if (!isFlag(words[at]) || words[at] === "--") continue;
    const { name, value } = split(words[at]);
    const next = words[at + 1];
    const follows = next !== undefined && !isFlag(next) ? next : undefined;
    const opposite = name.replace(/^no_/, "");
    if (SWITCHES.includes(opposite)) {
      const given = TRUTH.get((value ?? follows ?? "").toLowerCase());
      if (value !== undefined && given === undefined)
        refuse(
          `--vllm-args: invalid ${words[at].split("=")[0]}: ${show(value)} (true or false, or no value)`,
        );
      put(opposite, (given ?? true) === (name === opposite));
    } else put(name, value ?? follows ?? true);
  }
  return found;
}

const SCALES: Readonly<Record<string, number>> = {
  ...{ k: 1e3, m: 1e6, g: 1e9, t: 1e12 },
  ...{ K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 },
};

/** A number as vLLM takes it: 8k is 8000, 8K is 8192, 25.6k is 25600; undefined for what is none. */
export function readNumber(text: string): number | undefined {
  const found = /^\s*(\d[\d_]*(?:\.\d+)?)([kmgtKMGT]?)\s*$/.exec(text);
  if (!found) return undefined;
  const [, digits, suffix] = found;
  const value = Number(digits.replaceAll("_", ""));
  if (suffix === "") return value;
  // A fraction of a binary unit is none.
  if (digits.includes(".") && suffix === suffix.toUpperCase()) return undefined;
  return Math.trunc(value * SCALES[suffix]);
}
