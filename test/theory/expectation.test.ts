/** E[g(X)] against brute force, closed forms, and sums of 3·10^7 terms made elsewhere (NumPy). */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { log, pow } from "../../src/core/numbers/arithmetic.js";
import { expectation, type LengthLaw } from "../../src/theory/index.js";
import { constant, DEMO3_OUTPUT, DEMO3_PROMPT, discrete } from "./laws.js";

const identity = (n: number) => n;
const pieces = (size: number) => (n: number) => Math.ceil(n / size);

function near(actual: number, expected: number, relative: number): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThanOrEqual(relative);
}

/** P(X > n) = (n + 1)^-alpha below a cap. */
const pareto = (alpha: number, cap: number): LengthLaw => ({
  survival: (n) => (n < cap ? pow(n + 1, -alpha) : 0),
});

describe("heavy tails, to 1e-6 relative, asking the law some ten thousand times", () => {
  test.each<[string, LengthLaw, (n: number) => number, number]>([
    ["log-normal, mean", DEMO3_PROMPT, identity, 83.59412840892453],
    ["log-normal, chunks of 64", DEMO3_PROMPT, pieces(64), 1.9564227921867636],
    ["log-normal, chunks of 2048", DEMO3_PROMPT, pieces(2048), 1.0029582633187453],
    ["log-normal, capped by g", DEMO3_PROMPT, (n) => Math.min(n, 4096), 82.4162161562459],
    ["Pareto to 1e7, mean", pareto(1.1, 1e7), identity, 8.589186159958235],
    ["Pareto to 1e7, chunks of 512", pareto(1.1, 1e7), pieces(512), 1.0071777582634507],
    ["Pareto without end, zeta(2.5)", pareto(2.5, Infinity), identity, 1.3414872572509171],
    ["Pareto without end, zeta(1.5)", pareto(1.5, Infinity), identity, 2.6123753486854883],
  ])("%s", (_, law, g, expected) => {
    const asked = { survival: 0, g: 0 };
    const counted = { survival: (n: number) => (asked.survival++, law.survival(n)) };
    near(
      expectation(counted, (n) => (asked.g++, g(n))),
      expected,
      1e-7,
    );
    // At most 40,090 and 16,782,275: summed term by term, they would be as many, and the first is what costs.
    expect(asked.survival).toBeLessThan(50_000);
    expect(asked.g).toBeLessThan(20_000_000);
  });

  test("a law without a mean is cut at 2^52, not summed for ever", () => {
    // the sum of 1/(n + 1) to 2^52 is log(2^52) + Euler's constant
    near(expectation(pareto(1, Infinity), identity), 52 * Math.LN2 + 0.5772156649, 1e-6);
  });
});

describe("closed forms", () => {
  test("a constant", () => {
    for (const n of [0, 1, 1023, 1024, 1025, 5000, 123457]) {
      expect(expectation(constant(n), identity)).toBe(n);
      expect(expectation(constant(n), pieces(64))).toBe(Math.ceil(n / 64));
    }
  });

  test("a geometric law with a cap: (1 - q^cap)/p", () => {
    near(expectation(DEMO3_OUTPUT, identity), (1 - 0.9944 ** 1024) / 0.0056, 1e-12);
  });

  test("E[1/X] of a geometric law: -p log(p)/(1 - p)", () => {
    const law = { survival: (n: number) => pow(0.9944, n) };
    near(
      expectation(law, (n) => (n === 0 ? 0 : 1 / n)),
      (-0.0056 * log(0.0056)) / 0.9944,
      1e-9,
    );
  });

  test("a function that is 0 for a long time is not taken for negligible", () => {
    // E[max(X - 2000, 0)] of a geometric law is q^2000/p
    const law = { survival: (n: number) => pow(0.999, n) };
    near(
      expectation(law, (n) => Math.max(n - 2000, 0)),
      0.999 ** 2000 / 0.001,
      1e-6,
    );
  });
});

test("any law of finitely many values, far ones too, against the sum over them", () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 50 }),
    fc.integer({ min: 0, max: 3000 }),
    fc.integer({ min: 0, max: 3e6 }),
    fc.integer({ min: 0, max: 1e8 }),
  );
  const lengths = fc.array(value, { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 5000 }), (values, size) => {
      const law = discrete(values.map((x) => [x, 1 / values.length]));
      for (const g of [identity, pieces(size), (n: number) => Math.min(n, size)]) {
        const expected = values.reduce((sum, x) => sum + g(x), 0) / values.length;
        expect(Math.abs(expectation(law, g) - expected)).toBeLessThanOrEqual(1e-9 * (1 + expected));
      }
    }),
    { numRuns: 40 },
  );
});
