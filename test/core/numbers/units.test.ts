/** Conversions: the only place where seconds and milliseconds become whole nanoseconds (model §1). */
import { expect, test } from "vitest";
import {
  fromMilliseconds,
  fromSeconds,
  LAST_INSTANT,
  NEVER,
  tokens,
  toMilliseconds,
  toSeconds,
  UNLIMITED,
  asInstant,
} from "../../../src/core/numbers/units.js";

test("to the nearest nanosecond, and back", () => {
  expect([fromSeconds(1.5), fromSeconds(1e-9), fromSeconds(4.4e-10), fromSeconds(0)]).toEqual([
    1.5e9, 1, 0, 0,
  ]);
  expect([fromMilliseconds(45.5), fromMilliseconds(0.3337), fromMilliseconds(1 / 3)]).toEqual([
    45_500_000, 333_700, 333_333,
  ]);
  expect([toSeconds(1.5e9), toMilliseconds(45.5e6)]).toEqual([1.5, 45.5]);
  for (const seconds of [0.001, 12.345678901, 5000, 8_999_999.999])
    expect(toSeconds(fromSeconds(seconds))).toBeCloseTo(seconds, 9);
});

test("rounds as Math.round does, beside halves and where doubles hold no halves", () => {
  const bits = new BigInt64Array(1);
  const value = new Float64Array(bits.buffer);
  for (let exponent = -3; exponent <= 54; exponent++)
    for (const share of [1, 1.25, 1.5, 1.999])
      for (const half of [0, 0.5])
        for (let step = -3n; step <= 3n; step++) {
          value[0] = Math.floor(2 ** exponent * share) + half;
          bits[0] += value[0] === 0 ? 0n : step;
          // Both scales, by numbers that give this product or one beside it.
          expect(fromSeconds(value[0] / 1e9)).toBe(Math.round((value[0] / 1e9) * 1e9));
          expect(fromMilliseconds(value[0] / 1e6)).toBe(Math.round((value[0] / 1e6) * 1e6));
        }
});

test("the clock counts every nanosecond up to 2^53, and never is later", () => {
  expect(LAST_INSTANT).toBe(2 ** 53);
  expect(asInstant(LAST_INSTANT - 1)).not.toBe(LAST_INSTANT);
  expect(NEVER > LAST_INSTANT).toBe(true);
  expect(tokens(UNLIMITED)).toBe(2 ** 31 - 1);
});
