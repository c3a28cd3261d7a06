/** Mooncake: a JSON object a line, in milliseconds; files of that form in seconds have fractions. */
import type { TraceFormat } from "../trace-format.js";

export const mooncake: TraceFormat = {
  name: "mooncake",
  summary: "JSON lines: timestamp (ms; s where there is a fraction), input_length, output_length",
  source: "Mooncake (Qin et al., FAST 2025; Apache-2.0)",
  marks: ["input_length", "output_length"],
  lacks: ["chat_id"],
  arrival: { column: "timestamp", unit: "s or ms" },
  promptTokens: "input_length",
  outputTokens: "output_length",
  hashes: "hash_ids",
};
