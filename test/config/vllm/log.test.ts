/** A server's log: which of its lines are read, whatever stands around them, and what contradicts itself. */
import { describe, expect, test } from "vitest";
import { LogReader } from "../../../src/config/vllm/log.js";
import { matters } from "../../../src/config/vllm/settings.js";
import type { Issue } from "../../../src/core/errors.js";

/** Made up after vLLM 0.19's, with what others put around it. */
export const LOG = [
  "$ vllm serve org/model --max-num-seqs 512",
  "2026-05-01T10:00:00Z (APIServer pid=7) INFO 05-01 10:00:00 [utils.py:233] non-default args: {'model_tag': 'org/model', 'max_num_seqs': 512, 'compilation_config': {'mode': 3, 'x': <Mode.FULL: (2, 1)>}, 'lora': None}",
  "(APIServer pid=7) INFO 05-01 10:00:01 [scheduler.py:238] Chunked prefill is enabled with max_num_batched_tokens=8192.",
  "(APIServer pid=7) \u001b[32mINFO\u001b[0m 05-01 10:00:01 [vllm.py:790] Asynchronous scheduling is enabled.\u001b[0m",
  "(EngineCore pid=9) INFO 05-01 10:00:02 [core.py:105] Initializing a V1 LLM engine (v0.19.0) with config: model='org/model', speculative_config=None, dtype=torch.bfloat16, tensor_parallel_size=1, pipeline_parallel_size=1, data_parallel_size=1, served_model_name=org/model, enable_prefix_caching=True, enable_chunked_prefill=True, compilation_config={'mode': 3}",
  "(EngineCore pid=9) INFO 05-01 10:00:30 [kv_cache_utils.py:1316] GPU KV cache size: 430,912 tokens\r",
  "(APIServer pid=7) INFO 05-01 10:01:00 [loggers.py:259] Engine 000: Running: 3 reqs, GPU KV cache usage: 0.1%",
];

function read(lines: readonly string[]): [Record<string, unknown>, string[]] {
  const reader = new LogReader("server.log", matters);
  for (const line of lines) reader.read(line);
  const issues: Issue[] = [];
  const facts = [...reader.end(issues)].map(([name, { value, at }]) => [name, [value, at!.line]]);
  return [Object.fromEntries(facts) as Record<string, unknown>, issues.map(({ message }) => message)];
}

describe("a log", () => {
  test("says what it says, with its lines, in whatever stands around them", () => {
    const [facts, issues] = read(LOG);
    expect(issues).toEqual([]);
    expect(facts).toMatchObject({
      model_tag: ["org/model", 2],
      max_num_seqs: [512, 2],
      lora: [null, 2],
      max_num_batched_tokens: [8192, 3],
      async_scheduling: [true, 4],
      version: ["0.19.0", 5],
      speculative_config: [null, 5],
      enable_prefix_caching: [true, 5],
      kv_cache_tokens: [430_912, 6],
    });
    expect(facts).not.toHaveProperty("data_parallel_size");
    expect(facts).not.toHaveProperty("served_model_name");
  });

  test("newer versions put the concurrency behind the memory; each line alone is enough", () => {
    for (const [line, name, value] of [
      [
        "GPU KV cache size: 112,347 tokens, Maximum concurrency for 98,304 tokens per request: 1.14x",
        "kv_cache_tokens",
        112_347,
      ],
      ["Asynchronous scheduling is disabled.", "async_scheduling", false],
      ["Chunked prefill is enabled with max_num_batched_tokens=2048.", "max_num_batched_tokens", 2048],
      ["non-default args: {'block_size': 32}", "block_size", 32],
      ["Initializing a V1 LLM engine (v0.29.0) with config: x", "version", "0.29.0"],
    ] as const)
      expect(read([line])).toEqual([{ [name]: [value, 1] }, []]);
  });

  test("what is printed of what it does outweighs what it was asked for", () => {
    const [facts, issues] = read([
      "non-default args: {'enable_prefix_caching': True, 'async_scheduling': True}",
      "Asynchronous scheduling is disabled.",
      "Initializing a V1 LLM engine (v0.19.0) with config: enable_prefix_caching=False",
    ]);
    expect([facts.async_scheduling, facts.enable_prefix_caching, issues]).toEqual([
      [false, 2],
      [false, 3],
      [],
    ]);
  });

  test("of another program, or of no line that counts, is refused", () => {
    for (const lines of [
      [],
      ["INFO server started"],
      ["GPU KV cache size: unknown", "Asynchronous scheduling is on", "non-default arguments: {}"],
    ])
      expect(read(lines)[1]).toEqual([
        expect.stringMatching(
          /^server\.log: no line of a vLLM server that starts \(non-default args:…; Chunked/,
        ),
      ]);
  });

  test("lines that differ are told with both numbers, each setting once; the same line twice is no matter", () => {
    expect(read([...LOG, ...LOG])[1]).toEqual([]);
    expect(
      read([
        ...LOG,
        "GPU KV cache size: 400,000 tokens",
        "GPU KV cache size: 300,000 tokens",
        "Asynchronous scheduling is disabled.",
        "Initializing a V1 LLM engine (v0.20.0) with config: enable_prefix_caching=True, enable_chunked_prefill=True, tensor_parallel_size=2, pipeline_parallel_size=1, seed=3",
        "non-default args: {'model_tag': 'other', 'max_num_seqs': 64, 'block_size': 32}",
      ])[1],
    ).toEqual([
      "server.log:8: kv_cache_tokens is 400000, but 430912 in line 6 (the log of one server)",
      "server.log:10: async_scheduling is false, but true in line 4 (the log of one server)",
      "server.log:11: version is 0.20.0, but 0.19.0 in line 5 (the log of one server)",
      "server.log:11: tensor_parallel_size is 2, but 1 in line 5 (the log of one server)",
      "server.log:12: max_num_seqs is 64, but 512 in line 2 (the log of one server)",
      "server.log:12: block_size is 32, but nothing in line 2 (the log of one server)",
    ]);
    // A budget is never changed by the server.
    expect(read(["non-default args: {'max_num_batched_tokens': 4096}", LOG[2]!])[1]).toEqual([
      "server.log:2: max_num_batched_tokens is 8192, but 4096 in line 1 (the log of one server)",
    ]);
  });

  test("a dict that cannot be read is told with its line", () => {
    expect(read(["x", "non-default args: {'max_num_seqs': 5"])[1]).toEqual([
      "server.log:2: unreadable non-default args (a dict of Python)",
    ]);
    expect(read(["non-default args: ['max_num_seqs']"])[1]).toHaveLength(1);
  });
});
