/** Where settings come from: defaults < scenario < --config < --set < flags, and what each of them can say. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { MODEL_FLAGS, MODEL_SWITCHES } from "../../../src/flags/flags.js";
import { allKeys, studyTree } from "../../../src/config/keys.js";
import { builtIn } from "../../../src/core/configuration/registry.js";
import { llmsim, SMALL, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

/** The lines between answer and table: what was assumed. */
async function assumed(argv: string | readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await llmsim(argv, { cwd });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout.split("\n").slice(2, 6).join("\n");
}

const YAML = `# yaml-language-server: $schema=./node_modules/llmsim/dist/schemas/study.schema.json
scenario: demo2
trials: 2
seed: 11
workload:
  arrivals: { ratePerSecond: 5 } # of the kind in force
engine:
  maxTokens: 100
  maxSequences: 77
horizon: { tmaxSeconds: 7 }
schedulers:
  - prefill
  - { kind: hybrid, ratio: 0.3 }
`;

describe("the later layer wins", () => {
  test("key by key, over all five", async ({ folder }) => {
    writeFileSync(join(folder, "study.yaml"), YAML);
    const command = "run --workers 0 --quiet --config study.yaml";
    // The file over the scenario (λ 2, 2048 tokens) over the defaults (T 5000).
    expect(await assumed(command, folder)).toBe(
      [
        "scenario demo2, 2 trials, seed 11, T 7 s",
        "arrivals poisson ratePerSecond 5; service affine cMs 10 aMs 0.5 b0 0",
        "engine maxTokens 100, maxSequences 77, chunk off, replicas 1",
        "conventions firstToken prefill, mixedBatch sum, sequenceCap resident, tbt gaps",
      ].join("\n"),
    );
    // --set over the file, flags over --set, wherever they stand on the line.
    const more = await assumed(
      `${command} --tmax 9 --set horizon.tmaxSeconds=8 --set engine.maxTokens=200 --set service.aMs=0.25 --lam 6`,
      folder,
    );
    expect(more).toContain("2 trials, seed 11, T 9 s");
    expect(more).toContain("arrivals poisson ratePerSecond 6; service affine cMs 10 aMs 0.25 b0 0");
    expect(more).toContain("engine maxTokens 200, maxSequences 77,");
  });

  test("also for the scenario and the list of schedulers", async ({ folder }) => {
    writeFileSync(join(folder, "study.yaml"), YAML);
    const { stdout } = await llmsim("run --workers 0 --config study.yaml --tmax 5", { cwd: folder });
    expect(stdout).toMatch(/^scheduler .*\nprefill .*\nhybrid\(0\.3\) /m);
    const other = await llmsim(
      "run --workers 0 --config study.yaml --tmax 5 --scenario demo3 --scheduler decode",
      {
        cwd: folder,
      },
    );
    expect(other.stdout).toContain("scenario demo3, 2 trials");
    expect(other.stdout).toContain("service affine cMs 45.5 aMs 0.3 b0 64");
    expect(other.stdout).toMatch(/^scheduler .*\ndecode .*\n\n/m);
  });

  test("--ratio reaches every scheduler that has one, over the file's own", async ({ folder }) => {
    writeFileSync(join(folder, "study.yaml"), YAML);
    const labels = async (flags: string): Promise<string[]> => {
      const { stdout } = await llmsim(`run ${SMALL} ${flags}`, { cwd: folder });
      const table = stdout.slice(stdout.indexOf("\nscheduler"), stdout.indexOf("\n\npaired"));
      return table
        .split("\n")
        .slice(2)
        .map((line) => line.split("  ")[0]!);
    };
    expect(await labels("--ratio 0.25")).toEqual(["decode", "prefill", "hybrid(0.25)"]);
    expect(await labels("--scheduler hybrid,decode --ratio 0.25 --ratio-of tokens")).toEqual([
      "hybrid(0.25 of tokens)",
      "decode",
    ]);
    expect(await labels("--config study.yaml")).toEqual(["prefill", "hybrid(0.3)"]);
    expect(await labels("--config study.yaml --ratio 0.8")).toEqual(["prefill", "hybrid(0.8)"]);
    expect(await labels("--scheduler decode --scheduler hybrid,prefill")).toEqual([
      "decode",
      "hybrid",
      "prefill",
    ]);
  });
});

