/** What `vllm bench serve --save-result --save-detailed` writes: a document a run, with a list for each measure. */
import { listedRun } from "../listed-run.js";
import type { TraceFormat } from "../trace-format.js";

export const vllm: TraceFormat = {
  name: "vllm",
  summary: "JSON of vllm bench serve --save-detailed: start_times (s), input_lens, output_lens",
  source: "vLLM (vllm bench serve, Apache-2.0)",
  marks: ["input_lens", "output_lens"],
  lacks: ["total_output_tokens_retokenized"],
  arrival: { column: "start_times", unit: "s", mayLack: true },
  promptTokens: "input_lens",
  outputTokens: "output_lens",
  isUnordered: true,
  runsOf: (value) => [listedRun(value, ["input_lens", "output_lens", "start_times"])],
  without: {
    marks: ["num_prompts", "request_throughput", "total_input_tokens"],
    instead: "a result of vllm bench serve without its requests (--save-detailed writes them)",
  },
};
