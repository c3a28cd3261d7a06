/** JSON in pieces is, put together, what JSON.stringify writes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonPieces } from "../../src/io/json.js";

const joined = (value: unknown, indent: number, size?: number): string =>
  [...jsonPieces(value, indent, size)].join("");

test("any plain data, in pieces of any size", () => {
  const anything = fc.anything({
    withNullPrototype: true,
    values: [fc.constant(NaN), fc.constant(-0), fc.string()],
  });
  const plain = fc.oneof(fc.jsonValue(), anything);
  fc.assert(
    fc.property(
      plain,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 200 }),
      (value, indent, size) => {
        fc.pre(value !== undefined);
        expect(joined(value, indent, size)).toBe(JSON.stringify(value, null, indent));
      },
    ),
    { numRuns: 2000 },
  );
});

test("what has no place in JSON is left out of objects, and null in lists", () => {
  const value = { a: undefined, b: () => 1, c: [undefined, NaN, Infinity, -0], d: {}, e: [], "f\n": 1e-7 };
  expect(joined(value, 2)).toBe(JSON.stringify(value, null, 2));
});

test("a column of numbers is a list; no piece is much longer than it should be", () => {
  const values = Float64Array.from({ length: 10_000 }, (_, i) => (i % 7 === 0 ? NaN : i / 3));
  const pieces = [...jsonPieces({ values }, 2, 1000)];
  expect(pieces.join("")).toBe(JSON.stringify({ values: [...values] }, null, 2));
  expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThan(1100);
});
