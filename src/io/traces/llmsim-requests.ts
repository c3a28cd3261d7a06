/** What `--requests` writes: the requests of a trial, once for each scheduler, which serves the same ones. */
import type { TraceFormat } from "../trace-format.js";

export const llmsimRequests: TraceFormat = {
  name: "llmsim-requests",
  summary: "CSV of --requests: scheduler, arrived_at_s, prompt_tokens, output_tokens; of one scheduler",
  source: "llmsim run --requests FILE",
  marks: ["scheduler", "arrived_at_s", "prompt_tokens", "output_tokens"],
  arrival: { column: "arrived_at_s", unit: "s" },
  promptTokens: "prompt_tokens",
  outputTokens: "output_tokens",
  runColumn: "scheduler",
};
