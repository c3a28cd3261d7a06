/** Goodput and attainment (docs/model.md §4), by hand and against a count of the requests of random runs. */
import { describe, expect, test } from "vitest";
import { simulate } from "../../../src/core/trial/simulate.js";
import type { SloConfig } from "../../../src/core/configuration/slo.js";
import { run, type Row } from "../../contract/workloads.js";

const MS = 1e6;
/** c 10 ms, a 1 ms: prompts of 5 tokens prefill in 15 ms, then a token every 11 ms. */
const ALONE: Row = [0, 5, 3];

function attainment(rows: readonly Row[], slo: Partial<SloConfig>, more: object = {}) {
  const { metrics } = run(rows, { scheduler: { kind: "prefill-prioritizing" }, slo, ...more });
  return metrics.slo_attainment;
}

describe("one request alone: TTFT 15 ms, gaps of 11 ms, response 37 ms", () => {
  test.each<[Partial<SloConfig>, number]>([
    [{ ttftSeconds: 0.015 }, 1],
    [{ ttftSeconds: 0.0149 }, 0],
    [{ tbtSeconds: 0.011 }, 1],
    [{ tbtSeconds: 0.0109 }, 0],
    [{ rtsSeconds: 0.037 }, 1],
    [{ rtsSeconds: 0.0369 }, 0],
    [{ itlSeconds: 0.011 }, 1],
    [{ itlSeconds: 0.0109 }, 0],
    [{ ttftSeconds: 1, itlSeconds: 0.0109 }, 0],
  ])("%o", (slo, expected) => {
    expect(attainment([ALONE], slo)).toBe(expected);
  });

  test("goodput is over the makespan, 37 ms", () => {
    const { metrics } = run([ALONE], { slo: { ttftSeconds: 1 } });
    expect(metrics.goodput_qps).toBeCloseTo(1 / 0.037, 9);
  });
});

test("a stall is a gap: a second prompt comes between two tokens", () => {
  // Tokens of the first at 15 and 26 ms; the other's 16 prompt tokens take 26 ms; then both decode in 12: a gap of 38.
  const rows: Row[] = [ALONE, [16 * MS, 16, 3]];
  expect(attainment(rows, { itlSeconds: 0.038 })).toBe(1);
  expect(attainment(rows, { itlSeconds: 0.0379 })).toBe(0.5);
  // Its average hides it from TBT: (11 + 38)/2.
  expect(attainment(rows, { tbtSeconds: 0.0245 })).toBe(1);
  expect(attainment(rows, { tbtSeconds: 0.0244 })).toBe(0.5);
});

test("a request without tokens, or with one, has no gap and meets it; TTFT is not asked of one without", () => {
  expect(attainment([[0, 5, 0]], { ttftSeconds: 1e-9, tbtSeconds: 1e-9, itlSeconds: 1e-9 })).toBe(1);
  expect(attainment([[0, 5, 1]], { tbtSeconds: 1e-9, itlSeconds: 1e-9 })).toBe(1);
  expect(attainment([[0, 5, 0]], { rtsSeconds: 1e-9 })).toBe(0);
});

test("a rejected request misses, and counts as injected", () => {
  const engine = { kvTokens: 64 }; // 3 usable blocks of 16
  expect(attainment([ALONE, [0, 200, 3]], { rtsSeconds: 100 }, { engine })).toBe(0.5);
  expect(attainment([ALONE, [0, 200, 3]], { itlSeconds: 100 }, { engine })).toBe(0.5);
});

test("only measured requests count, and nothing is measured without an SLO", () => {
  const rows: Row[] = [ALONE, [1000 * MS, 5, 3], [1000 * MS, 5, 3]];
  const horizon = { tmaxSeconds: 1e6, warmupSeconds: 0.5 };
  // Two prompts together take 20 ms.
  expect(attainment(rows, { ttftSeconds: 0.016 }, { horizon })).toBe(0);
  expect(attainment(rows, { ttftSeconds: 0.016 })).toBeCloseTo(1 / 3, 12);
  expect(run(rows).metrics).not.toHaveProperty("slo_attainment");
});

test("as many as a count of the table says, in a busy run", () => {
  const { metrics, outcome } = simulate({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 5 },
      promptTokens: { kind: "mixture", values: [32, 512], weights: [0.8, 0.2] },
      outputTokens: { kind: "uniform", min: 0, max: 200 },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5 },
    scheduler: { kind: "hybrid" },
    horizon: { tmaxSeconds: 200 },
    slo: { ttftSeconds: 0.3, tbtSeconds: 0.03, rtsSeconds: 3 },
  });
  const { requests, firstTokenAt, finishedAt } = outcome.shared.sequences;
  let met = 0;
  for (let i = 0; i < outcome.arrived; i++) {
    const outputs = requests.outputTokens[i];
    const ttft = (firstTokenAt[i] - requests.arrivedAt[i]) / 1e9;
    const tbt = (finishedAt[i] - firstTokenAt[i]) / (outputs - 1) / 1e9;
    const rts = (finishedAt[i] - requests.arrivedAt[i]) / 1e9;
    if (rts <= 3 && (outputs === 0 || ttft <= 0.3) && (outputs < 2 || tbt <= 0.03)) met++;
  }
  expect(met).toBeGreaterThan(0.1 * outcome.arrived);
  expect(met).toBeLessThan(0.9 * outcome.arrived);
  expect(metrics.slo_attainment).toBeCloseTo(met / outcome.arrived, 12);
});
