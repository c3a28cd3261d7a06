/**
 * What every discipline owes: nobody is lost, nobody is served twice, the head is whose turn it is, a copy goes on
 * as its original would, and with any scheduler every request is completed without a preemption (model §2).
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../src/core/options/check-options.js";
import type { Predictions, WaitingQueue } from "../../src/core/policies/discipline.js";
import { ConfigError } from "../../src/core/errors.js";
import { builtIn, member } from "../../src/core/configuration/registry.js";
import { account, engine, knowNothing, type Row, rows, run, withoutFastForward } from "./workloads.js";

const specs = builtIn.disciplines.flatMap(({ examples }) => examples);
/** true: the next request arrives; false: the head is taken. */
const operations = fc.array(fc.boolean(), { maxLength: 400 });
/** Numbers without any order that ids would show, with many ties. */
const known: Predictions = {
  timeAlone: (id) => (id * 7919) % 13,
  normal: (id) => ((id * 104_729) % 21) / 10 - 1,
  uniform: (id) => ((id * 6007) % 97) / 97,
  recordedClass: (id) => (id * 31) % 4,
};
const slowly = withoutFastForward();

describe.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))("discipline %s", (_, spec) => {
  const definition = member(builtIn.disciplines, spec.kind);
  const create = (): WaitingQueue => definition.create(withDefaults(definition.options, spec), known);

  test("each id comes out once, and `first` is the one that comes next", () => {
    fc.assert(
      fc.property(operations, (operations) => {
        const queue = create();
        const inside = new Set<number>();
        let next = 0;
        const take = (): void => {
          const { first } = queue;
          expect([...Array(queue.length).keys()].map((i) => queue.at(i)).sort()).toEqual([...inside].sort());
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
      { numRuns: 50 },
    );
  });

  test("keeps the order of arrival if it says so, and else has another", () => {
    const queue = create();
    for (let id = 0; id < 500; id++) queue.pushBack(id);
    const order = Array.from({ length: 500 }, () => queue.popFront());
    const isInOrder = order.every((id, place) => id === place);
    expect(isInOrder).toBe(definition.byArrival === true);
  });

  test("a copy goes on as its original does, and is another queue", () => {
    const queue = create();
    const copy = create();
    copy.pushBack(77); // forgotten
    for (let id = 0; id < 300; id++) {
      queue.pushBack(id);
      if (id % 3 === 2) queue.popFront();
    }
    queue.copyInto(copy);
    for (const each of [queue, copy]) each.pushBack(300);
    const drain = (each: WaitingQueue): number[] =>
      Array.from({ length: each.length }, () => each.popFront());
    const order = drain(queue);
    expect(copy.length).toBe(order.length);
    expect(drain(copy)).toEqual(order);
  });

  test("an emptied queue starts afresh", () => {
    const queue = create();
    for (let id = 0; id < 200; id++) queue.pushBack(id);
    queue.clear();
    expect(queue.length).toBe(0);
    queue.pushBack(7);
    expect([queue.first, queue.popFront(), queue.length]).toEqual([7, 7, 0]);
  });

  test.each(builtIn.schedulers.map(({ name }) => name))("with %s: all completed, none preempted", (kind) => {
    fc.assert(
      fc.property(rows, engine, (rows, engine) => {
        const setting = { scheduler: { kind }, engine: { ...engine, discipline: spec } };
        const fast = run(rows, setting);
        expect(fast.metrics.n_completed).toBe(rows.length);
        expect(fast.outcome.replicas.every(({ preemptions }) => preemptions === 0)).toBe(true);
        expect(account(fast)).toEqual(account(run(rows, setting, { registry: slowly })));
      }),
      { numRuns: 40 },
    );
  });
});

const order = (kind: string, options: object, arrivals: readonly number[], about = known): number[] => {
  const definition = member(builtIn.disciplines, kind);
  const queue = definition.create(withDefaults(definition.options, { kind, ...options }), about);
  for (const id of arrivals) queue.pushBack(id);
  return arrivals.map(() => queue.popFront());
};
const first = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const byKey = (key: (id: number) => number): number[] => first(500).sort((a, b) => key(a) - key(b) || a - b);

test("fcfs keeps the order of arrival (model §2)", () => {
  expect(order("fcfs", {}, first(1000), knowNothing)).toEqual(first(1000));
});

test("sjf takes the shortest, ties by id; noise multiplies what it believes (model §2)", () => {
  expect(order("sjf", { predictionNoise: 0 }, first(500))).toEqual(byKey(known.timeAlone));
  const believed = (id: number): number => known.timeAlone(id) * Math.exp(2 * known.normal(id));
  const noisy = order("sjf", { predictionNoise: 2 }, first(500));
  expect(noisy.map(believed)).toEqual(byKey(believed).map(believed));
  expect(noisy).not.toEqual(byKey(known.timeAlone));
});

test("priority takes the lowest class, FCFS inside: drawn by its shares, or a trace's own (model §2)", () => {
  const drawn = (id: number): number => (known.uniform(id) < 0.1 ? 0 : known.uniform(id) < 0.3 ? 1 : 2);
  expect(order("priority", { classes: [0.1, 0.2, 0.7] }, first(500))).toEqual(byKey(drawn));
  expect(order("priority", {}, first(500))).toEqual(byKey((id) => known.recordedClass(id)!));
});

test("priority without shares needs a trace that has classes", () => {
  const two: Row[] = [
    [0, 5, 1],
    [1, 5, 1],
  ];
  expect(() => run(two, { engine: { discipline: { kind: "priority" } } })).toThrow(
    new ConfigError([
      {
        key: "engine.discipline.classes",
        message:
          "missing engine.discipline.classes (shares of the classes, e.g. 0.5,0.5; or a trace with priorities)",
      },
    ]),
  );
});

test("shares that are no shares are refused, with what is allowed", () => {
  const { check } = member(builtIn.disciplines, "priority");
  expect(check!({ kind: "priority", classes: [0.5, 0.4] })).toEqual([
    "classes: they sum to 0.9 (shares sum to 1)",
  ]);
  expect(check!({ kind: "priority", classes: [0.1, 0.2, 0.7] })).toEqual([]);
  expect(check!({ kind: "priority", classes: [] })).toHaveLength(1);
});