describe("files", () => {
  test("JSON with a schema key says the same as YAML", async ({ folder }) => {
    writeFileSync(join(folder, "a.yaml"), YAML);
    writeFileSync(
      join(folder, "a.json"),
      JSON.stringify({
        $schema: "./study.schema.json",
        scenario: "demo2",
        trials: 2,
        seed: 11,
        workload: { arrivals: { ratePerSecond: 5 } },
        engine: { maxTokens: 100, maxSequences: 77 },
        horizon: { tmaxSeconds: 7 },
        schedulers: ["prefill", { kind: "hybrid", ratio: 0.3 }],
      }),
    );
    const of = async (file: string): Promise<string> =>
      (await llmsim(`run --workers 0 --json --config ${file}`, { cwd: folder })).stdout;
    expect(await of("a.json")).toBe(await of("a.yaml"));
    // CRLF and a byte order mark do not matter.
    writeFileSync(join(folder, "b.yaml"), `\uFEFF${YAML.replaceAll("\n", "\r\n")}`);
    expect(await of("b.yaml")).toBe(await of("a.yaml"));
  });

  test("a scenario of one's own is a file; its name names the results", async ({ folder }) => {
    mkdirSync(join(folder, "mine"));
    writeFileSync(
      join(folder, "mine", "chat.json"),
      JSON.stringify({
        name: "ignored",
        workload: {
          arrivals: { kind: "deterministic", ratePerSecond: 4 },
          promptTokens: { kind: "uniform", min: 10, max: 90 },
          outputTokens: { kind: "fixed", tokens: 12 },
        },
        service: { kind: "affine", cMs: 8 },
      }),
    );
    const text = await assumed(`run ${SMALL} --scenario mine/chat.json --lam 3`, folder);
    expect(text).toContain("scenario chat, 3 trials");
    expect(text).toContain("arrivals deterministic ratePerSecond 3; service affine cMs 8 aMs 0 b0 0");
    const { stdout } = await llmsim(`sweep-time ${SMALL} --windows 1 --scenario ./mine/chat.json`, {
      cwd: folder,
    });
    expect(stdout).toContain("data/chat_final_results.csv");
  });

  test("a study file with a model of its own gives it its own name", async ({ folder }) => {
    writeFileSync(
      join(folder, "tiny.yaml"),
      "workload:\n  arrivals: {kind: poisson, ratePerSecond: 9}\n  promptTokens: {kind: fixed, tokens: 4}\n  outputTokens: {kind: fixed, tokens: 4}\nservice: {kind: exponential, cMs: 3, aMs: 0}\n",
    );
    const text = await assumed(`run ${SMALL} --config tiny.yaml`, folder);
    expect(text).toContain("scenario tiny, 3 trials");
    expect(text).toContain("arrivals poisson ratePerSecond 9; service exponential cMs 3 aMs 0 b0 0");
  });
});

