/**
 * The flags of every command that simulates, as data: each sets one key of the configuration. Their ranges,
 * defaults and summaries are the configuration's own.
 */
import { CONVENTION_OPTIONS, ENGINE_OPTIONS, HORIZON_OPTIONS } from "../core/config.js";
import type { OptionSpec } from "../core/definition.js";
import { builtIn, member } from "../core/registry.js";

export interface ModelFlag {
  /** As commander reads it. */
  readonly flag: string;
  /** Dotted key that it sets; several where one word sets them all. */
  readonly key: string;
  readonly summary: string;
}

const optionOf = (options: readonly OptionSpec[], key: string): string => {
  const { summary, unit } = options.find((option) => option.key === key)!;
  return unit ? `${summary} (${unit})` : summary;
};
const affine = member(builtIn.serviceTimes, "affine").options;
const hybrid = member(builtIn.schedulers, "hybrid").options;
const poisson = member(builtIn.arrivals, "poisson").options;
/** A recorded trace has no rate: it comes by --trace. */
const withRate = builtIn.arrivals.filter(({ options }) => options.some(({ key }) => key === "ratePerSecond"));
const gamma = member(builtIn.arrivals, "gamma").options;

export const MODEL_FLAGS: readonly ModelFlag[] = [
  {
    flag: "--lam <rate>",
    key: "workload.arrivals.ratePerSecond",
    summary: optionOf(poisson, "ratePerSecond"),
  },
  {
    flag: "--arrivals <name>",
    key: "workload.arrivals.kind",
    summary: `arrival process: ${withRate.map(({ name }) => name).join(", ")}`,
  },
  {
    flag: "--cv <x>",
    key: "workload.arrivals.cv",
    summary: `of gamma and weibull: ${optionOf(gamma, "cv")}`,
  },
  { flag: "--tmax <s>", key: "horizon.tmaxSeconds", summary: optionOf(HORIZON_OPTIONS, "tmaxSeconds") },
  { flag: "--n-queries <n>", key: "horizon.maxRequests", summary: optionOf(HORIZON_OPTIONS, "maxRequests") },
  { flag: "--warmup <s>", key: "horizon.warmupSeconds", summary: optionOf(HORIZON_OPTIONS, "warmupSeconds") },
  { flag: "--ntrials <n>", key: "trials", summary: "trials (replications)" },
  { flag: "--max-tokens <n>", key: "engine.maxTokens", summary: optionOf(ENGINE_OPTIONS, "maxTokens") },
  {
    flag: "--max-sequences <n>",
    key: "engine.maxSequences",
    summary: optionOf(ENGINE_OPTIONS, "maxSequences"),
  },
  { flag: "--num-gpus <n>", key: "engine.replicas", summary: optionOf(ENGINE_OPTIONS, "replicas") },
  { flag: "--chunk-size <k>", key: "engine.chunkSize", summary: optionOf(ENGINE_OPTIONS, "chunkSize") },
  { flag: "--c-ms <ms>", key: "service.cMs", summary: optionOf(affine, "cMs") },
  { flag: "--a-ms <ms>", key: "service.aMs", summary: optionOf(affine, "aMs") },
  { flag: "--b0 <tokens>", key: "service.b0", summary: optionOf(affine, "b0") },
  { flag: "--ratio <r>", key: "scheduler.ratio", summary: optionOf(hybrid, "ratio") },
  { flag: "--ratio-of <what>", key: "scheduler.ratioOf", summary: optionOf(hybrid, "ratioOf") },
  {
    flag: "--conventions <name>",
    key: "conventions",
    summary: `standard or reference: ${CONVENTION_OPTIONS.map(({ key }) => key).join(", ")} together`,
  },
];
