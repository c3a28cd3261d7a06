/** The flags that say which iterations are fitted. */
import type { ExperimentOption, ExperimentOptions, OptionsOf } from "../interface/options.js";
import { CHUNK_STEP } from "./design.js";
import type { Range } from "./steps.js";

const limit = <const K extends keyof Range>(key: K, flag: string, summary: string) =>
  ({
    key,
    flag: `${flag} <n>`,
    kind: "integer",
    min: 0,
    max: 1_000_000_000,
    summary,
  }) as const satisfies ExperimentOption;

/** The limits of the range. */
export const RANGE_OPTIONS = [
  limit("leastKv", "--min-kv", "fit decodes with at least n cached tokens each"),
  limit("mostKv", "--max-kv", "… with at most n"),
  limit("leastChunk", "--min-chunk", "fit steps with at least n prompt tokens, if any"),
  limit("mostTokens", "--max-batch", "fit batches of at most n tokens"),
  limit("mostSumKv", "--max-sum-kv", "fit steps with at most n cached tokens in all"),
] as const satisfies ExperimentOptions;

/** How finely the design of a kernel profile goes through the prompt tokens. */
export const CHUNK_STEP_OPTION = {
  key: "chunkStep",
  flag: "--chunk-step <n>",
  kind: "integer",
  min: 16,
  max: 1_000_000,
  default: CHUNK_STEP,
  summary: "fit prompt tokens in steps of n (kernel profiles)",
} as const satisfies ExperimentOption;

/** The range that is fitted: the profile's own, narrowed or widened by flags. */
export function rangeFrom<R extends Range>(options: OptionsOf<typeof RANGE_OPTIONS>, own: R): R {
  const given: Range = Object.fromEntries(
    RANGE_OPTIONS.flatMap(({ key }) => (options[key] === null ? [] : [[key, options[key]]])),
  );
  return { ...own, ...given };
}

/** A range as the flags that make it. */
export const flagsOf = (range: Range): string =>
  RANGE_OPTIONS.flatMap(({ key, flag }) => {
    const value = range[key];
    return value === undefined ? [] : [`${flag.split(" ")[0]} ${value}`];
  }).join(" ");
