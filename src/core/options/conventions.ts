/** The conventions: what a simulator may count one way or another (model §3). */
export interface Conventions {
  /** Which iteration emits output token 1. */
  readonly firstToken: "prefill" | "decode";
  /** What a mixed batch costs: the sum of its tokens, or its dearer side. */
  readonly mixedBatch: "sum" | "max";
  /** What maxSequences limits: residents, or the sequences of an iteration. */
  readonly sequenceCap: "resident" | "iteration";
  /** Divisor of a request's time between tokens: its gaps, or its tokens. */
  readonly tbt: "gaps" | "tokens";
}

/** What vLLM does. */
export const STANDARD: Conventions = {
  firstToken: "prefill",
  mixedBatch: "sum",
  sequenceCap: "resident",
  tbt: "gaps",
};
/** What the earlier study did. */
export const REFERENCE: Conventions = {
  firstToken: "decode",
  mixedBatch: "max",
  sequenceCap: "iteration",
  tbt: "tokens",
};
