/** This project's own CSV, the plain one to convert anything else to (docs/traffic.md). */
import { readSeconds } from "../instants.js";
import type { TraceFormat } from "../trace-format.js";

export const llmsim: TraceFormat = {
  name: "llmsim",
  summary: "CSV: arrival_s, prompt_tokens, output_tokens, and if known prefix_hit_tokens, priority",
  source: "docs/traffic.md",
  arrival: { column: "arrival_s", read: readSeconds, allowed: "a number of seconds at least 0" },
  promptTokens: "prompt_tokens",
  outputTokens: "output_tokens",
};
