/**
 * One pass for all windows gives what simulating each window alone gives, to the bit (docs/model.md §4): for
 * random configurations, every scheduler, replicas, routers, KV memory that runs out, asynchronous scheduling,
 * overhead, random and growing iteration times, warm-up, tiny budgets and caps, open and closed loops. LLMSIM_LONG=1
 * tries 150 of them instead of 50.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { complete, type SimulationConfig } from "../../../src/core/configuration/config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { metricIndex, METRICS } from "../../../src/core/measures/metrics.js";
import { builtIn, member } from "../../../src/core/configuration/registry.js";
import { runTrial, Simulator } from "../../../src/core/trial/simulate.js";
import { runTask, type TrialTask } from "../../../src/core/trial/trial.js";
import { fromSeconds } from "../../../src/core/numbers/units.js";

const LONG = process.env.LLMSIM_LONG === "1";
const RUNS = Number(process.env.LLMSIM_PROPERTY_RUNS ?? (LONG ? 150 : 50));

const configs: fc.Arbitrary<SimulationConfig> = fc
  .record({
    rate: fc.constantFrom(0.5, 3, 20),
    scheduler: fc.oneof(
      fc.constant({ kind: "decode-prioritizing" }),
      fc.constant({ kind: "prefill-prioritizing" }),
      fc.constant({ kind: "sarathi" }),
      fc.constant({ kind: "orca" }),
      fc.record({
        kind: fc.constant("hybrid"),
        ratio: fc.constantFrom(0.2, 0.5, 0.9),
        ratioOf: fc.constantFrom("sequences", "tokens"),
      }),
      fc.constant({ kind: "vllm" }),
    ),
    engine: fc.record({
      maxTokens: fc.constantFrom(1, 7, 64, 2048),
      maxSequences: fc.constantFrom(1, 3, 20, 1000),
      chunkSize: fc.constantFrom(null, 1, 5, 40),
      discipline: fc.constantFrom(
        { kind: "fcfs" },
        { kind: "sjf", predictionNoise: 0 },
        { kind: "sjf", predictionNoise: 1 },
        { kind: "priority", classes: [0.3, 0.7] },
      ),
      replicas: fc.constantFrom(1, 1, 2, 3),
      kvTokens: fc.constantFrom(null, null, 32, 48, 64, 96, 160, 400),
      async: fc.constantFrom(null, false, true),
      overheadMs: fc.constantFrom(0, 0, 3, 25),
      router: fc.constantFrom(...builtIn.routers.map(({ name }) => ({ kind: name }))),
    }),
    conventions: fc.record({
      firstToken: fc.constantFrom("prefill" as const, "decode" as const),
      mixedBatch: fc.constantFrom("sum" as const, "max" as const),
      sequenceCap: fc.constantFrom("resident" as const, "iteration" as const),
      tbt: fc.constantFrom("gaps" as const, "tokens" as const),
    }),
    service: fc.constantFrom<Spec>(
      { kind: "affine", cMs: 10, aMs: 0.5, b0: 3 },
      { kind: "affine", cMs: 10, aMs: 0.5, b0: 3 },
      { kind: "exponential", cMs: 10, aMs: 0.5, b0: 3 },
      { kind: "gpu", hMs: 1, cMs: 9, aMs: 0.5, b0: 3, kMs: 0.003, kmMs: 0.01 },
    ),
    output: fc.constantFrom(0, 1, 12),
    warmupSeconds: fc.constantFrom(0, 0, 1, 4.2),
    arrivals: fc.constantFrom("poisson", "deterministic", "exponential thinks", "equal thinks"),
    clients: fc.constantFrom(1, 4, 25),
    thinkSeconds: fc.constantFrom(0.02, 0.5, 3),
    tight: fc.boolean(),
  })
  .map((drawn) =>
    complete({
      workload: {
        arrivals: drawn.arrivals.endsWith("thinks")
          ? {
              kind: "closed",
              clients: drawn.clients,
              thinkSeconds: drawn.thinkSeconds,
              think: drawn.arrivals === "equal thinks" ? "deterministic" : "exponential",
            }
          : { kind: drawn.arrivals, ratePerSecond: drawn.rate },
        promptTokens: { kind: "uniform", min: 1, max: 30 },
        outputTokens: { kind: "uniform", min: 0, max: drawn.output },
      },
      service: drawn.service,
      engine: drawn.engine,
      scheduler: drawn.scheduler,
      conventions: { ...drawn.conventions, ...member(builtIn.schedulers, drawn.scheduler.kind).fixes },
      horizon: { tmaxSeconds: 10, warmupSeconds: drawn.warmupSeconds },
      // Near the middle of what happens, so that a wrong gap after a fork changes who meets them.
      slo: { ttftSeconds: 1, itlSeconds: drawn.tight ? 0.02 : 0.03 },
    }),
  );

const windows = fc
  .uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 12 })
  .map((hundredths) => hundredths.sort((a, b) => a - b).map((hundredth) => hundredth / 100));

/** Each window of a task simulated by itself, as a trial without windows is. */
function eachAlone({ configs, windows, seed, first: trial }: TrialTask): number[] {
  const simulator = new Simulator();
  const [config] = configs;
  const requests = simulator.draw(config!, seed, trial);
  return windows.flatMap((end) => {
    requests.until(fromSeconds(end));
    return [...runTrial(simulator, config!, requests, { seed, trial, verify: false }).values];
  });
}

