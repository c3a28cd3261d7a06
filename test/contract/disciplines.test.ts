/** What every discipline owes: nobody is lost, nobody is served twice, and the head is whose turn it is. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { builtIn, member } from "../../src/core/registry.js";

const specs = builtIn.disciplines.flatMap(({ examples }) => examples);
/** true: the next request arrives; false: the head is taken. */
const operations = fc.array(fc.boolean(), { maxLength: 400 });

describe.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))("discipline %s", (_, spec) => {
  const { create } = member(builtIn.disciplines, spec.kind);

  test("each id comes out once, and `first` is the one that comes next", () => {
    fc.assert(
      fc.property(operations, (operations) => {
        const queue = create(spec);
        const inside = new Set<number>();
        let next = 0;
        const take = (): void => {
          const { first } = queue;
          const id = queue.popFront();
          expect(id).toBe(first);
          expect(inside.delete(id)).toBe(true);
        };
        for (const arrives of operations) {
          if (arrives) {
            queue.pushBack(next);
            inside.add(next++);
          } else if (queue.length > 0) take();
          expect(queue.length).toBe(inside.size);
        }
        while (queue.length > 0) take();
        expect(inside.size).toBe(0);
      }),
      { numRuns: 100, seed: 1 },
    );
  });

  test("an emptied queue starts afresh", () => {
    const queue = create(spec);
    for (let id = 0; id < 200; id++) queue.pushBack(id);
    queue.clear();
    expect(queue.length).toBe(0);
    queue.pushBack(7);
    expect([queue.first, queue.popFront(), queue.length]).toEqual([7, 7, 0]);
  });
});

test("fcfs keeps the order of arrival (model §2)", () => {
  const queue = member(builtIn.disciplines, "fcfs").create({ kind: "fcfs" });
  for (let id = 0; id < 1000; id++) queue.pushBack(id);
  expect(Array.from({ length: 1000 }, () => queue.popFront())).toEqual(
    Array.from({ length: 1000 }, (_, i) => i),
  );
});
