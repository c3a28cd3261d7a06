/** Intervals, differences and verdicts: hand-made examples, coverage by experiment, and what must hold for all. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  halfWidth,
  MOST_TRIALS,
  pairedDifference,
  simultaneous,
  summarize,
  tQuantile,
  trialsToResolve,
  verdict,
  welchDifference,
} from "../../src/stats/index.js";

const NO_INTERVAL = { sd: NaN, low: NaN, high: NaN };

/** Standard normal values from a fixed stream (Box-Muller over a 32-bit generator). */
function normals(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296 + 2 ** -33;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

describe("summarize", () => {
  test("a worked example", () => {
    const summary = summarize([2, 4, 4, 4, 5, 5, 7, 9]);
    expect(summary.n).toBe(8);
    expect(summary.mean).toBe(5);
    expect(summary.sd).toBeCloseTo(2.13809, 5);
    expect(halfWidth(summary)).toBeCloseTo((2.364624 * 2.13809) / Math.sqrt(8), 5);
    expect(summary.low).toBeCloseTo(3.21251, 4);
    expect(summary.high).toBeCloseTo(6.78749, 4);
  });

  test("a trial without a value is left out, not counted as 0", () => {
    expect(summarize([1, NaN, 3])).toEqual(summarize([1, 3]));
    expect(summarize([1, Infinity, 3])).toEqual(summarize([1, 3]));
  });

  test("one value has no interval, none has no mean", () => {
    expect(summarize([7])).toEqual({ n: 1, mean: 7, ...NO_INTERVAL });
    expect(summarize([NaN, 7])).toEqual({ n: 1, mean: 7, ...NO_INTERVAL });
    expect(summarize([])).toEqual({ n: 0, mean: NaN, ...NO_INTERVAL });
    expect(halfWidth(summarize([7]))).toBeNaN();
  });

  test("equal values have an interval of width 0", () => {
    expect(summarize([3, 3, 3])).toEqual({ n: 3, mean: 3, sd: 0, low: 3, high: 3 });
  });

  test.each([2, 3, 5, 20])("with %d normal trials, covers the true mean in 19 of 20 experiments", (n) => {
    const draw = normals(n);
    let covered = 0;
    for (let experiment = 0; experiment < 4000; experiment++) {
      const { low, high } = summarize(Array.from({ length: n }, draw));
      if (low <= 0 && 0 <= high) covered++;
    }
    expect(Math.abs(covered / 4000 - 0.95)).toBeLessThan(3.5 * Math.sqrt((0.95 * 0.05) / 4000));
  });

  test("does not depend on the order, and moves with shift and scale", () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 2, maxLength: 40 });
    fc.assert(
      fc.property(values, (sample) => {
        const summary = summarize(sample);
        const tolerance = 1e-9 * (1 + Math.abs(summary.mean) + summary.sd);
        const turned = summarize([...sample].reverse());
        const moved = summarize(sample.map((x) => 3 - 2 * x));
        for (const end of ["mean", "low", "high", "sd"] as const) {
          expect(Math.abs(turned[end] - summary[end])).toBeLessThanOrEqual(tolerance);
        }
        expect(Math.abs(moved.low - (3 - 2 * summary.high))).toBeLessThanOrEqual(10 * tolerance);
        expect(summary.low <= summary.mean && summary.mean <= summary.high).toBe(true);
      }),
    );
  });
});

describe("pairedDifference", () => {
  test("is the summary of the differences, trial by trial", () => {
    expect(pairedDifference([5, 7, 9], [4, 5, 6])).toEqual(summarize([1, 2, 3]));
  });

  test("needs both values of a trial", () => {
    expect(pairedDifference([5, NaN, 9, 1], [4, 5, NaN, 0])).toEqual(summarize([1, 1]));
    expect(pairedDifference([5, 7], [4])).toEqual(summarize([1]));
  });

  test("is far narrower than Welch's where both share their noise", () => {
    const draw = normals(3);
    const shared = Array.from({ length: 20 }, () => 100 * draw());
    const a = shared.map((x) => x + 1 + 0.1 * draw());
    const paired = pairedDifference(a, shared);
    expect(verdict(paired, true)).toBe("worse");
    expect(halfWidth(paired)).toBeLessThan(halfWidth(welchDifference(a, shared)) / 100);
    expect(verdict(welchDifference(a, shared), true)).toBe("not resolved");
  });
});

