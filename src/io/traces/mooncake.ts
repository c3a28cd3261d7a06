/** Mooncake: a JSON object a line, in milliseconds; the hashes of its prefix blocks are not read. */
import { readMilliseconds } from "../instants.js";
import type { TraceFormat } from "../trace-format.js";

export const mooncake: TraceFormat = {
  name: "mooncake",
  summary: "JSON lines: timestamp (ms), input_length, output_length",
  source: "Mooncake (Qin et al., FAST 2025; Apache-2.0)",
  arrival: { column: "timestamp", read: readMilliseconds, allowed: "a number of milliseconds at least 0" },
  promptTokens: "input_length",
  outputTokens: "output_length",
};
