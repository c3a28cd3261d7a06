/** Qwen-Bailian: Mooncake's form with chats, in seconds; a turn of a chat arrives when it did, whatever came before. */
import type { TraceFormat } from "../trace-format.js";

export const bailian: TraceFormat = {
  name: "bailian",
  summary: "JSON lines: chat_id, timestamp (s), input_length, output_length",
  source: "Qwen-Bailian (Wang et al., KVCache Cache in the Wild, ATC 2025; Apache-2.0)",
  marks: ["chat_id", "input_length", "output_length"],
  arrival: { column: "timestamp", unit: "s" },
  promptTokens: "input_length",
  outputTokens: "output_length",
  hashes: "hash_ids",
};
