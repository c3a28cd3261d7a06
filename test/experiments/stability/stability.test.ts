/**
 * The stability boundary against known answers (model §6), the verdicts on both sides of it, and the study's own
 * trend test by hand. `LLMSIM_LONG=1` adds all nine boundaries, a second start from above and the coverage of the
 * interval.
 */
import { describe, expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { SimulationConfig } from "../../../src/core/configuration/config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { capacityBound } from "../../../src/experiments/load/capacity.js";
import { atRate } from "../../../src/experiments/load/load-option.js";
import { subjectOf } from "../../../src/experiments/stability/backlogged.js";
import { type Boundary, findBoundary } from "../../../src/experiments/stability/boundary.js";
import { studyGrid, trendOf, trendPoint, TREND_WINDOWS } from "../../../src/experiments/stability/trend.js";
import { bracketOf, verdictsAt } from "../../../src/experiments/stability/verdicts.js";
import { TrialRecords } from "../../../src/experiments/interface/trials.js";
import { metricIndex } from "../../../src/core/measures/metrics.js";
import { scenario, trialsWith } from "../studies.js";

const isLong = process.env.LLMSIM_LONG === "1";
const PRECISION = 0.02;

type Cap = "iteration" | "resident";
const configOf = (name: string, scheduler: Spec, sequenceCap: Cap = "iteration"): SimulationConfig =>
  prepare({ ...scenario(name), scheduler, conventions: { sequenceCap } });
const boundaryOf = (config: SimulationConfig, seed = 1): Promise<Boundary> =>
  findBoundary(trialsWith(), subjectOf(config), seed, capacityBound(config), PRECISION);
/** demo2's boundary under hybrid, which several tests look at. */
let ofHybrid: Promise<Boundary> | undefined;
const hybridBoundary = (): Promise<Boundary> =>
  (ofHybrid ??= boundaryOf(configOf("demo2", { kind: "hybrid" })));

/** Within 1 % and 3.5 standard errors, the known value's own (`± error`) counted in; the interval is as wide as asked. */
function expectBoundary(found: Boundary, known: number, error = 0): void {
  expect(Math.abs(found.lambda / known - 1)).toBeLessThan(0.01);
  expect(found.standardError).toBeGreaterThan(0);
  expect(found.standardError).toBeLessThanOrEqual(0.005 * known);
  expect(Math.abs(found.lambda - known)).toBeLessThan(3.5 * Math.hypot(found.standardError, error));
  expect((found.low + found.high) / 2).toBeCloseTo(found.lambda, 9);
  // The t quantile at 16 degrees and more lies between 1.96 and 2.13.
  expect((found.high - found.lambda) / found.standardError).toBeGreaterThan(1.95);
  expect((found.high - found.lambda) / found.standardError).toBeLessThan(2.13);
  expect(found.high - found.lambda).toBeLessThanOrEqual(PRECISION * found.lambda);
}

/** λ* under `sequenceCap: iteration` (model §6): exact, or to half a unit of the last digit, or ± one standard error. */
const KNOWN: readonly (readonly [string, string, number, number])[] = [
  ["demo2", "decode-prioritizing", 3.58367, 5e-6],
  ["demo2", "prefill-prioritizing", 7.19591, 5e-6],
  ["demo2", "hybrid", 7.29501, 5e-6],
  ["demo3_b0_64", "decode-prioritizing", 0.7973, 0.0001],
  ["demo3_b0_64", "prefill-prioritizing", 9.0885, 0.004],
  ["demo3_b0_64", "hybrid", 11.4299, 5e-5],
  ["demo3_b0_0", "decode-prioritizing", 0.7684, 5e-5],
  ["demo3_b0_0", "prefill-prioritizing", 9.6208, 0.0024],
  ["demo3_b0_0", "hybrid", 10.606, 5e-5],
];
const demo2 = KNOWN.filter(([name]) => name === "demo2");
const demo3 = KNOWN.filter(([name]) => name !== "demo2");

describe("the boundary λ*", () => {
  test.each(demo2)("%s, %s: %d", async (name, kind, known, error) => {
    const found = kind === "hybrid" ? hybridBoundary() : boundaryOf(configOf(name, { kind }));
    expectBoundary(await found, known, error);
  });

  test("M/M/1 (demo1): λ* = μ = 100", async () => {
    expectBoundary(await boundaryOf(configOf("demo1", { kind: "prefill-prioritizing" })), 100);
  });

  test("the same seed gives the same boundary, another seed another", async () => {
    const config = configOf("demo2", { kind: "hybrid" });
    const [first, again, other] = [
      await hybridBoundary(),
      await boundaryOf(config, 1),
      await boundaryOf(config, 2),
    ];
    expect(again).toEqual(first);
    expect(other.lambda).not.toBe(first.lambda);
  });

  const startedAt = (times: number) => async (): Promise<void> => {
    const config = configOf("demo2", { kind: "prefill-prioritizing" });
    const start = times * capacityBound(config);
    expectBoundary(await findBoundary(trialsWith(), subjectOf(config), 1, start, PRECISION), 7.19591);
  };
  test("is found from a third of the bound", startedAt(1 / 3));
  test.runIf(isLong)("is found from twice the bound", startedAt(2));
  // There prompts alone fill the engine, no decode token is served, and the drift is 1.
  test("is found from three times the bound", startedAt(3));

  test("under a resident cap prefill-prioritizing must decode in between, and takes more", async () => {
    const config = configOf("demo2", { kind: "prefill-prioritizing" }, "resident");
    const resident = await boundaryOf(config);
    // Above the iteration cap's boundary beyond doubt, and not above what any policy can serve.
    expect(resident.low).toBeGreaterThan(7.19591 * 1.005);
    expect(resident.high).toBeLessThan(7.38007);
  });
});

describe("verdicts", () => {
  test.each([...demo2, ["demo1", "decode-prioritizing", 100, 0] as (typeof KNOWN)[number]])(
    "%s, %s: stable at .9 λ*, unstable at 1.1 λ*",
    async (name: string, kind: string, known: number) => {
      const config = configOf(name, { kind });
      const points = await verdictsAt(trialsWith(), subjectOf(config), 1, [0.9 * known, 1.1 * known]);
      expect(points.map(({ lambda, verdict }) => [lambda, verdict])).toEqual([
        [0.9 * known, "stable"],
        [1.1 * known, "unstable"],
      ]);
      expect(points[1].emptied).toBe(false);
    },
  );

  // Without output nothing can wait to decode: the backlog stands as prompts.
  test.each(["prefill-prioritizing", "hybrid"])("demo1, %s: unstable at 1.1 λ*", async (kind) => {
    const config = configOf("demo1", { kind });
    const [point] = await verdictsAt(trialsWith(), subjectOf(config), 1, [110]);
    expect(point.verdict).toBe("unstable");
  });

  test("far below, the backlog is gone, which is stable; the order of the rates is kept", async () => {
    const config = configOf("demo2", { kind: "hybrid" });
    const points = await verdictsAt(trialsWith(), subjectOf(config), 1, [9, 0.5, 6]);
    expect(points.map(({ lambda, verdict, emptied }) => [lambda, verdict, emptied])).toEqual([
      [9, "unstable", false],
      [0.5, "stable", true],
      [6, "stable", expect.any(Boolean)],
    ]);
  });
});

describe("bracketOf", () => {
  const points = (...verdicts: string[]) => verdicts.map((verdict, i) => ({ lambda: i + 1, verdict }));

  test("the greatest stable and the least unstable rate, in any order", () => {
    const four = points("stable", "stable", "undecided", "unstable", "unstable");
    expect(bracketOf(four)).toEqual({ stable: 2, unstable: 4, stableBelow: 2 });
    expect(bracketOf([...four].reverse())).toEqual({ stable: 2, unstable: 4, stableBelow: 2 });
  });

  test("none of a kind: NaN", () => {
    expect(bracketOf(points("stable", "undecided"))).toEqual({ stable: 1, unstable: NaN, stableBelow: 1 });
    expect(bracketOf(points("undecided", "unstable"))).toEqual({
      stable: NaN,
      unstable: 2,
      stableBelow: NaN,
    });
    expect(bracketOf([])).toEqual({ stable: NaN, unstable: NaN, stableBelow: NaN });
  });

  test("verdicts that cross are shown as they are", () => {
    expect(bracketOf(points("unstable", "stable"))).toEqual({ stable: 2, unstable: 1, stableBelow: NaN });
    const crossed = points("stable", "unstable", "stable", "unstable");
    expect(bracketOf(crossed)).toEqual({ stable: 3, unstable: 2, stableBelow: 1 });
  });
});

describe("the study's trend test", () => {
  /** Each of ten block means four times over. */
  const blocks = (...means: readonly number[]): number[] => means.flatMap((mean) => [mean, mean, mean, mean]);

  test("rising: 1, 1.1, …, 1.9 rises by 90 % and is flagged", () => {
    const { flagged, rise } = trendOf(blocks(...Array.from({ length: 10 }, (_, i) => 1 + i / 10)));
    expect(flagged).toBe(true);
    expect(rise).toBeCloseTo(0.9, 12);
  });

  test("blocks are means of four, in order", () => {
    // Means 4, 8, 12 of spread values: S = 3 of n = 3, z = 2/√(3·2·11/18) = 1.04, p = .148: not enough blocks.
    expect(trendOf([1, 7, 2, 6, 8, 8, 4, 12, 10, 14, 11, 13])).toEqual({ flagged: false, rise: 2 });
    // Four rising: S = 6, z = 5/√(4·3·13/18) = 1.70, p = .045.
    expect(trendOf(blocks(4, 8, 12, 12.5))).toEqual({ flagged: true, rise: 8.5 / 4 });
    // What does not fill a block is left out.
    expect(trendOf([...blocks(4, 8, 12, 12.5), 1, 1, 1])).toEqual({ flagged: true, rise: 8.5 / 4 });
  });

  test("a rise of 10 % or less is none, however steady; nor is a fall", () => {
    const steady = (to: number) =>
      trendOf(blocks(...Array.from({ length: 10 }, (_, i) => 100 + (i * to) / 9)));
    expect([steady(9.9).flagged, steady(10.1).flagged]).toEqual([false, true]);
    expect(steady(-50)).toEqual({ flagged: false, rise: -0.5 });
    expect(trendOf(blocks(...Array<number>(10).fill(3)))).toEqual({ flagged: false, rise: 0 });
  });

  test("a rise from first to last without a trend between is not flagged", () => {
    // 1, 5, 4, 3, 2, 5, 4, 3, 2, 1.5: more pairs fall than rise.
    const { flagged, rise } = trendOf(blocks(1, 5, 4, 3, 2, 5, 4, 3, 2, 1.5));
    expect([flagged, rise]).toEqual([false, 0.5]);
  });

  test("short series, or blocks without values, say nothing", () => {
    expect(trendOf([])).toEqual({ flagged: false, rise: 0 });
    expect(trendOf(blocks(1, 2))).toEqual({ flagged: false, rise: 0 });
    expect(trendOf(blocks(NaN, 1, NaN, 2, NaN))).toEqual({ flagged: false, rise: 0 });
    // The blocks that have values count.
    expect(trendOf(blocks(NaN, 1, 2, 3, NaN, 4))).toEqual({ flagged: true, rise: 3 });
  });

  /** Records of two trials whose mean is `series[metric]`, one of them without values in the first four windows. */
  function records(series: Readonly<Record<string, (window: number) => number>>): TrialRecords {
    const config = configOf("demo2", { kind: "hybrid" });
    const windows = Array.from({ length: TREND_WINDOWS }, (_, i) => i + 1);
    const request = { label: "", configs: [config], seed: 1, trials: 2, windows };
    const table = new TrialRecords(request);
    const width = table.values.length / 2 / TREND_WINDOWS;
    for (const trial of [0, 1])
      for (let window = 0; window < TREND_WINDOWS; window++)
        for (const [metric, at] of Object.entries(series)) {
          const value =
            trial === 1 && window < 4 ? NaN : at(window) + (window < 4 ? 0 : trial === 0 ? -0.5 : 0.5);
          table.values[table.offset(trial, 0) + window * width + metricIndex(metric)] = value;
        }
    return table;
  }

  test("RTS decides; the first to grow is the one that rises most", () => {
    const flat = (): number => 5;
    const by = (step: number) => (window: number) => 5 + window * step;
    type Series = (window: number) => number;
    const point = (ttft: Series, tbt: Series, rts: Series) =>
      trendPoint(records({ ttft_mean_s: ttft, tbt_mean_s: tbt, rts_mean_s: rts }), 0);
    expect(point(flat, flat, flat)).toEqual({ verdict: "stable", firstToGrow: "none" });
    expect(point(flat, flat, by(0.1))).toEqual({ verdict: "unstable", firstToGrow: "RTS" });
    expect(point(by(0.3), by(0.2), by(0.1))).toEqual({ verdict: "unstable", firstToGrow: "TTFT" });
    expect(point(by(0.1), by(0.3), by(0.2))).toEqual({ verdict: "unstable", firstToGrow: "TBT" });
    expect(point(by(0.3), flat, flat)).toEqual({ verdict: "stable", firstToGrow: "TTFT" });
  });
});

describe("the study's grids", () => {
  const steps = (start: number, count: number, step: number): unknown[] =>
    Array.from({ length: count }, (_, i) => expect.closeTo(start + i * step, 12) as unknown);

  test("demo2: decode .5:3.5:.5, prefill and hybrid 1:4.5:.5", () => {
    expect(studyGrid("demo2", "decode-prioritizing")).toEqual([0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
    expect(studyGrid("demo2", "prefill-prioritizing")).toEqual([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]);
    expect(studyGrid("demo2", "hybrid")).toEqual([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]);
  });

  test.each(["demo3", "demo3_b0_64", "demo3_b0_0"])(
    "%s: decode .001:.041:.005, prefill .5:3.5:.5",
    (name) => {
      expect(studyGrid(name, "decode-prioritizing")).toEqual(steps(0.001, 9, 0.005));
      expect(studyGrid(name, "prefill-prioritizing")).toEqual([0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
    },
  );

  test("hybrid: 8:12:.5 with chunks of 64, 2:5:.5 without", () => {
    expect(studyGrid("demo3_b0_64", "hybrid")).toEqual(steps(8, 9, 0.5));
    expect(studyGrid("demo3", "hybrid")).toEqual(steps(8, 9, 0.5));
    expect(studyGrid("demo3_b0_0", "hybrid")).toEqual(steps(2, 7, 0.5));
  });

  test("none for other scenarios and schedulers", () => {
    expect(studyGrid("demo1", "hybrid")).toBeUndefined();
    expect(studyGrid("mine", "hybrid")).toBeUndefined();
    expect(studyGrid("demo2", "mine")).toBeUndefined();
  });
});

test("the configuration at another rate differs in nothing else", () => {
  const config = configOf("demo2", { kind: "hybrid" });
  const other = atRate(config, 7);
  expect(other.workload.arrivals).toEqual({ kind: "poisson", ratePerSecond: 7 });
  expect(atRate(other, 2)).toEqual(config);
});

describe.skipIf(!isLong)("long: skipped unless LLMSIM_LONG=1, as it takes a minute", () => {
  test.each(demo3)("%s, %s: λ* = %d", async (name, kind, known, error) => {
    expectBoundary(await boundaryOf(configOf(name, { kind })), known, error);
  });

  test.each(demo2)(
    "%s, %s: the interval covers %d at least 88 times over 100 seeds",
    async (name, kind, known) => {
      const config = configOf(name, { kind });
      let covered = 0;
      for (let seed = 1; seed <= 100; seed++) {
        const { low, high } = await boundaryOf(config, seed);
        if (low <= known && known <= high) covered++;
      }
      expect(covered).toBeGreaterThanOrEqual(88);
    },
    600_000,
  );
});
