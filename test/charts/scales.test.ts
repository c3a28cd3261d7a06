/** Axes: when they are logarithmic, when cut, and that they then say so. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fraction, measureScale, positionScale } from "../../src/charts/scales.js";

describe("the scale of a measure", () => {
  test("is linear from zero by default", () => {
    expect(measureScale([1, 4], [])).toMatchObject({ type: "linear", note: "", domain: [0, 4.16] });
  });
  test("turns logarithmic when the positive values span more than 20x, and says so", () => {
    expect(measureScale([1, 20], []).type).toBe("linear");
    expect(measureScale([1, 20.1], [])).toMatchObject({
      type: "log",
      note: ", log scale",
      ticks: [1, 2, 5, 10, 20],
    });
    expect(measureScale([0.001, 1000], []).ticks).toEqual([0.001, 0.01, 0.1, 1, 10, 100, 1000]);
  });
  test("puts zeros at the foot of a logarithmic axis, and says so", () => {
    expect(measureScale([0, 0.1, 9], []).note).toBe(", log scale, 0 at its foot");
  });
  test("stays linear with negative values, or when told to start at 0", () => {
    expect(measureScale([-0.1, 0.1, 9], []).type).toBe("linear");
    expect(measureScale([0.1, 9], [], true)).toMatchObject({ type: "linear", note: "" });
  });
  test("is cut above zero only when all lies in the upper half, and says so", () => {
    expect(measureScale([1.9, 2.1], [1.8, 2.2]).note).toBe(", not from 0");
    expect(measureScale([1.9, 2.1], [1.0]).note).toBe("");
  });
  test("does not blow rounding noise up to a signal", () => {
    const { domain } = measureScale([2, 2.0000001], []);
    expect(domain[1] - domain[0]).toBeGreaterThan(0.09);
  });
  test("does not follow an interval below zero when no value is negative", () => {
    expect(measureScale([1, 3], [-5, 7]).domain[0]).toBe(0);
  });
  test("has two ends even where only the smallest numbers are left", () => {
    for (const value of [5e-324, -5e-324, 1e-310]) {
      const { domain } = measureScale([value], []);
      expect(domain[0]).toBeLessThan(domain[1]);
    }
  });
  test("holds every value, and every interval end that it does not say it cuts", () => {
    const value = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 20 }),
        fc.array(value, { maxLength: 5 }),
        (values, ends) => {
          const { domain, type, ticks } = measureScale(values, ends);
          expect(domain[0]).toBeLessThan(domain[1]);
          const slack = 1e-300 + 1e-9 * Math.max(Math.abs(domain[0]), Math.abs(domain[1]));
          for (const v of values) {
            // What is drawn as 0 stands at the foot of a logarithmic axis.
            if (type === "log" && Math.abs(v) < 1e-300) continue;
            expect(v).toBeGreaterThanOrEqual(domain[0] - slack);
            expect(v).toBeLessThanOrEqual(domain[1] + slack);
          }
          if (type === "log") {
            expect(domain[0]).toBeGreaterThan(0);
            expect(ticks!.length).toBeGreaterThan(0);
            expect(ticks!.length).toBeLessThanOrEqual(10);
          } else for (const end of ends) expect(end).toBeLessThanOrEqual(domain[1] + slack);
        },
      ),
    );
  });
});

describe("the scale of x", () => {
  test("labels doubling sizes one by one, many of them by powers of two", () => {
    expect(positionScale([8, 16, 32], [], "log2", false)).toMatchObject({ type: "log", ticks: [8, 16, 32] });
    const many = Array.from({ length: 64 }, (_, i) => 8 * (i + 1));
    expect(positionScale(many, [], "log2", false).ticks).toEqual([8, 16, 32, 64, 128, 256, 512]);
  });
  test("labels nine ratios exactly, but not odd values", () => {
    const ratios = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    expect(positionScale(ratios, [], "linear", false).ticks).toEqual(ratios);
    expect(positionScale([416.6667, 833.3333], [], "linear", false).ticks).toBeUndefined();
    expect(positionScale([1, 1.01, 5], [], "linear", false).ticks).toBeUndefined();
  });
  test("makes room for rules outside the data", () => {
    expect(positionScale([1, 2], [7.38], "linear", false).domain[1]).toBeGreaterThan(7.38);
    expect(positionScale([1, 2], [7.38], "linear", true).domain).toEqual([0, 7.38]);
  });
  test("a place in a domain", () => {
    expect(fraction(10, { type: "log", domain: [1, 100], note: "" })).toBeCloseTo(0.5, 12);
    expect(fraction(25, { type: "linear", domain: [0, 100], note: "" })).toBe(0.25);
    expect(fraction(-1, { type: "log", domain: [1, 100], note: "" })).toBe(0);
  });
});
