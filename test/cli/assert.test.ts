/** `run --assert` in CI: exit codes, annotations, the step's summary; results are there whatever the verdict. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { llmsim, listing, SMALL, test } from "./session.js";

const hybrid = `run --scheduler hybrid ${SMALL}`;

describe("exit code", () => {
  test.for([
    ["0 when all hold", ["rts_mean_s<100"], 0],
    ["0 with several", ["rts_mean_s<100", "itl_p99<100", "throughput>0"], 0],
    ["1 when one fails", ["rts_mean_s<100", "ttft_mean>100"], 1],
    ["1 when one fails and one is undecided", ["ttft_mean>100", "throughput>2"], 1],
    ["4 when one is undecided", ["rts_mean_s<100", "throughput>2"], 4],
    ["4 when too few requests tell of a percentile", ["ttft_p99<100"], 4],
  ] as const)("%s", async ([, conditions, expected], { folder }) => {
    const flags = conditions.flatMap((condition) => ["--assert", condition]);
    const { code, stdout } = await llmsim([...hybrid.split(" "), ...flags, "--requests", "rows.csv"], {
      cwd: folder,
    });
    expect(code).toBe(expected);
    for (const word of expected === 0 ? ["hold"] : expected === 1 ? ["failed: "] : ["undecided: "])
      expect(stdout).toContain(word);
    expect(listing(folder)).toEqual(["rows.csv"]);
  });

  test("2 for a condition that is none, and nothing is written", async ({ folder }) => {
    const { code, stderr } = await llmsim(
      [...hybrid.split(" "), "--assert", "ttft_p95", "--assert", "tttf_p95<1", "--requests", "rows.csv"],
      { cwd: folder },
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^error: --assert: not a condition: ttft_p95 .*\nerror: --assert: unknown metric: tttf_p95 .* did you mean ttft_p95\?\n$/,
    );
    expect(listing(folder)).toEqual([]);
  });

  test("2 when what an SLO measures is asserted without one", async ({ folder }) => {
    const { code, stderr } = await llmsim(`${hybrid} --assert goodput>1`, { cwd: folder });
    expect([code, stderr]).toEqual([2, "error: --assert goodput_qps needs --slo (e.g. --slo ttft=0.5s)\n"]);
    expect((await llmsim(`${hybrid} --slo ttft=100s --assert attainment>=1`, { cwd: folder })).code).toBe(0);
  });
});

describe("on GitHub", () => {
  const conditions = "--assert rts_mean_s<100 --assert ttft_mean>100 --assert throughput>2";

  test("a line a condition on stderr, and stdout stays the document's", async ({ folder }) => {
    const argv = `${hybrid} --json ${conditions}`;
    const plain = await llmsim(argv, { cwd: folder });
    const marked = await llmsim(argv, { cwd: folder, env: { GITHUB_ACTIONS: "true" } });
    expect(plain.stderr).toBe("");
    expect(marked.stdout).toBe(plain.stdout);
    expect(marked.stderr.split("\n")).toEqual([
      expect.stringMatching(/^::notice title=llmsim%3A rts_mean_s<100::hybrid: .*: pass$/),
      expect.stringMatching(/^::error title=llmsim%3A ttft_mean_s>100::hybrid: .*: fail$/),
      expect.stringMatching(/^::warning title=llmsim%3A throughput_qps>2::hybrid: .*: undecided/),
      "",
    ]);
    const { assertions } = JSON.parse(plain.stdout) as { assertions: { verdict: string }[] };
    expect(assertions.map(({ verdict }) => verdict)).toEqual(["pass", "fail", "undecided"]);
  });

  test("the step's summary grows by the report", async ({ folder }) => {
    const env = { GITHUB_STEP_SUMMARY: join(folder, "summary.md") };
    await llmsim(`${hybrid} ${conditions}`, { cwd: folder, env });
    const once = readFileSync(env.GITHUB_STEP_SUMMARY, "utf8");
    expect(once).toContain("| ttft_mean_s>100 | hybrid |");
    await llmsim(`${hybrid} ${conditions}`, { cwd: folder, env });
    expect(readFileSync(env.GITHUB_STEP_SUMMARY, "utf8")).toBe(once + once);
    await llmsim(hybrid, { cwd: folder, env: { GITHUB_STEP_SUMMARY: join(folder, "none.md") } });
    expect(existsSync(join(folder, "none.md"))).toBe(false);
  });

  test("a summary that cannot be written is a warning", async ({ folder }) => {
    const env = { GITHUB_STEP_SUMMARY: join(folder, "no", "such", "folder.md") };
    const { code, stderr } = await llmsim(`${hybrid} --assert rts_mean_s<100`, { cwd: folder, env });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^warning: GITHUB_STEP_SUMMARY: cannot write/);
  });
});
