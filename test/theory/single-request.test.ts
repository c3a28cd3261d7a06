/** A request alone: the printed limits of the scenarios, and the plain loop over its iterations. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  iterationMs,
  prefillMs,
  singleRequest,
  type AffineEngine,
  type FirstToken,
  type TbtConvention,
} from "../../src/theory/index.js";
import { constant, DEMO2_OUTPUT, DEMO2_PROMPT, DEMO3_OUTPUT, DEMO3_PROMPT, discrete } from "./laws.js";

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
const STANDARD = { firstToken: "prefill", tbt: "gaps" } as const;
const REFERENCE = { firstToken: "decode", tbt: "tokens" } as const;

describe("the printed limits, ms", () => {
  const demo2 = [DEMO2, DEMO2_PROMPT, DEMO2_OUTPUT] as const;
  const demo3 = [DEMO3, DEMO3_PROMPT, DEMO3_OUTPUT] as const;
  const whole = [DEMO3_WHOLE, DEMO3_PROMPT, DEMO3_OUTPUT] as const;
  test.each([
    ["demo2, standard", demo2, STANDARD, [64.4, 1], [10.5, 1], [1733.9, 1]],
    ["demo3 chunk 64, standard", demo3, STANDARD, [89.017, 3], [45.5, 1], [8142.67, 2]],
    ["demo3 b0 = 0 unchunked, standard", whole, STANDARD, [70.713, 3], [45.8, 1], [8177.47, 2]],
    ["demo2, reference", demo2, REFERENCE, [74.9, 1], [10.3975, 4], [1744.4, 1]],
    ["demo3 chunk 64, reference", demo3, REFERENCE, [134.517, 3], [44.1714, 4], [8188.17, 2]],
    ["demo3 b0 = 0 unchunked, reference", whole, REFERENCE, [116.513, 3], [44.4626, 4], [8223.27, 2]],
  ] as const)("%s", (_, [engine, prompt, output], conventions, ttft, tbt, rts) => {
    const single = singleRequest(engine, prompt, output, conventions);
    expect(single.ttft * 1000).toBeCloseTo(ttft[0], ttft[1]);
    expect(single.tbt * 1000).toBeCloseTo(tbt[0], tbt[1]);
    expect(single.responseTime * 1000).toBeCloseTo(rts[0], rts[1]);
  });
});

/** One request, iteration by iteration, ms. */
function walk(engine: AffineEngine, L: number, B: number, firstToken: FirstToken, tbt: TbtConvention) {
  let clock = 0;
  for (let left = L; left > 0;) {
    const piece = Math.min(left, engine.chunkSize ?? left, engine.maxTokens);
    clock += iterationMs(engine, piece);
    left -= piece;
  }
  const tokens = firstToken === "prefill" && B > 0 ? [clock] : [];
  while (tokens.length < B) tokens.push((clock += iterationMs(engine, 1)));
  const span = clock - (tokens[0] ?? NaN);
  const perToken = tbt === "gaps" ? (B > 1 ? span / (B - 1) : NaN) : B > 0 ? span / B : NaN;
  return { ttft: tokens[0] ?? NaN, tbt: perToken, responseTime: clock };
}

test("equals the mean over requests that are walked through one by one", () => {
  const engine = fc.record({
    cMs: fc.double({ min: 0, max: 50, noNaN: true }),
    aMs: fc.double({ min: 0.1, max: 1, noNaN: true }),
    b0: fc.double({ min: 0, max: 80, noNaN: true }),
    maxTokens: fc.integer({ min: 1, max: 100 }),
    maxSequences: fc.integer({ min: 1, max: 20 }),
    chunkSize: fc.option(fc.integer({ min: 1, max: 60 })),
  });
  const prompts = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 });
  const outputs = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 5 });
  const firstToken = fc.constantFrom<FirstToken>("prefill", "decode");
  const tbt = fc.constantFrom<TbtConvention>("gaps", "tokens");
  const uniform = (values: number[]) => discrete(values.map((x) => [x, 1 / values.length]));
  fc.assert(
    fc.property(engine, prompts, outputs, firstToken, tbt, (e, Ls, Bs, first, convention) => {
      const walks = Ls.flatMap((L) => Bs.map((B) => walk(e, L, B, first, convention)));
      const single = singleRequest(e, uniform(Ls), uniform(Bs), { firstToken: first, tbt: convention });
      for (const metric of ["ttft", "tbt", "responseTime"] as const) {
        const values = walks.map((w) => w[metric]).filter((x) => !Number.isNaN(x));
        const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
        if (values.length === 0) expect(single[metric]).toBeNaN();
        else expect(Math.abs(single[metric] * 1000 - mean)).toBeLessThanOrEqual(1e-9 * (1 + mean));
      }
    }),
    { numRuns: 300 },
  );
});

describe("what a request without output or gap has not", () => {
  test("no output: no first token, a response all the same", () => {
    for (const conventions of [STANDARD, REFERENCE]) {
      expect(singleRequest(DEMO2, constant(20), constant(0), conventions)).toEqual({
        ttft: NaN,
        tbt: NaN,
        responseTime: 0.02,
      });
    }
  });

  test("one token has no gap, but counts as a token", () => {
    expect(singleRequest(DEMO2, constant(20), constant(1), STANDARD)).toEqual({
      ttft: 0.02,
      tbt: NaN,
      responseTime: 0.02,
    });
    expect(singleRequest(DEMO2, constant(20), constant(1), REFERENCE).tbt).toBe(0);
  });

  test("no prompt takes no time", () => {
    expect(prefillMs(DEMO2, 0)).toBe(0);
    expect(prefillMs(DEMO3, 130)).toBeCloseTo(3 * 45.5, 12);
  });
});
