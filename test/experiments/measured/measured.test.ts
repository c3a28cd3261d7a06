/**
 * Replays of measured runs: known answers by hand, a run of the simulator's own comes back without error, and a real
 * one within the bounds that are claimed (LLMSIM_MEASURED=DIR, the folder of the run).
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseText } from "../../../src/config/yaml.js";
import { withDefaults } from "../../../src/core/options/check-options.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { ConfigError } from "../../../src/core/errors.js";
import { builtIn, member } from "../../../src/core/configuration/registry.js";
import type { InputFile } from "../../../src/experiments/interface/experiment.js";
import type { Row } from "../../../src/experiments/interface/report.js";
import { replayFigure } from "../../../src/experiments/measured/figure.js";
import { compare, type Comparison } from "../../../src/experiments/measured/agreement.js";
import { measuredTimes, replay, type Times } from "../../../src/experiments/measured/replay.js";
import { type MeasuredRequest, readRequests } from "../../../src/experiments/measured/run.js";
import { settingsOf } from "../../../src/experiments/measured/server-settings.js";
import { missed, readTolerance } from "../../../src/experiments/measured/tolerance.js";
import { parseCsv } from "../../../src/io/csv.js";
import { HARDWARE_FOLDER } from "../../../src/io/hardware.js";
import { parseJsonl } from "../../../src/io/jsonl.js";
import { warningsOf } from "../../charts/compile.js";
import { type Engine, engineWith, GPU, measuredRun } from "../measured-runs.js";

const request = (arrivedAt: number, promptTokens: number, outputTokens: number): MeasuredRequest => ({
  id: "",
  line: 1,
  arrivedAt,
  promptTokens,
  outputTokens,
  hitTokens: 0,
  queuedAt: 0,
  firstTokenAt: 0,
  lastTokenAt: 0,
});

async function inputsOf(files: Readonly<Record<string, string>>): Promise<InputFile[]> {
  const inputs: InputFile[] = [];
  for (const [name, text] of Object.entries(files)) {
    const file = `run/${name}`;
    if (name.endsWith(".jsonl"))
      // As the command line reads them.
      inputs.push({ file, columns: [], ...(parseJsonl(text, file) as { rows: Row[]; lines: number[] }) });
    else if (name.endsWith(".json"))
      inputs.push({ file, columns: [], rows: [], lines: [], values: (await parseText(text, file)).value });
    else inputs.push({ file, ...parseCsv(text, { file }) });
  }
  return inputs;
}

/** Every iteration takes 10 ms. */
const TEN: Spec = { kind: "gpu", hMs: 0, cMs: 10, a1Ms: 0, aMs: 0, b0: 0, kMs: 0, kmMs: 0, f: 1 };
const ROOM: Engine = { maxTokens: 2048, maxSequences: 128 };

