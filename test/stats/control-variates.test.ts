/** Control variates: the estimate is the intercept of ordinary least squares, with its error; and what it gains. */
import { describe, expect, test } from "vitest";
import { stream, type Stream } from "../../src/core/numbers/random.js";
import { adjustedMean, tQuantile } from "../../src/stats/index.js";

/** Normal values of a stream: `normal() · 1`. */
const normals = (seed: number): Stream => stream(seed, 1, "progress");
const column = (n: number, of: (i: number) => number): number[] => Array.from({ length: n }, (_, i) => of(i));
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Ordinary least squares by the normal equations, solved by elimination with pivots: the intercept and its
 * standard error s·√((XᵀX)⁻¹₀₀).
 */
function leastSquares(y: readonly number[], controls: readonly (readonly number[])[]) {
  const rows = y.map((_, i) => [1, ...controls.map((control) => control[i])]);
  const size = controls.length + 1;
  // [XᵀX | Xᵀy | e₀]
  const system = column(size, (j) => j).map((j) => [
    ...column(size, (k) => sum(rows.map((row) => row[j] * row[k]))),
    sum(rows.map((row, i) => row[j] * y[i])),
    j === 0 ? 1 : 0,
  ]);
  for (let j = 0; j < size; j++) {
    const best = column(size - j, (k) => j + k).sort(
      (a, b) => Math.abs(system[b][j]) - Math.abs(system[a][j]),
    )[0];
    [system[j], system[best]] = [system[best], system[j]];
    const pivot = system[j][j];
    system[j] = system[j].map((value) => value / pivot);
    for (let k = 0; k < size; k++)
      if (k !== j) {
        const times = system[k][j];
        system[k] = system[k].map((value, at) => value - times * system[j][at]);
      }
  }
  const slopes = system.map((row) => row[size]);
  const residual = sum(y.map((value, i) => (value - sum(rows[i].map((x, j) => x * slopes[j]))) ** 2));
  const df = y.length - size;
  return { mean: slopes[0], standardError: Math.sqrt((residual / df) * system[0][size + 1]), df };
}

