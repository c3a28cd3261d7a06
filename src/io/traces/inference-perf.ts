/** inference-perf's report of each request, an array; its versions keep token counts in two places. */
import type { TraceFormat } from "../trace-format.js";

/** Where else a count may stand. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "info.input_tokens": "info.request_metrics.text.input_tokens",
  "info.output_tokens": "info.response_metrics.output_tokens",
};

export const inferencePerf: TraceFormat = {
  name: "inference-perf",
  summary:
    "JSON array of per_request_lifecycle_metrics.json: start_time (s), info.input_tokens, info.output_tokens",
  source: "inference-perf (Kubernetes SIGs, Apache-2.0)",
  marks: ["start_time", "end_time", "info"],
  arrival: { column: "start_time", unit: "s" },
  promptTokens: "info.input_tokens",
  outputTokens: "info.output_tokens",
  isUnordered: true,
  rowOf: (cell) =>
    (cell("error") ?? "null") === "null"
      ? (column) => cell(column) ?? cell(ELSEWHERE[column] ?? column)
      : null,
  without: {
    marks: ["load_summary", "successes"],
    instead:
      "a summary of inference-perf (per_request_lifecycle_metrics.json has the requests: report.request_lifecycle.per_request: true)",
  },
};
