/** What every service-time model owes (model §1). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../src/core/check-options.js";
import type { Spec } from "../../src/core/definition.js";
import { stream } from "../../src/core/random.js";
import { builtIn, member } from "../../src/core/registry.js";
import type { BatchShape, ServiceTimeModel } from "../../src/core/service-time-model.js";

/** A batch of `decodes` sequences with `kv` cached tokens together, and chunks of [tokens, cached]. */
function shape(decodes: number, kv = 0, chunks: readonly (readonly [number, number])[] = []): BatchShape {
  return {
    decodes,
    sumKv: kv,
    prefillTokens: chunks.reduce((sum, [tokens]) => sum + tokens, 0),
    chunkCount: chunks.length,
    chunkTokens: Int32Array.from(chunks, ([tokens]) => tokens),
    chunkCached: Int32Array.from(chunks, ([, cached]) => cached),
  };
}
const create = (spec: Spec): ServiceTimeModel => {
  const definition = member(builtIn.serviceTimes, spec.kind);
  return definition.create(withDefaults(definition.options, spec));
};
const specs: Spec[] = [
  ...builtIn.serviceTimes.flatMap(({ examples }) => examples),
  { kind: "affine", cMs: 10, aMs: 0.5 },
  { kind: "affine", cMs: 0, aMs: 1 / 3 },
  { kind: "affine", cMs: 1e-6, aMs: 0, b0: 5 },
  { kind: "affine", cMs: 1e6, aMs: 1e6 },
  { kind: "exponential", cMs: 45.5, aMs: 0.3, b0: 64 },
];

const batches = fc.record({
  decodes: fc.integer({ min: 0, max: 3000 }),
  kv: fc.integer({ min: 0, max: 1e7 }),
  chunks: fc.array(fc.tuple(fc.integer({ min: 1, max: 2048 }), fc.integer({ min: 0, max: 1e5 })), {
    maxLength: 8,
  }),
});

describe.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))(
  "service-time model %s",
  (_, spec) => {
    const model = create(spec);

    test("times are whole nanoseconds; a batch that is not empty takes at least one", () => {
      fc.assert(
        fc.property(batches, ({ decodes, kv, chunks }) => {
          fc.pre(decodes + chunks.length > 0);
          const time = model.price(shape(decodes, kv, chunks), 1);
          expect(Number.isInteger(time) && time >= 1).toBe(true);
        }),
        { numRuns: 200, seed: 1 },
      );
    });

    test("more of anything never takes less time", () => {
      fc.assert(
        fc.property(batches, fc.constantFrom("decode", "kv", "token", "cached", "chunk"), (batch, what) => {
          const { decodes, kv, chunks } = batch;
          const before = model.price(shape(decodes, kv, chunks), 1);
          const [first = [1, 0] as const, ...rest] = chunks;
          const after = {
            decode: shape(decodes + 1, kv, chunks),
            kv: shape(decodes, kv + 100, chunks),
            token: shape(decodes, kv, [[first[0] + 1, first[1]], ...rest]),
            cached: shape(decodes, kv, [[first[0], first[1] + 1], ...rest]),
            chunk: shape(decodes, kv, [...chunks, [1, 0]]),
          }[what];
          expect(model.price(after, 1)).toBeGreaterThanOrEqual(before);
        }),
        { numRuns: 300, seed: 2 },
      );
    });

    test("the same batch has the same price, which leaves the batch as it was", () => {
      const batch = shape(12, 3400, [[64, 0]]);
      const copy = structuredClone(batch);
      expect(model.price(batch, 1)).toBe(model.price(batch, 1));
      expect(create(spec).price(copy, 1)).toBe(model.price(batch, 1));
      expect(batch).toEqual(copy);
    });

    test(
      model.random ? "the draw scales the time, and the mean is the price at 1" : "the draw does not matter",
      () => {
        const batch = shape(7, 1000, [[100, 28]]);
        const mean = model.price(batch, 1);
        if (!model.random) {
          expect([model.price(batch, 0.5), model.price(batch, 20)]).toEqual([mean, mean]);
          return;
        }
        const count = 100_000;
        const draws = stream(1, 1, "service/0");
        let sum = 0;
        for (let i = 0; i < count; i++) sum += model.price(batch, draws.exponential());
        // An exponential's standard deviation is its mean.
        expect(Math.abs(sum / count - mean)).toBeLessThan((4 * mean) / Math.sqrt(count));
      },
    );
  },
);

test("affine: S(b) = c + a·max(0, b − b0), b of decodes and prompt tokens together (model §1)", () => {
  const model = create({ kind: "affine", cMs: 45.5, aMs: 0.3, b0: 64 });
  expect(model.price(shape(1), 1)).toBe(45.5e6);
  expect(model.price(shape(64), 1)).toBe(45.5e6);
  expect(model.price(shape(65), 1)).toBe(45.8e6);
  expect(model.price(shape(10, 0, [[54, 0]]), 1)).toBe(45.5e6);
  expect(
    model.price(
      shape(10, 0, [
        [60, 0],
        [4, 0],
      ]),
      1,
    ),
  ).toBe(48.5e6);
  expect(model.price(shape(0, 0, [[2048, 0]]), 1)).toBe(640.7e6);
});

test("rounded once, to the nearest nanosecond (model §1)", () => {
  const model = create({ kind: "affine", cMs: 0, aMs: 1 / 3 });
  expect(model.price(shape(1), 1)).toBe(333_333);
  expect(model.price(shape(2), 1)).toBe(666_667);
  expect(model.price(shape(3), 1)).toBe(1_000_000);
});

test("an iteration that would take no time is refused", () => {
  const { check, options } = member(builtIn.serviceTimes, "affine");
  const problems = (spec: Spec): string[] => check!(withDefaults(options, spec));
  expect(problems({ kind: "affine", cMs: 0, aMs: 1 })).toEqual([]);
  for (const spec of [
    { kind: "affine", cMs: 0 },
    { kind: "affine", cMs: 0, aMs: 1, b0: 1 },
    { kind: "affine", cMs: 1e-7, aMs: 0 },
  ])
    expect(problems(spec)).toEqual([expect.stringMatching(/^cMs: .* \(above 0, or an iteration/)]);
});
