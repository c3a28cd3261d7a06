/** The gap log against a plain list of what was added: exact as long as promised, and within its bound beyond. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GapLog } from "../../../src/core/state/gap-log.js";

/** How many times the cases of a push. */
const TIMES = process.env.LLMSIM_LONG === "1" ? 3 : 1;
const SHARES = [0, 0.5, 0.9, 0.95, 0.99, 1];
type Entry = readonly [gap: number, weight: number];

/** Type 7 of weighted values by definition. */
function bySorting(entries: readonly Entry[], ps: readonly number[]): number[] {
  const sorted = entries.filter(([, weight]) => weight > 0).sort((a, b) => a[0] - b[0]);
  const total = sorted.reduce((sum, [, weight]) => sum + weight, 0);
  const at = (rank: number): number => {
    let reached = 0;
    return sorted.find(([, weight]) => rank < (reached += weight))![0];
  };
  return ps.map((p) => {
    const position = (total - 1) * p;
    const low = Math.floor(position);
    return at(low) + (at(Math.min(low + 1, total - 1)) - at(low)) * (position - low);
  });
}
const exactSum = (entries: readonly Entry[]): bigint =>
  entries.reduce((sum, [gap, weight]) => sum + BigInt(gap) * BigInt(weight), 0n);
const percentilesOf = (log: GapLog): number[] => {
  const found = new Float64Array(SHARES.length);
  log.percentiles(SHARES, found, 0);
  return [...found];
};
function logOf(entries: readonly Entry[]): GapLog {
  const log = new GapLog();
  for (const [gap, weight] of entries) log.add(gap, weight);
  return log;
}
function expectLog(log: GapLog, entries: readonly Entry[]): void {
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  expect(log.total).toBe(total);
  // Number(bigint) rounds once, as the log does.
  expect(log.sum).toBe(Number(exactSum(entries)));
  if (total === 0) expect(log.mean).toBeNaN();
  else {
    expect(log.mean).toBe(Number(exactSum(entries)) / total);
    expect(percentilesOf(log)).toEqual(bySorting(entries, SHARES));
  }
}

/** Few different gaps, any, and multiples of a large power of two; and a few that last nearly as long as the clock. */
const gap = fc.oneof(
  fc.constantFrom(10.5e6, 11e6, 42e6, 0),
  fc.integer({ min: 1, max: 2 ** 40 }),
  fc.integer({ min: 1, max: 1000 }).map((k) => k * 2 ** 32),
);
const entry: fc.Arbitrary<Entry> = fc.oneof(
  fc.tuple(gap, fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 1e6 }))),
  fc.tuple(fc.integer({ min: 2 ** 50, max: 2 ** 53 }), fc.nat({ max: 1000 })),
);
const entries = fc.array(entry, { maxLength: 1500, size: "max" });

test("the sum is exact where the weight of a gap has grown past 2^26", () => {
  for (const gap of [3, 10_500_001, 2 ** 40 - 1])
    for (const weight of [2 ** 26 - 1, 2 ** 30 + 1, 2 ** 36 - 5]) {
      const many: Entry[] = [[gap, weight], [gap, 7], [gap + 1, weight]]; // prettier-ignore
      const log = logOf(many);
      expect(log.sum).toBe(Number(exactSum(many)));
      expect(log.total).toBe(2 * weight + 7);
    }
});

test("number, mean and percentiles are those of what was added, and equal gaps are one entry", () => {
  fc.assert(
    fc.property(entries, (added) => {
      const log = logOf(added);
      expectLog(log, added);
      const different = new Set(added.filter(([, weight]) => weight > 0).map(([gap]) => gap));
      expect([...log.gap.subarray(0, log.count)].sort()).toEqual([...different].sort());
    }),
    { numRuns: 40 * TIMES },
  );
});

test("the sum has the same bits in whatever order and grouping", () => {
  fc.assert(
    fc.property(entries, (added) => {
      const backwards = [...added].reverse();
      const split = added.flatMap(([gap, weight]): Entry[] => [
        [gap, weight >> 1],
        [gap, weight - (weight >> 1)],
      ]);
      expect([logOf(backwards).sum, logOf(split).sum]).toEqual([logOf(added).sum, logOf(added).sum]);
    }),
    { numRuns: 40 * TIMES },
  );
});

test("a gap that is expected and never added counts for nothing", () => {
  const log = new GapLog();
  for (const gap of [7, 5, 6]) log.expect(gap);
  log.add(6, 2);
  log.expect(6);
  expectLog(log, [[6, 2]]);
});

test("what was added since the mark goes with it, again and again, and a cleared log is empty", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(entries, entries), { minLength: 1, maxLength: 4 }), (rounds) => {
      const log = new GapLog();
      const kept: Entry[] = [];
      for (const [more, passing] of rounds) {
        for (const [gap, weight] of more) log.add(gap, weight);
        kept.push(...more);
        log.mark();
        for (const [gap, weight] of passing) log.add(gap, weight);
        expectLog(log, [...kept, ...passing]);
        log.release();
        expectLog(log, kept);
      }
      log.clear();
      expectLog(log, []);
    }),
    { numRuns: 15 * TIMES },
  );
});

describe("beyond 65,536 different gaps", () => {
  const COUNT = 200_000;
  /** All different, over seven decades, in no order; whole numbers. */
  const many: Entry[] = Array.from({ length: COUNT }, (_, i) => {
    const k = (i * 7919) % COUNT;
    return [Math.round(1e4 * 1e7 ** (k / COUNT)) * 4 + (i % 4), 1 + (i % 3)];
  });
  const log = logOf(many);

  test("number and mean are exact, percentiles within 2^-12 of theirs", () => {
    expect(log.total).toBe(many.reduce((sum, [, weight]) => sum + weight, 0));
    expect(log.sum).toBe(Number(exactSum(many)));
    const found = percentilesOf(log);
    const exact = bySorting(many, SHARES);
    found.forEach((value, i) => expect(Math.abs(value - exact[i]) / exact[i]).toBeLessThanOrEqual(2 ** -12));
    // It is a bound that is made use of: not all are exact.
    expect(found).not.toEqual(exact);
  });

  test("so many more entries and no more: 2^11 for each doubling", () => {
    expect(log.count).toBeLessThan(65_536 + 2 ** 11 * 25);
    const before = log.count;
    for (const [gap] of many) log.add(gap + 1, 1);
    expect(log.count - before).toBeLessThan(2 ** 11 * 25);
  });

  test("one that was expected among the first is itself, though it comes last; one expected later is not", () => {
    const late = new GapLog();
    const [early, missed] = [10_000_001, 10_000_003];
    late.expect(early);
    for (const [gap, weight] of many) late.add(gap, weight);
    late.expect(missed);
    late.add(early, 1e9);
    expect(percentilesOf(late)[1]).toBe(early);
    late.add(missed, 1e10);
    expect(percentilesOf(late)[1]).not.toBe(missed);
    expect(late.sum).toBe(Number(exactSum([...many, [early, 1e9], [missed, 1e10]])));
  });

  test("a gap of the first 65,536 is still itself", () => {
    const exact = logOf(many);
    const [first] = many[17];
    exact.add(first, 1e9);
    expect(percentilesOf(exact)[1]).toBe(first);
  });
});
