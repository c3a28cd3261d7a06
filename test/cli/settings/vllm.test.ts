/** `--vllm-log` and `--vllm-args`: what a server's settings lie over and under, what is said of them, and refused. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { FileError, nodeFiles } from "../../../src/io/files.js";
import { listing, llmsim, SMALL, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

/** Made up after vLLM's. */
const LOG = [
  "(APIServer pid=41) INFO 05-04 09:12:31 [utils.py:233] non-default args: {'model_tag': 'org/model', 'api_key': ['k'], 'max_num_seqs': 512}",
  "(APIServer pid=41) INFO 05-04 09:12:40 [scheduler.py:238] Chunked prefill is enabled with max_num_batched_tokens=4096.",
  "(APIServer pid=41) \u001b[32mINFO\u001b[0m 05-04 09:12:40 [vllm.py:790] Asynchronous scheduling is disabled.",
  "(EngineCore pid=97) INFO 05-04 09:12:52 [core.py:105] Initializing a V1 LLM engine (v0.25.1) with config: model='org/model', speculative_config=None, tensor_parallel_size=1, pipeline_parallel_size=1, enable_prefix_caching=False",
  "(EngineCore pid=97) INFO 05-04 09:13:28 [kv_cache_utils.py:1316] GPU KV cache size: 430,912 tokens",
  "",
].join("\n");

const RUN = `run ${SMALL} --quiet`.split(" ");
/** What a command assumed, up to the conventions. */
async function header(argv: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await llmsim([...RUN, ...argv], { cwd });
  expect([code, stderr], argv.join(" ")).toEqual([0, ""]);
  return stdout.slice(stdout.indexOf("\n\n") + 2, stdout.indexOf("\nconventions"));
}
const H100 = ["--hardware", "h100_llama-3.1-8b"];

describe("a server's log", () => {
  test("sets the engine, and the header says what it said, what not, and what is ignored", async ({
    folder: cwd,
  }) => {
    writeFileSync(join(cwd, "server.log"), LOG);
    const lines = (await header([...H100, "--vllm-log", "server.log"], cwd)).split("\n");
    expect(lines.slice(1, 5)).toEqual([
      "vllm 0.25.1 by server.log: maxTokens 4096, maxSequences 512, kvTokens 430912,",
      "  async false, prefixCaching false, version 2026-08",
      "  ignored: model_tag, api_key",
      expect.stringMatching(/^arrivals /),
    ]);
    expect(lines[5]).toMatch(
      /^engine maxTokens 4096, maxSequences 512, chunk off, replicas 1, kvTokens 430912, /,
    );
    for (const line of lines.slice(1, 4)) expect(line.length).toBeLessThanOrEqual(80);
  });

  test("--json holds what came of it all, and what was said", async ({ folder: cwd }) => {
    writeFileSync(join(cwd, "server.log"), LOG);
    const argv = [
      ...RUN,
      ...H100,
      "--vllm-log",
      "server.log",
      "--vllm-args",
      "--max-num-seqs 8 --api-key k",
      "--json",
    ];
    const { stdout } = await llmsim(argv, { cwd });
    expect(JSON.parse(stdout)).toMatchObject({
      vllm: {
        log: "server.log",
        args: true,
        version: "0.25.1",
        told: { "engine.maxSequences": 8, "engine.prefixCaching": false, "scheduler.version": "2026-08" },
        untold: [],
        ignored: ["model_tag", "api_key"],
      },
      results: [{ scheduler: expect.stringMatching(/^vllm/) as unknown }],
    });
  });

  test("is read by lines, whatever its size", async ({ folder: cwd }) => {
    const noise = `INFO 05-04 09:13:30 [loggers.py:259] Engine 000: Running: 3 reqs, ${"x".repeat(2_000_000)}\n`;
    writeFileSync(join(cwd, "server.log"), noise + LOG.replaceAll("\n", "\r\n") + noise);
    expect(await header(["--vllm-log", "server.log"], cwd)).toContain("maxTokens 4096, maxSequences 512,");
  });
});