describe("adjustedMean", () => {
  test("without controls: mean and standard error of the mean", () => {
    // Square deviations 9, 1, 1, 1, 0, 0, 4, 16 = 32; s² = 32/7.
    const { mean, standardError, df } = adjustedMean([2, 4, 4, 4, 5, 5, 7, 9], []);
    expect([mean, df]).toEqual([5, 7]);
    expect(standardError).toBeCloseTo(Math.sqrt(32 / 7 / 8), 14);
  });

  test("one control, by hand", () => {
    // x̄ = 1, ȳ = 3; Sxx = 10, Sxy = 8, Syy = 10.
    const { mean, standardError, df } = adjustedMean([1, 3, 2, 5, 4], [[-1, 0, 1, 2, 3]]);
    expect(mean).toBeCloseTo(3 - 0.8 * 1, 14);
    // Residual 10 − 64/10 = 3.6 on 3 degrees; leverage 1/5 + 1/10.
    expect(standardError).toBeCloseTo(Math.sqrt((3.6 / 3) * 0.3), 14);
    expect(df).toBe(3);
  });

  test.each([1, 2, 3, 4])("%d controls: as least squares by the normal equations", (count) => {
    const random = normals(count);
    for (let repeat = 0; repeat < 50; repeat++) {
      const n = count + 2 + (repeat % 20);
      const first = column(n, () => random.normal());
      // Correlated with each other, off zero and of different scales.
      const controls = column(count, (k) => k).map((k) =>
        first.map((value) => 10 ** (k - 1) * (0.7 * value + random.normal() + 0.3)),
      );
      const y = first.map((value, i) => 5 + 2 * value - controls[count - 1][i] + random.normal());
      const found = adjustedMean(y, controls);
      const expected = leastSquares(y, controls);
      expect(found.df).toBe(n - count - 1);
      expect(found.df).toBe(expected.df);
      expect(Math.abs(found.mean - expected.mean)).toBeLessThan(1e-7 * (1 + Math.abs(expected.mean)));
      expect(found.standardError / expected.standardError).toBeCloseTo(1, 6);
    }
  });

  test("the order and the scale of the controls do not matter", () => {
    const random = normals(9);
    const [a, b] = [column(20, () => random.normal()), column(20, () => random.normal() + 0.2)];
    const y = a.map((value, i) => value - b[i] + random.normal());
    const found = adjustedMean(y, [a, b]);
    for (const controls of [
      [b, a],
      [a.map((value) => -1e6 * value), b],
      [a, b.map((value, i) => value + 3 * a[i])],
    ]) {
      const other = adjustedMean(y, controls);
      expect(other.mean).toBeCloseTo(found.mean, 9);
      expect(other.standardError).toBeCloseTo(found.standardError, 9);
    }
  });

  test("controls that do not vary or repeat others are left out, and cost no degree of freedom", () => {
    const random = normals(3);
    const a = column(12, () => random.normal());
    const b = column(12, () => random.normal());
    const y = a.map((value) => 3 + value + random.normal());
    const one = adjustedMean(y, [a]);
    const [zero, seven] = [0, 7].map((value) => column(12, () => value));
    expect(adjustedMean(y, [zero])).toEqual(adjustedMean(y, []));
    expect(adjustedMean(y, [seven])).toEqual(adjustedMean(y, []));
    expect(adjustedMean(y, [zero, a, seven])).toEqual(one);
    expect(adjustedMean(y, [a, a])).toEqual(one);
    expect(adjustedMean(y, [a, a.map((value) => -2.5 * value)])).toEqual(one);
    const two = adjustedMean(y, [a, b]);
    const third = adjustedMean(y, [a, b, a.map((value, i) => value / 3 - 7 * b[i])]);
    expect([one.df, two.df]).toEqual([10, 9]);
    expect(third).toEqual(two);
  });

  test("values that the controls explain whole have no error left", () => {
    const random = normals(4);
    const a = column(10, () => random.normal());
    const { mean, standardError } = adjustedMean(
      a.map((value) => 2 - 5 * value),
      [a],
    );
    expect(mean).toBeCloseTo(2, 12);
    expect(standardError).toBeLessThan(1e-7);
  });

  test("fewer observations than needed are refused", () => {
    expect(() => adjustedMean([1, 2], [[0, 1]])).toThrow("2 observations cannot carry 1 controls");
    expect(adjustedMean([1, 2, 4], [[0, 1, 1]]).df).toBe(1);
  });

  test("takes out the noise that the control explains", () => {
    // y = 1 + 3x + e: the plain mean's variance is 10 σ²/n, the adjusted one's (1 + 1/(n − 3)) σ²/n, so a ratio of
    // about 0.1 · 18/17 at n = 20.
    const random = normals(5);
    let [plain, adjusted] = [0, 0];
    for (let repeat = 0; repeat < 4000; repeat++) {
      const x = column(20, () => random.normal());
      const y = x.map((value) => 1 + 3 * value + random.normal());
      plain += (adjustedMean(y, []).mean - 1) ** 2;
      adjusted += (adjustedMean(y, [x]).mean - 1) ** 2;
    }
    expect(plain / 4000).toBeCloseTo(0.5, 1);
    // A ratio of two variances of 4000 each: ± 3 % is a standard error at most.
    expect(adjusted / plain / (0.1 * (18 / 17))).toBeGreaterThan(0.88);
    expect(adjusted / plain / (0.1 * (18 / 17))).toBeLessThan(1.12);
  });

  test.each([
    [0, 8],
    [1, 5],
    [2, 20],
    [2, 6],
  ])("with %d controls and %d observations, its t interval covers in 19 of 20 experiments", (count, n) => {
    const random = normals(100 + count * 10 + n);
    const repeats = 6000;
    let covered = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const controls = column(count, (k) => k).map(() => column(n, () => random.normal()));
      const y = column(n, (i) => 1 + sum(controls.map((control) => 2 * control[i])) + random.normal());
      const { mean, standardError, df } = adjustedMean(y, controls);
      if (Math.abs(mean - 1) <= tQuantile(0.975, df) * standardError) covered++;
    }
    // Standard error √(.95 · .05/6000) = 0.28 %; the normal quantile in place of t's would be off by 2 % and more.
    expect(Math.abs(covered / repeats - 0.95)).toBeLessThan(0.01);
  });
});
