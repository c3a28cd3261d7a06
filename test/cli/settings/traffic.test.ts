/** `--trace` and `--lengths-from`: what is simulated, what is said of it, and what is refused with nothing written. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, vi } from "vitest";
import { TRAFFIC_FLAGS } from "../../../src/cli/settings/traffic.js";
import { parseCsv } from "../../../src/io/csv.js";
import { TRACE_FORMATS } from "../../../src/io/trace-reader.js";
import { contents, listing, llmsim, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

/** 240 requests in 2 minutes, busy and calm seconds by turns. */
const ROWS = Array.from({ length: 240 }, (_, i) => {
  const second = Math.floor(i / 4);
  const ms = 2000 * second + 100 * (i % 4) * (second % 5) + 25;
  return [(ms / 1000).toFixed(3), 20 + ((i * 37) % 300), 1 + ((i * 13) % 40)] as const;
});
const TRACE = `arrival_s,prompt_tokens,output_tokens\n${ROWS.map((row) => row.join(",")).join("\n")}\n`;
const put = (folder: string, text = TRACE, name = "mine.csv"): void =>
  writeFileSync(join(folder, name), text);

interface Output {
  readonly trials: number;
  readonly trace: Record<string, unknown>;
  readonly results: {
    lambda_qps: number;
    t_max_s: number;
    metrics: Record<string, { mean: number; n: number; ci95_low: number | null }>;
  }[];
}
async function documentOf(argv: string, cwd: string): Promise<Output> {
  const { code, stdout, stderr } = await llmsim(`${argv} --json --quiet`, { cwd });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Output;
}
const SMALL = "--scheduler hybrid --workers 0";