describe("flags", () => {
  test("each sets the key that it says", async ({ folder }) => {
    const keys = allKeys(studyTree(builtIn));
    for (const { key } of [...MODEL_FLAGS, ...MODEL_SWITCHES])
      expect([...keys, "conventions", "trials"]).toContain(key);
    const text = await assumed(
      "run --workers 0 --scenario demo3 --lam 4 --tmax 11 --n-queries 30 --warmup 1 --ntrials 2 --max-tokens 300 --max-sequences 40 --num-gpus 2 --chunk-size 16 --c-ms 12 --a-ms 0.1 --b0 7 --conventions reference --seed 3",
      folder,
    );
    expect(text).toBe(
      [
        "scenario demo3, 2 trials, seed 3, T 11 s, warm-up 1 s, at most 30 requests",
        "arrivals poisson ratePerSecond 4; service affine cMs 12 aMs 0.1 b0 7",
        "engine maxTokens 300, maxSequences 40, chunk 16, replicas 2",
        "conventions firstToken decode, mixedBatch max, sequenceCap iteration, tbt tokens",
      ].join("\n"),
    );
  });

  test("what a real engine has: memory, asynchronous scheduling, overhead, a router; said only where it is given", async ({
    folder,
  }) => {
    const command = `run ${SMALL} --num-gpus 2 --scheduler vllm`;
    const plain = await assumed(command, folder);
    expect(plain).toContain("\nengine maxTokens 2048, maxSequences 1000, chunk off, replicas 2\n");
    const text = await assumed(
      `${command} --kv-tokens 4000 --async-scheduling --overhead-ms 2.5 --router least-outstanding`,
      folder,
    );
    expect(text).toContain(
      ", replicas 2, kvTokens 4000, async true, overheadMs 2.5, router least-outstanding\n",
    );
    expect(await assumed(`${command} --kv-tokens none --router central`, folder)).toBe(plain);
  });

  test("--async-scheduling, --no-async-scheduling: both ways over a file, else as the scheduler has it", async ({
    folder,
  }) => {
    writeFileSync(join(folder, "on.yaml"), "engine: { async: true }\n");
    writeFileSync(join(folder, "off.yaml"), "engine: { async: false }\n");
    const engine = async (more: string): Promise<string> =>
      (await assumed(`run ${SMALL} --scheduler hybrid ${more}`, folder)).split("\n")[2]!;
    expect(await engine("")).toMatch(/replicas 1$/);
    expect(await engine("--config on.yaml")).toMatch(/, async true$/);
    expect(await engine("--config on.yaml --no-async-scheduling")).toMatch(/, async false$/);
    expect(await engine("--config off.yaml --async-scheduling")).toMatch(/, async true$/);
    expect(await engine("--async-scheduling --no-async-scheduling")).toMatch(/, async false$/);

    const results = async (more: string): Promise<string> => {
      const { code, stdout } = await llmsim(`run ${SMALL} --json ${more}`, { cwd: folder });
      expect(code).toBe(0);
      const { results: found } = JSON.parse(stdout) as { results: { metrics: object }[] };
      return JSON.stringify(found.map(({ metrics }) => metrics));
    };
    // vllm has it unless told otherwise, hybrid has not.
    const vllm = await results("--scheduler vllm");
    expect(await results("--scheduler vllm --async-scheduling")).toBe(vllm);
    expect(await results("--scheduler vllm --no-async-scheduling")).not.toBe(vllm);
    const hybrid = await results("--scheduler hybrid");
    expect(await results("--scheduler hybrid --no-async-scheduling")).toBe(hybrid);
    expect(await results("--scheduler hybrid --async-scheduling")).not.toBe(hybrid);
  });

  test("--router decides who serves: two replicas of one queue each are slower than of one queue", async ({
    folder,
  }) => {
    const mean = async (router: string): Promise<number> => {
      const { stdout } = await llmsim(
        `run --scenario demo1 --lam 180 --tmax 60 --ntrials 4 --num-gpus 2 --workers 0 --scheduler prefill --json --router ${router}`,
        { cwd: folder },
      );
      const { results } = JSON.parse(stdout) as { results: { metrics: { rts_mean_s: { mean: number } } }[] };
      return results[0]!.metrics.rts_mean_s.mean;
    };
    expect(await mean("random")).toBeGreaterThan(1.3 * (await mean("central")));
  });

  test("--no-chunking takes a scenario's chunks away", async ({ folder }) => {
    const command = `run ${SMALL} --scenario demo3`;
    expect(await assumed(command, folder)).toContain("chunk 64");
    expect(await assumed(`${command} --no-chunking`, folder)).toContain("chunk off");
    expect(await assumed(`${command} --set engine.chunkSize=null`, folder)).toContain("chunk off");
  });

  test("--conventions and one field of it: the field wins from a later layer", async ({ folder }) => {
    writeFileSync(join(folder, "study.yaml"), "conventions: reference\n");
    const text = await assumed(`run ${SMALL} --config study.yaml --set conventions.tbt=gaps`, folder);
    expect(text).toContain("conventions firstToken decode, mixedBatch max, sequenceCap iteration, tbt gaps");
  });

  test("--verify checks the laws and changes nothing; --force lets a long run begin", async ({ folder }) => {
    const plain = await llmsim(`run ${SMALL} --json`, { cwd: folder });
    expect(await llmsim(`run ${SMALL} --json --verify`, { cwd: folder })).toEqual(plain);
    const many = `run --workers 0 --ntrials 1 --tmax 200000 --lam 1000`;
    const refused = await llmsim(many, { cwd: folder });
    expect(refused.stderr).toContain("too many requests: about 200000000 a trial");
    const forced = await llmsim(`${many} --force --n-queries 5 --scheduler hybrid`, { cwd: folder });
    expect(forced.code).toBe(0);
  });

  test("a flag that takes one value is given once: of two, one would be dropped without a word", async ({
    folder,
  }) => {
    const { code, stderr } = await llmsim(`run ${SMALL} --lam 3 --lam 5`, { cwd: folder });
    expect([code, stderr]).toEqual([2, "error: repeated --lam: 3, then 5 (give it once)\n"]);
  });
});

test("validate takes only a seed from files and --set", async ({ folder }) => {
  writeFileSync(join(folder, "model.yaml"), "$schema: ./study.schema.json\nengine: { maxTokens: 5 }\n");
  const { code, stderr } = await llmsim("validate --config model.yaml --workers 0", { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toBe(
    "error: model.yaml: engine: validate fixes its own settings (only seed can be set without --measured)\n",
  );
});

describe("a configuration file with a model of its own", () => {
  const model = [
    "workload:",
    "  arrivals: {kind: poisson, ratePerSecond: 50}",
    "  promptTokens: {kind: fixed, tokens: 1}",
    "  outputTokens: {kind: fixed, tokens: 0}",
    "service: {kind: exponential, cMs: 3}",
    "",
  ].join("\n");

  test("is laid over no scenario: what it leaves out has the defaults, not demo2's settings", async ({
    folder,
  }) => {
    writeFileSync(join(folder, "tiny model.yaml"), model);
    const line = ["run", "--config", "tiny model.yaml", "--tmax", "5", "--ntrials", "2", "--workers", "0"];
    const { code, stdout } = await llmsim(line, { cwd: folder });
    expect(code).toBe(0);
    expect(stdout).toContain("scenario tiny model,");
    expect(stdout).toContain("service exponential cMs 3 aMs 0 b0 0");
    // What to try next can be pasted.
    expect(stdout).toContain("llmsim sweep-time --config 'tiny model.yaml'");
  });

  test("under a scenario that is named it is laid over that one", async ({ folder }) => {
    writeFileSync(join(folder, "tiny.yaml"), `scenario: demo2\n${model}`);
    const { stdout } = await llmsim("run --config tiny.yaml --tmax 5 --ntrials 2 --workers 0", {
      cwd: folder,
    });
    expect(stdout).toContain("service exponential cMs 3 aMs 0.5 b0 0");
  });
});
