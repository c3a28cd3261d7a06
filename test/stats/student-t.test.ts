/** Student's t against printed tables, 40-digit references (mpmath), and itself where two methods meet. */

import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { InvariantError } from "../../src/core/errors.js";
import { tCdf, tQuantile } from "../../src/stats/index.js";

describe("tQuantile", () => {
  test.each([
    [0.975, 1, 12.7062, 4],
    [0.975, 2, 4.30265, 5],
    [0.975, 10, 2.22814, 5],
    [0.975, 19, 2.09302, 5],
    [0.975, 99, 1.98422, 5],
    [0.95, 19, 1.729133, 6],
    [0.9, 5, 1.475884, 6],
    [0.995, 30, 2.749996, 6],
    [0.9995, 4, 8.610302, 6],
    [0.975, 400, 1.965912343229463, 12],
    [0.975, 401, 1.965897465336516, 12],
    [0.975, 999999, 1.959966356816479, 12],
  ])("t of %d with %d degrees of freedom is %d", (p, df, table, digits) => {
    expect(tQuantile(p, df)).toBeCloseTo(table, digits);
  });

  test("symmetric, with its ends at infinity", () => {
    expect(tQuantile(0.5, 7)).toBe(0);
    expect(tQuantile(0.025, 7)).toBe(-tQuantile(0.975, 7));
    expect(tQuantile(1, 7)).toBe(Infinity);
    expect(tQuantile(0, 7)).toBe(-Infinity);
    expect(tQuantile(0.6, 1)).toBeCloseTo(0.3249197, 7);
    expect(tQuantile(1 - 2 ** -53, 1)).toBeGreaterThan(1e15);
  });

  test("undoes tCdf", () => {
    fc.assert(
      fc.property(fc.double({ min: -6, max: 6, noNaN: true }), fc.integer({ min: 1, max: 1e6 }), (t, df) => {
        // the error of the distribution function, carried through its slope
        expect(Math.abs(tQuantile(tCdf(t, df), df) - t)).toBeLessThan(1e-6 * (1 + Math.abs(t)));
        expect(tCdf(tQuantile(tCdf(t, df), df), df)).toBeCloseTo(tCdf(t, df), 13);
      }),
    );
  });

  test("falls with the degrees of freedom, also across the change of method", () => {
    for (const df of [1, 2, 3, 10, 398, 399, 400, 401, 402, 5000]) {
      expect(tQuantile(0.975, df + 1)).toBeLessThan(tQuantile(0.975, df));
    }
  });

  test("refuses what is no probability", () => {
    for (const p of [-0.1, 1.1, NaN]) expect(() => tQuantile(p, 5)).toThrow(InvariantError);
  });

  test("takes some 55 values of the distribution function, none of which is a series where df is large", () => {
    // One of them takes one square root by the expansion, and two by a series.
    const roots = vi.spyOn(Math, "sqrt");
    for (const [df, most] of [
      [1, 130],
      [399, 130],
      [400, 130],
      [401, 65],
      [1e4, 65],
      [1e6, 65],
    ] as const)
      for (let i = 0; i < 100; i++) {
        roots.mockClear();
        tQuantile(0.9001 + i / 1100, df);
        expect(roots.mock.calls.length).toBeLessThan(most);
      }
    expect(roots.mock.calls.length).toBeGreaterThan(50);
    roots.mockRestore();
  });
});

describe("tCdf", () => {
  test.each([
    [0.5, 1, 0.6475836176504333],
    [3, 1, 0.8975836176504333],
    [-2, 2, 0.09175170953613698],
    [1.5, 3, 0.8847080673775884],
    [2, 7, 0.957190335718512],
    [-1, 10, 0.17044656615102993],
    [2.5, 19, 0.9891297944158013],
    [3, 99, 0.9982922460392105],
    [-3, 100, 0.0017039576716647248],
    [2, 399, 0.9769111797061616],
    [2, 400, 0.9769120274132159],
    [2, 401, 0.976912870887443],
    [4, 401, 0.9999622857180751],
    [-5, 1000, 3.3836281823243153e-7],
    [1.96, 1000000, 0.9750019662073651],
  ])("P(T <= %d) with %d degrees of freedom", (t, df, expected) => {
    expect(Math.abs(tCdf(t, df) - expected)).toBeLessThan(1e-14);
  });

  test("far tails of large df keep their relative accuracy", () => {
    expect(tCdf(-5, 1000) / 3.3836281823243153e-7).toBeCloseTo(1, 12);
  });

  test("ends", () => {
    expect([tCdf(Infinity, 3), tCdf(-Infinity, 3), tCdf(1e300, 1), tCdf(-1e300, 1)]).toEqual([1, 0, 1, 0]);
    expect(tCdf(0, 500)).toBe(0.5);
    expect(tCdf(NaN, 3)).toBeNaN();
  });

  test("refuses degrees of freedom that are not whole or below 1", () => {
    for (const df of [0, -1, 2.5, NaN, Infinity]) expect(() => tCdf(1, df)).toThrow(InvariantError);
  });
});
