/**
 * Bad input: one line a problem that names flag or key, the value and what is allowed; exit 2; nothing on stdout,
 * nothing written, no stack trace; every problem at once.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { contents, listing, llmsim, test } from "../session.js";

/** What stands in the folder before. */
const FILES = {
  file: "no folder\n",
  "syntax.yaml": "engine:\n  maxTokens: 512\n bad: [\n",
  "syntax.json": '{\n  "engine": {"maxTokens": 512}\n  "trials": 3\n}\n',
  "keys.yaml": "enginee:\n  maxTokens: 512\nhorizon: { tmaxSeconds: -1 }\ntrials: many\n",
  "weights.yaml":
    "workload:\n  promptTokens: { kind: mixture, values: [1, 2], weights: [0.5, 0.6] }\nschedulers: [hybird]\n",
  "list.yaml": "- engine\n",
  "scenario.json": '{ "name": "mine", "workload": {}, "service": { "kind": "afine" } }\n',
};
const TOKENS = "an integer at least 1 and at most 2147483647";

/** Arguments, and the lines on stderr: as a text whole, as an expression in part. */
type Case = readonly [argv: string | readonly string[], ...lines: (string | RegExp)[]];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  "a scenario that nobody knows": [
    [
      "run --scenario demp2",
      "unknown scenario: demp2 (one of: demo1, demo2, demo3_b0_0, demo3, demo3_b0_64, or a file) — did you mean demo2?",
    ],
    ["sweep-time --scenario demo9", /^unknown scenario: demo9 \(one of: .*, or a file\)/],
    ["run --set scenario=dem2", /^unknown scenario: dem2 .* — did you mean demo2\?$/],
    [["run", "--scenario", ""], /^invalid --scenario: "" \(/],
    ["run --scenario nope.json", "scenario: cannot read nope.json: no such file or directory"],
    [
      "run --scenario scenario.json",
      /^scenario\.json:1: missing workload\.arrivals \(/,
      /^scenario\.json:1: missing workload\.promptTokens/,
      /^scenario\.json:1: missing workload\.outputTokens/,
      /^scenario\.json:1: unknown service-time model: afine \(one of: affine, exponential, gpu, gpu-table\) — did you mean affine\?/,
    ],
  ],
  "an option given twice": [
    ["run --lam 1 --lam 3", "repeated --lam: 1, then 3 (give it once)"],
    ["run --scenario demo1 --scenario demo2", "repeated --scenario: demo1, then demo2 (give it once)"],
    // Lists are taken together: what is wrong in each is told.
    ["run --slo itl_p100=60ms --slo ttft_p100=0.5s", /^--slo: .*itl_p100/, /^--slo: .*ttft_p100/],
  ],
  "a scheduler that nobody knows": [
    [
      "run --scheduler mlfq",
      "unknown scheduler: mlfq (one of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca)",
    ],
    ["run --scheduler hybird", /^unknown scheduler: hybird .* — did you mean hybrid\?$/],
    [
      "run --scheduler hybrid,decod --scheduler mlfq",
      /^unknown scheduler: decod .* — did you mean decode(-prioritizing)?\?$/,
      /^unknown scheduler: mlfq/,
    ],
    ["run --scheduler hybrid,hybrid", "invalid --scheduler: hybrid twice (each scheduler once)"],
    [["run", "--scheduler", ""], /^invalid --scheduler: "" \(a list of: decode-prioritizing/],
  ],
  "what a real engine has not": [
    ["run --kv-tokens 31", "invalid --kv-tokens: 31 (at least 32, two blocks of 16: one is the null block)"],
    [
      "run --kv-tokens 32",
      "invalid --kv-tokens: 32 (the shortest prompt has 32 tokens, and one block of 16 is the null block)",
    ],
    ["run --kv-tokens many", /^invalid --kv-tokens: many \(an integer/],
    ["run --overhead-ms=-1", "invalid --overhead-ms: -1 (a number at least 0 and at most 1000000)"],
    [
      "run --num-gpus 4 --router least-outstandng",
      "unknown router: least-outstandng (one of: central, round-robin, random, least-outstanding, least-tokens, power-of-two) — did you mean least-outstanding?",
    ],
    ["run --async-scheduling=yes", "unknown option: --async-scheduling=yes"],
    ["run --set engine.async=yes", "invalid --set engine.async: yes (true or false, or none)"],
    [
      "run --scheduler hybrid,vllm --conventions reference",
      "invalid --conventions: decode (vllm means firstToken: prefill)",
      "invalid --conventions: max (vllm means mixedBatch: sum)",
      "invalid --conventions: iteration (vllm means sequenceCap: resident)",
    ],
  ],
  "what would exhaust the machine": [
    [
      "run --ntrials 1e12",
      /^invalid --ntrials: 1000000000000 \(an integer at least 1 and at most 1000000\)$/,
    ],
    [
      "sweep-time --ntrials 1000000 --windows 10000",
      /^too many results: 1000000 trials of 30000 points \(at most \d+ trials of so many points, or --force\)$/,
    ],
    [
      "hybrid --ratios 0.01:0.2:0.01 --npoints 10000",
      "too many points: 200000 rows of a table, 20 configurations at 10000 times (at most 100000, or --force)",
    ],
    ["sweep-time --ntrials 1000000 --windows 10000 --force", /^too many results: .* of so many points\)$/],
    [
      "run --requests r.csv --lam 1000",
      "--requests: about 15000000 rows (at most 2000000; --n-queries ends a trial sooner)",
    ],
    [
      "run --timeline t.json --timeline-limit 500000",
      "invalid --timeline-limit: 500000 (at most 333333 of each scheduler: they are 3)",
    ],
    ["run --arrivals closed --clients 1e9 --think 1", /^invalid --clients: 1000000000 \(/],
    ["run --shard 1/1e9", /^invalid --shard: 1\/1e9 \(i\/n with/],
    ["hybrid --ratios 0.1:0.9:1e-9", /more than 10000 values/],
  ],
  "a key or a convention that nobody knows": [
    ["run --set engine.maxTokns=5", "--set engine.maxTokns: unknown key — did you mean engine.maxTokens?"],
    ["run --set foo=1", /^--set foo: unknown key \(one of: scenario, hardware, workload, service, engine/],
    ["run --set __proto__.x=1", "--set __proto__.x: refused key"],
    [
      "run --set engine.maxTokens",
      "--set engine.maxTokens: no value (write key=value, e.g. engine.maxTokens=512)",
    ],
    [
      "run --conventions refrence",
      /^invalid --conventions: refrence \(one of: standard, reference.* — did you mean reference\?$/,
    ],
    [
      "run --set conventions.tbt=gap",
      "invalid --set conventions.tbt: gap (one of: gaps, tokens) — did you mean gaps?",
    ],
    ["run --ratio-of token", "invalid --ratio-of: token (one of: sequences, tokens) — did you mean tokens?"],
  ],
  "negative, zero, fractional, huge numbers and no numbers": [
    ["run --lam -1", "invalid --lam: -1 (a number above 0 and at most 1000000)"],
    ["run --lam 0", "invalid --lam: 0 (a number above 0 and at most 1000000)"],
    ["run --lam NaN", /^invalid --lam: NaN \(a number above 0/],
    ["run --lam 1e308", /^invalid --lam: 1e\+308 \(/],
    ["run --lam 1e999", /^invalid --lam: "?1e999"? \(/],
    ["run --lam 0x10", /^invalid --lam: "0x10" \(/],
    [["run", "--lam", ""], /^invalid --lam: "" \(/],
    ["run --tmax 0", "invalid --tmax: 0 (a number above 0 and at most 9000000)"],
    ["run --tmax=-5", /^invalid --tmax: -5 \(/],
    ["run --tmax 1e7", /^invalid --tmax: 10000000 \(.* at most 9000000\)$/],
    ["run --ntrials 0", "invalid --ntrials: 0 (an integer at least 1 and at most 1000000)"],
    ["run --ntrials 1.5", /^invalid --ntrials: 1\.5 \(an integer/],
    ["run --ntrials 1e9", /^invalid --ntrials: 1000000000 \(/],
    ["run --seed -1", /^invalid --seed: -1 \(an integer at least 0/],
    ["run --seed 0.5", /^invalid --seed: 0\.5 \(an integer/],
    ["run --n-queries 0", `invalid --n-queries: 0 (${TOKENS}, or none)`],
    ["run --warmup -1", /^invalid --warmup: -1 \(a number at least 0/],
    ["run --warmup 5000", "invalid --warmup: 5000 (below horizon.tmaxSeconds = 5000)"],
    ["run --max-tokens 0.5", `invalid --max-tokens: 0.5 (${TOKENS})`],
    ["run --max-tokens 99999999999", `invalid --max-tokens: 99999999999 (${TOKENS})`],
    ["run --max-sequences 0", `invalid --max-sequences: 0 (${TOKENS})`],
    ["run --num-gpus -2", /^invalid --num-gpus: -2 \(an integer at least 1/],
    ["run --chunk-size 0", `invalid --chunk-size: 0 (${TOKENS}, or none)`],
    ["run --c-ms -3", /^invalid --c-ms: -3 \(a number at least 0/],
    ["run --a-ms x", /^invalid --a-ms: x \(a number/],
    ["run --b0 1.5", /^invalid --b0: 1\.5 \(an integer at least 0/],
    ["run --ratio 0", "invalid --ratio: 0 (a number above 0 and below 1)"],
    ["run --ratio 1", "invalid --ratio: 1 (a number above 0 and below 1)"],
    ["run --workers -1", /^invalid --workers: -1 \(an integer at least 0 and at most 256/],
    ["run --workers many", /^invalid --workers: many \(/],
    ["sweep-time --windows 0", "invalid --windows: 0 (an integer at least 1 and at most 10000)"],
    ["sweep-time --windows 2.5", /^invalid --windows: 2\.5 \(an integer/],
    ["run --lam 1e6", /too many requests: about 5000000000 a trial \(at most 100000000, or force it\)$/],
  ],
  "weights that do not sum": [
    [
      "run --set workload.promptTokens.weights=0.5,0.6,0.1",
      /^invalid --set workload\.promptTokens\.weights: sum 1\.2\d* \(must sum to 1\)$/,
    ],
    [
      "run --config weights.yaml --scheduler hybrid",
      /^weights\.yaml:3: unknown scheduler: hybird /,
      "weights.yaml:2: invalid workload.promptTokens.weights: sum 1.1 (must sum to 1)",
    ],
  ],
  "settings that contradict each other": [
    ["run --no-chunking --chunk-size 4", "--no-chunking contradicts --chunk-size (give one of them)"],
    ["run --ratio 0.3 --scheduler decode", "invalid --ratio: 0.3 (not an option of decode-prioritizing)"],
  ],
  "a configuration file that cannot be read or is wrong": [
    [
      "run --config syntax.yaml",
      /^syntax\.yaml:3:1: all mapping items must start at the same column/,
      /^syntax\.yaml:4:1: /,
    ],
    ["run --config syntax.json", "syntax.json:3:3: missing , between flow map items"],
    ["run --config list.yaml", /^invalid list\.yaml: not a set of keys/],
    [
      "run --config keys.yaml --lam -3",
      /^keys\.yaml:1: unknown key: enginee \(.*\) — did you mean engine\?$/,
      "keys.yaml:3: invalid horizon.tmaxSeconds: -1 (a number above 0 and at most 9000000)",
      /^keys\.yaml:4: invalid trials: many \(an integer/,
      /^invalid --lam: -3/,
    ],
    [
      "run --config nope.yaml --lam -3",
      "--config: cannot read nope.yaml: no such file or directory",
      /^invalid --lam: -3/,
    ],
    ["run --config folder", "--config: cannot read folder: is a directory"],
    [["run", "--config", ""], "invalid --config: empty (a YAML or JSON file)"],
  ],
  "a place that cannot be written to": [
    ["run --out-data file", /^--out-data: cannot write to file: not a directory/],
    ["run --out-figs file/below", /^--out-figs: cannot write to file\/below: not a directory/],
    ["demo --out-data file", /^--out-data: cannot write to file: not a directory/],
    [["run", "--out-data", ""], "invalid --out-data: empty (a folder)"],
    ["run --requests file/rows.csv", /^--requests: cannot write to file: not a directory/],
    ["run --requests folder", "--requests: cannot write folder: is a directory"],
    [["run", "--requests", ""], "invalid --requests: empty (a file to write)"],
    ["run --out-data file --out-figs file --lam 0", /^invalid --lam/, /^--out-data: /, /^--out-figs: /],
  ],
  "commands and flags": [
    ["rnu", "unknown command: rnu — did you mean run?"],
    ["sweeptime", "unknown command: sweeptime — did you mean sweep-time?"],
    ["help rnu", /^unknown command: rnu \(one of: .*run.*\)( — did you mean run\?)?$/],
    ["run --shceduler hybrid", "unknown option: --shceduler — did you mean --scheduler?"],
    ["run --lamm 3", "unknown option: --lamm — did you mean --lam?"],
    ["run --tmax", "missing value: --tmax <s>"],
    ["run demo2", "too many arguments: settings are flags (see --help)"],
    ["--loud", "unknown option: --loud"],
  ],
  "a precision that cannot be meant": [
    ["run --precision 0", "invalid --precision: 0 (a number above 0 and below 1)"],
    ["run --precision 1", "invalid --precision: 1 (a number above 0 and below 1)"],
    ["run --precision 1%", "invalid --precision: 1% (a number above 0 and below 1)"],
    [
      "run --precision .1 --precision-metric rts_95_s",
      /^invalid --precision-metric: rts_95_s \(one of: ttft_mean_s, .*\) — did you mean rts_p95_s\?$/,
    ],
    [
      "run --precision .1 --ntrials 9",
      "invalid trials: 9 (the pilot of --precision: at least 10 and at most --max-trials, 10000)",
    ],
    ["run --precision .1 --max-trials 19", /^invalid trials: 20 \(.* at most --max-trials, 19\)$/],
    ["run --precision .1 --max-trials 9", /^invalid --max-trials: 9 \(an integer at least 10/],
    [
      "run --precision-metric rts_p95_s --max-trials 100",
      "--precision-metric needs --precision (e.g. --precision 0.01)",
      "--max-trials needs --precision (e.g. --precision 0.01)",
    ],
    [
      "run --precision 2 --precision-metric nope --ntrials 2 --lam 0",
      /^invalid --precision: 2/,
      /^invalid --precision-metric: nope/,
      /^invalid --lam: 0/,
    ],
    ["sweep-time --precision 0.01", /^unknown option: --precision/],
  ],
  "settings of a command that fixes its own": [
    ["validate --lam 3", /^unknown option: --lam/],
    ["validate --set trials=4", /^--set: trials: validate fixes its own settings \(only seed can be set\)$/],
    [
      "validate --set engine.maxTokens=4 --set service.b0=3",
      /engine: validate fixes/,
      /service: validate fixes/,
    ],
    ["validate --config folder/study.yaml", /trials: validate fixes its own settings/],
    ["validate --seed x --workers y", /^invalid --workers: y/, /^invalid --seed: x/],
    ["demo --ntrials 3", /^unknown option: --ntrials/],
  ],
};

describe.each(Object.entries(CASES))("%s", (_, cases) => {
  test.for(cases.map((one) => [[one[0]].flat().join(" "), one] as const))(
    "%s",
    async ([, [argv, ...expected]], { folder }) => {
      for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
      mkdirSync(join(folder, "folder"));
      writeFileSync(join(folder, "folder", "study.yaml"), "trials: 4\n");
      const before = [listing(folder), contents(folder)];

      const { code, stdout, stderr } = await llmsim(argv, { cwd: folder });

      expect(stderr).toMatch(/\n$/);
      const lines = stderr.trimEnd().split("\n");
      expect(lines.length, stderr).toBe(expected.length);
      lines.forEach((line, i) => {
        const told = line.replace(/^error: /, "");
        expect(told).not.toBe(line);
        if (typeof expected[i] === "string") expect(told).toBe(expected[i]);
        else expect(told).toMatch(expected[i]!);
      });
      expect(stderr).not.toMatch(/^\s+at |\bnode_modules\b|\[object |undefined/m);
      expect(code).toBe(2);
      expect(stdout).toBe("");
      expect([listing(folder), contents(folder)]).toEqual(before);
    },
  );
});

test("eight problems of eight kinds are told in one go", async ({ folder }) => {
  writeFileSync(join(folder, "file"), "no folder");
  const { code, stderr } = await llmsim(
    "run --scenario demo9 --scheduler mlfq --lam -1 --tmax 0 --c-ms -2 --set foo=1 --workers x --out-data file/x",
    { cwd: folder },
  );
  expect(code).toBe(2);
  const told = stderr.trimEnd().split("\n");
  for (const expected of [
    /invalid --workers: x/,
    /unknown scenario: demo9/,
    /--set foo: unknown key/,
    /unknown scheduler: mlfq/,
    /invalid --lam: -1/,
    /invalid --tmax: 0/,
    /invalid --c-ms: -2/,
    /--out-data: cannot write to file\/x: not a directory/,
  ])
    expect(told.filter((line) => expected.test(line))).toHaveLength(1);
  expect(told).toHaveLength(8);
  expect(listing(folder)).toEqual(["file"]);
});

test("long values are cut: a line stays a line", async ({ folder }) => {
  const long = "x".repeat(5000);
  for (const argv of [
    ["run", "--scenario", long],
    ["run", "--scheduler", long],
    ["run", "--set", `${long}=1`],
    ["run", "--lam", long],
    ["run", "--lam", "1\n2"],
    ["run", "--conventions", "a\nb"],
  ]) {
    const { code, stderr } = await llmsim(argv, { cwd: folder });
    expect(code).toBe(2);
    expect(stderr.trimEnd()).not.toContain("\n");
    expect(stderr.length).toBeLessThan(400);
  }
});
