/** What every length law owes (model §5): moments beside the sampler, and both must agree. */
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../src/core/options/check-options.js";
import { check } from "../../src/core/configuration/check-config.js";
import { complete } from "../../src/core/configuration/config.js";
import type { Spec } from "../../src/core/options/definition.js";
import { LONGEST, type LengthLaw } from "../../src/core/workload/length-law.js";
import { stream } from "../../src/core/numbers/random.js";
import { builtIn, member } from "../../src/core/configuration/registry.js";

const DRAWS = 100_000;

/** Corners of the built-in laws, besides every member's own examples. */
const corners: Spec[] = [
  { kind: "fixed", tokens: 0 },
  { kind: "fixed", tokens: LONGEST },
  { kind: "uniform", min: 0, max: 0 },
  { kind: "uniform", min: 0, max: 1 },
  { kind: "uniform", min: 7, max: 31 },
  { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
  { kind: "mixture", values: [5], weights: [1] },
  { kind: "mixture", values: [0, 9, 9, 3], weights: [0, 0.25, 0.25, 0.5] },
  { kind: "mixture", values: [4, 8, 1], weights: [0.1, 0.9, 0] },
  { kind: "lognormal", mu: 3.2764, sigma: 0 },
  { kind: "lognormal", mu: -1, sigma: 1, min: 0 },
  { kind: "lognormal", mu: 5, sigma: 1.2, min: 16, max: 400 },
  { kind: "lognormal", mu: 9, sigma: 0.5, max: 20_000 },
  { kind: "geometric", p: 1 },
  { kind: "geometric", p: 0.5, max: 3 },
  { kind: "geometric", p: 0.01 },
  { kind: "geometric", p: 1e-6, max: 900 },
  { kind: "geometric", p: 1e-15, max: 10 },
  { kind: "bounded-pareto", alpha: 1, min: 1, max: 100_000 },
  { kind: "bounded-pareto", alpha: 1 - 1e-9, min: 1, max: 100_000 },
  { kind: "bounded-pareto", alpha: 0.01, min: 1, max: 1 },
  { kind: "bounded-pareto", alpha: 0.5, min: 300, max: 9000 },
  { kind: "bounded-pareto", alpha: 20, min: 7, max: LONGEST },
  { kind: "bounded-pareto", alpha: 2.5, min: 1, max: 30_000 },
  { kind: "empirical", values: [0] },
  { kind: "empirical", values: [LONGEST, 3, 3] },
  { kind: "pairs", values: [0, 9, 9, 3], weights: [0, 0.25, 0.25, 0.5] },
];
const create = (spec: Spec): LengthLaw => {
  const definition = member(builtIn.lengths, spec.kind);
  return definition.create(withDefaults(definition.options, spec));
};
const specs = [...builtIn.lengths.flatMap(({ examples }) => examples), ...corners];

describe.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))("length law %s", (_, spec) => {
  const law = create(spec);
  const draws = stream(1, 1, "lengths");
  const sample = Int32Array.from({ length: DRAWS }, () => law.sample(draws));
  const sorted = sample.slice().sort();

  test("samples are whole, at least `least`, and fit a row", () => {
    const source = stream(2, 1, "lengths");
    const lengths = Array.from({ length: 1000 }, () => law.sample(source));
    const fits = (length: number): boolean =>
      Number.isSafeInteger(length) && length >= law.least && length <= LONGEST;
    expect(lengths.filter((length) => !fits(length))).toEqual([]);
    expect(sorted[0]).toBeGreaterThanOrEqual(law.least);
  });

  test("lengths of many uniform numbers, where it takes many, are those of each", () => {
    if (!law.fromUniforms) {
      expect(spec.kind).not.toBe("mixture");
      return;
    }
    const uniforms = new Float64Array(100);
    const [together, alone] = [stream(3, 1, "lengths"), stream(3, 1, "lengths")];
    const rows = new Int32Array(110);
    together.uniforms(uniforms, 100);
    law.fromUniforms(uniforms, rows, 5, 105);
    const expected = Array.from({ length: 100 }, () => law.sample(alone));
    expect([...rows]).toEqual([0, 0, 0, 0, 0, ...expected, 0, 0, 0, 0, 0]);
  });

  test("`least` is the least that can happen", () => {
    // Weights may sum to 1 but for rounding, hence not exactly 1.
    if (law.least > 0) expect(law.survival(law.least - 1)).toBeCloseTo(1, 9);
    // Below its body a log-normal gives less than rounding: the least is possible, and survival says 1.
    if (spec.kind === "lognormal") expect(law.survival(law.least)).toBeLessThanOrEqual(1);
    else expect(law.survival(law.least)).toBeLessThan(1);
  });

  test("survival falls from 1 to 0 and never rises", () => {
    const wrong: number[] = [];
    let before = 1;
    for (let n = 0; n <= LONGEST; n = n < 2000 ? n + 1 : Math.min(n * 2, n < LONGEST ? LONGEST : n + 1)) {
      const now = law.survival(n);
      if (!(now >= 0 && now <= before)) wrong.push(n);
      before = now;
    }
    expect(wrong).toEqual([]);
    expect(law.survival(LONGEST)).toBe(0);
  });

  test("the mean is the sum of survival, E[X] = Σ P(X > n)", () => {
    if (law.mean > 1e6) return; // too many terms; the sample below speaks
    let sum = 0;
    for (let n = 0, term = 1; term > 1e-12 && n < 3e6; n++) sum += term = law.survival(n);
    expect(Math.abs(sum - law.mean)).toBeLessThan(1e-8 * law.mean + 1e-12);
  });

  test("the sample mean lies within 4 standard errors of the mean", () => {
    const mean = sample.reduce((sum, length) => sum + length, 0) / DRAWS;
    const variance = sample.reduce((sum, length) => sum + (length - mean) * (length - mean), 0) / (DRAWS - 1);
    expect(Math.abs(mean - law.mean)).toBeLessThanOrEqual(4 * Math.sqrt(variance / DRAWS) + 1e-9 * law.mean);
  });

  test("the sample's survival lies within 4 standard errors of `survival`", () => {
    const atQuantiles = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999].map(
      (q) => sorted[Math.floor(q * DRAWS)],
    );
    for (const n of new Set([0, 1, 2, law.least, ...atQuantiles])) {
      const above = sample.reduce((count, length) => count + (length > n ? 1 : 0), 0) / DRAWS;
      const expected = law.survival(n);
      const error = Math.sqrt((expected * (1 - expected)) / DRAWS);
      expect(Math.abs(above - expected), `P(X > ${n})`).toBeLessThanOrEqual(4 * error + 1e-12);
    }
  });

  test("the same stream gives the same lengths, and drawing does not change the law", () => {
    const again = stream(1, 1, "lengths");
    const other = create(spec);
    const drawn = Array.from({ length: 1000 }, () => other.sample(again));
    expect(drawn).toEqual([...sample.subarray(0, 1000)]);
  });
});

