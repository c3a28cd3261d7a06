/** `sweep`: the same numbers as the commands that are settings of it, and every problem of its lists at once. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, vi } from "vitest";
import { parseValues } from "../../src/config/lists.js";
import { parseCsv } from "../../src/io/csv.js";
import { listing, llmsim, SMALL, test } from "./session.js";

const rowsOf = (folder: string, name: string) =>
  parseCsv(readFileSync(join(folder, "data", name), "utf8"), { file: name, required: [] }).rows;

/** Where two commands' tables are compared, their pictures are not drawn. */
function drawLightly(): void {
  vi.doMock("../../src/io/png.js", () => import("./output/light-pictures.js"));
  onTestFinished(() => void vi.doUnmock("../../src/io/png.js"));
}

test("over chunk sizes is sweep-chunk", async ({ folder: cwd }) => {
  drawLightly();
  const model = `--scheduler hybrid ${SMALL}`;
  expect((await llmsim(`sweep --vary engine.chunkSize=none,16,64 ${model}`, { cwd })).code).toBe(0);
  expect((await llmsim(`sweep-chunk --sizes 16,64 ${model}`, { cwd })).code).toBe(0);
  expect(rowsOf(cwd, "sweep_chunkSize.csv")).toEqual(rowsOf(cwd, "chunk_size_sweep_hybrid_tmax20.csv"));
});

test("over ratios is hybrid's last window", async ({ folder: cwd }) => {
  drawLightly();
  const model = `--scheduler hybrid --ratio-of tokens --scenario demo2 --lam 5 ${SMALL}`;
  expect((await llmsim(`sweep --vary ratio=0.3,0.9 ${model}`, { cwd })).code).toBe(0);
  expect((await llmsim(`hybrid --ratios 0.3,0.9 --npoints 1 ${model}`, { cwd })).code).toBe(0);
  const swept = rowsOf(cwd, "sweep_ratio.csv");
  rowsOf(cwd, "hybrid_ratio_demo2_steady_state.csv").forEach((row, i) =>
    expect(swept[i]).toMatchObject({ ...row, scheduler: expect.stringContaining("hybrid") }),
  );
});

test("over two keys: every combination, keys that no other column holds under their own names", async ({
  folder: cwd,
}) => {
  const { code, stdout } = await llmsim(
    `sweep --vary lam=1,3 --vary conventions.mixedBatch=sum,max --scheduler prefill,hybrid --metric ttft_mean_s ${SMALL}`,
    { cwd },
  );
  expect(code).toBe(0);
  expect(listing(join(cwd, "figs"))).toEqual([
    "sweep_ratePerSecond_mixedBatch.png",
    "sweep_ratePerSecond_mixedBatch.vl.json",
  ]);
  const rows = rowsOf(cwd, "sweep_ratePerSecond_mixedBatch.csv");
  expect(rows.map((row) => [row.scheduler, row.lambda_qps, row["conventions.mixedBatch"]])).toEqual(
    [1, 3].flatMap((rate) =>
      ["sum", "max"].flatMap((word) => ["prefill-prioritizing", "hybrid"].map((name) => [name, rate, word])),
    ),
  );
  // Differences are to the first point of the same scheduler.
  expect(rows[0]!.ttft_mean_s_difference).toBeNull();
  const [base, , , one] = rows.filter(({ scheduler }) => scheduler === "hybrid");
  expect(one!.ttft_mean_s_difference).toBeCloseTo(Number(one!.ttft_mean_s) - Number(base!.ttft_mean_s), 12);
  expect(stdout).toMatch(/^prefill-prioritizing: at λ 1: mean TTFT is /);
  expect(stdout).toMatch(/^hybrid: at λ 3: mean TTFT is lowest at mixedBatch /m);
});

test.for([
  ["words", "scheduler=decode,prefill,hybrid", "sweep_schedulers"],
  ["scenarios", "scenario=demo1,demo2", "sweep_scenario"],
  ["replicas with none among the numbers", "engine.kvTokens=none,4096,8192", "sweep_kvTokens"],
])("over %s", async ([, vary, name], { folder: cwd }) => {
  const { code, stderr } = await llmsim(`sweep --vary ${vary} --quiet ${SMALL}`, { cwd });
  expect([code, stderr]).toEqual([0, ""]);
  expect(listing(cwd)).toContain(join("figs", `${name}.png`));
});

