/** Percentiles without sorting against the definition: sort, then interpolate (type 7, model §4). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { percentiles, type Sample } from "../../src/core/order-statistics.js";

const SHARES = [0.5, 0.9, 0.95, 0.99];
const plain = (values: readonly number[]): Sample => {
  return { values: Float64Array.from(values), count: values.length, total: values.length };
};
const weighted = (values: readonly number[], weights: readonly number[]): Sample => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    values: Float64Array.from(values),
    weights: Float64Array.from(weights),
    count: values.length,
    total,
  };
};

/** Type 7 by definition; `at` gives the k-th smallest, k from 0. */
function typeSeven(at: (k: number) => number, count: number, p: number): number {
  const position = (count - 1) * p;
  const low = Math.floor(position);
  return at(low) + (at(Math.min(low + 1, count - 1)) - at(low)) * (position - low);
}
function bySorting(values: readonly number[], ps: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return ps.map((p) => typeSeven((k) => sorted[k], sorted.length, p));
}

const value = fc.oneof(
  fc.integer({ min: 0, max: 9 }),
  fc.integer({ min: 0, max: 2_000_000_000 }),
  // Fractions, as times between tokens have.
  fc.tuple(fc.integer({ min: 0, max: 1e12 }), fc.integer({ min: 1, max: 1023 })).map(([a, b]) => a / b),
);
/** Twelve decades and more, evenly by order of magnitude. */
const heavy = fc.double({ min: 0, max: 15, noNaN: true }).map((exponent) => Math.round(10 ** exponent));
const samples = fc.oneof(
  fc.array(value, { minLength: 1, maxLength: 60 }),
  fc.array(value, { minLength: 20, maxLength: 2000, size: "max" }),
  fc.array(heavy, { minLength: 1, maxLength: 2000, size: "max" }),
  fc.array(fc.constantFrom(3, 3, 3, 5, 1e12), { minLength: 1, maxLength: 300 }),
);
const shares = fc.oneof(
  fc.constant(SHARES),
  fc
    .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })
    .map((list) => [0, ...list.sort((a, b) => a - b), 1]),
);

test("as sorting and interpolating, to the last bit", () => {
  fc.assert(
    fc.property(samples, shares, (values, ps) => {
      const sample = plain(values);
      expect(percentiles(sample, ps)).toEqual(bySorting(values, ps));
      expect([...sample.values]).toEqual(values); // left as it was
    }),
    { numRuns: 300, seed: 1 },
  );
});

test("weights count as often as they say", () => {
  fc.assert(
    fc.property(samples, shares, fc.integer({ min: 1, max: 1000 }), (values, ps, salt) => {
      const weights = values.map((_, i) => 1 + ((i * salt) % 7));
      const expanded = values.flatMap((value, i) => Array<number>(weights[i]).fill(value));
      expect(percentiles(weighted(values, weights), ps)).toEqual(bySorting(expanded, ps));
    }),
    { numRuns: 150, seed: 2 },
  );
});

test("huge weights, beyond what could be expanded", () => {
  fc.assert(
    fc.property(
      samples,
      fc.array(fc.integer({ min: 0, max: 1e12 }), { minLength: 1, maxLength: 50 }),
      (values, heap) => {
        const weights = values.map((_, i) => heap[i % heap.length] + (i === 0 ? 1 : 0));
        const sample = weighted(values, weights);
        const pairs = values.map((value, i) => [value, weights[i]] as const).sort((a, b) => a[0] - b[0]);
        const at = (k: number): number => {
          let reached = 0;
          return pairs.find(([, weight]) => k < (reached += weight))![0];
        };
        expect(percentiles(sample, SHARES)).toEqual(SHARES.map((p) => typeSeven(at, sample.total, p)));
      },
    ),
    { numRuns: 150, seed: 3 },
  );
});

describe("known samples", () => {
  test("NumPy's: np.percentile([1, 2, 3, 4], [50, 90, 95, 99])", () => {
    const found = percentiles(plain([3, 1, 4, 2]), SHARES);
    [2.5, 3.7, 3.85, 3.97].forEach((expected, i) => expect(found[i]).toBeCloseTo(expected, 14));
  });

  test("none: no value; one: that one; two: between them", () => {
    expect(percentiles(plain([]), SHARES)).toEqual([NaN, NaN, NaN, NaN]);
    expect(percentiles(plain([7]), SHARES)).toEqual([7, 7, 7, 7]);
    expect(percentiles(weighted([7], [1e15]), SHARES)).toEqual([7, 7, 7, 7]);
    expect(percentiles(plain([0, 100]), [0, 0.25, 1])).toEqual([0, 25, 100]);
  });

  test("rows beyond the count are not looked at", () => {
    const values = Float64Array.of(2, 1, -5, 99);
    expect(percentiles({ values, count: 2, total: 2 }, [0, 1])).toEqual([1, 2]);
  });

  test("one far value among many equal ones", () => {
    const values = Array<number>(10_000).fill(10.5e6);
    values[4321] = 9e15;
    expect(percentiles(plain(values), [0, 0.5, 0.9999, 1])).toEqual(bySorting(values, [0, 0.5, 0.9999, 1]));
  });

  test("a hundred thousand values over fifteen decades", () => {
    let state = 12345;
    const values = Array.from({ length: 100_000 }, () => {
      state = (state * 1103515245 + 12345) % 2147483648;
      return Math.round(10 ** ((15 * state) / 2147483648));
    });
    expect(percentiles(plain(values), SHARES)).toEqual(bySorting(values, SHARES));
  });
});
