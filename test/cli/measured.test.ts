/** `validate --measured` from the command line: what it answers, writes and refuses. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { GPU, hardwareFile, measuredRun } from "../experiments/measured-runs.js";
import { instead, listing, llmsim, test } from "./session.js";

const ENGINE = { maxTokens: 2048, maxSequences: 32 };

/** A folder with a run and the hardware that it ran on. */
function put(cwd: string, changes: Readonly<Record<string, (text: string) => string | null>> = {}): void {
  mkdirSync(join(cwd, "run"), { recursive: true });
  writeFileSync(join(cwd, "hw.json"), hardwareFile(GPU));
  for (const [name, text] of Object.entries(measuredRun(GPU, ENGINE, { count: 60 }))) {
    const changed = changes[name] ? changes[name](text) : text;
    if (changed === null) rmSync(join(cwd, "run", name), { force: true });
    else writeFileSync(join(cwd, "run", name), changed);
  }
}
const VALIDATE = "validate --measured run --hardware hw.json";

describe("validate --measured", () => {
  test("a run of the simulator's own has no error: answer, table, CSVs and figure", async ({
    folder: cwd,
  }) => {
    put(cwd);
    const { code, stdout, stderr } = await llmsim(VALIDATE, { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^mean TTFT 0\.0 %, TPOT 0\.0 %, E2E 0\.0 % of the measured run\n/);
    expect(stdout).toMatch(/^hardware hw; service gpu hMs 0 cMs 11 /m);
    expect(stdout).toMatch(
      /^engine maxTokens 2048, maxSequences 32, chunk off, kvTokens unlimited, scheduler vllm$/m,
    );
    for (const name of ["TTFT mean", "TPOT p50", "E2E p99"])
      expect(stdout).toMatch(new RegExp(`^${name} +\\d+ .* 0\\.0 %$`, "m"));
    // No scenario is simulated.
    expect(stdout).not.toMatch(/demo2|scenario/);
    expect(listing(cwd).filter((name) => /measured/.test(name))).toEqual([
      "data/measured_run.csv",
      "data/measured_run_requests.csv",
      "figs/measured_run.png",
      "figs/measured_run.vl.json",
    ]);
    const summary = readFileSync(join(cwd, "data/measured_run.csv"), "utf8").trim().split("\n");
    expect(summary[0]).toBe("metric,requests,measured,simulated,error_pct");
    expect(summary).toHaveLength(13);
    const rows = readFileSync(join(cwd, "data/measured_run_requests.csv"), "utf8").trim().split("\n");
    // The first request is left out.
    expect([rows.length, rows[1]!.split(",")[0]]).toEqual([60, "r-1"]);
    // The figure again, from the table alone.
    const drawn = readFileSync(join(cwd, "figs/measured_run.vl.json"), "utf8");
    const plotted = await llmsim("plot", { cwd });
    expect(plotted.code).toBe(0);
    expect(readFileSync(join(cwd, "figs/measured_run.vl.json"), "utf8")).toBe(drawn);
  });

  test("--json is one document; a tolerance that is missed exits with 1, and what is set by hand wins", async ({
    folder: cwd,
  }) => {
    put(cwd);
    const within = await llmsim(`${VALIDATE} --tolerance ttft=0.1,tpot=0.1,e2e=0.1 --json`, { cwd });
    const document = JSON.parse(within.stdout) as { results: { metric: string; error_pct: number }[] };
    expect([within.code, document]).toEqual([
      0,
      expect.objectContaining({ command: "validate", hardware: "hw", run: "run", missed: [] }),
    ]);
    for (const { error_pct } of document.results) expect(Math.abs(error_pct)).toBeLessThan(1e-3);
    const slower = `${VALIDATE} --set service.cMs=13 --set engine.maxSequences=16`;
    const off = await llmsim(`${slower} --tolerance tpot=5,e2e=5`, { cwd });
    expect(off.code).toBe(1);
    expect(off.stdout).toMatch(/^mean TTFT \+.*\noutside TPOT ±5 %, E2E ±5 %: TPOT, E2E\n/);
    expect(off.stdout).toMatch(/^engine maxTokens 2048, maxSequences 16, /m);
    // Without a tolerance it only reports.
    expect((await llmsim(slower, { cwd })).code).toBe(0);
  });

  test("--kv-tokens is the memory, and a request that can never fit into it is told", async ({
    folder: cwd,
  }) => {
    put(cwd);
    const small = await llmsim(`${VALIDATE} --kv-tokens 4096`, { cwd });
    expect([small.code, small.stdout]).toEqual([0, expect.stringMatching(/^engine .* kvTokens 4096/m)]);
    const none = await llmsim(`${VALIDATE} --kv-tokens 512`, { cwd });
    expect([none.code, none.stdout]).toEqual([2, ""]);
    expect(none.stderr).toMatch(
      /^error: run\/requests\.jsonl:\d+: a request of \d+ \+ \d+ tokens never fits into 512 tokens of KV memory/,
    );
  });

  test("refuses what is wrong: exit 2, a line a problem with its place, nothing written", async ({
    folder: cwd,
  }) => {
    const line = (number: number, change: (line: string) => string) => (text: string) =>
      text
        .split("\n")
        .map((one, i) => (i === number - 1 ? change(one) : one))
        .join("\n");
    const cell = (number: number, key: string, value: unknown) =>
      line(number, (one) => JSON.stringify({ ...(JSON.parse(one) as object), [key]: value }));
    const requests = "requests.jsonl";
    for (const [argv, changes, ...expected] of [
      ["--measured none", {}, /^cannot read none: no such file or directory$/],
      [
        "",
        { [requests]: () => null },
        /^run: missing requests\.jsonl \(a measured run has requests\.jsonl and/,
      ],
      ["", { "meta.json": () => null }, /^run: missing meta\.json \(/],
      ["", { [requests]: line(3, () => '{"a": 1') }, /^run\/requests\.jsonl:3: not a JSON object \(/],
      [
        "",
        { [requests]: cell(2, "input_toks", undefined) },
        /^run\/requests\.jsonl:2: invalid input_toks: nothing \(an integer at least 1 and at most 2147483647\)$/,
      ],
      [
        "",
        { [requests]: cell(2, "output_toks", 1.5) },
        /^run\/requests\.jsonl:2: invalid output_toks: 1\.5 \(/,
      ],
      [
        "",
        { [requests]: cell(5, "arrival_time", 1) },
        /^run\/requests\.jsonl: invalid arrival_time: \d+ s from/,
      ],
      ["", { [requests]: cell(5, "queued_ts", "now") }, /:5: invalid queued_ts: now \(seconds, at most/],
      [
        "",
        { [requests]: cell(5, "first_token_ts", 3) },
        /^run\/requests\.jsonl:5: invalid first_token_ts: 3 \(seconds, at least queued_ts \d/,
      ],
      ["", { [requests]: cell(9, "request_id", "r-2") }, /:9: duplicate request_id: r-2 \(line 3 has it\)$/],
      ["", { [requests]: (text: string) => text.split("\n")[0]! }, /too few requests: 1 \(/],
      [
        "",
        {
          "meta.json": () => '{"engine_kwargs": {"max_num_seqs": 8}}',
          [requests]: cell(4, "output_toks", 0),
        },
        /^run\/requests\.jsonl:4: invalid output_toks: 0 \(/,
        /^run\/meta\.json: missing engine_kwargs\.max_num_batched_tokens \(/,
      ],
      [
        "",
        {
          "meta.json": (text: string) =>
            text.replace('"engine_kwargs": {', '"engine_kwargs": { "block_size": 24,'),
        },
        /^run\/meta\.json: invalid engine\.blockTokens: 24 \(a power of two/,
      ],
      ["", { "meta.json": () => "{" }, /^run\/meta\.json:1:\d+: /],
      ["", { "meta.json": () => "{}" }, /missing engine_kwargs\.max_num_seqs/, /max_num_batched_tokens/],
      [
        "",
        { "prefix_hits.csv": line(6, () => "r-4,5000") },
        /^run\/prefix_hits\.csv:6: invalid prefix_hit_tokens: 5000 \(at most the prompt's \d+ tokens\)$/,
      ],
      [
        "",
        { "prefix_hits.csv": (text: string) => `${text}who,0\n` },
        /^run\/prefix_hits\.csv:62: unknown request_id: who \(/,
      ],
      [
        "",
        { "prefix_hits.csv": () => "a,b\n1,2\n" },
        /^run\/prefix_hits\.csv:1: missing column: prefix_hit_tokens/,
      ],
      ["--tolerance ttft=x", {}, /^invalid --tolerance: ttft=x \(/],
      ["--kv-tokens 3", {}, /^invalid --kv-tokens: 3 \(/],
      ["--coverage", {}, /^--coverage contradicts --measured \(give one of them\)$/],
      [
        "--set horizon.tmaxSeconds=5",
        {},
        /^--set: horizon: the measured run brings its own \(what can be set/,
      ],
      ["--set schedulers=hybrid,vllm", {}, /^schedulers: hybrid, vllm \(one: the run's engine had one\)$/],
      ["--set engine.replicas=2", {}, /^engine\.replicas: 2 \(1: a run of one engine\)$/],
    ] as const) {
      put(cwd, changes as Record<string, (text: string) => string | null>);
      const before = listing(cwd);
      const { code, stdout, stderr } = await llmsim(instead(VALIDATE, argv), { cwd });
      expect([argv, stdout, code], stderr).toEqual([argv, "", 2]);
      const found = stderr.trimEnd().split("\n");
      expect(found, stderr).toHaveLength(expected.length);
      expected.forEach((pattern, i) => expect(found[i]!.replace(/^error: /, "")).toMatch(pattern));
      expect(listing(cwd)).toEqual(before);
    }
  });

  test("needs hardware, and its flags need it", async ({ folder: cwd }) => {
    put(cwd);
    for (const [argv, line] of [
      ["validate --measured run", /^error: missing --hardware \(a name or a file: the service times/],
      ["validate --tolerance ttft=1", /^error: --tolerance needs --measured \(see --help\)$/],
      [
        "validate --kv-tokens 4096",
        /^error: --kv-tokens: validate fixes its own settings \(only seed can be set without --measured\)$/,
      ],
      [
        "validate --hardware hw.json",
        /^error: --hardware: validate fixes its own settings \(only seed can be set without --measured\)$/,
      ],
    ] as const) {
      const { code, stderr } = await llmsim(argv, { cwd });
      expect([argv, code]).toEqual([argv, 2]);
      expect(stderr.trimEnd()).toMatch(line);
    }
    const before = listing(cwd);
    expect(before).not.toContain("data");
  });
});
