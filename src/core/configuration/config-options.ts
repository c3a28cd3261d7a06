/** The options of a configuration that belong to no member of a family: engine, conventions, horizon. */
import { STANDARD } from "../options/conventions.js";
import type { OptionSpec } from "../options/definition.js";
import { BLOCK_TOKENS } from "../numbers/units.js";

const INT32 = 2_147_483_647;

export const WORKLOAD_OPTIONS: readonly OptionSpec[] = [
  {
    key: "maxConcurrency",
    kind: "integer",
    min: 1,
    max: INT32,
    nullable: true,
    default: null,
    summary: "requests of an open stream that are out at once: the client holds back the others",
  },
];

export const ENGINE_OPTIONS: readonly OptionSpec[] = [
  {
    key: "maxTokens",
    kind: "integer",
    min: 1,
    max: INT32,
    default: 2048,
    unit: "tokens",
    summary: "token budget of an iteration",
  },
  {
    key: "maxSequences",
    kind: "integer",
    min: 1,
    max: INT32,
    default: 1000,
    summary: "sequence cap of a replica",
  },
  {
    key: "chunkSize",
    kind: "integer",
    min: 1,
    max: INT32,
    nullable: true,
    default: null,
    unit: "tokens",
    summary: "chunk size of chunked prefill",
  },
  {
    key: "replicas",
    kind: "integer",
    min: 1,
    max: 10_000,
    default: 1,
    summary: "engines",
  },
  {
    key: "kvTokens",
    kind: "integer",
    min: 2,
    max: INT32,
    nullable: true,
    default: null,
    unit: "tokens",
    summary: "KV memory of a replica, at least 2 blocks",
  },
  {
    key: "blockTokens",
    kind: "integer",
    min: 1,
    max: 1024,
    default: BLOCK_TOKENS,
    unit: "tokens",
    summary: "size of a KV block, a power of two",
  },
  {
    key: "prefixCaching",
    kind: "boolean",
    nullable: true,
    default: null,
    summary: "none: own blocks and given prefix hits are found again; false: nothing is",
  },
  {
    key: "reservePrompt",
    kind: "boolean",
    nullable: true,
    default: null,
    summary: "admitted where the whole prompt fits, not only its chunk; none: as the scheduler has it",
  },
  {
    key: "watermark",
    kind: "number",
    min: 0,
    max: 1,
    below: true,
    default: 0,
    summary: "share of the KV blocks that an admission leaves free while anybody runs",
  },
  {
    key: "async",
    kind: "boolean",
    nullable: true,
    default: null,
    summary: "asynchronous scheduling; none: as the scheduler has it",
  },
  {
    key: "overheadMs",
    kind: "number",
    min: 0,
    max: 1e6,
    default: 0,
    unit: "ms",
    summary: "time of each request before the engine sees it",
  },
];

export const CONVENTION_OPTIONS: readonly OptionSpec[] = [
  {
    key: "firstToken",
    kind: "choice",
    choices: ["prefill", "decode"],
    default: STANDARD.firstToken,
    summary: "which iteration emits output token 1",
  },
  {
    key: "mixedBatch",
    kind: "choice",
    choices: ["sum", "max"],
    default: STANDARD.mixedBatch,
    summary: "cost of a mixed batch: of all tokens, or of the dearer side",
  },
  {
    key: "sequenceCap",
    kind: "choice",
    choices: ["resident", "iteration"],
    default: STANDARD.sequenceCap,
    summary: "what maxSequences limits: resident sequences, or sequences of an iteration",
  },
  {
    key: "tbt",
    kind: "choice",
    choices: ["gaps", "tokens"],
    default: STANDARD.tbt,
    summary: "divisor of a request's time between tokens: B − 1 gaps, or B tokens",
  },
];

/** 2^53 ns in seconds, rounded down: the longest time window the clock can count. */
export const LONGEST_WINDOW_SECONDS = 9_000_000;
export const HORIZON_OPTIONS: readonly OptionSpec[] = [
  {
    key: "tmaxSeconds",
    kind: "number",
    min: 0,
    above: true,
    max: LONGEST_WINDOW_SECONDS,
    default: 5000,
    unit: "s",
    summary: "arrivals end here",
  },
  {
    key: "maxRequests",
    kind: "integer",
    min: 1,
    max: INT32,
    nullable: true,
    default: null,
    summary: "arrivals end after this many requests",
  },
  {
    key: "warmupSeconds",
    kind: "number",
    min: 0,
    max: LONGEST_WINDOW_SECONDS,
    default: 0,
    unit: "s",
    summary: "requests that arrive earlier are not measured",
  },
];
