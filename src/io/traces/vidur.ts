/** Vidur's processed length tables: prompts and outputs of a data set, without instants. */
import type { TraceFormat } from "../trace-format.js";

export const vidur: TraceFormat = {
  name: "vidur",
  summary: "CSV of lengths alone: num_prefill_tokens, num_decode_tokens",
  source: "Vidur (Agrawal et al., MLSys 2024; MIT)",
  arrival: null,
  promptTokens: "num_prefill_tokens",
  outputTokens: "num_decode_tokens",
};
