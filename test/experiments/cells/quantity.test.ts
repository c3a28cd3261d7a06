/** Numbers for people: never NaN, and as many digits as mean something. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { percent, plain, scaleOf, withInterval } from "../../../src/experiments/cells/quantity.js";
import type { Summary } from "../../../src/stats/index.js";

const MOST_DECIMALS = 6;
const decimals = (text: string): number => /\.(\d+)/.exec(text)?.[1]!.length ?? 0;

/** Any double that a metric may be, and more. */
const anything = fc.oneof(
  fc.double({ min: -1e200, max: 1e200 }),
  fc.double({ min: -1e6, max: 1e6 }),
  fc.double({ min: 0, max: 1e-3 }),
  fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 1, 9.9995, 0.99995, 1e21, 5e-324),
);
const usual = fc.oneof(
  fc.double({ min: 1e-3, max: 1e5, noNaN: true }),
  fc.double({ min: -1e5, max: -1e-3, noNaN: true }),
);
const summaryOf = (mean: number, half: number): Summary => ({
  n: 20,
  mean,
  sd: half,
  low: mean - half,
  high: mean + half,
});

describe("whatever the number", () => {
  test("no NaN and no Infinity is ever shown", () => {
    fc.assert(
      fc.property(anything, anything, fc.constantFrom(1, 1000), (mean, half, factor) => {
        const shown = [
          plain(mean),
          percent(mean, half),
          withInterval({ n: 3, mean, sd: half, low: mean - half, high: mean + half }, { factor, unit: "" }),
          withInterval({ n: 1, mean, sd: NaN, low: NaN, high: NaN }, { factor, unit: "ms" }),
        ];
        for (const text of shown) expect(text).not.toMatch(/NaN|Infinity|undefined|^$|^-0(\.0*)?(?![.\d])/);
      }),
      { numRuns: 2000 },
    );
  });

  test("no value is a dash, not a number", () => {
    expect([plain(NaN), plain(Infinity), percent(NaN, 1)]).toEqual(["–", "–", "–"]);
    expect(withInterval({ n: 0, mean: NaN, sd: NaN, low: NaN, high: NaN })).toBe("–");
  });
});

describe("a plain number", () => {
  test("is right to four digits, with no more decimals than that takes", () => {
    fc.assert(
      fc.property(usual, (value) => {
        const text = plain(value);
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(5.0001e-4 * Math.abs(value));
        const digits = text.replace(/^-?0?\.?0*|[-.]/g, "").length;
        if (Math.abs(value) < 1000) expect(digits).toBe(4);
        else expect(decimals(text)).toBe(0);
      }),
    );
  });
  test.each([
    [9.9995, "9.999"],
    [9.99951, "10.00"],
    [0.0123456, "0.01235"],
    [123456.7, "123457"],
    [0.0000001, "0.000000"],
    [0, "0"],
    [-2.5, "-2.500"],
  ])("%d is %s", (value, text) => {
    expect(plain(value)).toBe(text);
  });
});

describe("a mean with its interval", () => {
  const half = fc.double({ min: 1e-4, max: 1e3, noNaN: true });

  test("has as many decimals as two digits of the half-width take, unless that is over five of the mean", () => {
    fc.assert(
      fc.property(usual, half, (mean, width) => {
        const summary = summaryOf(mean, width);
        const actual = (summary.high - summary.low) / 2;
        const text = withInterval(summary);
        const [shownMean = "", shownHalf = ""] = text.split(" ±");
        expect(decimals(shownMean)).toBe(decimals(shownHalf));
        const exponent = (value: number, digits: number): number =>
          Number(value.toExponential(digits - 1).split("e")[1]);
        const needed = Math.max(0, Math.min(MOST_DECIMALS, 1 - exponent(actual, 2)));
        const most = Math.max(0, Math.min(MOST_DECIMALS, 4 - exponent(Math.abs(mean), 5)));
        expect(decimals(shownHalf)).toBe(Math.min(needed, most));
        const unit = Number(`1e-${decimals(shownHalf)}`);
        expect(Math.abs(Number(shownMean) - mean)).toBeLessThanOrEqual(unit * 0.5001);
        expect(Math.abs(Number(shownHalf) - actual)).toBeLessThanOrEqual(unit * 0.5001);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [105.1123, 0.2512, "105.11 ±0.25"],
    [2235.04, 10.31, "2235 ±10"],
    [17, 0, "17.00 ±0"],
    [0, 0.004, "0.0000 ±0.0040"],
    [-0.00001, 0.5, "0.00 ±0.50"],
    [-0.01, 0.5, "-0.01 ±0.50"],
    [1, 0.09951, "1.00 ±0.10"],
    [4.4621234, 0.0181, "4.462 ±0.018"],
  ])("%d with %d is %s", (mean, width, text) => {
    expect(withInterval(summaryOf(mean, width))).toBe(text);
  });

  test("one trial has a mean and no interval", () => {
    const text = withInterval({ n: 1, mean: 2.5, sd: NaN, low: NaN, high: NaN });
    expect(text).toBe("2.500");
  });

  test("is scaled with it", () => {
    expect(withInterval(summaryOf(0.10511, 0.00025), { factor: 1000, unit: "ms" })).toBe("105.11 ±0.25");
  });
});

describe("a relative change", () => {
  test.each([
    [0.586312, 0.0042, "58.63 % (± 0.42)"],
    [0.02, 0.0162, "2.0 % (± 1.6)"],
    [0.5, 0.28, "50 % (± 28)"],
    [0, 0, "0.0 % (± 0.0)"],
    [0.25, NaN, "25.0 %"],
    [0.25, 1e-9, "25.00 % (± 0.00)"],
  ])("%d with %d is %s", (ratio, width, text) => {
    expect(percent(ratio, width)).toBe(text);
  });
});

describe("the unit of a column", () => {
  test("is ms where a value is small, s where none is, and nothing else for other units", () => {
    expect(scaleOf("s", [0.1, 3])).toEqual({ factor: 1000, unit: "ms" });
    expect(scaleOf("s", [0.2, 3])).toEqual({ factor: 1, unit: "s" });
    expect(scaleOf("s", [-0.1])).toEqual({ factor: 1000, unit: "ms" });
    expect(scaleOf("1/s", [0.001])).toEqual({ factor: 1, unit: "1/s" });
  });
  test("does not hang on values that are missing or zero", () => {
    expect(scaleOf("s", [])).toEqual({ factor: 1, unit: "s" });
    expect(scaleOf("s", [NaN, 0, 2])).toEqual({ factor: 1, unit: "s" });
  });
});