describe("refuses, and writes nothing", () => {
  test.for<[string, string[]]>([
    ["", ["--vary: missing (key=list"]],
    ["--vary lam", ["--vary: no key: lam"]],
    ["--vary lam=1 --vary b0=1 --vary ratio=0.5", ["--vary: 3 keys (one or two)"]],
    ["--vary lam=1 --vary workload.arrivals.ratePerSecond=2", ["twice"]],
    ["--vary seed=1,2", ["--vary seed: not a setting of the simulation"]],
    ["--vary ntrials=1,2", ["--vary trials: not a setting of the simulation"]],
    ["--vary engin.maxTokens=1,2 --lam -1", ["invalid --lam: -1", "--vary engin: unknown key"]],
    ["--vary engine.maxTokens=0,512", ["invalid --vary engine.maxTokens: 0 (an integer at least 1"]],
    ["--vary engine.maxTokens=512,512", ["(512 twice; each value once)"]],
    ["--vary lam=1:2000:1", ["--vary: 2000 points (at most 1000)"]],
    ["--vary lam=5:1:1", ["descending"]],
    ["--vary scheduler=orco", ["unknown scheduler: orco"]],
    ["--vary scenario=demo9", ["unknown scenario: demo9"]],
    ["--vary lam=1 --metric rts_p100_s", ["invalid --metric: rts_p100_s"]],
  ])("%s", async ([flags, problems], { folder: cwd }) => {
    const { code, stdout, stderr } = await llmsim(`sweep ${flags} ${SMALL}`, { cwd });
    expect([code, stdout]).toEqual([2, ""]);
    for (const problem of problems) expect(stderr).toContain(problem);
    expect(stderr.trim().split("\n")).toHaveLength(problems.length);
    expect(listing(cwd)).toEqual([]);
  });
});

describe("lists with words", () => {
  test.each<[string, (string | number)[]]>([
    ["none,8,16,...,64", ["none", 8, 16, 32, 64]],
    ["1,none,2", [1, "none", 2]],
    ["0.1:0.3:0.1,off", [0.1, 0.2, 0.3, "off"]],
    ["fcfs", ["fcfs"]],
    ["true,false", ["true", "false"]],
  ])("%s", (text, values) => {
    expect(parseValues(text, "--vary x")).toEqual(values);
  });
});

describe("--metric", () => {
  const line = `--vary lam=1,3 --scheduler hybrid ${SMALL}`;
  const headOf = (stdout: string): string => stdout.split("\n").find((one) => one.startsWith("λ "))!;

  test("is a column of the table, and of the differences; one that is there stays where it is", async ({
    folder: cwd,
  }) => {
    drawLightly();
    const usual = await llmsim(`sweep ${line}`, { cwd });
    expect(headOf(usual.stdout)).toMatch(/^λ +req\/s +TTFT ms +TBT ms +RTS p95 s +ITL p99 ms$/);
    const same = await llmsim(`sweep ${line} --metric tpot_mean`, { cwd });
    expect(headOf(same.stdout)).toBe(headOf(usual.stdout));
    expect(same.stdout).toMatch(/^mean TBT is lowest at λ 1/);
    const more = await llmsim(`sweep ${line} --metric number_in_system`, { cwd });
    expect(headOf(more.stdout)).toMatch(/ITL p99 ms +requests in the system$/);
    const [, second] = rowsOf(cwd, "sweep_ratePerSecond.csv");
    expect(second!.number_in_system_verdict).toBe("worse");
  });

  test("is any percentile of a time, with columns of its own in table and CSV", async ({ folder: cwd }) => {
    drawLightly();
    const { code, stdout } = await llmsim(`sweep ${line} --metric e2e_p99.9`, { cwd });
    expect(code).toBe(0);
    expect(headOf(stdout)).toMatch(/ITL p99 ms +RTS p99\.9 s$/);
    expect(stdout).toMatch(/^P99\.9 response time is lowest at λ 1/);
    const rows = rowsOf(cwd, "sweep_ratePerSecond.csv") as Record<string, number>[];
    for (const row of rows) expect(row["rts_p99.9_s"]).toBeGreaterThanOrEqual(row.rts_p99_s!);
    expect(rows[1]!["rts_p99.9_s_difference"]).toBeCloseTo(
      rows[1]!["rts_p99.9_s"]! - rows[0]!["rts_p99.9_s"]!,
      9,
    );
    const compared = await llmsim(`compare --with lam=3 --scheduler hybrid ${SMALL} --metric ttft_p99.9`, {
      cwd,
    });
    expect(compared.stdout).toMatch(/^lam=3: P99\.9 TTFT /);
    expect(compared.stdout).toContain("TTFT p99.9");
  });

  test("of fewer requests than it needs is told once, over all points", async ({ folder: cwd }) => {
    drawLightly();
    // Ten requests and three hundred: P95 of the second has enough.
    const many = "sweep --vary lam=1,30 --scheduler hybrid --tmax 10 --ntrials 2 --workers 0 --quiet";
    for (const [asked, told] of [
      ["", ""],
      [" --metric ttft_p99.9", ", P99.9 of fewer than 10000"],
    ]) {
      const { stdout } = await llmsim(`${many}${asked}`, { cwd });
      expect(stdout.match(/^note: few requests a trial.*/gm)).toEqual([
        `note: few requests a trial: P95 of fewer than 200, P99 of fewer than 1000${told} is biased, and so is its mean over trials; --slo and --assert judge the requests of all trials`,
      ]);
    }
  });

  test("is refused where it is none, with what there is", async ({ folder: cwd }) => {
    const { code, stderr } = await llmsim(`sweep ${line} --metric ttft_p100`, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: invalid --metric: ttft_p100 \(one of: ttft_mean_s, .*; of times any percentile, e\.g\. ttft_p99\.9\)/,
    );
  });
});

