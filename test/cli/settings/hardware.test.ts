/** `calibrate` and `--hardware` from the command line: what is written, what is taken, and what is refused. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { fileLayer } from "../../../src/config/file-layer.js";
import { builtIn } from "../../../src/core/configuration/registry.js";
import { listing, llmsim, SMALL, test } from "../session.js";

/** Steps of a known model, 2·10 % too slow and too fast in turn. */
function profile(rows = Infinity): string {
  const lines = ["n_decode,kv_per_decode,prefill_tokens,batch_tokens,sum_kv,step_ms"];
  for (const decodes of [0, 1, 8, 32, 128])
    for (const kv of decodes === 0 ? [0] : [256, 1024, 2048])
      for (const prefill of [0, 64, 256, 512, 1024])
        if (decodes + prefill > 0) {
          const b = decodes + prefill;
          const ms =
            10 +
            0.01 * Math.min(b, 200) +
            0.04 * Math.max(0, b - 200) +
            (prefill > 0 ? 2e-4 : 1e-4) * decodes * kv;
          const off = lines.length % 2 === 0 ? 1.002 : 0.998;
          lines.push([decodes, kv, prefill, b, decodes * kv, ms * off].join(","));
        }
  return `${lines.slice(0, rows).join("\n")}\n`;
}

