/** The pooled share against its definition, and its interval against the truth it should cover. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { stream } from "../../src/core/numbers/random.js";
import { pooledShare } from "../../src/stats/index.js";

test("is counts over sizes; trials of any size, none left out but those that have none", () => {
  expect(pooledShare([1, 5, 0], [10, 30, 0])).toMatchObject({ n: 2, mean: 6 / 40 });
  expect(pooledShare([1, NaN], [10, 10])).toMatchObject({ n: 1, mean: 0.1, low: NaN, high: NaN });
  expect(pooledShare([], [])).toMatchObject({ n: 0, mean: NaN });
  expect(pooledShare([0, 0], [5, 9])).toEqual({ n: 2, mean: 0, sd: 0, low: 0, high: 0 });
});

test("by hand: shares 0.1 and 0.3 of 10 and 10, t(1) = 12.706, cut to [0, 1]", () => {
  // d = ±1 request, sd √2, of 10 a trial: 0.1414; half 12.706 · 0.1414/√2 = 1.27.
  const { mean, sd, low, high } = pooledShare([1, 3], [10, 10]);
  expect(mean).toBeCloseTo(0.2, 12);
  expect(sd).toBeCloseTo(Math.SQRT2 / 10, 12);
  expect([low, high]).toEqual([0, 1]);
});

test("does not depend on the order of trials, and covers itself", () => {
  const trial = fc.tuple(fc.nat(50), fc.integer({ min: 50, max: 500 }));
  fc.assert(
    fc.property(fc.array(trial, { minLength: 2, maxLength: 20 }), (trials) => {
      const of = (list: typeof trials) =>
        pooledShare(
          list.map(([count]) => count),
          list.map(([, size]) => size),
        );
      const [there, back] = [of(trials), of([...trials].reverse())];
      expect(back.mean).toBeCloseTo(there.mean, 12);
      expect(back.low).toBeCloseTo(there.low, 9);
      expect(there.low).toBeLessThanOrEqual(there.mean);
      expect(there.high).toBeGreaterThanOrEqual(there.mean);
    }),
  );
});

test("its 95 % interval covers the truth in .93 to .97 of experiments: 30 trials of 100 to 300, share 0.05", () => {
  const source = stream(1, 1, "pooled share");
  const EXPERIMENTS = 2000;
  let covered = 0;
  for (let experiment = 0; experiment < EXPERIMENTS; experiment++) {
    const sizes = Array.from({ length: 30 }, () => 100 + Math.floor(200 * source.uniform()));
    const counts = sizes.map((size) => {
      let count = 0;
      for (let i = 0; i < size; i++) if (source.uniform() < 0.05) count++;
      return count;
    });
    const { low, high } = pooledShare(counts, sizes);
    if (low <= 0.05 && 0.05 <= high) covered++;
  }
  expect(covered / EXPERIMENTS).toBeGreaterThan(0.93);
  expect(covered / EXPERIMENTS).toBeLessThan(0.97);
});