describe("replay", () => {
  const replayed = (engine: Engine, run: MeasuredRequest[]): number[][] =>
    replay(engineWith(TEN, engine), run).map(({ ttft, tpot, e2e }) =>
      [ttft, tpot, e2e].map((seconds) => Math.round(seconds * 1e6) / 1000),
    );

  test("times count from the end of the iteration in which a request arrives, at once when idle", () => {
    // The first runs from 0 to 50 ms. At 15 ms the second arrives, seen at 20; at 20 the third, seen then.
    // The last finds the engine idle.
    const run = [request(0, 10, 5), request(0.015, 10, 1), request(0.02, 10, 2), request(1, 10, 3)];
    // Composed as the iteration ends: the second runs from 20 to 30 ms, and so does the third.
    expect(replayed({ ...ROOM, async: false }, run)).toEqual([
      [10, 10, 50],
      [10, NaN, 10],
      [10, 10, 20],
      [10, 10, 30],
    ]);
    // At 20 ms the iteration up to 30 is composed already: both come with the next one.
    expect(replayed(ROOM, run)).toEqual([
      [10, 10, 50],
      [20, NaN, 20],
      [20, 10, 30],
      [10, 10, 30],
    ]);
  });

  test("prefix hits are not computed again, and the time before the engine sees a request is not counted", () => {
    const service = { ...TEN, aMs: 1 };
    const of = (hitTokens: number, overheadMs = 0): Times[] => {
      const config = engineWith(service, ROOM);
      return replay({ ...config, engine: { ...config.engine, overheadMs } }, [
        { ...request(0, 100, 1), hitTokens },
      ]);
    };
    expect(of(0)[0]!.ttft).toBeCloseTo(0.11, 12);
    expect(of(64)[0]!.ttft).toBeCloseTo(0.046, 12);
    // Whole blocks, and one token at least is computed.
    expect(of(100)[0]!.ttft).toBeCloseTo(0.014, 12);
    expect(of(0, 5)[0]!.ttft).toBeCloseTo(0.11, 12);
  });

  test.each([
    ["as vLLM does it", ROOM],
    ["with few places", { maxTokens: 512, maxSequences: 12 }],
    ["with preemptions", { maxTokens: 2048, maxSequences: 128, kvTokens: 8192 }],
    ["synchronous", { maxTokens: 2048, maxSequences: 128, async: false }],
  ] as const)("a run of the simulator's own comes back without error: %s", async (_, engine) => {
    const inputs = await inputsOf(measuredRun(GPU, engine));
    const run = readRequests(inputs, "run");
    const settings = settingsOf(inputs);
    expect(settings).toMatchObject({ source: "run/meta.json", engine });
    const real = run.map(measuredTimes);
    const simulated = replay(engineWith(GPU, engine), run);
    simulated.forEach((times, i) => {
      for (const key of ["ttft", "e2e"] as const) expect(times[key]).toBeCloseTo(real[i]![key], 8);
      if (run[i]!.outputTokens > 1) expect(times.tpot).toBeCloseTo(real[i]!.tpot, 8);
    });
    for (const { errorPct } of compare(real, simulated)) expect(Math.abs(errorPct)).toBeLessThan(1e-4);
    // And it would show: without the penalty of mixed batches it does not come back.
    const other = compare(real, replay(engineWith({ ...GPU, kmMs: 0, cMs: 10 }, engine), run));
    for (const { statistic, errorPct } of other) if (statistic === "mean") expect(errorPct).toBeLessThan(-2);
  });
});

describe("comparison", () => {
  test("mean and percentiles of each time, requests of one token have no TPOT", () => {
    const times = (...ttft: number[]): Times[] =>
      ttft.map((value, i) => ({ ttft: value, tpot: i === 0 ? NaN : value / 10, e2e: 2 * value }));
    const found = compare(times(1, 2, 3, 4), times(2, 3, 4, 5));
    const of = (metric: string, statistic: string): Comparison =>
      found.find((one) => one.metric === metric && one.statistic === statistic)!;
    expect(found).toHaveLength(12);
    expect(of("ttft", "mean")).toMatchObject({ requests: 4, measured: 2.5, simulated: 3.5 });
    expect(of("ttft", "mean").errorPct).toBeCloseTo(40, 9);
    expect(of("ttft", "p50")).toMatchObject({ measured: 2.5, simulated: 3.5 });
    expect(of("e2e", "p90").measured).toBeCloseTo(7.4, 12);
    expect(of("tpot", "mean")).toMatchObject({ requests: 3, measured: 0.3 });
    expect(of("tpot", "mean").errorPct).toBeCloseTo(100 / 3, 9);
    const tolerance = readTolerance("ttft=40.5, e2e=39.9,tpot=33");
    expect(tolerance).toEqual({ ttft: 40.5, e2e: 39.9, tpot: 33 });
    expect(missed(tolerance, found)).toEqual(["tpot", "e2e"]);
    // What no request has cannot be within any bound.
    expect(missed({ tpot: 50 }, compare(times(1), times(1)))).toEqual(["tpot"]);
    for (const text of ["", "ttft", "ttft=x", "ttft=-1", "tbt=1", "ttft=1,ttft=2"])
      expect(() => readTolerance(text), text).toThrow(ConfigError);
  });

  test("the figure compiles without a warning, with a panel for each time that there is", () => {
    const rows = [1, 2, 3].map((x) => ({
      ttft_measured_s: x,
      ttft_simulated_s: x + 0.1,
      tpot_measured_s: null,
      tpot_simulated_s: null,
      e2e_measured_s: x * 9,
      e2e_simulated_s: x * 9,
    }));
    const { path, spec } = replayFigure("run", rows);
    expect(path).toBe("measured_run.png");
    expect(warningsOf(spec as never)).toEqual([]);
    const { description, title } = spec as { description: string; title: { subtitle: string[] } };
    expect(description).toMatch(/TTFT of 3 requests: mean 2.1 s against 2 s\..*E2E of 3 requests/);
    expect(title.subtitle.join(" ")).toMatch(/3 requests, .* TTFT \+5\.0 %, E2E \+0\.0 %/);
  });
});

