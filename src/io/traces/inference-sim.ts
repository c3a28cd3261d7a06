/**
 * The table of a trace of inference-sim (BLIS), version 2 and later, in microseconds. A request reaches the engine when
 * it is sent, and its prompt begins with the prefix of its group, which input_tokens leaves out.
 */
import type { CellReader, TraceFormat } from "../trace-format.js";

/** A count above 0, as it is written. */
const positive = (text: string | undefined): string | undefined =>
  text !== undefined && /^\d{1,19}$/.test(text) && Number(text) > 0 ? text : undefined;

function promptOf(cell: CellReader): string | undefined {
  const input = cell("input_tokens");
  if ((cell("prefix_group") ?? "") === "") return positive(cell("server_input_tokens")) ?? input;
  const prefix = positive(cell("prefix_length"));
  return prefix === undefined || positive(input) === undefined
    ? input
    : String(Number(prefix) + Number(input));
}

export const inferenceSim: TraceFormat = {
  name: "inference-sim",
  summary: "CSV of traceV2: arrival_time_us or send_time_us, input_tokens, output_tokens",
  source: "inference-sim (BLIS, Apache-2.0)",
  marks: ["arrival_time_us", "input_tokens", "output_tokens"],
  arrival: { column: "arrival_time_us", unit: "us" },
  promptTokens: "input_tokens",
  outputTokens: "output_tokens",
  priority: "vllm_priority",
  isUnordered: true,
  rowOf(cell) {
    if (["error", "timeout"].includes(cell("status") ?? "")) return null;
    return (column) => {
      if (column === "input_tokens") return promptOf(cell);
      return column === "arrival_time_us" ? (positive(cell("send_time_us")) ?? cell(column)) : cell(column);
    };
  },
};