test("no law passes 32 bits, however heavy its tail", () => {
  const source = stream(3, 1, "lengths");
  for (const spec of [
    { kind: "lognormal", mu: 20, sigma: 5 },
    { kind: "geometric", p: 1e-300 },
    { kind: "geometric", p: Number.MIN_VALUE },
  ]) {
    const law = create(spec);
    const lengths = Array.from({ length: 2000 }, () => law.sample(source));
    const fits = (length: number): boolean => Number.isInteger(length) && length >= 1 && length <= LONGEST;
    expect(lengths.filter((length) => !fits(length))).toEqual([]);
  }
});

describe("columns of a table", () => {
  const prompts = { kind: "pairs", values: [10, 20, 30], weights: [0.5, 0.3, 0.2] };
  const outputs = { kind: "pairs", values: [3, 1, 2], weights: [0.5, 0.3, 0.2] };

  test("of the same weights are of one table, by row; others are not", () => {
    const [left, right] = [create(prompts), create(outputs)];
    expect(left.joint!.table).toBe(right.joint!.table);
    for (const other of [
      { kind: "pairs", values: [1, 2, 3] },
      { kind: "pairs", values: [1, 2, 3], weights: [0.2, 0.3, 0.5] },
      { kind: "pairs", values: [1, 2] },
    ])
      expect(create(other).joint!.table).not.toBe(left.joint!.table);
    const [a, b] = [stream(1, 1, "lengths"), stream(1, 1, "lengths")];
    for (let i = 0; i < 200; i++) {
      const row = left.joint!.row(a);
      expect(right.joint!.row(b)).toBe(row);
      expect([left.joint!.at(row), right.joint!.at(row)]).toEqual([prompts.values[row], outputs.values[row]]);
    }
  });

  test("half a pair is no workload: both sides, and the same weights", () => {
    const issuesOf = (promptTokens: Spec, outputTokens: Spec): string[] => {
      const config = complete({
        workload: { arrivals: { kind: "poisson", ratePerSecond: 1 }, promptTokens, outputTokens },
        service: { kind: "affine", cMs: 10, aMs: 1 },
        scheduler: { kind: "hybrid" },
      });
      return check(config).map(({ message }) => message);
    };
    const problem =
      "invalid workload.outputTokens: not the other half of the pairs (both sides pairs, with as many values and the same weights)";
    expect(issuesOf(prompts, outputs)).toEqual([]);
    expect(issuesOf(prompts, { kind: "fixed", tokens: 1 })).toEqual([problem]);
    expect(issuesOf({ kind: "fixed", tokens: 1 }, outputs)).toEqual([problem]);
    expect(issuesOf(prompts, { ...outputs, weights: [0.3, 0.5, 0.2] })).toEqual([problem]);
  });
});
