/** 95 % intervals cover: M/M/1 at ρ = .5, 1,000 experiments of 30 trials of 100 + 400 requests (`--coverage`: larger ones). */
import { describe, expect, test } from "vitest";
import { coverage, COVERAGE_RANGE } from "../../../src/experiments/validate/coverage.js";
import { threadPool } from "../../../src/run/pool.js";
import { runner } from "../../../src/run/runner.js";
import { silent, trialsWith } from "../studies.js";

const EXPERIMENTS = 1000;
/** None of the intervals covers: half of sixty are as far from that as half of two hundred. */
const EXPERIMENTS_WITHOUT = process.env.LLMSIM_LONG === "1" ? 200 : 60;

describe("coverage of 95 % intervals, M/M/1 at ρ = .5", () => {
  test("lies in .93–.97", async () => {
    const size = { experiments: EXPERIMENTS, trials: 30, warmup: 100, measured: 400 };
    const pool = threadPool(2);
    const { share, experiments, config } = await coverage(runner(pool, silent), 1, 0.5, size);
    await pool.close();
    expect(experiments).toBe(EXPERIMENTS);
    expect(config.horizon).toMatchObject({ tmaxSeconds: 10, warmupSeconds: 2 });
    expect(COVERAGE_RANGE).toEqual([0.93, 0.97]);
    expect(share).toBeGreaterThanOrEqual(0.93);
    expect(share).toBeLessThanOrEqual(0.97);
  });

  test("can fail: without a warm-up, trials of twenty requests say less than the truth, and do not cover", async () => {
    const size = { experiments: EXPERIMENTS_WITHOUT, trials: 30, warmup: 0, measured: 20 };
    const { share } = await coverage(trialsWith(), 1, 0.8, size);
    expect(share).toBeLessThan(0.5);
  });
});