describe("files of a run", () => {
  test("rows are sorted by arrival, hits may be missing or be called tokens", async () => {
    const files = measuredRun(GPU, ROOM, { count: 20 });
    const reversed = files["requests.jsonl"].trimEnd().split("\n").reverse().join("\n\n");
    const whole = readRequests(await inputsOf(files), "run");
    const other = readRequests(
      await inputsOf({
        ...files,
        "requests.jsonl": reversed,
        "prefix_hits.csv": files["prefix_hits.csv"].replace("prefix_hit_tokens", "tokens"),
      }),
      "run",
    );
    const bare = (run: MeasuredRequest[]): object[] => run.map((request) => ({ ...request, line: 0 }));
    expect(bare(other)).toEqual(bare(whole));
    expect(whole.some(({ hitTokens }) => hitTokens > 0)).toBe(true);
    const without = (await inputsOf(files)).filter(({ file }) => !file.endsWith(".csv"));
    const none = readRequests(without, "run");
    expect(none.every(({ hitTokens }) => hitTokens === 0)).toBe(true);
  });

  test("the engine's settings; KV memory from its blocks", async () => {
    const meta = (engine_kwargs: unknown): Promise<InputFile[]> =>
      inputsOf({ "meta.json": JSON.stringify({ engine_kwargs }) });
    const base = { max_num_seqs: 128, max_num_batched_tokens: 2048 };
    const engine = async (more: object): Promise<unknown> =>
      settingsOf(await meta({ ...base, ...more })).engine;
    expect(await engine({})).toEqual(ROOM);
    expect(await engine({ num_gpu_blocks: 100 })).toEqual({ ...ROOM, kvTokens: 1600 });
    expect(await engine({ num_gpu_blocks_override: 100, block_size: 32 })).toEqual({
      ...ROOM,
      blockTokens: 32,
      kvTokens: 3200,
    });
    expect(await engine({ block_size: 16 })).toEqual({ ...ROOM, blockTokens: 16 });
    expect(await engine({ async_scheduling: false, max_model_len: null })).toEqual({ ...ROOM, async: false });
    const problems = async (kwargs: unknown): Promise<string> => {
      try {
        settingsOf(await meta(kwargs));
      } catch (error) {
        return (error as Error).message;
      }
      return "";
    };
    expect(await problems(7)).toBe(
      "run/meta.json: missing engine_kwargs.max_num_seqs (an integer at least 1 and at most 1000000000)\n" +
        "run/meta.json: missing engine_kwargs.max_num_batched_tokens (an integer at least 1 and at most 1000000000)",
    );
    expect(await problems({ ...base, max_num_seqs: "many" })).toMatch(
      /: invalid engine_kwargs\.max_num_seqs: "many" \(/,
    );
    expect(await problems({ ...base, data_parallel_size: 2 })).toMatch(
      /data_parallel_size: 2 \(1: a run of one engine\)/,
    );
    expect(await problems({ ...base, enable_chunked_prefill: false })).toMatch(
      /enable_chunked_prefill: false \(true/,
    );
    expect(await problems({ ...base, async_scheduling: "on" })).toMatch(
      /async_scheduling: "on" \(true or false\)/,
    );
  });
});

describe("what the run asked the engine (kv_cache, resolved_config), as vLLM 0.28 says it", () => {
  const kwargs = { max_num_seqs: 128, max_num_batched_tokens: 8192, enable_chunked_prefill: null };
  const resolved = (scheduler: object = {}, cache: object = {}, more: object = {}) => ({
    scheduler_config: {
      ...{ async_scheduling: true, enable_chunked_prefill: true, long_prefill_token_threshold: 0 },
      ...{ max_num_batched_tokens: 2048, max_num_seqs: 128, policy: "fcfs" },
      ...{ scheduler_reserve_full_isl: true, watermark: 0.0, ...scheduler },
    },
    cache_config: { block_size: 16, enable_prefix_caching: true, num_gpu_blocks: 101, ...cache },
    parallel_config: { data_parallel_size: 1, tensor_parallel_size: 1 },
    model_config: { enforce_eager: false },
    compilation_config: { cudagraph_mode: [2, 1], cudagraph_capture_sizes: [1, 2, 4] },
    ...more,
  });
  const of = async (meta: object) =>
    settingsOf(await inputsOf({ "meta.json": JSON.stringify({ engine_kwargs: kwargs, ...meta }) }));
  const SAID = {
    ...{ maxTokens: 2048, maxSequences: 128, blockTokens: 16, kvTokens: 1616 },
    ...{ async: true, reservePrompt: true },
  };

  test("101 blocks of 16 are 1616 tokens, wherever they are named; what is resolved goes before what was asked for", async () => {
    expect((await of({ resolved_config: resolved() })).engine).toEqual(SAID);
    const kv_cache = {
      num_gpu_blocks: 101,
      block_size: 16,
      num_kv_tokens: 1616,
      enable_prefix_caching: true,
    };
    expect((await of({ kv_cache, resolved_config: {} })).engine).toEqual({
      ...{ maxTokens: 8192, maxSequences: 128, blockTokens: 16, kvTokens: 1616 },
    });
    const other = resolved({}, { num_gpu_blocks: 7 });
    expect((await of({ kv_cache, resolved_config: other })).engine.kvTokens).toBe(1616);
    expect((await of({ kv_cache: {}, resolved_config: resolved() })).engine).toEqual(SAID);
  });

  test("the schedule's own: async, thresholds, reservation, watermark, prefix caching", async () => {
    const scheduler = {
      ...{ async_scheduling: false, long_prefill_token_threshold: 512 },
      ...{ scheduler_reserve_full_isl: false, watermark: 0.01 },
    };
    const found = await of({ resolved_config: resolved(scheduler, { enable_prefix_caching: false }) });
    expect(found.engine).toEqual({
      ...SAID,
      ...{ async: false, chunkSize: 512, reservePrompt: false, watermark: 0.01, prefixCaching: false },
    });
  });

  test("is told what the file does not say, and that there were no CUDA graphs", async () => {
    expect((await of({ resolved_config: resolved() })).notes).toEqual([]);
    expect((await of({})).notes).toEqual([
      expect.stringMatching(/^run\/meta\.json names no KV blocks/),
      expect.stringMatching(/does not say async_scheduling/),
    ]);
    const eager = resolved({}, {}, { model_config: { enforce_eager: true } });
    expect((await of({ resolved_config: eager })).notes).toEqual([
      expect.stringMatching(/had no CUDA graphs/),
    ]);
    const none = resolved({}, {}, { compilation_config: { cudagraph_mode: "NONE" } });
    expect((await of({ resolved_config: none })).notes).toHaveLength(1);
  });

  test("what cannot be replayed is refused by the place that says it", async () => {
    const refused: [object, RegExp][] = [
      [{ policy: "priority" }, /scheduler_config\.policy: "priority" \(fcfs: the requests of a run have no/],
      [{ watermark: 2 }, /scheduler_config\.watermark: 2 \(a number at least 0 and below 1\)/],
      [{ scheduler_reserve_full_isl: 1 }, /scheduler_reserve_full_isl: 1 \(true or false\)/],
      [{ max_num_seqs: 0 }, /invalid resolved_config\.scheduler_config\.max_num_seqs: 0 \(an integer/],
    ];
    for (const [scheduler, message] of refused)
      await expect(of({ resolved_config: resolved(scheduler) })).rejects.toThrow(message);
  });
});

describe("a real run", () => {
  const folder = process.env.LLMSIM_MEASURED;
  const NAME = "rtxpro6000_llama-3.1-8b";
  const there = folder !== undefined && existsSync(join(folder, "requests.jsonl"));
  const reason = there ? "" : " (skipped: LLMSIM_MEASURED names no folder of a measured run)";

  test.skipIf(!there).each([
    ["kernels alone", false, { ttft: 10, tpot: 5, e2e: 6 }],
    ["with h and f", true, { ttft: 6, tpot: 3, e2e: 3 }],
  ] as const)(`means within the bounds claimed: %s${reason}`, async (_, overheads, bounds) => {
    expect(basename(folder!)).toBe(NAME);
    const names = ["requests.jsonl", "meta.json", "prefix_hits.csv"];
    const files = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder!, name), "utf8")]));
    const inputs = await inputsOf(files);
    const run = readRequests(inputs, "run");
    const hardware = JSON.parse(readFileSync(join(HARDWARE_FOLDER, `${NAME}.json`), "utf8")) as {
      service: Spec;
      overheads: { h: number; f: number };
    };
    const { h, f } = overheads ? hardware.overheads : { h: 0, f: 1 };
    const { options } = member(builtIn.serviceTimes, "gpu");
    const service = withDefaults(options, { ...hardware.service, hMs: h, f });
    const config = engineWith(service, settingsOf(inputs).engine as never);
    const found = compare(run.map(measuredTimes).slice(1), replay(config, run).slice(1));
    expect(missed(bounds, found)).toEqual([]);
  });
});
