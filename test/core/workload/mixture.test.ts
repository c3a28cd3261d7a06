/** A mixture finds its length by a table of guides: the same that a search from the first length finds. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { mixture } from "../../../src/core/workload/lengths/mixture.js";
import type { Stream } from "../../../src/core/numbers/random.js";

/** A stream whose next number is known. */
const at = (u: number): Stream => ({ uniform: () => u }) as unknown as Stream;

/** Lengths by their place, so that each tells which one was found. */
const lengths = (parts: readonly number[]): { values: number[]; weights: number[] } => {
  const sum = parts.reduce((total, part) => total + part, 0);
  return { values: parts.map((_, i) => 10 * i), weights: parts.map((part) => part / sum) };
};

/** The definition: the first length whose cumulative weight is above u; the last with any weight takes the rest. */
const searched = ({ values, weights }: ReturnType<typeof lengths>, u: number): number => {
  let total = 0;
  const place = weights.findIndex((weight) => u < (total += weight));
  return values[place < 0 ? weights.findLastIndex((weight) => weight > 0) : place];
};

// Weights as they come, and many so small that several lengths share a guide's cell, or have none of it.
const part = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1e-4, 1e-3, 1 / 256));
const parts = fc.array(part, { minLength: 1, maxLength: 40 }).filter((list) => list.some((x) => x > 1e-9));

test("every share of the law has the length that a search finds, at the boundaries and between them", () => {
  fc.assert(
    fc.property(parts, fc.array(fc.double({ min: 0, max: 1 - 2 ** -32, noNaN: true })), (given, shares) => {
      const spec = lengths(given);
      const law = mixture.create({ kind: "mixture", ...spec });
      let total = 0;
      const boundaries = spec.weights.map((weight) => (total += weight));
      const cells = Array.from({ length: 256 }, (_, i) => i / 256);
      const around = [...boundaries, ...cells].flatMap((x) => [x - 2 ** -32, x, x + 2 ** -32]);
      for (const u of [...shares, ...around])
        if (u >= 0 && u < 1) expect(law.sample(at(u)), `at ${u}`).toBe(searched(spec, u));
    }),
  );
});
