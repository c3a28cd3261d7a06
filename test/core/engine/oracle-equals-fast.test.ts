/**
 * The fast engine against the plain one: identical instants, tokens and iterations for random configurations
 * (docs/model.md §1–§3). LLMSIM_LONG=1 tries 700, LLMSIM_PROPERTY_RUNS=100000 as many as
 * it says; LLMSIM_TEST_SEED draws others.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Conventions } from "../../../src/core/configuration/config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { stream } from "../../../src/core/numbers/random.js";
import {
  expectBusyTime,
  expectGaps,
  expectLargestGaps,
  expectRequests,
  expectTotals,
} from "./as-the-oracle.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { simulate } from "../../../src/core/trial/simulate.js";
import { type OracleInput, runOracle } from "../../oracle/oracle.js";

const LONG = process.env.LLMSIM_LONG === "1";
/** A push tries 1,100 over the three files that hold the engines against each other. */
const RUNS = Number(process.env.LLMSIM_PROPERTY_RUNS ?? (LONG ? 700 : 350));

const scheduler: fc.Arbitrary<OracleInput["scheduler"]> = fc.oneof(
  fc.constant({ kind: "decode-prioritizing" as const }),
  fc.constant({ kind: "prefill-prioritizing" as const }),
  fc.constant({ kind: "sarathi" as const }),
  fc.constant({ kind: "orca" as const }),
  fc.record({
    kind: fc.constant("hybrid" as const),
    ratio: fc.constantFrom(0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99),
    ratioOf: fc.constantFrom("sequences" as const, "tokens" as const),
  }),
);
const conventions: fc.Arbitrary<Conventions> = fc.record({
  firstToken: fc.constantFrom("prefill", "decode"),
  mixedBatch: fc.constantFrom("sum", "max"),
  sequenceCap: fc.constantFrom("resident", "iteration"),
  tbt: fc.constantFrom("gaps", "tokens"),
});
/** Small limits next to ones that never bind. */
const limit = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 40 }), fc.constant(1000));
const engine = fc.record({
  maxTokens: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 200 }), fc.constant(2048)),
  maxSequences: limit,
  chunkSize: fc.option(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 100 }))),
  replicas: fc.oneof(fc.constant(1), fc.integer({ min: 2, max: 4 })),
});
const service = fc.record({
  cMs: fc.constantFrom(1, 10, 45.5, 0.3337),
  aMs: fc.constantFrom(0, 0.3, 0.5, 1 / 3),
  b0: fc.constantFrom(0, 1, 5, 64),
  exponential: fc.boolean(),
});
/** Gaps with many zeros (bursts), ones that hit iteration ends, and odd ones. */
const gap = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(1e6, 10e6, 10.5e6, 45.5e6, 100e6) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 200_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3_000_000_000 }) },
);
const request = fc.record({
  gap,
  promptTokens: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 300 })),
  outputTokens: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 40 })),
});
const discipline = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ kind: "fcfs" as const }) },
  fc.record({ kind: fc.constant("sjf" as const), predictionNoise: fc.constantFrom(0, 0, 0.5, 3) }),
  fc.record({
    kind: fc.constant("priority" as const),
    classes: fc.constantFrom([0.5, 0.5], [0.1, 0.2, 0.7], [1]),
  }),
);
const cases = fc.record({
  scheduler,
  discipline,
  conventions,
  engine,
  service,
  rows: fc.array(request, { minLength: 1, maxLength: 30 }),
  warmupShare: fc.constantFrom(0, 0, 0.3),
  /** Watched by the laws, or by nobody: then a replica alone has a loop of its own. */
  watched: fc.boolean(),
});

test("identical per-request instants, tokens and iterations", () => {
  fc.assert(
    fc.property(
      cases,
      ({ scheduler, discipline, conventions, engine, service, rows, warmupShare, watched }) => {
        let clock = 0;
        const requests = rows.map(({ gap, ...lengths }) => ({ ...lengths, arrivedAt: (clock += gap) }));
        const draws = Array.from({ length: engine.replicas }, (_, k) => stream(1, 1, `service/${k}`));
        const slow = runOracle({
          requests,
          scheduler,
          engine,
          service,
          conventions,
          discipline: known(discipline, rows.length),
          draw: (replica) => draws[replica]!.exponential(),
        });
        const { exponential, ...parameters } = service;
        const warmupSeconds = (warmupShare * clock) / 1e9;
        const fast = simulate(
          {
            // The requests are given; what the laws say about them is not used.
            workload: {
              arrivals: { kind: "poisson", ratePerSecond: 1 },
              promptTokens: { kind: "fixed", tokens: 1 },
              outputTokens: { kind: "fixed", tokens: 1 },
            },
            service: { kind: exponential ? "exponential" : "affine", ...parameters },
            engine: { ...engine, discipline },
            scheduler: scheduler as { kind: string },
            conventions,
            horizon: { tmaxSeconds: 1e6, warmupSeconds },
            slo: { itlSeconds: 0.05 },
          },
          { requests: Requests.of(requests), verify: watched },
        );
        const { outcome } = fast;
        expectRequests(outcome, slow.requests);
        expectTotals(outcome, slow);
        expectGaps(outcome, slow.requests.slice(outcome.firstMeasured));
        expectLargestGaps(outcome, slow.requests);
        compareUtilization(fast, slow, engine.replicas);
      },
    ),
    { numRuns: RUNS },
  );
});

/** What the oracle is told of each request: the numbers that trial 1 of seed 1 draws for it. */
function known(discipline: Spec, count: number): NonNullable<OracleInput["discipline"]> {
  const { kind, predictionNoise, classes } = discipline;
  if (kind === "fcfs") return { kind };
  if (kind === "sjf") {
    const errors = stream(1, 1, "prediction");
    const sigma = predictionNoise as number;
    return { kind, logError: Array.from({ length: count }, () => sigma * errors.normal()) };
  }
  const draws = stream(1, 1, "class");
  const shares = classes as readonly number[];
  return {
    kind: "priority",
    classes: Array.from({ length: count }, () => {
      const u = draws.uniform();
      return shares.findIndex((_, i) => u < shares.slice(0, i + 1).reduce((sum, share) => sum + share));
    }),
  };
}

/** The end of the makespan, and the share of it that iterations take. */
function compareUtilization(
  fast: ReturnType<typeof simulate>,
  slow: ReturnType<typeof runOracle>,
  replicas: number,
): void {
  const { measuredFrom, measuredUntil, firstMeasured, arrived } = fast.outcome;
  if (firstMeasured === arrived) return;
  expect(measuredUntil).toBe(Math.max(...slow.requests.slice(firstMeasured).map((r) => r.finishedAt)));
  expectBusyTime(fast.outcome, slow);
  const busy = fast.outcome.busyTime;
  expect(fast.metrics.utilization).toBeCloseTo(busy / (measuredUntil - measuredFrom) / replicas, 12);
}
