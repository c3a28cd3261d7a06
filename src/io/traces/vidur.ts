/** Vidur's processed tables: prompts and outputs of a data set, with instants where it has some. */
import type { TraceFormat } from "../trace-format.js";

export const vidur: TraceFormat = {
  name: "vidur",
  summary: "CSV: arrived_at (s), num_prefill_tokens, num_decode_tokens; without arrived_at lengths alone",
  source: "Vidur (Agrawal et al., MLSys 2024; MIT)",
  marks: ["num_prefill_tokens", "num_decode_tokens"],
  arrival: { column: "arrived_at", unit: "s", mayLack: true },
  promptTokens: "num_prefill_tokens",
  outputTokens: "num_decode_tokens",
};
