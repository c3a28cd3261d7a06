/**
 * The decoding sequences and their clock against the obvious way: a list in decode order, the first n active,
 * each with the ticks it has left (model §2).
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { DecodePool } from "../../../src/core/state/decode-pool.js";

const sorted = (ids: Iterable<number>): number[] => [...ids].sort((a, b) => a - b);

/** Sequences with these many ticks come; the number of active ones becomes n; the clock moves on. */
interface Step {
  readonly appended: readonly number[];
  readonly active: number;
  /** Share of the way to the next completion. */
  readonly share: number;
}
const step: fc.Arbitrary<Step> = fc.record({
  appended: fc.oneof(
    fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }),
    fc.array(fc.integer({ min: 1, max: 4000 }), { minLength: 20, maxLength: 100 }),
  ),
  active: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 500 })),
  share: fc.constantFrom(0, 0.3, 1, 1),
});

function follow(pool: DecodePool, steps: readonly Step[]): void {
  const decodeLeft = new Int32Array(20_000);
  const place = new Int32Array(20_000);
  const left = new Map<number, number>();
  /** In decode order; the first `active` are active. */
  let order: number[] = [];
  let active = 0;
  let next = 0;
  for (const { appended, active: wanted, share } of steps) {
    for (const ticks of appended) {
      decodeLeft[next] = ticks;
      left.set(next, ticks);
      order.push(next);
      pool.append(next++, place);
    }
    const before = order.slice(0, active);
    const n = Math.min(wanted, order.length);
    // Whole lists are compared: to ask `expect` of each took nine tenths of the time.
    const activated = Array.from({ length: Math.max(0, n - active) }, () => pool.activate(decodeLeft));
    expect(activated).toEqual(order.slice(active, n));
    active += activated.length;
    const put = order.slice(n, active).reverse();
    const seen = put.map((id) => {
      const last = pool.lastActive(place);
      pool.deactivate(id, decodeLeft);
      return [last, decodeLeft[id]];
    });
    expect(seen).toEqual(put.map((id) => [id, left.get(id)]));
    active -= put.length;
    expect([pool.active, pool.size]).toEqual([n, order.length]);
    if (n === 0) continue;
    const fresh = order.slice(0, n).filter((id) => !before.includes(id));
    expect([...pool.fresh.subarray(0, pool.freshCount)]).toEqual(fresh);
    pool.freshCount = 0;

    const running = order.slice(0, n);
    const soonest = Math.min(...running.map((id) => left.get(id)!));
    expect(pool.ticksLeft).toBe(soonest);
    const ticks = Math.max(1, Math.floor(share * soonest));
    pool.tick(ticks);
    const done = running.filter((id) => left.set(id, left.get(id)! - ticks).get(id) === 0);
    const finished: number[] = [];
    while (pool.active > 0 && pool.ticksLeft === 0) finished.push(pool.finishNext());
    expect(sorted(finished)).toEqual(sorted(done));
    order = order.filter((id) => !done.includes(id));
    active -= done.length;
    expect([pool.active, pool.size]).toEqual([active, order.length]);
  }
}

test("append, activate, deactivate, tick and finish as a plain list does", () => {
  const reused = new DecodePool();
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      follow(new DecodePool(), steps);
      // The clock goes round, at each of these sooner or later.
      for (const start of [2 ** 31 - 4000, 2 ** 32 - 4000]) {
        const late = new DecodePool();
        late.tick(start);
        follow(late, steps);
      }
      reused.clear();
      expect([reused.size, reused.clock, reused.freshCount]).toEqual([0, 0, 0]);
      follow(reused, steps);
    }),
    { numRuns: 120 },
  );
});

test("a sequence put aside and taken up again has lost no tick", () => {
  const pool = new DecodePool();
  const decodeLeft = Int32Array.of(10, 4, 7);
  const place = new Int32Array(3);
  for (const id of [0, 1, 2]) pool.append(id, place);
  for (let i = 0; i < 3; i++) pool.activate(decodeLeft);
  pool.tick(3); // 7, 1 and 4 left
  for (const id of [2, 1]) {
    expect(pool.lastActive(place)).toBe(id);
    pool.deactivate(id, decodeLeft);
  }
  expect([...decodeLeft]).toEqual([10, 1, 4]);
  pool.tick(5); // 2 left for the only active one
  expect([pool.activate(decodeLeft), pool.activate(decodeLeft)]).toEqual([1, 2]);
  expect(pool.ticksLeft).toBe(1);
  pool.tick(1);
  expect(pool.finishNext()).toBe(1);
  expect(pool.ticksLeft).toBe(1);
  pool.tick(1);
  expect(pool.finishNext()).toBe(0);
  expect(pool.ticksLeft).toBe(2);
});
