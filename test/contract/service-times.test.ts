/** What every service-time model owes (model §1). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../src/core/options/check-options.js";
import type { Spec } from "../../src/core/options/definition.js";
import { stream } from "../../src/core/numbers/random.js";
import { builtIn, member } from "../../src/core/configuration/registry.js";
import type { BatchShape, ServiceTimeModel } from "../../src/core/service-times/service-time-model.js";

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
        { numRuns: 200 },
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
        { numRuns: 300 },
      );
    });

    test("the times are those of the affine terms that it states", () => {
      const { affine, options } = member(builtIn.serviceTimes, spec.kind);
      const terms = affine?.(withDefaults(options, spec));
      if (!terms) return;
      fc.assert(
        fc.property(batches, ({ decodes, kv, chunks }) => {
          const batch = shape(decodes, kv, chunks);
          const ms = terms.cMs + terms.aMs * Math.max(0, decodes + batch.prefillTokens - terms.b0);
          const error = Math.abs(model.price(batch, 1) - 1e6 * ms);
          expect(error).toBeLessThanOrEqual(0.5 + 1e-6 * ms);
        }),
        { numRuns: 100 },
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

/** S of the formula in ms, written plainly. */
const formula = (spec: Record<string, number>, decodes: number, kv: number, prefill: number): number => {
  const b = decodes + prefill;
  const { hMs, cMs, a1Ms, aMs, b0, kMs, kmMs, f } = spec as Record<string, number> & { b0: number };
  const linear = hMs! + cMs! + (b <= b0 ? a1Ms! * b : a1Ms! * b0 + aMs! * (b - b0));
  return linear + f! * kv * (prefill > 0 ? kMs! + kmMs! : kMs!);
};

test("gpu: h + c + a1·min(b, b0) + a·max(0, b − b0) + f·(k + km·[prefill])·ΣKV, rounded once (model §1)", () => {
  const options = { hMs: 0.5, cMs: 11, a1Ms: 0.016, aMs: 0.037, b0: 216, kMs: 9e-5, kmMs: 6e-5, f: 1.05 };
  const model = create({ kind: "gpu", ...options });
  fc.assert(
    fc.property(fc.nat(500), fc.nat(5e5), fc.nat(2048), (decodes, kv, prefill) => {
      fc.pre(decodes + prefill > 0);
      const sumKv = decodes > 0 ? kv : 0;
      const chunks = prefill > 0 ? ([[prefill, 77]] as const) : [];
      const time = model.price(shape(decodes, sumKv, chunks), 1);
      expect(Math.abs(time - 1e6 * formula(options, decodes, sumKv, prefill))).toBeLessThanOrEqual(
        0.5 + 1e-6,
      );
    }),
  );
  // By hand: 0.5 + 11 + .016·216 + .037·84 + 1.05·1.5e-4·100000 ms.
  expect(model.price(shape(100, 100_000, [[200, 0]]), 1)).toBe(33_814_000);
});

test("gpu with h, a1, k and km left out is affine", () => {
  const parts = { cMs: 45.5, aMs: 0.3, b0: 64 };
  const [plain, same] = [create({ kind: "affine", ...parts }), create({ kind: "gpu", ...parts })];
  fc.assert(
    fc.property(batches, ({ decodes, kv, chunks }) => {
      const batch = shape(decodes, kv, chunks);
      expect(same.price(batch, 1)).toBe(plain.price(batch, 1));
    }),
  );
});

test("whether the price grows with the cache is what the model says of itself", () => {
  const table = member(builtIn.serviceTimes, "gpu-table").examples[0];
  for (const [spec, grows] of [
    [{ kind: "affine", cMs: 10 }, false],
    [{ kind: "gpu", cMs: 10, aMs: 1 }, false],
    [{ kind: "gpu", cMs: 10, kMs: 1e-4 }, true],
    [{ kind: "gpu", cMs: 10, kmMs: 1e-4 }, true],
    [table, true],
  ] as const) {
    const model = create(spec);
    expect([spec, model.growsWithKv ?? false]).toEqual([spec, grows]);
    const [before, after] = [1000, 2000].map((kv) => model.price(shape(4, kv, [[64, 0]]), 1));
    expect(after! > before!).toBe(grows);
  }
});

test("gpu-table: parts interpolated; the largest chunk with the decodes, the others alone less a launch", () => {
  const example = member(builtIn.serviceTimes, "gpu-table").examples[0];
  const model = create({ ...example, hMs: 0 });
  // The example's tables are 0.25 + 0.0016·n + 1e-4·n·kv for decodes, 0.25 + 0.01·c + 1e-4·c·q for a chunk of c
  // after q cached tokens, and their sum less 0.25 for both: straight along every axis, so known everywhere.
  const dense = (b: number): number => (b <= 256 ? 10 + (4 * (b - 1)) / 255 : 14 + (66 * (b - 256)) / 1792);
  const head = (sequences: number): number => 0.7 + (0.1 * (sequences - 1)) / 255;
  const ms = (...args: Parameters<typeof shape>): number => model.price(shape(...args), 1) / 1e6;
  expect(ms(100, 50_000)).toBeCloseTo(dense(100) + head(100) + 0.25 + 0.16 + 5, 5);
  expect(ms(0, 0, [[500, 300]])).toBeCloseTo(dense(500) + head(1) + 0.25 + 5 + 15, 5);
  expect(ms(10, 5000, [[500, 300]])).toBeCloseTo(dense(510) + head(11) + 0.25 + 0.016 + 0.5 + 20, 5);
  // Two chunks and a chunk of one token, which is an eleventh decode.
  const three = [
    [200, 0],
    [500, 300],
    [1, 700],
  ] as const;
  expect(ms(10, 5000, three)).toBeCloseTo(dense(711) + head(13) + 0.25 + 0.0176 + 0.57 + 20 + 2, 5);
  const skewed = create({ ...example, hMs: 0, f: 2 });
  expect(skewed.price(shape(100, 50_000), 1) / 1e6 - ms(100, 50_000)).toBeCloseTo(5, 5);
});

test("gpu-table: axes that do not rise and tables of another size are refused, all at once", () => {
  const { check, options, examples } = member(builtIn.serviceTimes, "gpu-table");
  const spec = withDefaults(options, { ...examples[0]!, tokens: [2048, 256, 1], headMs: [1], decodeKv: [] });
  expect(check!(spec)).toEqual([
    "tokens: 3 values (at least two values, each above the one before)",
    "decodeKv: 0 values (at least two values, each above the one before)",
    "headMs: 1 values (2, one for each of sequences)",
    "decodeMs: 4 values (0, one for each of decodes × decodeKv)",
    "mixedMs: 16 values (0, one for each of chunks × chunkKv × mixedDecodes × decodeKv)",
  ]);
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
  const gpu = member(builtIn.serviceTimes, "gpu");
  const of = (spec: Spec): string[] => gpu.check!(withDefaults(gpu.options, spec));
  expect(of({ kind: "gpu", cMs: 0, hMs: 0.5 })).toEqual([]);
  expect(of({ kind: "gpu", cMs: 0, aMs: 1, b0: 1 })).toEqual([expect.stringMatching(/^cMs: /)]);
  for (const spec of [
    { kind: "affine", cMs: 0 },
    { kind: "affine", cMs: 0, aMs: 1, b0: 1 },
    { kind: "affine", cMs: 1e-7, aMs: 0 },
  ])
    expect(problems(spec)).toEqual([expect.stringMatching(/^cMs: .* \(above 0, or an iteration/)]);
});
