/** What every metric owes: a name with its unit, words, and a formula that is a function of the run. A new one is run by this suite as it is. */
import { describe, expect, test } from "vitest";
import { measure, METRICS, metricIndex, metricOf } from "../../src/core/measures/metrics.js";
import { type Asked, MeasuredRun } from "../../src/core/measures/measured-run.js";
import { Tally } from "../../src/core/measures/tally.js";
import { NEVER } from "../../src/core/numbers/units.js";
import { simulate } from "../../src/core/trial/simulate.js";

/** Everything that a metric may need: a memory that preempts, a cap on concurrency, an SLO, a warm-up. */
const { config, outcome, metrics } = simulate({
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 4 },
    promptTokens: { kind: "uniform", min: 1, max: 200 },
    outputTokens: { kind: "uniform", min: 0, max: 60 },
    maxConcurrency: 12,
  },
  service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
  scheduler: { kind: "hybrid" },
  engine: { kvTokens: 700 },
  horizon: { tmaxSeconds: 60, warmupSeconds: 5 },
  slo: { ttftSeconds: 2 },
});

/** A measured run of its own: formulas keep nothing beside it. */
function measured(asked: Asked = config): MeasuredRun {
  const tally = new Tally(outcome.shared, config.conventions.tbt);
  tally.count(outcome, NEVER);
  return new MeasuredRun(outcome, tally, asked);
}

test("names are unique, and found", () => {
  expect(new Set(METRICS.map(({ name }) => name)).size).toBe(METRICS.length);
  METRICS.forEach((metric, i) => {
    expect(metricIndex(metric.name)).toBe(i);
    expect(metricOf(metric.name)).toBe(metric);
  });
});

describe.each(METRICS.map((metric) => [metric.name, metric] as const))("%s", (name, metric) => {
  test("is described: unit last in its name, a summary, a direction", () => {
    expect(name).toMatch(/^[a-z]\w*$/);
    if (metric.unit === "s") expect(name).toMatch(/_s$/);
    if (metric.unit === "1/s") expect(name).toMatch(/(_qps|_per_s)$/);
    expect(metric.summary).toMatch(/^\S.*\S$/);
    expect(["lower", "higher", "neither"]).toContain(metric.better);
  });

  test("is a number here, the trial's own, and the same whatever was asked before", () => {
    const value = metric.of(measured());
    expect(value).toBeGreaterThanOrEqual(0);
    expect(metrics[name]).toBe(value);
    const run = measured();
    for (const other of [...METRICS].reverse()) other.of(run);
    expect(metric.of(run)).toBe(value);
  });

  test("without what it needs it has no value, and stands in no record", () => {
    const rest = { ...config };
    Reflect.deleteProperty(rest, "slo");
    const bare = simulate({
      ...rest,
      workload: { ...config.workload, maxConcurrency: null },
      engine: { ...config.engine, kvTokens: null },
    });
    expect(name in bare.metrics).toBe(metric.needs === undefined);
    if (metric.needs === "slo") expect(metric.of(measured(rest))).toBeNaN();
  });
});

test("where nobody arrived there are no rates, and counts are 0", () => {
  const empty = simulate({ ...config, horizon: { tmaxSeconds: 1e-9 } }).metrics;
  for (const { name, unit } of METRICS) {
    if (unit === "1/s" || unit === "s") expect([name, empty[name]]).toEqual([name, NaN]);
    if (/^n_(arrived|completed|rejected|iterations)$/.test(name))
      expect([name, empty[name]]).toEqual([name, 0]);
  }
});

test("measure is the table, in its order", () => {
  const tally = new Tally(outcome.shared, config.conventions.tbt);
  tally.count(outcome, NEVER);
  const values = [...measure(outcome, tally, config)];
  expect(values).toEqual(METRICS.map((metric) => metric.of(measured())));
});