describe("layers", () => {
  test("arguments over the log over the card over the scenario; --config, --set and flags over all", async ({
    folder: cwd,
  }) => {
    writeFileSync(join(cwd, "server.log"), LOG);
    writeFileSync(join(cwd, "c.yaml"), "engine: { maxTokens: 300 }\n");
    const log = ["--vllm-log", "server.log"];
    const args = ["--vllm-args", "vllm serve m --max_num_seqs=64 --max-num-batched-tokens 8k"];
    const demo3 = ["--scenario", "demo3"];
    for (const [argv, engine] of [
      // demo3 has chunks of 64 tokens and 1000 sequences: a server has none unless it says so, and its card's.
      [[...demo3, ...H100, "--vllm-args", "m"], "maxTokens 8192, maxSequences 1024, chunk off"],
      [[...demo3, "--vllm-args", "m"], "maxTokens 2048, maxSequences 1000, chunk off"],
      [[...H100, ...log], "maxTokens 4096, maxSequences 512, chunk off"],
      [[...H100, ...log, ...args], "maxTokens 8000, maxSequences 64, chunk off"],
      [[...H100, ...log, "--config", "c.yaml"], "maxTokens 300, maxSequences 512, chunk off"],
      [
        [...log, ...args, "--config", "c.yaml", "--set", "engine.maxTokens=200"],
        "maxTokens 200, maxSequences 64, chunk off",
      ],
      [
        [...log, ...args, "--set", "engine.maxTokens=200", "--max-tokens", "100", "--chunk-size", "5"],
        "maxTokens 100, maxSequences 64, chunk 5",
      ],
    ] as const)
      expect(await header(argv, cwd), argv.join(" ")).toContain(`\nengine ${engine}, replicas 1`);
  });

  test("the scheduler is vllm unless one is named; without chunks it is Orca, composed ahead", async ({
    folder: cwd,
  }) => {
    writeFileSync(join(cwd, "server.log"), LOG);
    const run = async (...argv: string[]): Promise<string> =>
      (await llmsim([...RUN, ...argv], { cwd })).stdout.split("\n")[0]!.split(":")[0]!;
    expect(await run("--vllm-log", "server.log")).toMatch(/^vllm/);
    expect(await run("--vllm-log", "server.log", "--scheduler", "sarathi")).toBe("sarathi");
    const whole = ["--vllm-args", "--no-enable-chunked-prefill --max-num-batched-tokens 4096"];
    expect(await run(...whole)).toBe("orca");
    expect(await header(whole, cwd)).toContain(", async true");
    expect(await run("--vllm-log", "server.log", ...whole)).toBe("orca");
  });

  test("what is not said is the card's default, assumed where the file does not say it", async ({
    folder: cwd,
  }) => {
    const told = async (...argv: string[]): Promise<string> =>
      /not told:[^]*?(?=\n\S|\n {2}\S)/.exec(await header(argv, cwd))![0];
    expect((await told(...H100, "--vllm-args", "m")).replace(/\n */g, " ")).toBe(
      "not told: maxTokens 8192 (hardware h100_llama-3.1-8b), maxSequences 1024 (hardware h100_llama-3.1-8b), kvTokens unlimited (defaults), version 0.19 (defaults)",
    );
    // By itself vLLM takes no more sequences than tokens.
    expect(await told(...H100, "--vllm-args", "--max-num-batched-tokens 512")).toMatch(
      /^not told: maxSequences 512 \(vLLM's defaults\),/,
    );
    expect(await told("--vllm-args", "--max-num-seqs 5", "--kv-tokens", "9000")).toMatch(
      /^not told: maxTokens 2048 \(scenario demo2\), kvTokens 9000 \(--kv-tokens\),/,
    );
  });

  test("how many GPUs it has is the hardware's to say, or nobody's", async ({ folder: cwd }) => {
    const args = ["--vllm-args", "-tp 4"];
    const line = "\n  not judged: tensor_parallel_size 4 (no hardware says how many GPUs it has)\n";
    expect(await header(args, cwd)).toContain(line);
    expect(await header([...args, "--hardware", "h100_llama-3.1-70b_tp4"], cwd)).not.toContain(
      "tensor_parallel",
    );
  });

  test("commands to try next say the same server, without what may be secret", async ({ folder: cwd }) => {
    const args = "vllm serve 'my model' --api-key SECRET --max-num-seqs 64 --no-enable-prefix-caching -tp 1";
    const { stdout } = await llmsim([...RUN, "--scenario", "demo2", "--vllm-args", args], { cwd });
    expect(stdout.slice(stdout.indexOf("next:"))).toContain(
      "llmsim sweep-time --scenario demo2 --vllm-args 'vllm serve --max-num-seqs 64 --no-enable-prefix-caching --tensor-parallel-size 1'",
    );
    expect(stdout.slice(stdout.indexOf("next:"))).not.toContain("SECRET");
  });

  test("every command that simulates a model takes them", async ({ folder: cwd }) => {
    for (const command of [
      "sweep-time --windows 1",
      "plan --slo ttft_p50=1s --lam 2 --precision 0.2",
      "compare --with engine.maxTokens=64",
    ]) {
      const { stdout, stderr, code } = await llmsim(
        [...`${command} ${SMALL} --quiet`.split(" "), "--vllm-args", "--max-num-seqs 64"],
        { cwd },
      );
      expect([command, code, stderr]).toEqual([command, 0, ""]);
      expect(stdout).toContain("\nvllm by --vllm-args: maxSequences 64\n");
    }
  });
});

test("refuses what it cannot read or simulate: exit 2, every problem, nothing written", async ({
  folder: cwd,
}) => {
  writeFileSync(join(cwd, "server.log"), LOG);
  writeFileSync(join(cwd, "other.log"), "INFO: Started server process [1]\nINFO: GPU ready\n");
  writeFileSync(join(cwd, "two.log"), `${LOG}${LOG.replace("430,912", "400,000")}`);
  writeFileSync(join(cwd, "new.log"), LOG.replace("v0.25.1", "v9.0.0"));
  writeFileSync(
    join(cwd, "block.log"),
    "x non-default args: {'block_size': 24, 'pipeline_parallel_size': 2}\n",
  );
  const before = listing(cwd);
  for (const [argv, ...lines] of [
    [
      ["--vllm-log", "other.log"],
      /^error: other\.log: no line of a vLLM server that starts \(non-default args:/,
    ],
    [
      ["--vllm-log", "two.log"],
      /^error: two\.log:10: kv_cache_tokens is 400000, but 430912 in line 5 \(the log of one server\)$/,
    ],
    [
      ["--vllm-log", "new.log"],
      /^error: new\.log:4: unknown version of vLLM: 9\.0\.0 \(0\.7 or later, below 1\)$/,
    ],
    [
      ["--vllm-log", "block.log"],
      /^error: block\.log:1: unsupported pipeline_parallel_size: 2 \(1: pipeline parallelism changes the schedule/,
      /^error: block\.log:1: invalid engine\.blockTokens: 24 \(a power of two/,
    ],
    [["--vllm-log", "none.log"], /^error: --vllm-log: cannot read none\.log: no such file or directory$/],
    [["--vllm-log", "."], /^error: --vllm-log: cannot read \.: is a directory$/],
    [
      ["--vllm-log", "", "--vllm-args", "'"],
      /^error: invalid --vllm-args: a quote is not closed/,
      /^error: invalid --vllm-log: empty \(/,
    ],
    [
      ["--hardware", "h100_llama-3.1-70b_tp4", "--vllm-log", "server.log"],
      /^error: server\.log:4: invalid tensor_parallel_size: 1 \(hardware h100_llama-3\.1-70b_tp4 has 4 GPUs\)$/,
    ],
    [
      [
        "--vllm-args",
        "--block-size 24 --max-num-seqs few --watermark 1 -pp 2 --speculative-config '{}' --kv-transfer-config x",
      ],
      /^error: --vllm-args: unsupported --kv-transfer-config: x \(none: a KV connector changes the schedule/,
      /^error: --vllm-args: unsupported --pipeline-parallel-size: 2 \(1: /,
      /^error: --vllm-args: unsupported --speculative-config: \{\} \(none: /,
      /^error: invalid --vllm-args --max-num-seqs: few \(an integer at least 1/,
      /^error: invalid --vllm-args --watermark: 1 \(a number at least 0 and below 1\)$/,
    ],
    [
      ["--vllm-args", "--scheduling-policy lifo"],
      /^error: --vllm-args: invalid --scheduling-policy: lifo \(one of: fcfs, priority\)$/,
    ],
    [
      ["--vllm-args", "--block-size 24"],
      /^error: invalid --vllm-args --block-size: 24 \(a power of two from 1 to 1024\)$/,
    ],
  ] as const) {
    const { code, stdout, stderr } = await llmsim([...RUN, ...argv], { cwd });
    expect([argv, code, stdout]).toEqual([argv, 2, ""]);
    const found = stderr.trimEnd().split("\n");
    expect(found, stderr).toHaveLength(lines.length);
    lines.forEach((line, i) => expect(found[i]).toMatch(line));
    expect(listing(cwd)).toEqual(before);
  }
  const broken = {
    ...nodeFiles,
    async *readLines(path: string) {
      yield* [];
      await Promise.reject(new FileError("read", path, "input/output error"));
    },
  };
  const { code, stderr } = await llmsim([...RUN, "--vllm-log", "server.log"], { cwd, fs: broken });
  expect([code, stderr]).toEqual([2, "error: --vllm-log: cannot read server.log: input/output error\n"]);
  const fixed = await llmsim(["validate", "--vllm-args", "m"], { cwd });
  expect([fixed.code, fixed.stderr]).toEqual([
    2,
    expect.stringMatching(/^error: unknown option: --vllm-args/),
  ]);
});
