/** The scan of numbers takes what the pattern of a decimal took, and as much of it. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { decimalLength, isDecimal } from "../../../src/core/numbers/decimal.js";

/** What it stands for; its two ways to take a digit make it slow on long texts, and these are short. */
const PATTERN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/i;

test("as long as the pattern's match, for every text", () => {
  const pieces = fc.constantFrom("+", "-", ".", "e", "E", "0", "7", "12", "x", " ", "ms", "٣", "");
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 9 }), (given) => {
      const text = given.join("");
      const matched = PATTERN.exec(text)?.[0].length ?? 0;
      expect(decimalLength(text)).toBe(matched);
      expect(isDecimal(text)).toBe(text !== "" && matched === text.length);
    }),
    { numRuns: 20_000 },
  );
});

test.each([
  ["", 0],
  ["12", 2],
  ["-12.5e-3", 8],
  [".5", 2],
  ["5.", 2],
  [".", 0],
  ["-.", 0],
  ["+e5", 0],
  ["5e", 1],
  ["5e+", 1],
  ["50ms", 2],
  ["1e3s", 3],
  ["Infinity", 0],
])("%s: %d characters", (text, length) => {
  expect(decimalLength(text)).toBe(length);
});