test("one pass equals each window alone", () => {
  fc.assert(
    fc.property(configs, windows, fc.integer({ min: 1, max: 50 }), (config, ends, trial) => {
      const task: TrialTask = {
        seed: 3,
        first: trial,
        count: 1,
        configs: [config],
        windows: ends,
        verify: false,
      };
      const onePass = runTask(new Simulator(), task);
      const alone = eachAlone(task);
      for (let i = 0; i < onePass.length; i++) {
        if (Object.is(onePass[i], alone[i])) continue;
        expect([METRICS[i % METRICS.length].name, onePass[i]]).toEqual([
          METRICS[i % METRICS.length].name,
          alone[i],
        ]);
      }
      // And what the plain loop gives: --verify demands it.
      if (trial % 4 === 0) runTask(new Simulator(), { ...task, verify: true });
    }),
    { numRuns: RUNS },
  );
});

test("nor does it matter whether it is known who will be measured first when a batch's blocks are counted", () => {
  // Found at random: a client that asks for something after the window is known before the first measured one.
  const config = complete({
    workload: {
      arrivals: { kind: "closed", clients: 25, thinkSeconds: 0.5, think: "exponential" },
      promptTokens: { kind: "uniform", min: 1, max: 30 },
      outputTokens: { kind: "uniform", min: 0, max: 12 },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 3 },
    engine: {
      ...{ maxTokens: 1, maxSequences: 1, replicas: 2, kvTokens: 48, async: true },
      discipline: { kind: "priority", classes: [0.3, 0.7] },
      router: { kind: "least-tokens" },
    },
    scheduler: { kind: "sarathi" },
    horizon: { tmaxSeconds: 10, warmupSeconds: 4.2 },
  });
  const task: TrialTask = { seed: 3, first: 48, count: 1, configs: [config], windows: [4.22], verify: false };
  const place = metricIndex("kv_utilization");
  const used = eachAlone(task)[place];
  expect(used).toBeGreaterThan(0);
  expect(runTask(new Simulator(), task)[place]).toBe(used);
});

test("and so it does where times are so long that their sums are rounded, and where the system overflows", () => {
  for (const kind of ["decode-prioritizing", "prefill-prioritizing", "hybrid"])
    for (const cMs of [1e7, 2000, 20]) {
      const config = complete({
        workload: {
          arrivals: { kind: "poisson", ratePerSecond: 40 },
          promptTokens: { kind: "uniform", min: 1, max: 30 },
          outputTokens: { kind: "uniform", min: 0, max: 12 },
        },
        service: { kind: "affine", cMs, aMs: 0.5 },
        engine: { maxTokens: 2048, maxSequences: 64 },
        scheduler: { kind },
        horizon: { tmaxSeconds: 20, warmupSeconds: 2 },
      });
      const windows = Array.from({ length: 20 }, (_, i) => i + 1);
      const task: TrialTask = { seed: 3, first: 1, count: 1, configs: [config], windows, verify: false };
      const onePass = runTask(new Simulator(), task);
      expect([...onePass]).toEqual(eachAlone(task));
      // Only the first is long enough for the longest window's sum of response times to be rounded.
      const [mean, count] = ["rts_mean_s", "n_completed"].map(
        (name) => onePass[19 * METRICS.length + METRICS.findIndex((metric) => metric.name === name)],
      );
      expect(mean * count * 1e9 > 2 ** 53).toBe(cMs === 1e7);
    }
});
