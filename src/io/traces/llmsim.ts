/** This project's own CSV, the plain one to convert anything else to (docs/traffic.md). */
import type { TraceFormat } from "../trace-format.js";

export const llmsim: TraceFormat = {
  name: "llmsim",
  summary: "CSV: arrival_s, prompt_tokens, output_tokens, and if known prefix_hit_tokens, priority",
  source: "docs/traffic.md",
  marks: ["prompt_tokens", "output_tokens"],
  lacks: ["arrived_at_s"],
  arrival: { column: "arrival_s", unit: "s" },
  promptTokens: "prompt_tokens",
  outputTokens: "output_tokens",
};