describe("welchDifference", () => {
  test("the worked example of unequal variances, degrees of freedom rounded down", () => {
    const a = [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4];
    const b = [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.2, 23.9];
    const difference = welchDifference(a, b); // scipy.stats.ttest_ind: df 27.787, se 0.982136
    expect(difference.n - 1).toBe(27);
    expect(difference.mean).toBeCloseTo(-2.78, 4);
    expect(difference.low).toBeCloseTo(difference.mean - 2.051831 * 0.982136, 5);
  });

  test("one noisy side: its degrees of freedom", () => {
    expect(welchDifference([1, 2, 3], [5, 5, 5, 5, 5]).n).toBe(3);
  });

  test("no spread at all", () => {
    expect(welchDifference([1, 1], [3, 3, 3])).toEqual({ n: 2, mean: -2, sd: 0, low: -2, high: -2 });
  });

  test("fewer than two values on a side: no interval", () => {
    expect(welchDifference([1], [2, 3])).toEqual({ n: 1, mean: -1.5, ...NO_INTERVAL });
    expect(welchDifference([], [2, 3])).toEqual({ n: 0, mean: NaN, ...NO_INTERVAL });
  });

  test("swapping the samples turns the interval round", () => {
    const sample = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        const ab = welchDifference(a, b);
        const ba = welchDifference(b, a);
        expect(ba.low).toBeCloseTo(-ab.high, 9);
        expect(ba.n).toBe(ab.n);
        expect(ab.n).toBeGreaterThanOrEqual(Math.min(a.length, b.length));
        expect(ab.n).toBeLessThanOrEqual(a.length + b.length - 1);
      }),
    );
  });
});

describe("verdict", () => {
  const summary = (low: number, high: number) => ({ n: 9, mean: (low + high) / 2, sd: 1, low, high });

  test.each([
    [1, 2, true, "worse"],
    [1, 2, false, "better"],
    [-2, -1, true, "better"],
    [-2, -1, false, "worse"],
    [-1, 2, true, "not resolved"],
    [0, 2, false, "not resolved"],
    [-2, 0, true, "not resolved"],
  ])("[%d, %d], lower is better: %s -> %s", (low, high, lowerIsBetter, expected) => {
    expect(verdict(summary(low, high), lowerIsBetter)).toBe(expected);
  });

  test("no interval decides nothing", () => {
    expect(verdict(summarize([5]), true)).toBe("not resolved");
    expect(verdict(summarize([]), false)).toBe("not resolved");
  });
});

describe("trialsToResolve", () => {
  const difference = (mean: number, sd: number) => ({ n: 5, mean, sd, low: NaN, high: NaN });
  const excludesZero = (n: number, mean: number, sd: number) =>
    (tQuantile(0.975, n - 1) * sd) / Math.sqrt(n) < Math.abs(mean);

  test("is the smallest number of trials that does", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.003, max: 20, noNaN: true }), fc.boolean(), (size, negative) => {
        const mean = negative ? -size : size;
        const n = trialsToResolve(difference(mean, 1));
        expect(excludesZero(n, mean, 1)).toBe(true);
        if (n > 2) expect(excludesZero(n - 1, mean, 1)).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  test("printed examples", () => {
    expect(trialsToResolve(difference(1, 1))).toBe(7); // t(.975, 6) = 2.447 < sqrt(7) = 2.646
    expect(trialsToResolve(difference(100, 1))).toBe(2);
    expect(trialsToResolve(difference(-3, 0))).toBe(2);
  });

  test("what no number of trials resolves, what is unknown, and the cap", () => {
    expect(trialsToResolve(difference(0, 1))).toBe(Infinity);
    expect(trialsToResolve(summarize([4]))).toBeNaN();
    expect(trialsToResolve(difference(1e-9, 1))).toBe(MOST_TRIALS);
    expect(trialsToResolve(difference(1e-4, 1))).toBeGreaterThan(3.8e8);
    expect(trialsToResolve(difference(1e-4, 1))).toBeLessThan(3.9e8);
  });
});

describe("simultaneous intervals (Bonferroni)", () => {
  const difference = summarize([1, 2, 4, 5, 9]);

  test("one comparison is the plain interval; k of them share the five per cent", () => {
    expect(simultaneous(difference, 1)).toEqual(difference);
    const wide = simultaneous(difference, 7);
    expect(wide.mean).toBe(difference.mean);
    const half = (tQuantile(1 - 0.025 / 7, 4) * difference.sd) / Math.sqrt(5);
    expect((wide.high - wide.low) / 2).toBeCloseTo(half, 12);
    expect(wide.high - wide.low).toBeGreaterThan(difference.high - difference.low);
  });

  test("no interval stays none", () => {
    expect(simultaneous(summarize([3]), 4)).toEqual(summarize([3]));
  });
});
