/** IdDeque and IdList against plain arrays. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { IdDeque } from "../../../src/core/queues/id-deque.js";
import { IdList } from "../../../src/core/queues/id-list.js";

const contents = (queue: IdDeque): number[] => Array.from({ length: queue.length }, (_, i) => queue.at(i));

test("a deque does what an array does, across its growth and its wrap-around", () => {
  const operation = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant("back"), fc.integer({ min: 1, max: 40 })) },
    { weight: 3, arbitrary: fc.tuple(fc.constant("front"), fc.integer({ min: 1, max: 40 })) },
    { weight: 6, arbitrary: fc.tuple(fc.constant("pop"), fc.integer({ min: 1, max: 60 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("copy"), fc.constant(1)) },
    { weight: 1, arbitrary: fc.tuple(fc.constant("clear"), fc.constant(1)) },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      let queue = new IdDeque();
      const model: number[] = [];
      let next = 0;
      for (const [what, times] of operations)
        for (let i = 0; i < times; i++) {
          if (what === "back") {
            queue.pushBack(next);
            model.push(next++);
          } else if (what === "front") {
            queue.pushFront(next);
            model.unshift(next++);
          } else if (what === "pop" && model.length > 0) {
            expect(queue.first).toBe(model[0]);
            expect(queue.popFront()).toBe(model.shift());
          } else if (what === "clear") {
            queue.clear();
            model.length = 0;
          } else if (what === "copy") {
            const copy = new IdDeque();
            copy.pushBack(-1);
            queue.copyInto(copy);
            queue.pushBack(-2); // seen by the original alone
            queue = copy;
          }
          expect(queue.length).toBe(model.length);
        }
      expect(contents(queue)).toEqual(model);
    }),
    { numRuns: 100 },
  );
});

test("a list keeps what is pushed, and ascending order where that is asked", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 300 }), (ids) => {
      const pushed = new IdList();
      const ascending = new IdList();
      for (const id of ids) {
        pushed.push(id);
        ascending.insertAscending(id);
      }
      expect([...pushed.ids.subarray(0, pushed.length)]).toEqual(ids);
      expect([...ascending.ids.subarray(0, ascending.length)]).toEqual([...ids].sort((a, b) => a - b));
    }),
    { numRuns: 100 },
  );
});

test("an emptied list keeps its buffer", () => {
  const list = new IdList();
  for (let id = 0; id < 200; id++) list.push(id);
  const { ids } = list;
  list.length = 0;
  list.push(9);
  expect(list.ids).toBe(ids);
  expect([list.length, list.ids[0]]).toEqual([1, 9]);
});
