/** What is asked of a percentile is judged by all requests of all trials, against theory. */
import { describe, expect, test } from "vitest";
import type { Condition } from "../../../src/core/measures/condition.js";
import { complete } from "../../../src/core/configuration/config.js";
import { judge } from "../../../src/experiments/tables/assertions.js";
import { measuresFor, tailOf } from "../../../src/experiments/load/tail.js";
import { mm1 } from "../../../src/theory/index.js";
import { summarize } from "../../../src/stats/index.js";
import { trialsWith } from "../studies.js";

/** An M/M/1 queue: 100 per s served, 60 arrive; times from an empty start are left out. */
const queue = (tmaxSeconds: number) =>
  complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 60 },
      promptTokens: { kind: "fixed", tokens: 1 },
      outputTokens: { kind: "fixed", tokens: 0 },
    },
    service: { kind: "exponential", cMs: 10, aMs: 0, b0: 0 },
    engine: { maxTokens: 10_000, maxSequences: 1 },
    scheduler: { kind: "prefill-prioritizing" },
    horizon: { tmaxSeconds, warmupSeconds: tmaxSeconds / 2 },
  });
const atMost = (metric: string, limit: number): Condition => ({ metric, relation: "<=", limit });
const run = (tmaxSeconds: number, trials: number, conditions: readonly Condition[]) =>
  trialsWith().run({
    ...{ label: "", configs: [queue(tmaxSeconds)], seed: 1, trials },
    ...measuresFor(conditions),
  });

describe("an M/M/1 queue, whose response time is exponential", () => {
  test("the share beyond x lies round e^(−(μ−λ)x), however few requests a trial has", async () => {
    for (const [seconds, trials] of [
      [40, 60],
      [2, 1200],
    ] as const) {
      const limit = mm1(60, 100).responseP(0.97);
      const condition = atMost("rts_p95_s", limit);
      const { share, allowed } = tailOf(condition, await run(seconds, trials, [condition]), 0)!;
      expect(allowed).toBeCloseTo(0.05, 12);
      // Starts from empty matter in the short one: its warm-up is a second, some 40 relaxation times of 0.02 s.
      expect(share.low).toBeLessThan(0.03);
      expect(share.high).toBeGreaterThan(0.03);
      expect(share.high - share.low).toBeLessThan(0.012);
    }
  });

  test("P99 of forty requests a trial is biased, the verdict is not", async () => {
    const limit = mm1(60, 100).responseP(0.98);
    const holding = atMost("rts_p99_s", mm1(60, 100).responseP(0.995));
    const failing = atMost("rts_p99_s", limit);
    const records = await run(1.4, 1000, [holding, failing]);
    // The mean of its trials' P99 is below the limit, and says so with a narrow interval: wrong.
    expect(summarize(records.metric(0, "rts_p99_s")).high).toBeLessThan(limit);
    expect(judge([holding, failing], ["queue"], records).map((one) => one.holding)).toEqual(["pass", "fail"]);
  });

  test("any percentile may be asked for", async () => {
    const limit = mm1(60, 100).responseP(0.99995);
    const conditions = [atMost("rts_p99.9_s", limit), atMost("rts_p12.5_s", limit / 1000)];
    const records = await run(200, 20, conditions);
    expect(judge(conditions, ["queue"], records).map((one) => one.holding)).toEqual(["pass", "fail"]);
    const values = summarize(records.metric(0, "rts_p99.9_s"));
    expect(values.mean).toBeGreaterThan(mm1(60, 100).responseP(0.995));
    expect(values.mean).toBeLessThan(limit);
  });
});

describe("relations", () => {
  test("at a limit that many requests hit exactly, < and <= differ, and > and >= are their opposites", async () => {
    // Alone, every prompt takes 10 ms: never less, never more.
    const alone = {
      ...queue(100),
      ...complete({
        workload: {
          arrivals: { kind: "deterministic", ratePerSecond: 10 },
          promptTokens: { kind: "fixed", tokens: 1 },
          outputTokens: { kind: "fixed", tokens: 1 },
        },
        service: { kind: "affine", cMs: 10, aMs: 0, b0: 0 },
        scheduler: { kind: "prefill-prioritizing" },
        horizon: { tmaxSeconds: 200 },
      }),
    };
    const conditions = (["<", "<=", ">", ">="] as const).map((relation) => ({
      ...{ metric: "ttft_p99_s", relation, limit: 0.01 },
    }));
    const records = await trialsWith().run({
      ...{ label: "", configs: [alone], seed: 1, trials: 3 },
      ...measuresFor(conditions),
    });
    expect(judge(conditions, ["alone"], records).map(({ holding }) => holding)).toEqual([
      "fail",
      "pass",
      "fail",
      "pass",
    ]);
  });

  test("too few requests: undecided, with how many would do", async () => {
    const conditions = [atMost("rts_p99_s", 100)];
    const records = await run(1, 5, conditions);
    const [judged] = judge(conditions, ["queue"], records);
    const { count, enough } = judged!.tail!;
    expect([judged!.holding, Math.round(enough)]).toEqual(["undecided", 1000]);
    expect(judged!.trialsToDecide).toBe(Math.ceil((5 * enough) / count));
    expect((await run(1, judged!.trialsToDecide, conditions)).trials).toBeGreaterThan(5);
  });

  test("no condition on a percentile, nothing more to measure", () => {
    expect(measuresFor([atMost("rts_mean_s", 1), atMost("slo_attainment", 1)])).toEqual({});
    expect(measuresFor([atMost("itl_p99_s", 1), atMost("itl_p99_s", 1)]).measures).toHaveLength(1);
    expect(measuresFor([atMost("itl_p99.9_s", 1)]).measures).toHaveLength(2);
  });
});
