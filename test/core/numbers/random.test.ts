/**
 * Streams: the laws that the samplers claim, to 4 standard errors with a million draws; one stream a
 * (seed, trial, purpose); and a state from which a fork goes on (model §4).
 */
import alea from "seedrandom/lib/alea.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalCdf } from "../../../src/core/numbers/arithmetic.js";
import { Stream, stream } from "../../../src/core/numbers/random.js";

const DRAWS = 1_000_000;
const draw = (purpose: string, one: (source: Stream) => number): Float64Array => {
  const source = stream(1, 1, purpose);
  const sample = new Float64Array(DRAWS);
  for (let i = 0; i < DRAWS; i++) sample[i] = one(source);
  return sample;
};
const samples = {
  uniform: draw("uniform", (source) => source.uniform()),
  exponential: draw("exponential", (source) => source.exponential()),
  normal: draw("normal", (source) => source.normal()),
};
const mean = (sample: Float64Array, of: (x: number) => number): number => {
  let sum = 0;
  for (const x of sample) sum += of(x);
  return sum / sample.length;
};

/** Moments E[X^k] and E[X^2k], from which the k-th sample moment has its standard error. */
const moments: [keyof typeof samples, number, number, number][] = [
  ["uniform", 1, 1 / 2, 1 / 3],
  ["uniform", 2, 1 / 3, 1 / 5],
  ["exponential", 1, 1, 2],
  ["exponential", 2, 2, 24],
  ["exponential", 3, 6, 720],
  ["normal", 1, 0, 1],
  ["normal", 2, 1, 3],
  ["normal", 3, 0, 15],
  ["normal", 4, 3, 105],
  ["normal", 6, 15, 10395],
];
test.each(moments)("%s: E[X^%i] = %d", (law, k, expected, ofSquares) => {
  const found = mean(samples[law], (x) => x ** k);
  expect(Math.abs(found - expected)).toBeLessThan(4 * Math.sqrt((ofSquares - expected ** 2) / DRAWS));
});

describe("distribution functions", () => {
  const cdf = {
    uniform: (x: number) => x,
    exponential: (x: number) => -Math.expm1(-x),
    normal: (x: number) => normalCdf(x),
  };
  /** With tails beyond the last layer of each ziggurat: 7.697 and 3.654. */
  const points = {
    uniform: [0.001, 0.25, 0.5, 0.9, 0.999],
    exponential: [0.001, 0.01, 0.1, 0.5, 1, 2, 4, 7.5, 7.69711747013105, 7.8, 8.5, 10],
    normal: [-4, -3.7, -3.654152885361, -3.5, -2, -1, -0.01, 0, 0.3, 1, 2.5, 3.6, 3.654152885361, 3.9],
  };
  const cases = (Object.keys(points) as (keyof typeof points)[]).map((law) => [law] as const);

  test.each(cases)("%s at chosen points, tails included", (law) => {
    for (const x of points[law]) {
      let below = 0;
      for (const value of samples[law]) if (value <= x) below++;
      const expected = cdf[law](x);
      const error = Math.sqrt((expected * (1 - expected)) / DRAWS);
      expect(Math.abs(below / DRAWS - expected), `at ${x}`).toBeLessThanOrEqual(4 * error);
    }
  });

  test.each(cases)("%s everywhere (Kolmogorov–Smirnov)", (law) => {
    const sorted = samples[law].slice().sort();
    let distance = 0;
    for (let i = 0; i < DRAWS; i++) {
      const expected = cdf[law](sorted[i]);
      distance = Math.max(distance, Math.abs(expected - i / DRAWS), Math.abs(expected - (i + 1) / DRAWS));
    }
    expect(distance * Math.sqrt(DRAWS)).toBeLessThan(1.95); // P = 0.001
  });

  test("within the tails the laws go on: beyond an edge an exponential is an exponential again", () => {
    const edge = 7.69711747013105;
    const beyond = samples.exponential.filter((x) => x > edge).map((x) => x - edge);
    expect(beyond.length).toBeGreaterThan(300);
    expect(Math.abs(mean(beyond, (x) => x) - 1)).toBeLessThan(4 / Math.sqrt(beyond.length));
  });

  test("within the tails the laws go on: beyond its edge a normal is a normal", () => {
    // Too rare to be met often: asked for by itself.
    const source = stream(1, 1, "tail");
    const tail = Float64Array.from({ length: 200_000 }, () => source["normalTail"]());
    for (const x of [3.6541528853610088, 3.7, 3.9, 4.2, 4.6, 5]) {
      const expected = normalCdf(-x) / normalCdf(-3.6541528853610088);
      const beyond = mean(tail, (value) => (value > x ? 1 : 0));
      const error = Math.sqrt((expected * (1 - expected)) / tail.length);
      expect(Math.abs(beyond - expected), `beyond ${x}`).toBeLessThanOrEqual(4 * error);
    }
  });

  test("ranges: uniform in [0, 1), exponential at least 0, nothing infinite", () => {
    expect(samples.uniform.every((x) => x >= 0 && x < 1)).toBe(true);
    expect(samples.exponential.every((x) => x >= 0 && x < 60)).toBe(true);
    expect(samples.normal.every((x) => Math.abs(x) < 9)).toBe(true);
  });
});

