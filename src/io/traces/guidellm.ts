/** guidellm's report: a document of benchmarks, each a run at a load of its own, with its requests by how they ended. */
import type { JsonObject, RecordedRun, TraceFormat } from "../trace-format.js";
import { valueAt } from "../trace-records.js";

/** Where the instant of a request stands, by version. */
const STARTS = ["request_start_time", "start_time", "info.timings.request_start"];

function startOf(request: unknown): unknown {
  return STARTS.map((path) => valueAt(request, path)).find((value) => typeof value === "number");
}

function listAt(benchmark: unknown, status: string): readonly unknown[] {
  const list = valueAt(benchmark, `requests.${status}`);
  return Array.isArray(list) ? list : [];
}

function runOf(benchmark: unknown, number: number): RecordedRun {
  const successful = listAt(benchmark, "successful");
  const failed = [...listAt(benchmark, "errored"), ...listAt(benchmark, "incomplete")];
  const total = valueAt(benchmark, "metrics.request_totals.successful");
  const cells = (request: unknown): JsonObject => ({
    [STARTS[0]]: startOf(request),
    prompt_tokens: valueAt(request, "prompt_tokens"),
    output_tokens: valueAt(request, "output_tokens"),
  });
  return {
    rows: [...successful.map(cells), ...failed.map(() => null)],
    place: (i) => `benchmarks[${number}].requests.successful[${i}]`,
    total: typeof total === "number" ? total + failed.length : undefined,
  };
}

export const guidellm: TraceFormat = {
  name: "guidellm",
  summary: "JSON report: benchmarks, of their requests request_start_time (s), prompt_tokens, output_tokens",
  source: "GuideLLM (vLLM project, Apache-2.0)",
  marks: ["benchmarks"],
  arrival: { column: "request_start_time", unit: "s" },
  promptTokens: "prompt_tokens",
  outputTokens: "output_tokens",
  isUnordered: true,
  runsOf(value) {
    const { benchmarks } = value;
    if (!Array.isArray(benchmarks)) throw new RangeError("invalid benchmarks: not a list");
    return benchmarks.map(runOf);
  },
};
