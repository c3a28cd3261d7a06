/** The flags that say which iterations are fitted. */
import type { ExperimentContext, ExperimentOption } from "../interface/experiment.js";
import { CHUNK_STEP } from "./design.js";
import type { Range } from "./steps.js";

const limit = (key: keyof Range, flag: string, summary: string): ExperimentOption => ({
  key,
  flag: `${flag} <n>`,
  kind: "integer",
  min: 0,
  max: 1_000_000_000,
  summary,
});

/** The limits of the range. */
export const RANGE_OPTIONS: readonly ExperimentOption[] = [
  limit("leastKv", "--min-kv", "fit decodes with at least n cached tokens each"),
  limit("mostKv", "--max-kv", "… with at most n"),
  limit("leastChunk", "--min-chunk", "fit steps with at least n prompt tokens, if any"),
  limit("mostTokens", "--max-batch", "fit batches of at most n tokens"),
  limit("mostSumKv", "--max-sum-kv", "fit steps with at most n cached tokens in all"),
];

/** How finely the design of a kernel profile goes through the prompt tokens. */
export const CHUNK_STEP_OPTION: ExperimentOption = {
  key: "chunkStep",
  flag: "--chunk-step <n>",
  kind: "integer",
  min: 16,
  max: 1_000_000,
  default: CHUNK_STEP,
  summary: "fit prompt tokens in steps of n (kernel profiles)",
};

/** The range that is fitted: the profile's own, narrowed or widened by flags. */
export function rangeFrom<R extends Range>(options: ExperimentContext["options"], own: R): R {
  const given = RANGE_OPTIONS.flatMap(({ key }) =>
    typeof options[key] === "number" ? [[key, options[key]]] : [],
  );
  return { ...own, ...(Object.fromEntries(given) as Range) };
}

/** A range as the flags that make it. */
export const flagsOf = (range: Range): string =>
  RANGE_OPTIONS.flatMap(({ key, flag }) => {
    const value = range[key as keyof Range];
    return value === undefined ? [] : [`${flag.split(" ")[0]} ${value}`];
  }).join(" ");
