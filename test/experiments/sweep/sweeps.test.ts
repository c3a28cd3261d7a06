/** The chunk-size and decode-ratio sweeps: the study's numbers, the inert ratio, and the trade-off that is real. */
import { expect, test } from "vitest";
import { hybrid } from "../../../src/experiments/sweep/hybrid.js";
import { sweepChunk } from "../../../src/experiments/sweep/sweep-chunk.js";
import { summarize } from "../../../src/stats/index.js";
import { contextOf, studyOf, trialsWith } from "../studies.js";

const decode = [{ kind: "decode-prioritizing" }];

/** Standard error of the study's means: 100 trials, as their spread over ours tells. */
const standardError = (sd: number, trials: number): number => sd * Math.sqrt(1 / trials + 1 / 100);

test("the study's chunk sizes: TTFT of decode-prioritizing within 4 standard errors of the difference", async () => {
  const trials = 16;
  const study = studyOf("demo2", {
    schedulers: decode,
    trials,
    conventions: "reference",
    horizon: { tmaxSeconds: 5000 },
  });
  const report = await sweepChunk.run(contextOf(study, trialsWith(), { sizes: [64, 512] }));
  const published = [2.2497, 5.6371, 2.2535];
  report.csv[0].rows.forEach((row, i) => {
    const error = standardError(row.ttft_mean_s_sd as number, trials);
    expect(Math.abs((row.ttft_mean_s as number) - published[i]) / error, String(row.chunk_size)).toBeLessThan(
      4,
    );
  });
  // Every prompt fits into 512 tokens: the same run.
  expect(report.csv[0].rows[2].ttft_mean_s).toBe(report.csv[0].rows[0].ttft_mean_s);
  expect(report.csv[0].rows[1].ttft_mean_s_verdict).toBe("worse");
});

test("sizes are judged before anything is simulated, all at once", async () => {
  const context = contextOf(studyOf("demo2", { schedulers: decode }), trialsWith(), {
    sizes: [0, 64, 32, 4096, 1.5],
  });
  await expect(sweepChunk.run(context)).rejects.toMatchObject({
    issues: [
      { message: expect.stringContaining("--sizes: 0 ") },
      { message: expect.stringContaining("--sizes: 32 ") },
      { message: expect.stringContaining("--sizes: 4096 ") },
      { message: expect.stringContaining("--sizes: 1.5 ") },
    ],
  });
});

test("a ratio of sequences never binds at the study's load, and the report says so", async () => {
  const study = studyOf("demo2", { trials: 2, horizon: { tmaxSeconds: 300 } });
  const report = await hybrid.run(contextOf(study, trialsWith(), { ratios: [0.1, 0.5, 0.9], npoints: 3 }));
  const [, steady] = report.csv;
  for (const row of steady.rows) {
    expect([row.decode_limit_binding, row.prefill_limit_binding]).toEqual([0, 0]);
    expect(row.ttft_mean_s).toBe(steady.rows[0].ttft_mean_s);
  }
  expect(report.answer[0]).toContain("makes no difference");
  expect(report.notes[0]).toMatch(/never bound.*maxSequences near \d+.*λ near 6\.\d/);
  expect(JSON.stringify(report.figures[1].spec)).toContain("never bound");
});

test("a ratio of sequences binds where the cap is near the load", async () => {
  const base = studyOf("demo2", { trials: 2, horizon: { tmaxSeconds: 300 } });
  const study = { ...base, config: { ...base.config, engine: { ...base.config.engine, maxSequences: 10 } } };
  const report = await hybrid.run(contextOf(study, trialsWith(), { ratios: [0.1, 0.9], npoints: 1 }));
  expect(report.csv[1].rows[0].decode_limit_binding).toBeGreaterThan(0.1);
  expect(report.answer[0]).not.toContain("makes no difference");
});

test("a ratio of tokens trades TTFT for P99 ITL, in opposite directions", async () => {
  const trials = 8;
  const study = studyOf("demo2", {
    trials,
    rate: 5,
    schedulers: [{ kind: "hybrid", ratio: 0.5, ratioOf: "tokens" }],
    horizon: { tmaxSeconds: 500 },
  });
  const report = await hybrid.run(contextOf(study, trialsWith(), { ratios: [0.5, 0.95], npoints: 1 }));
  const [low, high] = report.csv[1].rows;
  // Intervals that do not overlap: the later is clearly above, or below.
  expect(high.ttft_mean_s_ci95_low).toBeGreaterThan(low.ttft_mean_s_ci95_high as number);
  expect(high.itl_p99_s_ci95_high).toBeLessThan(low.itl_p99_s_ci95_low as number);
  expect(summarize([low.prefill_limit_binding as number]).mean).toBeLessThan(
    high.prefill_limit_binding as number,
  );
});

test("ratios are judged before anything is simulated", async () => {
  const context = contextOf(studyOf("demo2"), trialsWith(), { ratios: [0, 0.5, 0.4, 1], npoints: 1 });
  await expect(hybrid.run(context)).rejects.toMatchObject({
    issues: [
      { message: expect.stringContaining("--ratios: 0 ") },
      { message: expect.stringContaining("--ratios: 0.4 ") },
      { message: expect.stringContaining("--ratios: 1 ") },
    ],
  });
});

test("the answer allows for having picked among many sizes: noise alone lowers nothing", async () => {
  // Sizes above every prompt change nothing but the draw of which looks best: here all are the same run.
  const study = studyOf("demo2", { schedulers: decode, trials: 5, horizon: { tmaxSeconds: 200 } });
  const report = await sweepChunk.run(contextOf(study, trialsWith(), { sizes: [512, 1024, 2048] }));
  expect(report.answer[0]).toContain("no chunk size lowers P95 response time by a resolved difference");
  expect(report.answer[0]).not.toContain("raises");
});

test("the hint of a load is left out where no formula gives it (mixed batches at the dearer side's cost)", async () => {
  const study = studyOf("demo2", { trials: 2, conventions: "reference", horizon: { tmaxSeconds: 100 } });
  const report = await hybrid.run(contextOf(study, trialsWith(), { ratios: [0.1, 0.9], npoints: 1 }));
  expect(report.notes[0]).toMatch(/maxSequences near \d+; --ratio-of tokens/);
});
