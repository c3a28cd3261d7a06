/** BurstGPT: requests to ChatGPT and GPT-4 of a campus, in seconds; a request with 0 response tokens has failed. */
import type { TraceFormat } from "../trace-format.js";

export const burstgpt: TraceFormat = {
  name: "burstgpt",
  summary: "CSV: Timestamp (s), Request tokens, Response tokens, and others that are not read",
  source: "BurstGPT (Wang et al., arXiv 2401.17644; CC-BY-4.0)",
  marks: ["Request tokens", "Response tokens"],
  arrival: { column: "Timestamp", unit: "s" },
  promptTokens: "Request tokens",
  outputTokens: "Response tokens",
  rowOf: (cell) => (Number(cell("Response tokens") || NaN) === 0 ? null : cell),
};