describe("a trace replayed", () => {
  test("one trial is one sample: every request, no interval, and the header says what it is", async ({
    folder,
  }) => {
    put(folder);
    const { code, stdout } = await llmsim(`run --trace mine.csv ${SMALL} --ntrials 1 --quiet`, {
      cwd: folder,
    });
    expect(code).toBe(0);
    expect(stdout).toContain("1 trial, seed 1, T 119.2 s\n");
    expect(stdout).toContain(
      "trace mine.csv, llmsim (instants in s): 240 requests in 119.2 s (2.013 per s)\n",
    );
    expect(stdout).toContain("arrivals trace speedup 1 blockSeconds 11.92;");
    expect(stdout).toContain(
      "note: one sample: the trace as it is, no interval (--ntrials 20 also resamples it)",
    );
    expect(stdout).toContain("llmsim sweep-time --scenario demo2 --trace mine.csv\n");

    const { trace, results } = await documentOf(`run --trace mine.csv ${SMALL} --ntrials 1`, folder);
    expect(trace).toMatchObject({
      file: "mine.csv",
      format: "llmsim",
      use: "replay",
      requests: 240,
      leftOut: 0,
    });
    expect(results[0]!.lambda_qps).toBe(240 / 119.2);
    expect(results[0]!.metrics.n_arrived).toMatchObject({ mean: 240, n: 1, ci95_low: null });
  });

  test("its requests are the file's", async ({ folder }) => {
    put(folder);
    await llmsim(`run --trace mine.csv ${SMALL} --ntrials 1 --quiet --requests out.csv`, { cwd: folder });
    const { rows } = parseCsv(readFileSync(join(folder, "out.csv"), "utf8"), { file: "out.csv" });
    expect(rows.map((row) => [row.arrived_at_s, row.prompt_tokens, row.output_tokens])).toEqual(
      ROWS.map(([at, prompt, output]) => [Number((Number(at) - 0.025).toFixed(9)), prompt, output]),
    );
  });

  test("further trials resample it, and say what the interval is about", async ({ folder }) => {
    put(folder);
    const argv = `run --trace mine.csv ${SMALL} --ntrials 8 --trace-block 10s`;
    const { results } = await documentOf(argv, folder);
    const arrived = results[0]!.metrics.n_arrived!;
    expect(arrived.n).toBe(8);
    expect(arrived.mean).not.toBe(240);
    expect(Math.abs(arrived.mean - 240)).toBeLessThan(40);
    const { stdout } = await llmsim(`${argv} --quiet`, { cwd: folder });
    expect(stdout).toContain("trial 1 replays the trace, the others resample it in blocks of 10 s");
  });

  test("faster, fewer, shorter", async ({ folder }) => {
    put(folder);
    const of = async (more: string): Promise<Output["results"][number]> =>
      (await documentOf(`run --trace mine.csv ${SMALL} --ntrials 1 ${more}`, folder)).results[0]!;
    const fast = await of("--speedup 4");
    expect([fast.t_max_s, fast.metrics.n_arrived!.mean]).toEqual([29.8, 240]);
    expect(fast.lambda_qps).toBeCloseTo((4 * 240) / 119.2, 9);
    expect((await of("--limit 10")).metrics.n_arrived!.mean).toBe(10);
    expect((await of("--n-queries 7")).metrics.n_arrived!.mean).toBe(7);
    expect((await of("--tmax 10")).metrics.n_arrived!.mean).toBe(24);
    expect((await of("--trace-block 1m")).metrics.n_arrived!.mean).toBe(240);
    const fixed = "--set workload.outputTokens.kind=fixed --set workload.outputTokens.tokens=1";
    expect((await of(fixed)).metrics.itl_mean_s!.n).toBe(0);
  });

  test("blocks as long as the trace, and traces of few requests, are warned of", async ({ folder }) => {
    put(folder);
    put(folder, TRACE.split("\n").slice(0, 13).join("\n"), "few.csv");
    const of = async (argv: string): Promise<string> =>
      (await llmsim(`run ${argv} ${SMALL} --ntrials 5 --quiet`, { cwd: folder })).stdout;
    expect(await of("--trace mine.csv --trace-block 1m")).toContain(
      "note: blocks of 60 s in a trace of 119.2 s: a trial is little more than the trace turned round",
    );
    const usual = await of("--trace mine.csv");
    expect(usual).toContain("resample it in blocks of 11.92 s");
    expect(usual).not.toContain("turned round");
    expect(usual).toBe(
      (await of("--trace mine.csv --trace-block none")).replaceAll(" --trace-block none", ""),
    );
    expect(await of("--trace few.csv")).toContain("note: the trace has 12 requests: trials that resample");
  });

  test("all requests at one instant, and a single one, are a batch", async ({ folder }) => {
    const rows = ROWS.map(([, prompt, output]) => `7.5,${prompt},${output}\n`);
    const header = "arrival_s,prompt_tokens,output_tokens\n";
    put(folder, header + rows.join(""), "batch.csv");
    put(folder, header + rows[0]!, "one.csv");
    for (const [name, count] of [
      ["batch.csv", 240],
      ["one.csv", 1],
    ] as const) {
      const { results } = await documentOf(`run --trace ${name} ${SMALL} --ntrials 3`, folder);
      expect([results[0]!.lambda_qps, results[0]!.metrics.n_completed!.mean]).toEqual([null, count]);
    }
    const { code, stdout } = await llmsim(`run --trace batch.csv ${SMALL} --ntrials 3 --quiet`, {
      cwd: folder,
    });
    expect(code).toBe(0);
    expect(stdout).toContain("trace batch.csv, llmsim (instants in s): 240 requests at one instant\n");
    expect(stdout).toContain("note: all requests arrive at one instant: there is no rate");
    const plan = await llmsim("plan --trace batch.csv --slo ttft_p99=1s", { cwd: folder });
    expect(plan).toMatchObject({
      code: 2,
      stderr:
        "error: invalid --trace: all requests at one instant (plan varies the load, and there is no rate to vary; --lengths-from takes its lengths alone)\n",
    });
    expect(stdout).not.toMatch(/did not keep up|of what any policy|trials: intervals/);
  });

  test("a window beyond its end is no longer, and that is said", async ({ folder }) => {
    put(folder);
    const argv = `run --trace mine.csv ${SMALL} --ntrials 1 --tmax 500 --quiet`;
    const { stdout } = await llmsim(argv, { cwd: folder });
    expect(stdout).toContain("note: the trace ends at 119.2 s, before T = 500.0 s\n");
  });

  test("prompts are cut and failed requests left out, and both are counted", async ({ folder }) => {
    const text = `Timestamp,Model,Request tokens,Response tokens\n1,a,500,2\n2,a,9,0\n3.5,a,100,2\n9,b,70,4\n`;
    put(folder, text, "burst.csv");
    const argv = `run --trace burst.csv --clip-prompt 90 ${SMALL} --ntrials 1`;
    const { stdout } = await llmsim(`${argv} --quiet`, { cwd: folder });
    expect(stdout).toContain(
      "trace burst.csv, burstgpt (instants in s): 3 requests in 8 s (0.3750 per s), 1 failed left out, 2 prompts cut\n",
    );
    const { trace } = await documentOf(argv, folder);
    expect(trace).toMatchObject({ requests: 3, leftOut: 1, clipped: 2 });
  });

  test.each(["sweep-time --windows 4", "sweep-chunk --sizes 32,64", "hybrid --npoints 3 --ratios 0.2,0.8"])(
    "%s takes it",
    async (command) => {
      const { mkdtempSync, rmSync } = await import("node:fs");
      const { tmpdir } = await import("node:os");
      const folder = mkdtempSync(join(tmpdir(), "llmsim-"));
      try {
        put(folder);
        const argv = `${command} --trace mine.csv --ntrials 2 --workers 0 --quiet`;
        const { code, stdout } = await llmsim(argv, { cwd: folder });
        expect(code).toBe(0);
        expect(stdout).toContain("trace mine.csv, llmsim (instants in s): 240 requests");
        expect(stdout).not.toContain("llmsim stability");
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

describe("files as users have them", () => {
  const answerOf = (stdout: string): string => stdout.split("\nagain:")[0]!;

  test("packed by gzip, piped in, as an array of JSON: the same answer", async ({ folder }) => {
    put(folder);
    writeFileSync(join(folder, "mine.csv.gz"), gzipSync(TRACE));
    const objects = ROWS.map(([arrival_s, prompt_tokens, output_tokens]) => ({
      arrival_s,
      prompt_tokens,
      output_tokens: String(output_tokens),
    }));
    put(folder, JSON.stringify(objects), "mine.json");
    const of = async (file: string, stdin?: string): Promise<string> => {
      const argv = `run --trace ${file} ${SMALL} --ntrials 3 --quiet`;
      const { stdout } = await llmsim(argv, { cwd: folder, ...(stdin !== undefined && { stdin }) });
      return answerOf(stdout).replace(/trace \S+,/, "trace mine.csv,");
    };
    const expected = await of("mine.csv");
    for (const file of ["mine.csv.gz", "mine.json"]) expect(await of(file)).toBe(expected);
    expect(await of("-", TRACE)).toBe(expected);
    const piped = await llmsim(`run --trace - ${SMALL} --ntrials 1`, { cwd: folder, stdin: "a,b\n1,2\n" });
    expect(piped.stderr).toMatch(/^error: unknown trace format: stdin has: a, b /);
    const { code, stderr } = await llmsim(`run --trace - ${SMALL}`, { cwd: folder });
    expect([code, stderr]).toEqual([
      2,
      "error: --trace: cannot read stdin: it is a terminal (pipe a file into it)\n",
    ]);
  });

  test("a window, put into order: what is simulated, and the flags again", async ({ folder }) => {
    const [header, ...lines] = TRACE.trim().split("\n");
    put(folder, [header, ...lines.reverse()].join("\n"), "back.csv");
    const refused = await llmsim(`run --trace back.csv ${SMALL}`, { cwd: folder });
    expect([refused.code, refused.stderr]).toEqual([
      2,
      'error: back.csv:3: invalid arrival_s: "118.825" (not before the request above, "119.225"; --sort puts rows in order)\n',
    ]);
    const flags = "--trace back.csv --sort --from 10s --to 1m";
    const argv = `run ${flags} ${SMALL} --ntrials 1 --quiet --requests out.csv`;
    const { code, stdout } = await llmsim(argv, { cwd: folder });
    expect(code).toBe(0);
    const inside = ROWS.filter(([at]) => Number(at) - 0.025 >= 10 && Number(at) - 0.025 < 60);
    const first = Number(inside[0]![0]);
    const { rows } = parseCsv(readFileSync(join(folder, "out.csv"), "utf8"), { file: "out.csv" });
    // Requests of one instant stay as they stood.
    const tokensLast = (pairs: unknown[][]): string[] => pairs.map((pair) => pair.join(" ")).sort();
    expect(rows.map((row) => row.arrived_at_s)).toEqual(
      inside.map(([at]) => Number((Number(at) - first).toFixed(9))),
    );
    expect(tokensLast(rows.map((row) => [row.arrived_at_s, row.prompt_tokens]))).toEqual(
      tokensLast(inside.map(([at, prompt]) => [Number((Number(at) - first).toFixed(9)), prompt])),
    );
    expect(stdout).toContain(`trace back.csv, llmsim (instants in s): ${inside.length} requests in `);
    expect(stdout).toContain("note: trace: its rows were not in the order of their instants");
    expect(stdout).toContain(`llmsim sweep-time --scenario demo2 ${flags}\n`);
  });

  test("what --requests wrote is replayed to the same bytes", async ({ folder }) => {
    const first = `run --lam 3 --arrivals gamma --cv 2 --tmax 30 --scheduler hybrid,vllm --workers 0 --ntrials 1 --quiet`;
    expect((await llmsim(`${first} --requests first.csv`, { cwd: folder })).code).toBe(0);
    const second = "run --trace first.csv --scheduler hybrid,vllm --workers 0 --ntrials 1 --quiet";
    const { stdout } = await llmsim(`${second} --requests second.csv`, { cwd: folder });
    expect(stdout).toContain(
      "note: trace: requests of scheduler hybrid alone are read: the file repeats them for each (--trace-run)\n",
    );
    const third = second.replace("first.csv", "second.csv");
    await llmsim(`${third} --requests third.csv`, { cwd: folder });
    await llmsim(`${third} --trace-run 2 --requests fourth.csv`, { cwd: folder });
    const files = contents(folder);
    expect(files["third.csv"]).toBe(files["second.csv"]);
    expect(files["fourth.csv"]).toBe(files["second.csv"]);
    // Times count from the first arrival.
    const rowsOf = (file: string): number[][] =>
      parseCsv(files[file]!, { file }).rows.map((row) =>
        ["prompt_tokens", "output_tokens", "ttft_s", "rts_s"].map((key) => Number(row[key])),
      );
    expect(rowsOf("second.csv")).toEqual(rowsOf("first.csv"));
    const none = await llmsim(`${third} --trace-run 3`, { cwd: folder });
    expect([none.code, none.stderr]).toEqual([2, "error: second.csv: no run 3 (the file holds 2 runs)\n"]);
  });

  test("Mooncake's form in seconds, in ms, and what is doubted", async ({ folder }) => {
    const line = (at: number, i: number): string =>
      `{"timestamp": ${at}, "input_length": ${500 + i}, "output_length": 5, "hash_ids": [1, ${i + 2}]}\n`;
    put(folder, [61.114, 62.614, 71.114].map(line).join(""), "s.jsonl");
    put(folder, [61, 62, 63].map(line).join(""), "fast.jsonl");
    const of = async (argv: string): Promise<string> =>
      (await llmsim(`run --trace ${argv} ${SMALL} --ntrials 1 --quiet`, { cwd: folder })).stdout;
    const seconds = await of("s.jsonl");
    expect(seconds).toContain("trace s.jsonl, mooncake (instants in s): 3 requests in 10 s (0.3000 per s)\n");
    expect(seconds).toContain(
      "note: trace: prefix hits are not derived from hash_ids: every prompt is computed whole; a cache that forgets nothing would hit",
    );
    expect(seconds).not.toContain("--trace-unit");
    const fast = await of("fast.jsonl");
    expect(fast).toContain("3 requests in 0.002 s (1500 per s)\n");
    expect(fast).toContain("note: trace: 1500 requests per s: are its instants in ms? (--trace-unit)\n");
    expect(await of("fast.jsonl --trace-unit s")).toContain("(instants in s): 3 requests in 2 s");
    const { trace } = await documentOf(`run --trace fast.jsonl ${SMALL} --ntrials 1`, folder);
    expect(trace).toMatchObject({
      unit: "ms",
      notes: [expect.stringContaining("--trace-unit"), expect.anything()],
    });
  });
});

describe("lengths from a trace", () => {
  test("prompt and output of a row, arrivals as asked", async ({ folder }) => {
    put(folder);
    const argv = `run --lengths-from mine.csv --arrivals gamma --cv 2 --lam 3 --tmax 100 ${SMALL} --ntrials 1 --quiet`;
    const { stdout } = await llmsim(`${argv} --requests out.csv`, { cwd: folder });
    expect(stdout).toContain("lengths from mine.csv, llmsim: 240 requests\n");
    expect(stdout).toContain("arrivals gamma ratePerSecond 3 cv 2;");
    expect(stdout).toContain("note: one trial: no interval");
    const pairs = new Set(ROWS.map(([, prompt, output]) => `${prompt} ${output}`));
    const { rows } = parseCsv(readFileSync(join(folder, "out.csv"), "utf8"), { file: "out.csv" });
    expect(rows.length).toBeGreaterThan(100);
    expect(rows.filter((row) => !pairs.has(`${row.prompt_tokens} ${row.output_tokens}`))).toEqual([]);
  });

  test("stability takes them: λ is its own", async ({ folder }) => {
    put(folder);
    const argv = `stability --lengths-from mine.csv ${SMALL} --lambdas 1 --precision 0.05 --ntrials 2 --tmax 20 --quiet --json`;
    const { code, stdout } = await llmsim(argv, { cwd: folder });
    expect(code).toBe(0);
    const { results } = JSON.parse(stdout) as {
      results: { lambda_star_qps: number; upper_bound_qps: number }[];
    };
    expect(results[0]!.upper_bound_qps).toBeGreaterThan(1);
    expect(results[0]!.lambda_star_qps / results[0]!.upper_bound_qps).toBeGreaterThan(0.5);
  });
});

describe("refused, with nothing written", () => {
  const cases: [string, string[]][] = [
    ["run --trace none.csv", ["--trace: cannot read none.csv: no such file or directory"]],
    [
      "run --trace mine.csv --lam 3",
      ["--lam contradicts --trace (use --speedup: 2 plays the trace twice as fast)"],
    ],
    [
      "run --trace mine.csv --lengths-from mine.csv --arrivals gamma --cv 2 --limit 0 --chunk-size x --speedup 0",
      [
        "--lengths-from contradicts --trace (a trace brings its lengths; give one of them)",
        "--arrivals contradicts --trace (use --lengths-from to take its lengths alone)",
        "--cv contradicts --trace (use --lengths-from to take its lengths alone)",
        'invalid --limit: "0" (an integer at least 1)',
        "invalid --chunk-size: x (an integer at least 1 and at most 2147483647, or none)",
        "invalid --speedup: 0 (a number above 0 and at most 1000000)",
      ],
    ],
    [
      "run --limit 3 --speedup 2 --sort --to 1m",
      [
        "--sort needs --trace or --lengths-from (a file of requests)",
        "--to needs --trace or --lengths-from (a file of requests)",
        "--limit needs --trace or --lengths-from (a file of requests)",
        "--speedup needs --trace (a file of requests)",
      ],
    ],
    ["run --lengths-from mine.csv --speedup 2", ["--speedup needs --trace (a file of requests)"]],
    [
      "run --trace mine.csv --trace-block 5x",
      ["invalid --trace-block: 5x (a number at least 0.001 and at most 10000000, or none)"],
    ],
    [
      "run --trace mine.csv --trace-format azur",
      [
        `invalid --trace-format: azur (one of: ${TRACE_FORMATS.map(({ name }) => name).join(", ")}) — did you mean azure?`,
      ],
    ],
    [
      "run --trace mine.csv --trace-unit min --trace-run 0 --from 5x --to 10 --limit 1.5",
      [
        "invalid --trace-unit: min (one of: s, ms, us, ns)",
        'invalid --trace-run: "0" (an integer at least 1)',
        "invalid --from: 5x (a time of the trace, at least 0 and at most 9000000 s: 90, 90s, 5m, 1h)",
        'invalid --limit: "1.5" (an integer at least 1)',
      ],
    ],
    ["run --lengths-from mine.csv --from 1m --to 60s", ["invalid --to: 60s (after --from, 1m)"]],
    ["run --arrivals gamma", ["missing workload.arrivals.cv (a number at least 0.01 and at most 100)"]],
    [
      "run --set workload.arrivals.kind=trace --set workload.arrivals.data=abc",
      [
        "invalid --set workload.arrivals.data: abc (no such trace is loaded; give its file by --trace or --lengths-from)",
      ],
    ],
    [
      "stability --trace mine.csv",
      [
        "invalid --trace: stability varies λ, and a trace's is what it is (--lengths-from takes its lengths alone; llmsim run --trace FILE --speedup 2 plays it twice as fast)",
      ],
    ],
    [
      "sweep-time --trace bad.csv --workers x",
      [
        "invalid --workers: x (an integer at least 0 and at most 256; 0 simulates in this process)",
        'bad.csv:2: invalid prompt_tokens: "0" (an integer at least 1 and at most 2147483647)',
        'bad.csv:3: invalid arrival_s: "0.5" (not before the request above, "1"; --sort puts rows in order)',
      ],
    ],
  ];
  test("each with what to do instead", async ({ folder }) => {
    put(folder);
    put(folder, "arrival_s,prompt_tokens,output_tokens\n1,0,1\n0.5,1,1\n", "bad.csv");
    const before = listing(folder);
    for (const [argv, expected] of cases) {
      const { code, stdout, stderr } = await llmsim(argv, { cwd: folder });
      expect([argv, code, stdout, stderr.trimEnd().split("\n")]).toEqual([
        argv,
        2,
        "",
        expected.map((message) => `error: ${message}`),
      ]);
    }
    expect(listing(folder)).toEqual(before);
    expect(contents(folder)["mine.csv"]).toBe(TRACE);
  });
});

describe("the page on traffic", () => {
  const page = readFileSync(new URL("../../../docs/traffic.md", import.meta.url), "utf8");

  test("names every flag and every format with its columns", () => {
    for (const [flag] of TRAFFIC_FLAGS) expect(page).toMatch(new RegExp(`\`${flag.split(" ")[0]}[ \`]`));
    for (const { name, arrival, marks } of TRACE_FORMATS) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\``))!;
      const inside = (key: string): string => key.split(".").at(-1)!;
      for (const key of [...marks, ...(arrival ? [arrival.column] : [])])
        expect(row, name).toContain(inside(key));
    }
  });

  test("shows a file that can be read", async ({ folder }) => {
    const csv = /```\n(arrival_s[\s\S]*?)```/.exec(page)![1]!;
    put(folder, csv, "page.csv");
    const { results } = await documentOf(`run --trace page.csv ${SMALL} --ntrials 1`, folder);
    expect(results[0]!.metrics.n_arrived!.mean).toBe(2);
  });
});

describe("--max-concurrency", () => {
  const small = "--tmax 20 --ntrials 3 --workers 0";
  const line = `run --scheduler hybrid --lam 6 ${small}`;

  test("caps what is out at once: header, table, requests and JSON say so", async ({ folder: cwd }) => {
    const { code, stdout, stderr } = await llmsim(`${line} --max-concurrency 4 --requests rows.csv`, { cwd });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^arrivals poisson ratePerSecond 6, at most 4 out at once; service affine/m);
    expect(stdout).toMatch(/^scheduler .* client wait (ms|s) *$/m);
    const text = readFileSync(join(cwd, "rows.csv"), "utf8");
    const { rows, columns } = parseCsv(text, { file: "rows.csv", required: [] });
    expect(columns.at(-1)).toBe("client_wait_s");
    expect(rows.filter(({ client_wait_s }) => (client_wait_s as number) > 0).length).toBeGreaterThan(10);
    const free = await llmsim(`${line} --json`, { cwd });
    const json = await llmsim(`${line} --max-concurrency 4 --json`, { cwd });
    const metricsOf = (text: string) =>
      (JSON.parse(text) as { results: { metrics: Record<string, { mean: number }> }[] }).results[0]!.metrics;
    expect(metricsOf(json.stdout).client_wait_mean_s!.mean).toBeGreaterThan(0.1);
    expect(metricsOf(json.stdout).n_arrived).toEqual(metricsOf(free.stdout).n_arrived);
    expect(metricsOf(json.stdout).tbt_mean_s!.mean).toBeLessThan(metricsOf(free.stdout).tbt_mean_s!.mean);
    expect(free.stdout).not.toContain("client_wait");
  });

  test("is asserted, swept and compared like any other setting", async ({ folder: cwd }) => {
    const asked = `${line} --max-concurrency 4`;
    expect((await llmsim(`${asked} --assert client_wait_mean<100`, { cwd })).code).toBe(0);
    const without = await llmsim(`${line} --assert client_wait_mean<1`, { cwd });
    expect([without.code, without.stderr]).toEqual([
      2,
      "error: --assert client_wait_mean_s needs --max-concurrency (e.g. --max-concurrency 32)\n",
    ]);
    const swept = await llmsim(`sweep --vary max-concurrency=2,8 --lam 6 ${small}`, { cwd });
    expect(swept.code).toBe(0);
    expect(swept.stdout).toMatch(/^maxConcurrency +req/m);
  });

  test.for([
    ["run --max-concurrency 0", /invalid --max-concurrency: 0 \(an integer at least 1/],
    ["run --max-concurrency 2.5", /invalid --max-concurrency: 2\.5/],
    ["run --arrivals closed --clients 4 --think 1 --max-concurrency 2", /\(none: of a closed loop as many/],
    ["stability --max-concurrency 2 --tmax 20", /stability looks for the λ at which queues grow/],
  ] as const)("%s: refused", async ([argv, message], { folder: cwd }) => {
    const { code, stderr } = await llmsim(argv, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
