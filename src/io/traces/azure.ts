/** Azure LLM inference traces: wall-clock times with seven digits, sorted. */
import type { TraceFormat } from "../trace-format.js";

export const azure: TraceFormat = {
  name: "azure",
  summary: "CSV: TIMESTAMP, ContextTokens, GeneratedTokens",
  source: "Azure LLM inference 2023 and 2024 (Patel et al., Splitwise, ISCA 2024; CC-BY-4.0)",
  marks: ["ContextTokens", "GeneratedTokens"],
  arrival: { column: "TIMESTAMP", unit: "clock" },
  promptTokens: "ContextTokens",
  outputTokens: "GeneratedTokens",
};
