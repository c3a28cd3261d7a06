/** log Γ against exact values: factorials, halves, and small arguments by its series at 0. */
import { describe, expect, test } from "vitest";
import { logGamma } from "../../../src/core/numbers/gamma-function.js";

describe("log Γ", () => {
  test("of whole numbers is the logarithm of a factorial", () => {
    let sum = 0;
    for (let n = 1; n <= 170; n++) {
      expect(Math.abs(logGamma(n) - sum)).toBeLessThan(2e-14 * Math.max(1, sum));
      sum += Math.log(n);
    }
  });

  // 40-digit values (mpmath), rounded.
  test.each([
    [0.5, 0.5723649429247001],
    [1.5, -0.12078223763524522],
    [2.5, 0.2846828704729192],
    [0.25, 1.2880225246980775],
    [1 / 3, 0.9854206469277671],
    [1e-6, 13.815509980749432],
    [1e-300, 690.7755278982137],
    [1.4616321449683623, -0.12148629053584961],
    [12.999999, 19.987211969666916],
    [1e10, 220258509288.81058],
  ])("of %f", (x, expected) => {
    expect(Math.abs(logGamma(x) - expected)).toBeLessThan(2e-14 * Math.max(1, Math.abs(expected)));
  });

  test("keeps Γ(x + 1) = x Γ(x) and the duplication formula", () => {
    for (let x = 0.01; x < 60; x *= 1.07) {
      const error = 3e-14 * Math.max(1, Math.abs(logGamma(2 * x)));
      expect(Math.abs(logGamma(x + 1) - logGamma(x) - Math.log(x))).toBeLessThan(error);
      const doubled = logGamma(x) + logGamma(x + 0.5) + (2 * x - 1) * Math.LN2 - 0.5 * Math.log(Math.PI);
      expect(Math.abs(logGamma(2 * x) - doubled)).toBeLessThan(error);
    }
  });

  test("at and below 0", () => {
    expect(logGamma(0)).toBe(Infinity);
    expect(logGamma(-1.5)).toBeNaN();
    expect(logGamma(NaN)).toBeNaN();
  });
});
