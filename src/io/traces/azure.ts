/** Azure LLM inference traces: wall-clock times with seven digits, sorted. */
import { readWallClock } from "../instants.js";
import type { TraceFormat } from "../trace-format.js";

export const azure: TraceFormat = {
  name: "azure",
  summary: "CSV: TIMESTAMP, ContextTokens, GeneratedTokens",
  source: "Azure LLM inference 2023 and 2024 (Patel et al., Splitwise, ISCA 2024; CC-BY-4.0)",
  arrival: {
    column: "TIMESTAMP",
    read: readWallClock,
    allowed: "a time such as 2023-11-16 18:15:46.6805900",
  },
  promptTokens: "ContextTokens",
  outputTokens: "GeneratedTokens",
};
