/** The future: the earliest event comes first, of those at one instant the source with the lowest number (model §1). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventQueue } from "../../../src/core/queues/event-queue.js";
import { LAST_INSTANT, NEVER, asInstant } from "../../../src/core/numbers/units.js";

/** Few instants, so that numbers decide; some at the clock's end, some that take the event back. */
const instant = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  fc.constant<number>(LAST_INSTANT),
  fc.constant<number>(NEVER),
);

/** What must come next: the earliest (instant, source), by looking at all. */
function next(events: readonly number[]): [instant: number, source: number] {
  const earliest = Math.min(...events);
  return [earliest, events.indexOf(earliest)];
}

test("the next event is the least (instant, source), whatever was set before", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 70 })),
      fc.array(fc.tuple(fc.nat(), instant), { maxLength: 200 }),
      (sources, changes) => {
        const queue = new EventQueue();
        queue.reset(sources);
        const events = Array<number>(sources).fill(NEVER);
        for (const [number, instant] of changes) {
          const source = number % sources;
          queue.set(source, asInstant(instant));
          events[source] = instant;
          const [at, first] = next(events);
          expect(queue.nextAt).toBe(at);
          if (at !== NEVER) expect(queue.nextSource).toBe(first);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("drained, it gives the events in order of (instant, source), as sorting does", () => {
  fc.assert(
    fc.property(fc.array(instant, { minLength: 1, maxLength: 100 }), (instants) => {
      const queue = new EventQueue();
      queue.reset(instants.length);
      instants.forEach((at, source) => queue.set(source, asInstant(at)));
      const drained: [number, number][] = [];
      for (; queue.nextAt !== NEVER; queue.set(queue.nextSource, NEVER))
        drained.push([queue.nextAt, queue.nextSource]);
      const expected = instants
        .map((at, source): [number, number] => [at, source])
        .filter(([at]) => at !== NEVER)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      expect(drained).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

test("a copy is equal and goes its own way", () => {
  for (const sources of [1, 3, 8, 40]) {
    const [queue, copy] = [new EventQueue(), new EventQueue()];
    queue.reset(sources);
    copy.reset(5);
    copy.set(4, asInstant(1));
    queue.set(sources - 1, asInstant(20));
    queue.copyInto(copy);
    expect([copy.nextAt, copy.nextSource]).toEqual([20, sources - 1]);
    copy.set(0, asInstant(3));
    expect([queue.nextAt, copy.nextAt, copy.nextSource]).toEqual([20, 3, 0]);
  }
});

test("reset forgets every event, with fewer sources and with more", () => {
  const queue = new EventQueue();
  expect(queue.nextAt).toBe(NEVER);
  for (const sources of [4, 1, 9, 9]) {
    queue.reset(sources);
    expect(queue.nextAt).toBe(NEVER);
    for (let source = 0; source < sources; source++) queue.set(source, asInstant(7 + source));
    expect([queue.nextAt, queue.nextSource]).toEqual([7, 0]);
  }
});
