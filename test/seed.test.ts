/** The seed of the suite is one number for all that is drawn, and a bad one is refused. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SEED, seedOf } from "./seed.js";

test("fixed if nothing is asked for, else what is asked for", () => {
  expect([seedOf(undefined), seedOf("0"), seedOf("7"), seedOf("2147483647")]).toEqual([
    20260401, 0, 7, 2147483647,
  ]);
});

test.each(["", " 1", "-1", "1.5", "1e3", "0x10", "2147483648", "abc", "NaN"])("refused: %j", (text) => {
  expect(() => seedOf(text)).toThrow(
    new Error(`invalid LLMSIM_TEST_SEED: ${text} (an integer at least 0 and at most 2147483647)`),
  );
});

test("properties draw from it, and two of them the same", () => {
  const drawn = (): number[] => fc.sample(fc.nat(), 3);
  expect(fc.check(fc.property(fc.nat(), () => false)).seed).toBe(SEED);
  expect(drawn()).toEqual(drawn());
});
