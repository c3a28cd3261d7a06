/** What a server was told, in the keys of a study; and what it was told that cannot be simulated. */
import { describe, expect, test } from "vitest";
import { readArguments } from "../../../src/config/vllm/arguments.js";
import type { Facts } from "../../../src/config/vllm/fact.js";
import type { PythonValue } from "../../../src/config/vllm/python.js";
import { serverSettings, type ServerSettings } from "../../../src/config/vllm/settings.js";
import type { Issue } from "../../../src/core/errors.js";

function settings(facts: Facts): ServerSettings & { readonly problems: readonly string[] } {
  const issues: Issue[] = [];
  const found = serverSettings(facts, issues);
  return { ...found, problems: issues.map(({ message }) => message) };
}
const args = (line: string): ReturnType<typeof settings> => settings(readArguments(line, []));
/** A log's line 7 says all of them. */
const log = (values: Record<string, PythonValue>): ReturnType<typeof settings> =>
  settings(
    new Map(Object.entries(values).map(([name, value]) => [name, { value, at: { file: "s.log", line: 7 } }])),
  );

describe("each setting", () => {
  test.for<[string, object]>([
    ["--max-num-batched-tokens 8k", { engine: { maxTokens: 8000 } }],
    ["--max_num_seqs=512", { engine: { maxSequences: 512 } }],
    ["--block-size 32", { engine: { blockTokens: 32 } }],
    ["--num-gpu-blocks-override 1000", { engine: { kvTokens: 16_000 } }],
    ["--num-gpu-blocks-override 1000 --block-size 32", { engine: { kvTokens: 32_000, blockTokens: 32 } }],
    ["--enable-prefix-caching", { engine: { prefixCaching: null } }],
    ["--no-enable-prefix-caching", { engine: { prefixCaching: false } }],
    ["--scheduler-reserve-full-isl", { engine: { reservePrompt: true } }],
    ["--no-scheduler-reserve-full-isl", { engine: { reservePrompt: false } }],
    ["--watermark 0.01", { engine: { watermark: 0.01 } }],
    ["--async-scheduling", { engine: { async: true } }],
    ["--no-async-scheduling", { engine: { async: false } }],
    ["--scheduling-policy priority", { engine: { discipline: { kind: "priority" } } }],
    ["--long-prefill-token-threshold 512", { engine: { chunkSize: 512 } }],
    ["--long-prefill-token-threshold 0", { engine: { chunkSize: null } }],
    ["-dp 4", { engine: { replicas: 4 } }],
    ["--enable-chunked-prefill", {}],
    [
      "--no-enable-chunked-prefill --max-num-batched-tokens 8192",
      { engine: { maxTokens: 8192, async: true }, schedulers: "orca" },
    ],
    [
      "--no-enable-chunked-prefill --max-num-batched-tokens 8192 --no-async-scheduling",
      { engine: { maxTokens: 8192, async: false }, schedulers: "orca" },
    ],
    ["-pp 1 -dcp 1 --kv-offloading-size 0 --runner generate --performance-mode balanced", {}],
    [
      "--performance-mode throughput --max-num-seqs 9 --max-num-batched-tokens 99",
      { engine: { maxSequences: 9, maxTokens: 99 } },
    ],
  ])("%s", ([line, values]) => {
    const { layer, problems } = args(line);
    expect([layer.values, problems]).toEqual([values, []]);
  });

  test("a log's version is the scheduler's; before 0.14 it does not compose ahead unless it says so", () => {
    expect(log({ version: "0.19.0" }).layer.values).toEqual({ scheduler: { version: "0.19" } });
    expect(log({ version: "0.27.1" }).layer.values).toEqual({ scheduler: { version: "2026-08" } });
    const old = { scheduler: { version: "0.16" } };
    expect(log({ version: "0.11.0" }).layer.values).toEqual({ ...old, engine: { async: false } });
    expect(log({ version: "0.11.0", async_scheduling: true }).layer.values).toEqual({
      ...old,
      engine: { async: true },
    });
    expect(log({ version: "0.16.0" }).layer.values).toEqual(old);
  });

  test("printed memory outweighs the blocks that were asked for; None was not given", () => {
    const values = { num_gpu_blocks_override: 10, block_size: null, max_num_seqs: null };
    expect(log(values).layer.values).toEqual({ engine: { kvTokens: 160 } });
    expect(log({ ...values, kv_cache_tokens: 128 }).layer.values).toEqual({ engine: { kvTokens: 128 } });
  });

  test("each has a place for errors; GPUs and all else are kept apart", () => {
    const told = log({ max_num_seqs: 4, tensor_parallel_size: 2, model: "m", seed: 0 });
    expect(told.layer.origin!("engine.maxSequences")).toBe("s.log:7: engine.maxSequences");
    expect([told.gpus, told.ignored]).toEqual([
      { count: 2, at: "s.log:7: ", name: "tensor_parallel_size" },
      ["model", "seed"],
    ]);
    const given = args("--max_num_seqs 4 -tp 8 --model m");
    expect(given.layer.origin!("engine.maxSequences")).toBe("--vllm-args --max-num-seqs");
    expect(given.gpus).toEqual({ count: 8, at: "--vllm-args: ", name: "--tensor-parallel-size" });
  });
});

