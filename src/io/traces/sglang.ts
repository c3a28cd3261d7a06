/** What sglang's bench_serving writes with --output-details: a line a run, with lists of lengths and no instants. */
import { listedRun } from "../listed-run.js";
import type { TraceFormat } from "../trace-format.js";

export const sglang: TraceFormat = {
  name: "sglang",
  summary: "JSON lines of bench_serving --output-details, lengths alone: input_lens, output_lens",
  source: "SGLang (sglang.bench_serving, Apache-2.0)",
  marks: ["input_lens", "output_lens", "total_output_tokens_retokenized"],
  arrival: null,
  promptTokens: "input_lens",
  outputTokens: "output_lens",
  runsOf: (value) => [listedRun(value, ["input_lens", "output_lens"])],
  without: {
    marks: ["total_output_tokens_retokenized"],
    instead: "a result of sglang's bench_serving without its requests (--output-details writes them)",
  },
};
