/**
 * Bounds and λ* where not every token is computed (prefix hits), and where not every request fits (KV memory).
 * LLMSIM_LONG=1 adds memories, orders and a start from far below, and searches to 1 %.
 */
import { describe, expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { PartialConfig, SimulationConfig } from "../../../src/core/configuration/config.js";
import { withTraces } from "../../../src/core/configuration/trace-registry.js";
import { capacityBound, exactBoundary, offeredBy } from "../../../src/experiments/load/capacity.js";
import { stability } from "../../../src/experiments/stability/stability.js";
import { subjectOf } from "../../../src/experiments/stability/backlogged.js";
import { type Boundary, findBoundary } from "../../../src/experiments/stability/boundary.js";
import type { Trials } from "../../../src/experiments/interface/trials.js";
import { contextOf, scenario, studyOf, trialsWith } from "../studies.js";

const isLong = process.env.LLMSIM_LONG === "1";

const rows = (count: number, value: number): Int32Array => new Int32Array(count).fill(value);
/** 600 prompts of 1600 tokens of which a cache holds 1584, one token out: ten a second. */
const HITS = {
  key: "hits",
  arrivedAt: Float64Array.from({ length: 600 }, (_, i) => i * 1e8),
  promptTokens: rows(600, 1600),
  outputTokens: rows(600, 1),
  prefixHitTokens: rows(600, 1584),
};
const registry = withTraces([HITS]);
const ofTrace = (engine: PartialConfig["engine"] = {}): SimulationConfig =>
  prepare(
    {
      workload: {
        arrivals: { kind: "poisson", ratePerSecond: 10 },
        promptTokens: { kind: "trace", data: "hits", column: "prompt" },
        outputTokens: { kind: "trace", data: "hits", column: "output" },
      },
      service: { kind: "affine", cMs: 10, aMs: 1, b0: 0 },
      scheduler: { kind: "sarathi" },
      engine: { maxTokens: 2048, ...engine },
    },
    registry,
  );

/** λ* to a share of the known value, its interval as narrow as was asked. */
function expectNear(found: Boundary, known: number, share: number): void {
  expect(found.shortfall).toBeUndefined();
  expect(Math.abs(found.lambda / known - 1)).toBeLessThan(share);
  expect(found.high - found.low).toBeLessThan(2 * share * known);
}

describe("prefix hits are not computed", () => {
  const known = 1000 / (16 + (10 * 16) / 2048);
  test("a bound by hand: 62.2 per s", () => {
    expect(capacityBound(ofTrace(), registry)).toBeCloseTo(known, 9);
  });
  test("hits count in whole blocks, and not at all without the cache", () => {
    const blocks = ofTrace({ blockTokens: 1024 });
    expect(capacityBound(blocks, registry)).toBeCloseTo(1000 / (576 + (10 * 576) / 2048), 9);
    expect(capacityBound(ofTrace({ prefixCaching: false }), registry)).toBeCloseTo(
      1000 / (1600 + (10 * 1600) / 2048),
      9,
    );
  });
  test("λ* is the bound: every search ends", async () => {
    const config = ofTrace();
    const subject = subjectOf(config, registry);
    expectNear(await findBoundary(trialsWith(registry), subject, 1, known, 0.01), known, 0.01);
    // Found from far below as well.
    if (isLong) expectNear(await findBoundary(trialsWith(registry), subject, 1, 1, 0.01), known, 0.01);
  });
});

const mixed = (kvTokens: number | null, prompts: readonly number[], tokens: number): SimulationConfig =>
  prepare({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens: { kind: "mixture", values: prompts, weights: prompts.map(() => 1 / prompts.length) },
      outputTokens: { kind: "fixed", tokens },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
    scheduler: { kind: "sarathi" },
    engine: { maxTokens: 2048, maxSequences: 1000, kvTokens },
  });

describe("requests that can never fit into the KV memory", () => {
  test("take nothing: half of them, and λ may be twice what the others take", () => {
    const half = mixed(2048, [64, 4000], 32);
    const { admitted, means } = offeredBy(half);
    expect(admitted).toBeCloseTo(0.5, 12);
    // 31 decodes of 64 + i tokens, and the prefill's 64.
    expect([means.meanPrompt, means.meanDecodes, means.meanPieces]).toEqual([64, 31, 1]);
    expect(means.meanHeld).toBeCloseTo(31 * 64 + (31 * 32) / 2 + 64, 9);
    const held = 2544 / 2032;
    expect(capacityBound(half)).toBeCloseTo(2000 / (10 * held + 0.5 * 95), 6);
  });
  test("none fits: no bound", () => {
    const none = mixed(48, [32, 32], 32);
    expect(offeredBy(none).admitted).toBe(0);
    expect(capacityBound(none)).toBeNaN();
  });
  test("pairs and laws apart give the same, where lengths do not go together", () => {
    const apart = mixed(2048, [64, 128], 32);
    const pairs = {
      ...apart,
      workload: {
        ...apart.workload,
        promptTokens: { kind: "pairs", values: [64, 128], weights: null },
        outputTokens: { kind: "pairs", values: [32, 32], weights: null },
      },
    };
    expect(capacityBound(pairs)).toBeCloseTo(capacityBound(apart), 9);
    expect(offeredBy(pairs)).toEqual(offeredBy(apart));
  });
  test("a memory that never binds leaves the bound as it is; no boundary is called exact under one", () => {
    const { workload, service } = scenario("demo2");
    const config = (kvTokens: number | null): SimulationConfig =>
      prepare({ workload, service, scheduler: { kind: "hybrid" }, engine: { kvTokens } });
    expect(capacityBound(config(10_000_000))).toBeCloseTo(capacityBound(config(null)), 9);
    expect(exactBoundary(config(null))).toBeGreaterThan(7);
    expect(exactBoundary(config(20_000))).toBeNaN();
  });
});

describe("λ* under KV memory: tokens computed again serve nobody", () => {
  const known = [
    [20000, 5.016],
    [2000, 2.678],
    [4000, 3.644],
  ] as const;
  test.each(isLong ? known : known.slice(0, 1))("demo2, sarathi, %d tokens: %d", async (kvTokens, known) => {
    const config = prepare({ ...scenario("demo2"), scheduler: { kind: "sarathi" }, engine: { kvTokens } });
    const bound = capacityBound(config);
    expect(bound).toBeGreaterThan(known);
    const found = await findBoundary(trialsWith(), subjectOf(config), 1, bound, 0.01);
    expectNear(found, known, 0.01);
  });
});

describe("λ* under orders that read sizes", () => {
  const config = (kind: string, discipline: string, maxSequences: number): SimulationConfig =>
    prepare({
      ...scenario("demo2"),
      scheduler: { kind },
      engine: { maxSequences, discipline: { kind: discipline } },
    });
  const known = [
    ["sarathi", 50, 6.028],
    ["decode-prioritizing", 1000, 3.556],
  ] as const;
  test.each(isLong ? known : known.slice(0, 1))("demo2, %s, cap %d, sjf: %d", async (kind, cap, known) => {
    const subject = subjectOf(config(kind, "sjf", cap));
    const precision = isLong ? 0.01 : 0.03;
    const found = await findBoundary(trialsWith(), subject, 1, capacityBound(subject.config), precision);
    expectNear(found, known, 1.5 * precision);
  });
});

/** An engine that serves just what a rate would bring, whatever it is asked: no boundary, anywhere. */
const serving = (share: number): Trials => ({
  run: () => Promise.reject(new Error("runs from a backlog only")),
  stability: async (_, tasks) =>
    tasks.map(({ config, batches, batchSeconds }) => {
      const { ratePerSecond } = config.workload.arrivals;
      const tokens = share * (ratePerSecond as number) * batchSeconds;
      const each = new Float64Array(batches).fill(tokens);
      const zero = new Float64Array(batches);
      return { emptied: share > 1, left: NaN, decodeTokens: zero, prefillTokens: each, prompts: each };
    }),
});

describe("every search ends, and says what it could not bracket", () => {
  const subject = subjectOf(ofTrace(), registry);
  test("a backlog that is worked off at every rate", async () => {
    const found = await findBoundary(serving(1e6), subject, 1, 5, 0.01);
    expect(found.lambda).toBeNaN();
    expect(found.shortfall).toMatch(/^from 5\.000 to \S+ per s the backlog was worked off at every rate$/);
  });
  test("the command says so, prints no λ*, and fails", async () => {
    const study = studyOf("demo2", { schedulers: [{ kind: "sarathi" }], trials: 2 });
    const options = { method: "drift", precision: 0.01, lambdas: null } as const;
    const report = await stability.run(contextOf(study, serving(1e6), options));
    expect(report.passed).toBe(false);
    expect(report.answer).toEqual([
      "stable, in requests per second: sarathi has no boundary that can be trusted",
    ]);
    expect(report.notes[0]).toMatch(
      /^sarathi: no λ\* was bracketed: from 7\.380 to \S+ per s the backlog was/,
    );
    expect(report.figures).toEqual([]);
  });
  test("nothing is ever served", async () => {
    const found = await findBoundary(serving(0), subject, 1, 5, 0.01);
    expect(found).toMatchObject({ lambda: NaN, shortfall: "at 5.000 per s nothing that counts is served" });
  });
  test("an interval that stays wide", async () => {
    let calls = 0;
    const noisy: Trials = {
      ...serving(1),
      stability: async (_, tasks) =>
        tasks.map(({ config, batches, batchSeconds }) => {
          calls++;
          const mean = 16 * (config.workload.arrivals.ratePerSecond as number) * batchSeconds;
          const wild = Float64Array.from({ length: batches }, (__, i) => mean * (i % 2 === 0 ? 0.2 : 1.9));
          const zero = new Float64Array(batches);
          return {
            emptied: false,
            left: NaN,
            decodeTokens: zero,
            prefillTokens: wild,
            prompts: wild.map((tokens) => tokens / 16),
          };
        }),
    };
    const found = await findBoundary(noisy, subject, 1, 5, 0.01);
    expect(found.shortfall).toMatch(/^± \S+ % after 10000000 arrivals, not the ± 1\.000 % of --precision$/);
    expect(found.high).toBeGreaterThan(found.low);
    expect(calls).toBeLessThan(15);
  });
});
