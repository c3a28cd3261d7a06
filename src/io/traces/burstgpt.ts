/** BurstGPT: requests to ChatGPT and GPT-4 of a campus, in seconds; a request with 0 response tokens has failed. */
import { readSeconds } from "../instants.js";
import type { TraceFormat } from "../trace-format.js";

export const burstgpt: TraceFormat = {
  name: "burstgpt",
  summary: "CSV: Timestamp (s), Request tokens, Response tokens, and others that are not read",
  source: "BurstGPT (Wang et al., arXiv 2401.17644; CC-BY-4.0)",
  arrival: { column: "Timestamp", read: readSeconds, allowed: "a number of seconds at least 0" },
  promptTokens: "Request tokens",
  outputTokens: "Response tokens",
  leavesOutFailed: true,
};