describe("independence", () => {
  const correlation = (a: Float64Array, b: Float64Array): number => {
    const n = Math.min(a.length, b.length);
    const [meanA, meanB] = [mean(a.subarray(0, n), (x) => x), mean(b.subarray(0, n), (x) => x)];
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      ab += (a[i] - meanA) * (b[i] - meanB);
      aa += (a[i] - meanA) ** 2;
      bb += (b[i] - meanB) ** 2;
    }
    return ab / Math.sqrt(aa * bb);
  };

  test.each(["uniform", "exponential", "normal"] as const)(
    "%s draws do not depend on those before",
    (law) => {
      for (const lag of [1, 2, 7])
        expect(Math.abs(correlation(samples[law], samples[law].subarray(lag)))).toBeLessThan(
          4 / Math.sqrt(DRAWS),
        );
    },
  );

  test("neighbouring seeds, trials and purposes have nothing in common", () => {
    const keys: [number, number, string][] = [
      [1, 1, "arrivals"],
      [2, 1, "arrivals"],
      [1, 2, "arrivals"],
      [1, 1, "prompt"],
      [11, 1, "arrivals"],
      [1, 11, "arrivals"],
      [-1, 1, "arrivals"],
      [1, 1, "service/0"],
      [1, 1, "service/1"],
    ];
    const count = 20_000;
    const drawn = keys.map((key) => {
      const source = stream(...key);
      return Float64Array.from({ length: count }, () => source.exponential());
    });
    for (let i = 0; i < drawn.length; i++)
      for (let j = 0; j < i; j++) {
        expect(drawn[i][0]).not.toBe(drawn[j][0]);
        expect(Math.abs(correlation(drawn[i], drawn[j]))).toBeLessThan(4.5 / Math.sqrt(count));
      }
  });

  test("the same seed, trial and purpose: the same numbers", () => {
    const [a, b] = [stream(5, 6, "prompt"), stream(5, 6, "prompt")];
    for (let i = 0; i < 100; i++) expect(a.normal()).toBe(b.normal());
  });
});

test("the numbers are seedrandom's, to the last bit", () => {
  for (const purpose of ["arrivals", "prompt", "service/3"]) {
    const source = stream(7, 8, purpose);
    const theirs = alea(`7/8/${purpose}`, { state: true });
    const many = (one: () => number): Float64Array => Float64Array.from({ length: 10_000 }, one);
    expect(many(() => source.uniform())).toEqual(many(() => theirs()));
    expect(many(() => source["fine"]())).toEqual(many(() => theirs.double()));
    expect(source.state()).toEqual(theirs.state());
  }
});

test("many numbers at a time are those of one at a time", () => {
  const [together, alone] = [stream(5, 6, "many"), stream(5, 6, "many")];
  const numbers = new Float64Array(5000);
  // Enough for the tail, past the last edge, and for all ways to be refused.
  for (let round = 0; round < 400; round++) {
    const count = (round * 37) % 5000;
    if (round % 2) together.uniforms(numbers, count);
    else together.exponentials(numbers, count);
    const one = (): number => (round % 2 ? alone.uniform() : alone.exponential());
    for (let i = 0; i < count; i++)
      if (numbers[i] !== one()) throw new Error(`number ${i} of round ${round}`);
    expect(together.state()).toEqual(alone.state());
  }
});

test("from its state a stream goes on exactly where it stood", () => {
  const kind = fc.constantFrom("uniform" as const, "exponential" as const, "normal" as const);
  fc.assert(
    fc.property(
      fc.array(kind, { maxLength: 60 }),
      fc.array(kind, { minLength: 1, maxLength: 60 }),
      (before, after) => {
        const original = stream(3, 4, "service/0");
        for (const what of before) original[what]();
        const state = structuredClone(original.state()); // plain data: it crosses threads and stands in files
        const fork = new Stream("whatever", JSON.parse(JSON.stringify(state)) as typeof state);
        const expected = after.map((what) => original[what]());
        expect(after.map((what) => fork[what]())).toEqual(expected);
        expect(fork.state()).toEqual(original.state());
        // The state was a copy: a second fork starts where the first did.
        expect(new Stream("", state)[after[0]]()).toBe(expected[0]);
      },
    ),
    { numRuns: 100 },
  );
});
