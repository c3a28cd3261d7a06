/** `reproduce --check`, `plot`, `stability` and the sweeps from the command line: bad input, and what is left untouched. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { contents, llmsim, test } from "./session.js";

describe("bad input: exit 2, one line each, nothing written", () => {
  test.for<[string, string]>([
    [
      "sweep-chunk --sizes 0,8",
      "error: invalid --sizes: 0 (an integer at least 1 and at most the token budget, 2048)",
    ],
    ["sweep-chunk --sizes 8,16,...,500", "invalid --sizes"],
    ["sweep-chunk --sizes 64,32", "--sizes: 32 (above 64"],
    ["sweep-chunk --sizes 4096", "at most the token budget, 2048"],
    ["hybrid --ratios 0,0.5", "invalid --ratios: 0 (a number above 0 and below 1)"],
    ["hybrid --ratios 0.5,1.5", "invalid --ratios: 1.5"],
    ["stability --method best", "invalid --method: best (one of: drift, trend)"],
    ["stability --precision 0", "invalid --precision: 0"],
    ["plot", "no results in the data folder"],
    ["reproduce --check", "nothing to check against: no manifest.json"],
    ["reproduce --lam 3", "unknown option: --lam"],
  ])("%s", async ([line, said], { folder }) => {
    const { code, stdout, stderr } = await llmsim(`${line} --workers 0`, { cwd: folder });
    expect(stderr).toContain(said);
    expect([code, stdout]).toEqual([2, ""]);
    expect(contents(folder)).toEqual({});
  });
});

test("plot refuses a foreign CSV by file and column, and leaves everything as it was", async ({ folder }) => {
  await llmsim("sweep-time --windows 2 --tmax 10 --ntrials 2 --workers 0", { cwd: folder });
  writeFileSync(join(folder, "data", "x_capacity_summary.csv"), "scheduler,capacity\nhybrid,3\n");
  const before = contents(folder);
  const { code, stderr } = await llmsim("plot --workers 0", { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toMatch(/x_capacity_summary\.csv.*lambda_star_qps/);
  expect(contents(folder)).toEqual(before);
});

test("a λ grid above the bound is allowed and unstable", async ({ folder }) => {
  const line =
    "stability --scheduler hybrid --lambdas 9 --ntrials 2 --tmax 20 --precision 0.05 --workers 0 --json";
  const { code, stdout } = await llmsim(line, { cwd: folder });
  expect(code).toBe(0);
  const { points } = JSON.parse(stdout) as { points: { verdict: string }[] };
  expect(points.map(({ verdict }) => verdict)).toEqual(["unstable"]);
});
