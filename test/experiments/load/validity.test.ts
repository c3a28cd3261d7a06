/** Prompts outside what hardware was fitted to: told, with how many and how far. */
import { describe, expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import type { Study } from "../../../src/experiments/interface/study.js";
import { validityNotes } from "../../../src/experiments/load/validity.js";
import { loadHardware } from "../../../src/io/hardware.js";

const VALIDITY = { prefillTokens: [64, 2048], kvPerDecode: [256, 4096], decodes: [1, 256] } as const;

const studyOf = (promptTokens: Spec, engine: object, validity: Study["validity"] = VALIDITY): Study => {
  const { scheduler, ...config } = prepare({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens,
      outputTokens: { kind: "fixed", tokens: 1 },
    },
    service: { kind: "affine", cMs: 10 },
    scheduler: { kind: "vllm" },
    engine,
    horizon: { tmaxSeconds: 10 },
  });
  return { scenario: "s", hardware: "card", config, schedulers: [scheduler], trials: 2, seed: 1, validity };
};
const mixture = (tokens: number, share: number): Spec => ({
  ...{ kind: "mixture", values: [100, tokens], weights: [1 - share, share] },
});

describe("prompts outside what hardware was fitted to", () => {
  test("that run in pieces longer than any that was fitted, as the budget cuts them", () => {
    const [note, ...more] = validityNotes(studyOf(mixture(4000, 0.25), { maxTokens: 8192 }));
    expect(more).toEqual([]);
    expect(note).toMatch(
      /^hardware card was fitted to iterations with prompt tokens of up to 2048: 25\.0 % of the prompts are longer, one in a thousand with pieces of 4000 or more, 1\.953 times that: /,
    );
    expect(validityNotes(studyOf(mixture(4000, 0.25), { maxTokens: 3000 }))[0]).toContain("pieces of 3000");
    for (const engine of [{ maxTokens: 2048 }, { maxTokens: 8192, chunkSize: 512 }])
      expect(validityNotes(studyOf(mixture(4000, 0.25), engine))).toEqual([]);
  });

  test("whose cache grows beyond any that was fitted, whatever the pieces", () => {
    const [note] = validityNotes(studyOf(mixture(20_000, 0.01), { maxTokens: 2048 }));
    expect(note).toMatch(
      /cached tokens of up to 4096: 1\.0 % of the prompts are longer, one in a thousand has 20000 or more, 4\.883 times/,
    );
  });

  test("nothing of as many as one in a thousand, of hardware that does not say, and without hardware", () => {
    expect(validityNotes(studyOf(mixture(20_000, 0.001), { maxTokens: 8192 }))).toEqual([]);
    expect(validityNotes(studyOf(mixture(20_000, 0.5), { maxTokens: 8192 }, {}))).toEqual([]);
    const { hardware, ...without } = studyOf(mixture(20_000, 0.5), { maxTokens: 8192 });
    expect([hardware, validityNotes(without)]).toEqual(["card", []]);
    const tail = { kind: "lognormal", mu: 7, sigma: 1 };
    expect(validityNotes(studyOf(tail, { maxTokens: 8192 }))).toHaveLength(2);
  });

  test("every shipped file says what it covers", async () => {
    const { validity } = await loadHardware("h100_llama-3.1-8b", ".", false);
    expect(validity!.prefillTokens).toEqual([64, 2048]);
    expect(validity!.kvPerDecode![1]).toBeGreaterThan(1000);
  });
});
