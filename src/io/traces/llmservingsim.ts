/** LLMServingSim's workloads: independent requests, in nanoseconds. */
import type { TraceFormat } from "../trace-format.js";

export const llmservingsim: TraceFormat = {
  name: "llmservingsim",
  summary: "JSON lines: arrival_time_ns, input_toks, output_toks",
  source: "LLMServingSim (Cho et al., IISWC 2024; MIT), its flat workloads",
  marks: ["input_toks", "output_toks"],
  arrival: { column: "arrival_time_ns", unit: "ns" },
  promptTokens: "input_toks",
  outputTokens: "output_toks",
  without: {
    marks: ["sub_requests"],
    instead:
      "sessions whose calls wait for each other are not read (only requests with input_toks of their own)",
  },
};
