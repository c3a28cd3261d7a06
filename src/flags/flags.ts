/**
 * The flags of every command that simulates, as data: each sets one key of the configuration. Their ranges,
 * defaults and summaries are the configuration's own.
 */
import {
  CONVENTION_OPTIONS,
  ENGINE_OPTIONS,
  HORIZON_OPTIONS,
  WORKLOAD_OPTIONS,
} from "../core/configuration/config.js";
import type { OptionSpec } from "../core/options/definition.js";
import { builtIn, member } from "../core/configuration/registry.js";

export interface ModelFlag {
  /** As commander reads it. */
  readonly flag: string;
  /** Dotted key that it sets; several where one word sets them all. */
  readonly key: string;
  readonly summary: string;
  /** Its value is a list of numbers. */
  readonly isList?: boolean;
}

const optionOf = (options: readonly OptionSpec[], key: string): string => {
  const { summary, unit } = options.find((option) => option.key === key)!;
  return unit ? `${summary} (${unit})` : summary;
};
const affine = member(builtIn.serviceTimes, "affine").options;
const hybrid = member(builtIn.schedulers, "hybrid").options;
const sjf = member(builtIn.disciplines, "sjf").options;
const priority = member(builtIn.disciplines, "priority").options;
const poisson = member(builtIn.arrivals, "poisson").options;
/** A recorded trace comes by --trace. */
const byName = builtIn.arrivals.filter(({ replays }) => !replays);
/** The summary of an option that some of them have, and which. */
const ofSome = (key: string): string => {
  const having = byName.filter(({ options }) => options.some((option) => option.key === key));
  return `of ${having.map(({ name }) => name).join(" and ")}: ${optionOf(having[0].options, key)}`;
};

/** A flag without a value, and its opposite; neither leaves the setting as it is. */
export interface ModelSwitch {
  readonly on: string;
  readonly off: string;
  /** Dotted key that they set to true and false. */
  readonly key: string;
  readonly summary: string;
  readonly offSummary: string;
}

export const MODEL_SWITCHES: readonly ModelSwitch[] = [
  {
    on: "--async-scheduling",
    off: "--no-async-scheduling",
    key: "engine.async",
    summary: "batches are composed one iteration ahead (vllm does)",
    offSummary: "batches are composed when the replica is free",
  },
];

export const MODEL_FLAGS: readonly ModelFlag[] = [
  {
    flag: "--lam <rate>",
    key: "workload.arrivals.ratePerSecond",
    summary: optionOf(poisson, "ratePerSecond"),
  },
  {
    flag: "--arrivals <name>",
    key: "workload.arrivals.kind",
    summary: `arrival process: ${byName.map(({ name }) => name).join(", ")}`,
  },
  {
    flag: "--cv <x>",
    key: "workload.arrivals.cv",
    summary: ofSome("cv"),
  },
  {
    flag: "--clients <n>",
    key: "workload.arrivals.clients",
    summary: ofSome("clients"),
  },
  {
    flag: "--think <s>",
    key: "workload.arrivals.thinkSeconds",
    summary: ofSome("thinkSeconds"),
  },
  {
    flag: "--max-concurrency <n>",
    key: "workload.maxConcurrency",
    summary: `${optionOf(WORKLOAD_OPTIONS, "maxConcurrency")} (--clients is the closed loop)`,
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
  { flag: "--kv-tokens <n>", key: "engine.kvTokens", summary: optionOf(ENGINE_OPTIONS, "kvTokens") },
  { flag: "--overhead-ms <ms>", key: "engine.overheadMs", summary: optionOf(ENGINE_OPTIONS, "overheadMs") },
  {
    flag: "--router <name>",
    key: "engine.router.kind",
    summary: `router of several replicas: ${builtIn.routers.map(({ name }) => name).join(", ")}`,
  },
  {
    flag: "--discipline <name>",
    key: "engine.discipline.kind",
    summary: `order of the unstarted prompts: ${builtIn.disciplines.map(({ name }) => name).join(", ")}`,
  },
  {
    flag: "--prediction-noise <sigma>",
    key: "engine.discipline.predictionNoise",
    summary: optionOf(sjf, "predictionNoise"),
  },
  {
    flag: "--classes <shares>",
    key: "engine.discipline.classes",
    summary: optionOf(priority, "classes"),
    isList: true,
  },
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

/** What a command that brings its own requests leaves to the user: the machine that serves them. */
export const MACHINE_KEYS = ["hardware", "service", "engine", "conventions", "scheduler", "schedulers"];

/** The flags that set these, for one engine. */
export const MACHINE_FLAGS: readonly ModelFlag[] = MODEL_FLAGS.filter(
  ({ key }) => MACHINE_KEYS.includes(key.split(".")[0]) && !/replicas|router/.test(key),
);
