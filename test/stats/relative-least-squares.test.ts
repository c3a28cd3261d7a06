/** Relative least squares: exact where it can be, optimal where it cannot, never negative; and the search of a knee. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leastAt, relativeLeastSquares } from "../../src/stats/index.js";

const positive = fc.double({ min: 0.1, max: 100, noNaN: true });
const meanSquare = (
  columns: readonly (readonly number[])[],
  observed: readonly number[],
  by: readonly number[],
): number =>
  observed.reduce((sum, y, k) => {
    const error = columns.reduce((all, column, i) => all + by[i]! * column[k]!, 0) / y - 1;
    return sum + error * error;
  }, 0) / observed.length;

describe("relativeLeastSquares", () => {
  test("finds the coefficients of exact data", () => {
    const property = fc.property(
      fc.array(positive, { minLength: 3, maxLength: 3 }),
      fc.array(fc.tuple(positive, positive), { minLength: 8, maxLength: 20 }),
      (wanted, rows) => {
        const columns = [rows.map(() => 1), rows.map(([x]) => x), rows.map(([x, z]) => x * z)];
        const spread = (column: number[]): number => Math.max(...column) / Math.min(...column);
        fc.pre(spread(columns[1]!) > 2 && spread(rows.map(([, z]) => z)) > 2);
        const observed = rows.map((_, k) => columns.reduce((sum, c, i) => sum + wanted[i]! * c[k]!, 0));
        expect(relativeLeastSquares(columns, observed).meanSquare).toBeLessThan(1e-12);
      },
    );
    fc.assert(property, { numRuns: 200 });
    const { coefficients } = relativeLeastSquares(
      [
        [1, 1, 1, 1],
        [1, 2, 3, 5],
      ],
      [12, 14, 16, 20],
    );
    expect(coefficients[0]).toBeCloseTo(10, 9);
    expect(coefficients[1]).toBeCloseTo(2, 9);
  });

  test("is not bettered by any other coefficients that are not negative, and has none below 0", () => {
    const row = fc.tuple(positive, positive, positive);
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 5, maxLength: 12 }),
        fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (rows, others) => {
          const columns = [rows.map(() => 1), rows.map(([x]) => x), rows.map(([, x]) => x)];
          const observed = rows.map(([, , y]) => y);
          const fit = relativeLeastSquares(columns, observed);
          expect(Math.min(...fit.coefficients)).toBeGreaterThanOrEqual(0);
          expect(meanSquare(columns, observed, fit.coefficients)).toBeCloseTo(fit.meanSquare, 8);
          const near = fit.coefficients.map((value, i) => Math.max(0, value * (0.9 + others[i]! / 25)));
          for (const rival of [others, near])
            expect(fit.meanSquare).toBeLessThanOrEqual(meanSquare(columns, observed, rival) + 1e-9);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a column that would be negative, repeats another or is empty gets 0", () => {
    const x = [1, 2, 3, 4];
    const falling = relativeLeastSquares([x.map(() => 1), x], [8, 6, 4, 2]);
    expect(falling.coefficients[1]).toBe(0);
    const twice = relativeLeastSquares([x, x], [2, 4, 6, 8]);
    expect(twice.coefficients.filter((value) => value === 0)).toHaveLength(1);
    expect(twice.meanSquare).toBeLessThan(1e-12);
    expect(relativeLeastSquares([x, [0, 0, 0, 0]], [2, 4, 6, 8]).coefficients[1]).toBe(0);
  });

  test("weighs each observation by its own size", () => {
    // One constant for 1 and 100: the least squares would be 50.5; relative ones are Σ1/y ÷ Σ1/y².
    const { coefficients } = relativeLeastSquares([[1, 1]], [1, 100]);
    expect(coefficients[0]).toBeCloseTo(1.01 / 1.0001, 9);
  });
});

describe("leastAt", () => {
  test("finds the least of a single valley", () => {
    fc.assert(
      fc.property(fc.nat(3000), (at) => {
        expect(leastAt((value) => Math.abs(value - at), 0, 3000)).toBe(at);
      }),
    );
  });
  test("takes the deeper of two valleys, and stays in range", () => {
    const two = (value: number): number =>
      Math.min(Math.abs(value - 50) / 10 + 5, Math.abs(value - 1500) / 10);
    expect(leastAt(two, 0, 2000)).toBe(1500);
    expect(leastAt((value) => value, 3, 9)).toBe(3);
    expect(leastAt((value) => -value, 0, 0)).toBe(0);
  });
});