describe("calibrate", () => {
  test("answers, and writes a hardware file and its figure, which the next command takes", async ({
    folder: cwd,
  }) => {
    writeFileSync(join(cwd, "mine.csv"), profile());
    const { code, stdout, stderr } = await llmsim("calibrate mine.csv --gpu G --model M --licence MIT", {
      cwd,
    });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /^S6 fits mine within 0\.2 % on average, 0\.2 % held out; largest error 0\.\d % at \d+ /,
    );
    for (const region of ["decode", "prefill", "mixed", "b ≤ 256", "b > 256", "ΣKV ≤ 65536", "ΣKV > 65536"])
      expect(stdout).toMatch(new RegExp(`^${region} +\\d+ `, "m"));
    expect(listing(cwd)).toEqual([
      "data",
      "data/mine.json",
      "figs",
      "figs/mine_fit.png",
      "figs/mine_fit.vl.json",
      "mine.csv",
    ]);
    const text = readFileSync(join(cwd, "data/mine.json"), "utf8");
    expect((await fileLayer(text, "mine.json", "hardware")).issues).toEqual([]);
    expect(JSON.parse(text)).toMatchObject({
      gpu: "G",
      licence: "MIT",
      source: "llmsim calibrate mine.csv",
      validity: { decodes: [1, 128], batchTokens: [1, 1152], sumKv: [0, 262_144] },
    });
    const next = /next: +llmsim (.*)/.exec(stdout)![1]!;
    const used = await llmsim(`${next} ${SMALL} --scheduler hybrid`, { cwd });
    expect([used.code, used.stderr.replace(/^.*%.*\n/gm, "")]).toEqual([0, ""]);
    expect(used.stdout).toMatch(/^scenario demo2, hardware mine, /m);
  });

  test("--json is one document; the same profile gives the same bytes", async ({ folder: cwd }) => {
    writeFileSync(join(cwd, "mine.csv"), profile());
    const first = await llmsim("calibrate mine.csv --json", { cwd });
    const before = readFileSync(join(cwd, "data/mine.json"), "utf8");
    const document = JSON.parse(first.stdout) as Record<string, unknown>;
    expect(document).toMatchObject({ command: "calibrate", name: "mine", form: "S6" });
    expect((await llmsim("calibrate mine.csv --json", { cwd })).stdout).toBe(first.stdout);
    expect(readFileSync(join(cwd, "data/mine.json"), "utf8")).toBe(before);
  });

  test("--forms limits the choice", async ({ folder: cwd }) => {
    writeFileSync(join(cwd, "mine.csv"), profile());
    const { stdout } = await llmsim("calibrate mine.csv --forms S3,s5 --name other", { cwd });
    expect(stdout).toMatch(/^S5 fits other within /);
    expect(stdout).not.toContain("S6");
  });

  test("refuses what it cannot fit: exit 2, a line a problem, nothing written", async ({ folder: cwd }) => {
    writeFileSync(join(cwd, "few.csv"), profile(10));
    writeFileSync(join(cwd, "other.csv"), "a,b\n1,2\n");
    writeFileSync(join(cwd, "cell.csv"), profile().replace(/\n0,0,64,/, "\n0,0,many,"));
    writeFileSync(join(cwd, "short.csv"), `${profile()}1,2\n`);
    writeFileSync(join(cwd, "mine.csv"), profile());
    mkdirSync(join(cwd, "empty"));
    const before = listing(cwd);
    for (const [argv, ...lines] of [
      ["few.csv", /^error: too few steps to fit S3: 9 steps \(at least 12\)$/],
      ["mine.csv --max-batch 8", /^error: too few steps to fit S3: \d steps \(at least 12\)$/],
      [
        "other.csv",
        ...["n_decode", "kv_per_decode", "prefill_tokens", "batch_tokens", "sum_kv", "step_ms"].map(
          (column) => new RegExp(`^error: other\\.csv:1: missing column: ${column} \\(`),
        ),
      ],
      ["cell.csv", /^error: cell\.csv:2: invalid prefill_tokens: many \(a number at least 0/],
      ["short.csv", /^error: short\.csv:\d+: a row with more or fewer cells/],
      ["none.csv", /^error: cannot read none\.csv: no such file or directory$/],
      ["empty", /^error: no profile in empty \(a folder with dense\.csv, /],
      ["", /^error: missing argument: file \(see --help\)$/],
      ["mine.csv --forms S7", /^error: unknown form: S7 \(one or more of: S3, S4, S5, S6\)$/],
      ["mine.csv --table", /^error: --table: needs a kernel profile/],
      ["mine.csv --name ../x", /^error: invalid --name: \.\.\/x \(letters, digits/],
      ["mine.csv --engine 8192", /^error: invalid --engine: 8192 \(token budget and sequence cap, integers/],
      ["mine.csv --engine 0.5,1", /^error: invalid --engine: 0\.5,1 \(token budget and sequence cap/],
      ["mine.csv --engine 8,many", /^error: invalid --engine: .* \(many is not a number/],
      ["mine.csv --layers 0 --min-kv x", /^error: invalid --layers: 0 \(/, /^error: invalid --min-kv: x \(/],
    ] as const) {
      const { code, stdout, stderr } = await llmsim(`calibrate ${argv}`, { cwd });
      expect([argv, code, stdout]).toEqual([argv, 2, ""]);
      const found = stderr.trimEnd().split("\n");
      expect(found, argv).toHaveLength(lines.length);
      lines.forEach((line, i) => expect(found[i]).toMatch(line));
      expect(listing(cwd)).toEqual(before);
    }
  });
});

describe("--hardware", () => {
  const run = `run ${SMALL} --quiet`;

  test("alone brings the engine it was measured for; with a scenario, service times only", async ({
    folder: cwd,
  }) => {
    const alone = await llmsim(`${run} --hardware h100_llama-3.1-8b`, { cwd });
    expect(alone.stdout).toMatch(/^engine maxTokens 8192, maxSequences 1024, chunk off/m);
    expect(alone.stdout).toMatch(/service gpu hMs 0\.5 cMs 6\.33343 .* f 1\.05$/m);
    if (builtIn.schedulers.some(({ name }) => name === "vllm")) expect(alone.stdout).toMatch(/^vllm/m);
    const both = await llmsim(`${run} --scenario demo3 --hardware h100_llama-3.1-8b --profile-only`, { cwd });
    expect(both.stdout).toMatch(/^scenario demo3, hardware h100_llama-3\.1-8b, /m);
    expect(both.stdout).toMatch(/^arrivals poisson .*service gpu hMs 0 cMs 6\.33343 .* f 1$/m);
    expect(both.stdout).toMatch(/^engine maxTokens 2048, maxSequences 1000, chunk 64/m);
    expect(both.stdout).toMatch(
      /llmsim sweep-time --scenario demo3 --hardware h100_llama-3\.1-8b --profile-only/,
    );
  });

  test("its server's limits count without a scenario and below what is set by hand; else they are assumed", async ({
    folder: cwd,
  }) => {
    writeFileSync(join(cwd, "mine.csv"), profile());
    writeFileSync(join(cwd, "c.yaml"), "scenario: demo2\nhardware: h100_llama-3.1-8b\n");
    writeFileSync(join(cwd, "d.yaml"), "hardware: h100_llama-3.1-8b\nengine: { maxSequences: 7 }\n");
    await llmsim("calibrate mine.csv", { cwd });
    await llmsim("calibrate mine.csv --engine 4096,512 --name told", { cwd });
    expect(JSON.parse(readFileSync(join(cwd, "data/mine.json"), "utf8"))).not.toHaveProperty("engine");
    expect(JSON.parse(readFileSync(join(cwd, "data/told.json"), "utf8"))).toMatchObject({
      engine: { maxTokens: 4096, maxSequences: 512 },
    });
    for (const [argv, limits] of [
      ["--hardware data/told.json", "4096, maxSequences 512,"],
      ["--hardware data/mine.json", "2048 (assumed), maxSequences 256 (assumed),"],
      ["--hardware data/mine.json --max-tokens 100", "100, maxSequences 256 (assumed),"],
      ["--hardware a100_llama-3.1-8b", "2048, maxSequences 256,"],
      ["--hardware h100_llama-3.1-8b --set engine.maxTokens=64", "64, maxSequences 1024,"],
      ["--config d.yaml", "8192, maxSequences 7,"],
      ["--config d.yaml --max-sequences 9", "8192, maxSequences 9,"],
      ["--config c.yaml", "2048, maxSequences 1000,"],
      ["--scenario demo2 --hardware data/told.json", "2048, maxSequences 1000,"],
    ] as const) {
      const { stdout } = await llmsim(`${run} ${argv}`, { cwd });
      expect(stdout, argv).toContain(`\nengine maxTokens ${limits} chunk off`);
    }
  });

  test("--set, flags and --config lie over it; a config file may name it", async ({ folder: cwd }) => {
    writeFileSync(join(cwd, "c.yaml"), "hardware: a100_llama-3.1-8b\nservice: { kMs: 0.5 }\n");
    const { code, stdout } = await llmsim(
      `${run} --config c.yaml --set service.aMs=0.25 --c-ms 9 --scheduler hybrid`,
      { cwd },
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/service gpu hMs 0\.5 cMs 9 aMs 0\.25 b0 306 .* kMs 0\.5 /);
    const { stdout: json } = await llmsim(`${run} --hardware a100_llama-3.1-8b --json`, { cwd });
    expect(JSON.parse(json)).toMatchObject({ scenario: "demo2", hardware: "a100_llama-3.1-8b" });
  });

  test("refuses what is unknown, newer or contradicts it: exit 2, nothing written", async ({
    folder: cwd,
  }) => {
    writeFileSync(join(cwd, "newer.json"), '{\n  "version": 2\n}\n');
    writeFileSync(join(cwd, "model.yaml"), "service: { kind: affine, cMs: 5 }\n");
    const before = listing(cwd);
    for (const [argv, line] of [
      ["--hardware newer.json", /^error: newer\.json:2:3: unknown version: 2 \(at most 1: a newer llmsim/],
      ["--hardware h100_llama-3.1-8", /^error: unknown hardware: .* — did you mean h100_llama-3\.1-8b\?$/],
      ["--hardware none.json", /^error: hardware: cannot read none\.json: no such file or directory$/],
      ["--profile-only", /^error: --profile-only: no hardware to leave the overheads out of/],
      [
        "--hardware a100_llama-3.1-8b --config model.yaml",
        /^error: model\.yaml:1: service\.kind: replaces the service times of hardware a100_llama-3\.1-8b \(/,
      ],
      [
        "--hardware a100_llama-3.1-8b --set service.kind=gpu",
        /^error: --set service\.kind: replaces the service times of hardware/,
      ],
      ["--set hardware=h200", /^error: unknown hardware: h200 \(one of: /],
    ] as const) {
      const { code, stdout, stderr } = await llmsim(`${run} ${argv}`, { cwd });
      expect([argv, code, stdout]).toEqual([argv, 2, ""]);
      expect(stderr.trimEnd().split("\n"), argv).toHaveLength(1);
      expect(stderr.trimEnd()).toMatch(line);
      expect(listing(cwd)).toEqual(before);
    }
    const fixed = await llmsim("validate --set hardware=a100_llama-3.1-8b", { cwd });
    expect(fixed.stderr).toMatch(/hardware: validate fixes its own settings/);
  });
});
