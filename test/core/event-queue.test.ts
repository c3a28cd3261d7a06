/** The future comes in order of (instant, rank, id): the one tie rule (model §1). */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventQueue, Rank } from "../../src/core/event-queue.js";
import { LAST_INSTANT, NEVER, ns } from "../../src/core/units.js";

type Event = readonly [instant: number, rank: number, id: number];

const inOrder = (a: Event, b: Event): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
const event: fc.Arbitrary<Event> = fc.tuple(
  // Few instants, so that ranks and ids decide; some at the clock's end.
  fc.oneof(
    fc.integer({ min: 0, max: 6 }),
    fc.maxSafeInteger().map(Math.abs),
    fc.constant(LAST_INSTANT as number),
  ),
  fc.integer({ min: 0, max: 3 }),
  fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(4_294_967_295, 2_147_483_648)),
);

function drain(queue: EventQueue): Event[] {
  const events: Event[] = [];
  while (queue.length > 0) events.push([queue.nextAt, queue.nextRank, queue.pop()]);
  return events;
}

test("pops in the order of (instant, rank, id), as sorting does", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 300 }), (events) => {
      const queue = new EventQueue();
      for (const [instant, rank, id] of events) queue.push(ns(instant), rank, id);
      expect(queue.length).toBe(events.length);
      expect(drain(queue)).toEqual([...events].sort(inOrder));
    }),
    { numRuns: 200, seed: 1 },
  );
});

test("pushes and pops in any sequence; a copy is equal and goes its own way", () => {
  const operation = fc.oneof(event, fc.constant("pop" as const), fc.constant("copy" as const));
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
      let queue = new EventQueue();
      let events: Event[] = [];
      for (const operation of operations) {
        if (operation === "copy") {
          const copy = new EventQueue();
          copy.push(ns(1), 0, 0);
          queue.copyInto(copy);
          queue.push(ns(0), 0, 0); // seen by the original alone
          queue = copy;
        } else if (operation !== "pop") {
          queue.push(ns(operation[0]), operation[1], operation[2]);
          events.push(operation);
        } else if (events.length > 0) {
          events.sort(inOrder);
          expect([queue.nextAt, queue.nextRank, queue.pop()]).toEqual(events[0]);
          events = events.slice(1);
        }
        expect(queue.nextAt).toBe(events.length > 0 ? Math.min(...events.map(([at]) => at)) : NEVER);
      }
      expect(drain(queue)).toEqual(events.sort(inOrder));
    }),
    { numRuns: 100, seed: 2 },
  );
});

test("at one instant iterations end before requests arrive (model §1)", () => {
  const queue = new EventQueue();
  queue.push(ns(5), Rank.arrival, 0);
  queue.push(ns(5), Rank.iterationEnd, 9);
  queue.push(ns(5), Rank.iterationEnd, 2);
  queue.push(ns(4), Rank.arrival, 7);
  expect(drain(queue)).toEqual([
    [4, Rank.arrival, 7],
    [5, Rank.iterationEnd, 2],
    [5, Rank.iterationEnd, 9],
    [5, Rank.arrival, 0],
  ]);
});

test("a cleared queue is empty", () => {
  const queue = new EventQueue();
  for (let i = 0; i < 100; i++) queue.push(ns(i), 0, i);
  queue.clear();
  expect([queue.length, queue.nextAt]).toEqual([0, NEVER]);
});
