/** Quantiles, the trend test, batch means and MSER-5, each against its definition written out. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError } from "../../src/core/errors.js";
import { batchMeans, mannKendall, mser5, quantileSorted, summarize } from "../../src/stats/index.js";

/** An i.i.d. uniform(-1/2, 1/2) series from a fixed stream. */
function noise(length: number, seed: number): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296 - 0.5;
  });
}

describe("quantileSorted", () => {
  test.each([
    [0, 1],
    [0.25, 3.25],
    [0.5, 5.5],
    [0.9, 9.1],
    [0.95, 9.55],
    [1, 10],
    [-1, 1],
    [2, 10],
  ])("numpy.percentile of 1..10 at %d is %d", (p, expected) => {
    expect(quantileSorted(Float64Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), p)).toBeCloseTo(expected, 12);
  });

  test("of one value, of none", () => {
    expect(quantileSorted([7], 0.99)).toBe(7);
    expect(quantileSorted([], 0.5)).toBeNaN();
  });

  test("rises with p and stays between its neighbours", () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 30 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(values, share, share, (sample, p, q) => {
        const sorted = Float64Array.from(sample).sort();
        const [low, high] = p < q ? [p, q] : [q, p];
        expect(quantileSorted(sorted, low)).toBeLessThanOrEqual(quantileSorted(sorted, high));
        const index = Math.floor(p * (sorted.length - 1));
        expect(quantileSorted(sorted, p)).toBeGreaterThanOrEqual(sorted[index]!);
        expect(quantileSorted(sorted, p)).toBeLessThanOrEqual(
          sorted[Math.min(index + 1, sorted.length - 1)]!,
        );
      }),
    );
  });
});

describe("mannKendall", () => {
  test("a rising series", () => {
    const { s, z, pUp } = mannKendall([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(s).toBe(45);
    expect(z).toBeCloseTo(44 / Math.sqrt(125), 12);
    expect(pUp).toBeCloseTo(4.15e-5, 6);
  });

  test("a falling series turns the signs round, with the correction towards 0", () => {
    const { s, z, pUp } = mannKendall([4, 3, 2, 1]);
    expect(s).toBe(-6);
    expect(z).toBeCloseTo(-5 / Math.sqrt(26 / 3), 12);
    expect(pUp).toBeGreaterThan(0.95);
  });

  test("ties count nothing, missing values are left out", () => {
    expect(mannKendall([1, 1, 2, 2]).s).toBe(4);
    expect(mannKendall([5, 5, 5])).toEqual({ s: 0, z: 0, pUp: 0.5 });
    expect(mannKendall([1, NaN, 2, 3])).toEqual(mannKendall([1, 2, 3]));
  });

  test("too short to say anything", () => {
    expect(mannKendall([])).toEqual({ s: 0, z: 0, pUp: 0.5 });
    expect(mannKendall([1])).toEqual({ s: 0, z: 0, pUp: 0.5 });
  });

  test("calls about 5 % of series without a trend rising at the 5 % level", () => {
    let called = 0;
    for (let i = 0; i < 2000; i++) if (mannKendall(noise(20, i)).pUp < 0.05) called++;
    expect(Math.abs(called / 2000 - 0.05)).toBeLessThan(3.5 * Math.sqrt((0.05 * 0.95) / 2000));
  });
});

describe("batchMeans", () => {
  test("equal batches, the rest dropped at the start", () => {
    expect(batchMeans([99, 1, 3, 5, 7, 9, 11], 3)).toEqual({
      mean: 6,
      standardError: 4 / Math.sqrt(3),
      df: 2,
      batches: [2, 6, 10],
    });
  });

  test("the error of batches of one is that of the plain mean", () => {
    const series = noise(40, 1);
    const { mean, standardError } = batchMeans(series, 40);
    expect(mean).toBeCloseTo(summarize(series).mean, 14);
    expect(standardError).toBeCloseTo(summarize(series).sd / Math.sqrt(40), 14);
  });

  test("sees the error that correlation hides from the plain formula", () => {
    let level = 0;
    const series = noise(100_000, 2).map((step) => (level = 0.95 * level + step));
    const plain = summarize(series).sd / Math.sqrt(series.length);
    const inflation = batchMeans(series, 20).standardError / plain; // exactly sqrt(1.95/.05) = 6.2 in the limit
    expect(inflation).toBeGreaterThan(3.5);
    expect(inflation).toBeLessThan(10);
  });

  test("fewer values than batches: no value", () => {
    expect(batchMeans([1, 2], 3)).toEqual({ mean: NaN, standardError: NaN, df: 2, batches: [] });
  });

  test("refuses fewer than two batches", () => {
    for (const count of [1, 0, 2.5, NaN]) expect(() => batchMeans([1, 2, 3], count)).toThrow(InvariantError);
  });
});

describe("mser5", () => {
  /** The definition, term by term. */
  function definition(series: number[]): number {
    const means: number[] = [];
    for (let i = 0; i + 5 <= series.length; i += 5) {
      means.push(series.slice(i, i + 5).reduce((sum, x) => sum + x, 0) / 5);
    }
    let best = 0;
    let least = Infinity;
    for (let d = 0; d <= Math.floor(means.length / 2) && d < means.length; d++) {
      const kept = means.slice(d);
      const mean = kept.reduce((sum, x) => sum + x, 0) / kept.length;
      const statistic = kept.reduce((sum, x) => sum + (x - mean) ** 2, 0) / kept.length ** 2;
      if (statistic < least) [best, least] = [d, statistic];
    }
    return best * 5;
  }

  test("follows its definition", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 5, max: 400 }),
        fc.double({ min: 0, max: 50, noNaN: true }),
        (seed, n, bias) => {
          const series = noise(n, seed).map((x, i) => x + bias * 0.9 ** i);
          expect(mser5(series).truncateAt).toBe(definition(series));
        },
      ),
    );
  });

  test("drops a warm-up and keeps the rest", () => {
    const series = noise(1000, 5).map((x, i) => x + 20 * Math.exp(-i / 30));
    const { truncateAt, tooShort } = mser5(series);
    expect(tooShort).toBe(false);
    expect(truncateAt).toBeGreaterThan(60);
    expect(truncateAt).toBeLessThan(250);
  });

  test("keeps all of a series without warm-up", () => {
    expect(mser5(new Float64Array(100).fill(3))).toEqual({ truncateAt: 0, tooShort: false });
  });

  test("a large mean does not hide a small spread", () => {
    const series = noise(500, 6).map((x, i) => 1e9 + x + (i < 50 ? 10 : 0));
    expect(mser5(series)).toEqual({ truncateAt: 50, tooShort: false });
  });

  test("a series that still rises is too short, and so is one of a few values", () => {
    expect(mser5(Array.from({ length: 200 }, (_, i) => i)).tooShort).toBe(true);
    expect(mser5([1, 2, 3, 4, 5, 6, 7]).tooShort).toBe(true);
    expect(mser5([])).toEqual({ truncateAt: 0, tooShort: true });
  });
});