describe("a point that fails", () => {
  const FAILS_AT_2 = `export default {
    name: "brittle", options: [{ key: "level", kind: "number", default: 1, flag: "--level <n>", summary: "a level" }],
    create: ({ level }) => ({ compose(view, batch) { if (level === 2) throw new Error("level two"); batch.decode(view.decodable); batch.pack(); } }) };`;

  test("has empty cells and its reason, in table, CSV and JSON; the others are what they are without it", async ({
    folder: cwd,
  }) => {
    drawLightly();
    const line = `--tmax 1e6 --ntrials 2 --force --workers 1`;
    const whole = await llmsim(`sweep --vary lam=1e-5,3e-5 ${line}`, { cwd });
    expect(whole.code).toBe(0);
    const expected = rowsOf(cwd, "sweep_ratePerSecond.csv");
    const reason =
      /^too little memory: 1000000 million requests a trial take about \d+ GiB, and [\d.]+ GiB are free/;
    const { code, stdout, stderr } = await llmsim(`sweep --vary lam=1e-5,3e-5,1e6 ${line}`, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: λ 1000000: too little memory: /m);
    expect(stdout).toMatch(/^1000000 .*failed$/m);
    expect(stdout).toMatch(/^P95 response time is lowest at λ /);
    const rows = rowsOf(cwd, "sweep_ratePerSecond.csv");
    expect(rows.slice(0, 2)).toEqual(expected.map((row) => ({ ...row, failed: null })));
    const { failed, lambda_qps, rts_p95_s, ttft_mean_s_difference } = rows[2]!;
    expect(failed).toMatch(reason);
    expect([lambda_qps, rts_p95_s, ttft_mean_s_difference]).toEqual([1e6, null, null]);
    const json = await llmsim(`sweep --vary lam=1e-5,3e-5,1e6 ${line} --json`, { cwd });
    expect(json.code).toBe(2);
    const { results } = JSON.parse(json.stdout) as { results: Record<string, unknown>[] };
    expect(results.map((one) => one.failed ?? null)).toEqual([null, null, failed]);
  });

  test("under a plugin is named by the file as the user named it", async ({ folder: cwd }) => {
    drawLightly();
    writeFileSync(join(cwd, "brittle.mjs"), FAILS_AT_2);
    const { code, stderr } = await llmsim(
      `sweep --plugin brittle.mjs --scheduler brittle --vary scheduler.level=1,2,3 ${SMALL}`,
      { cwd },
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/error: level 2: plugin brittle\.mjs: .*level two/);
    const rows = rowsOf(cwd, "sweep_level.csv");
    expect(rows.map(({ rts_mean_s }) => rts_mean_s === null)).toEqual([false, true, false]);
    expect(rows[1]!.failed).toMatch(/^plugin brittle\.mjs: /);
  });

  test("and all of them: nothing is written", async ({ folder: cwd }) => {
    const { code, stderr } = await llmsim("sweep --vary lam=5e5,1e6 --tmax 1e6 --force", { cwd });
    expect([code, listing(cwd)]).toEqual([2, []]);
    expect(stderr).toMatch(/^error: too little memory: /m);
  });
});
