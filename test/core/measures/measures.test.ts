/** What is measured besides METRICS: counts beyond a limit and any percentile, against a plain look at the requests. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complete, type SimulationConfig } from "../../../src/core/configuration/config.js";
import { type Measure, VALUES_EACH, valuesOfRun } from "../../../src/core/measures/measures.js";
import {
  METRICS,
  metricIndex,
  metricOf,
  percentileNamed,
  type TimeName,
} from "../../../src/core/measures/metrics.js";
import { runTrial, Simulator } from "../../../src/core/trial/simulate.js";
import { runTask } from "../../../src/core/trial/trial.js";
import { quantileSorted } from "../../../src/stats/index.js";
import { tailCount } from "./tail-count.js";

const config = (rate: number, more: object = {}): SimulationConfig =>
  complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: rate },
      promptTokens: { kind: "uniform", min: 1, max: 300 },
      outputTokens: { kind: "uniform", min: 0, max: 40 },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5 },
    scheduler: { kind: "hybrid" },
    horizon: { tmaxSeconds: 30, warmupSeconds: 3 },
    ...more,
  });

const TIMES: readonly TimeName[] = ["ttft", "tbt", "itl", "rts", "queueing_delay"];
const valuesFor = (values: Float64Array, i: number): number[] => [
  ...values.subarray(METRICS.length + VALUES_EACH * i, METRICS.length + VALUES_EACH * (i + 1)),
];

describe("against the requests of the trial, one by one", () => {
  const measures = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant("tail" as const),
        time: fc.constantFrom(...TIMES),
        // Round ones are hit exactly: iterations take whole tenths of a ms.
        seconds: fc.oneof(
          fc.integer({ min: 0, max: 3000 }).map((ms) => ms / 1000),
          fc.double({ min: 0, max: 9 }),
        ),
        orEqual: fc.boolean(),
      }),
      fc.record({
        kind: fc.constant("percentile" as const),
        time: fc.constantFrom(...TIMES),
        percent: fc.constantFrom(0.1, 5, 50, 97.5, 99.9),
      }),
    ) as fc.Arbitrary<Measure>,
    { minLength: 1, maxLength: 4 },
  );
  test("counts and percentiles are theirs, by every way to run it", () => {
    const simulator = new Simulator();
    fc.assert(
      fc.property(
        measures,
        fc.constantFrom(0.2, 2, 9),
        fc.constantFrom(null, 800),
        (asked, rate, kvTokens) => {
          const one = config(rate, { engine: { kvTokens } });
          const requests = simulator.draw(one, 5, 1);
          const { values, outcome } = runTrial(simulator, one, requests, {
            ...{ seed: 5, trial: 1, verify: false, measures: asked },
          });
          expect(values).toHaveLength(valuesOfRun(asked));
          asked.forEach((measure, i) => {
            const sample = tailCount(outcome, measure.time);
            const [value, count] = valuesFor(values, i);
            expect(count).toBe(sample.length);
            if (measure.kind === "tail") {
              const limit = Math.round(measure.seconds * 1e9);
              const beyond = sample.filter((one) => one > limit || (measure.orEqual && one === limit));
              expect(value).toBe(beyond.length);
            } else if (sample.length === 0) expect(value).toBeNaN();
            else expect(value).toBeCloseTo(quantileSorted(sample, measure.percent / 100) / 1e9, 9);
          });
          const task = {
            seed: 5,
            first: 1,
            count: 1,
            configs: [one],
            windows: [],
            verify: false,
            measures: asked,
          };
          expect(runTask(simulator, task)).toEqual(values);
          expect(runTask(simulator, { ...task, verify: true })).toEqual(values);
          expect(runTask(simulator, { ...task, plain: true })).toEqual(values);
          const windows = runTask(simulator, { ...task, windows: [10, 30] });
          expect(windows.slice(valuesOfRun(asked))).toEqual(values);
        },
      ),
      { numRuns: 60 },
    );
  });
});

test("a percentile that has a column is that column's", () => {
  const simulator = new Simulator();
  const one = config(3);
  const measures: Measure[] = TIMES.map((time) => ({ kind: "percentile", time, percent: 95 }));
  const requests = simulator.draw(one, 1, 1);
  const { values } = runTrial(simulator, one, requests, { seed: 1, trial: 1, verify: false, measures });
  TIMES.forEach((time, i) => expect(valuesFor(values, i)[0]).toBe(values[metricIndex(`${time}_p95_s`)]));
});

test("a percentile's name is read, whatever its rank, and described like its neighbours", () => {
  expect(percentileNamed("ttft_p99.9_s")).toEqual({ time: "ttft", percent: 99.9 });
  expect(percentileNamed("queueing_delay_p5")).toEqual({ time: "queueing_delay", percent: 5 });
  for (const word of [
    "ttft_p0",
    "ttft_p100",
    "ttft_mean_s",
    "p99",
    "tpot_p99",
    "ttft_p9x",
    "_p9",
    "ttft_p-1",
  ])
    expect(percentileNamed(word), word).toBeUndefined();
  expect(metricOf("rts_p99.9_s")).toMatchObject({
    name: "rts_p99.9_s",
    unit: "s",
    better: "lower",
    summary: "p99.9 of the response time (end-to-end latency): completion − arrival",
  });
  expect(metricOf("rts_p95_s")).toBe(METRICS[metricIndex("rts_p95_s")]);
  expect(metricOf("speed")).toBeUndefined();
});