describe("what cannot be simulated", () => {
  test("is refused all at once, each where it was said", () => {
    expect(
      args(
        `-pp 2 --kv-transfer-config '{"kv_connector": "X"}' --speculative-config.method ngram -dcp 2 ` +
          "--kv-offloading-size 4 --max-num-partial-prefills 2 --scheduler-cls mine.Own --runner pooling --config c.yaml",
      ).problems,
    ).toEqual([
      '--vllm-args: unsupported --kv-transfer-config: {"kv_connector": "X"} (none: a KV connector changes the schedule and is not simulated)',
      "--vllm-args: unsupported --kv-offloading-size: 4 (none: KV memory on the host changes the schedule and is not simulated)",
      "--vllm-args: unsupported --pipeline-parallel-size: 2 (1: pipeline parallelism changes the schedule and is not simulated)",
      "--vllm-args: unsupported --decode-context-parallel-size: 2 (1: context parallelism changes the schedule and is not simulated)",
      "--vllm-args: unsupported --speculative-config: ngram (none: speculative decoding changes the schedule and is not simulated)",
      "--vllm-args: unsupported --max-num-partial-prefills: 2 (1: more changes the schedule and is not simulated)",
      "--vllm-args: unsupported --scheduler-cls: mine.Own (vLLM's own: any other is not simulated)",
      "--vllm-args: unsupported --config: c.yaml (none: that file is not read, give its settings as flags)",
      "--vllm-args: unsupported --runner: pooling (generate: pooling is not simulated)",
    ]);
    expect(
      log({
        speculative_config: { opaque: "SpeculativeConfig(method='mtp')" },
        pipeline_parallel_size: 4,
        config: "c.yaml",
      }).problems,
    ).toEqual([
      "s.log:7: unsupported pipeline_parallel_size: 4 (1: pipeline parallelism changes the schedule and is not simulated)",
      "s.log:7: unsupported speculative_config: SpeculativeConfig(method='mtp') (none: speculative decoding changes the schedule and is not simulated)",
    ]);
  });

  test.for<[string, string]>([
    [
      "--no-enable-chunked-prefill",
      "missing max_num_batched_tokens (without chunked prefill it is the model's context length, or more)",
    ],
    [
      "--performance-mode throughput",
      "unsupported --performance-mode: throughput (it doubles the card's defaults: give max_num_batched_tokens and max_num_seqs)",
    ],
    ["-tp two", "invalid --tensor-parallel-size: two (an integer at least 1)"],
    ["-tp 0", "invalid --tensor-parallel-size: 0 (an integer at least 1)"],
    ["--max-num-seqs --seed 1", "missing value: --max-num-seqs"],
  ])("%s", ([line, problem]) => expect(args(line).problems).toEqual([`--vllm-args: ${problem}`]));

  test("a version that nobody knows", () => {
    for (const version of ["9.0.0", "0.1.dev7+gabc", "dev"])
      expect(log({ version }).problems).toEqual([
        `s.log:7: unknown version of vLLM: ${version} (0.7 or later, below 1)`,
      ]);
  });
});
