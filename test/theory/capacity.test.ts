/** Capacity: the printed bounds and boundaries, and that no schedule whatever beats the bound. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError } from "../../src/core/errors.js";
import {
  hybridBoundary,
  hybridDecodes,
  iterationMs,
  requestMeans,
  upperBound,
  type AffineEngine,
  type RequestMeans,
} from "../../src/theory/index.js";
import { constant, DEMO2_OUTPUT, DEMO2_PROMPT, DEMO3_OUTPUT, DEMO3_PROMPT } from "./laws.js";

const DEMO1: AffineEngine = { cMs: 10, aMs: 0, b0: 0, maxTokens: 10000, maxSequences: 1, chunkSize: null };
const DEMO2: AffineEngine = {
  cMs: 10,
  aMs: 0.5,
  b0: 0,
  maxTokens: 2048,
  maxSequences: 1000,
  chunkSize: null,
};
const DEMO3: AffineEngine = {
  cMs: 45.5,
  aMs: 0.3,
  b0: 64,
  maxTokens: 2048,
  maxSequences: 1000,
  chunkSize: 64,
};
const DEMO3_WHOLE: AffineEngine = { ...DEMO3, b0: 0, chunkSize: null };

const demo1 = requestMeans(DEMO1, constant(1), constant(0), "prefill");
const demo2 = requestMeans(DEMO2, DEMO2_PROMPT, DEMO2_OUTPUT, "prefill");
const demo3 = requestMeans(DEMO3, DEMO3_PROMPT, DEMO3_OUTPUT, "prefill");
const demo3Whole = requestMeans(DEMO3_WHOLE, DEMO3_PROMPT, DEMO3_OUTPUT, "prefill");

describe("what requests ask", () => {
  test("demo2, by hand", () => {
    const means = (m: RequestMeans) => [m.meanPrompt, m.meanDecodes, m.meanPieces];
    const close = (m: RequestMeans, expected: number[]) =>
      means(m).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 9));
    close(demo2, [108.8, 159, 1]);
    close(requestMeans(DEMO2, DEMO2_PROMPT, DEMO2_OUTPUT, "decode"), [108.8, 160, 1]);
    close(
      requestMeans({ maxTokens: 2048, chunkSize: 100 }, DEMO2_PROMPT, DEMO2_OUTPUT, "prefill"),
      [108.8, 159, 1.8],
    );
    close(
      requestMeans({ maxTokens: 50, chunkSize: 100 }, DEMO2_PROMPT, DEMO2_OUTPUT, "prefill"),
      [108.8, 159, 2.6],
    );
  });

  test("no output, one output token", () => {
    expect(demo1).toEqual({ meanPrompt: 1, meanDecodes: 0, meanPieces: 1 });
    expect(requestMeans(DEMO1, constant(1), constant(1), "prefill").meanDecodes).toBe(0);
    expect(requestMeans(DEMO1, constant(1), constant(1), "decode").meanDecodes).toBe(1);
  });
});

describe("the upper bound", () => {
  test.each([
    ["demo1", DEMO1, demo1, 100, 9],
    ["demo2", DEMO2, demo2, 7.38007, 5],
    ["demo3", DEMO3, demo3, 12.06478, 5],
    ["demo3 with b0 = 0", DEMO3_WHOLE, demo3Whole, 11.59037, 5],
    ["demo2 without the sequence cap", { ...DEMO2, maxSequences: Infinity }, demo2, 7.396, 4],
    ["demo3 without the sequence cap", { ...DEMO3, maxSequences: Infinity }, demo3, 12.266, 3],
    [
      "demo3 with b0 = 0, without the sequence cap",
      { ...DEMO3_WHOLE, maxSequences: Infinity },
      demo3Whole,
      11.909,
      3,
    ],
  ])("%s", (_, engine, request, expected, digits) => {
    expect(upperBound(engine, request, "sum")).toBeCloseTo(expected, digits);
  });

  test("demo2 under reference conventions", () => {
    const request = requestMeans(DEMO2, DEMO2_PROMPT, DEMO2_OUTPUT, "decode");
    expect(upperBound(DEMO2, request, "max")).toBeCloseTo(12.2534, 4);
  });

  test("beyond the knee's worth: batches at the knee are the cheapest", () => {
    const engine = { ...DEMO3, b0: 255.5 };
    const cheapest = Math.min(
      ...Array.from({ length: 2048 }, (_, i) => iterationMs(engine, i + 1) / (i + 1)),
    );
    const tokens = demo3.meanPrompt + demo3.meanDecodes;
    expect(upperBound(engine, demo3, "sum")).toBeCloseTo(1000 / (tokens * cheapest), 9);
    expect(upperBound({ ...engine, maxTokens: 100 }, demo3, "sum")).toBeCloseTo(1000 / (tokens * 0.455), 9);
    expect(upperBound({ ...engine, cMs: 0.01, aMs: 1, b0: 0.5 }, demo3, "sum")).toBeCloseTo(
      1000 / (tokens * 0.51),
      9,
    );
  });

  test("no set of iterations does the work in less time", () => {
    const engine = fc.record({
      cMs: fc.double({ min: 0, max: 50, noNaN: true }),
      aMs: fc.double({ min: 0.01, max: 1, noNaN: true }),
      b0: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 60, noNaN: true })),
      maxTokens: fc.integer({ min: 2, max: 100 }),
      maxSequences: fc.integer({ min: 1, max: 20 }),
      chunkSize: fc.constant(null),
    });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const iterations = fc.array(fc.tuple(share, share, share), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        engine,
        iterations,
        fc.constantFrom("sum" as const, "max" as const),
        (e, plan, mixedBatch) => {
          let [time, prompt, decodes, pieces] = [0, 0, 0, 0];
          for (const [u, v, w] of [[0, 0, 1] as const, ...plan]) {
            const d = Math.floor(u * Math.min(e.maxTokens - 1, e.maxSequences - 1));
            const n = 1 + Math.floor(v * (Math.min(e.maxSequences, e.maxTokens) - d - 1));
            const p = n + Math.floor(w * (e.maxTokens - d - n));
            time +=
              mixedBatch === "sum" ? iterationMs(e, p + d) : Math.max(iterationMs(e, p), iterationMs(e, d));
            [prompt, decodes, pieces] = [prompt + p, decodes + d, pieces + n];
          }
          // one request that asks for all this work: it is served once in this time
          const bound = upperBound(
            e,
            { meanPrompt: prompt, meanDecodes: decodes, meanPieces: pieces },
            mixedBatch,
          );
          expect(1000 / time).toBeLessThanOrEqual(bound * (1 + 1e-12));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is reached by full batches of equal work", () => {
    // 10 decodes and a prompt of 10 tokens fill an iteration of 20 tokens and 11 places
    const engine = { cMs: 5, aMs: 1, b0: 3, maxTokens: 20, maxSequences: 11, chunkSize: null };
    const request = { meanPrompt: 10, meanDecodes: 10, meanPieces: 1 };
    expect(upperBound(engine, request, "sum")).toBeCloseTo(1000 / iterationMs(engine, 20), 9);
  });

  test("refuses engines and requests that cannot be", () => {
    const request = { meanPrompt: 1, meanDecodes: 0, meanPieces: 1 };
    for (const change of [
      { cMs: -1 },
      { aMs: -1 },
      { b0: -1 },
      { cMs: 0, aMs: 0 },
      { maxTokens: 0 },
      { chunkSize: 0 },
      { maxSequences: 0 },
    ]) {
      expect(() => upperBound({ ...DEMO2, ...change }, request, "sum")).toThrow(InvariantError);
    }
    for (const change of [{ meanPrompt: 0 }, { meanDecodes: -1 }, { meanPieces: 0.5 }, { meanPrompt: NaN }]) {
      expect(() => upperBound(DEMO2, { ...request, ...change }, "sum")).toThrow(InvariantError);
    }
  });
});

describe("the boundary of hybrid", () => {
  test.each([
    ["demo2", DEMO2, demo2, 7.29501],
    ["demo3, chunks of 64", DEMO3, demo3, 11.4299],
    ["demo3 with b0 = 0, unchunked", DEMO3_WHOLE, demo3Whole, 10.606],
  ])("%s at ratio .5", (_, engine, request, expected) => {
    expect(hybridBoundary(engine, request, "sum", 0.5)).toBeCloseTo(expected, expected === 7.29501 ? 5 : 4);
  });

  test("never exceeds the bound for every policy", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.07, max: 0.999, noNaN: true }), (ratio) => {
        for (const [engine, request] of [
          [DEMO2, demo2],
          [DEMO3, demo3],
          [DEMO3_WHOLE, demo3Whole],
        ] as const) {
          const boundary = hybridBoundary(engine, request, "sum", ratio);
          if (!Number.isNaN(boundary))
            expect(boundary).toBeLessThanOrEqual(upperBound(engine, request, "sum"));
        }
      }),
    );
    expect(hybridBoundary(DEMO2, demo2, "sum", 0.9)).toBeGreaterThan(
      hybridBoundary(DEMO2, demo2, "sum", 0.5),
    );
  });

  test("decode places: by the ratio, one at least, one place left for prompts", () => {
    expect([
      hybridDecodes(0.3, 10),
      hybridDecodes(0.01, 10),
      hybridDecodes(0.99, 10),
      hybridDecodes(0.29, 100),
    ]).toEqual([3, 1, 9, 29]);
  });

  test("says nothing where the formula does not hold", () => {
    expect(hybridBoundary(DEMO2, demo2, "max", 0.5)).toBeNaN(); // no closed form
    expect(hybridBoundary(DEMO1, demo1, "sum", 0.5)).toBeNaN(); // no decodes
    expect(hybridBoundary({ ...DEMO2, maxSequences: 1 }, demo2, "sum", 0.5)).toBeNaN(); // no place to divide
    expect(hybridBoundary({ ...DEMO2, maxSequences: Infinity }, demo2, "sum", 0.5)).toBeNaN();
    expect(hybridBoundary(DEMO3, demo3, "sum", 0.05)).toBeNaN(); // 50 decodes stay below the knee
    expect(hybridBoundary({ ...DEMO2, maxTokens: 800 }, demo2, "sum", 0.5)).toBeNaN(); // no tokens left for prompts
    expect(hybridBoundary(DEMO2, demo2, "sum", 0.999)).toBeNaN(); // no places left for prompts
  });

  test("refuses a ratio outside (0, 1)", () => {
    for (const ratio of [0, 1, NaN])
      expect(() => hybridBoundary(DEMO2, demo2, "sum", ratio)).toThrow(InvariantError);
  });
});
