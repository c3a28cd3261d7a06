/** aiperf's record of each request, written when it is answered; requests that warmed the engine up are no part of it. */
import type { TraceFormat } from "../trace-format.js";

export const aiperf: TraceFormat = {
  name: "aiperf",
  summary: "JSON lines of profile_export.jsonl: metadata.request_start_ns, metrics.*_sequence_length.value",
  source: "aiperf profile (NVIDIA, Apache-2.0)",
  marks: ["metadata.request_start_ns"],
  arrival: { column: "metadata.request_start_ns", unit: "ns" },
  promptTokens: "metrics.input_sequence_length.value",
  outputTokens: "metrics.output_sequence_length.value",
  isUnordered: true,
  rowOf(cell) {
    if (cell("metadata.benchmark_phase") === "warmup") return undefined;
    return (cell("error") ?? "null") === "null" && cell("metadata.was_cancelled") !== "true" ? cell : null;
  },
  without: {
    marks: ["request_throughput", "request_latency", "input_config"],
    instead: "a summary of aiperf (profile_export.jsonl beside it has the requests)",
  },
};
