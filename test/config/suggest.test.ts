/** Did-you-mean: near words are found, far ones are not guessed at. */
import { describe, expect, test } from "vitest";
import { hint, suggest } from "../../src/config/suggest.js";

const schedulers = ["decode-prioritizing", "decode", "prefill-prioritizing", "prefill", "hybrid"];
const keys = ["engine.maxTokens", "engine.maxSequences", "workload.arrivals.kind", "service.kind", "seed"];

describe("suggest", () => {
  test.each([
    ["hybird", "hybrid"],
    ["HYBRID", "hybrid"],
    ["hyb", "hybrid"],
    ["decode_prioritising", "decode-prioritizing"],
    ["prefil", "prefill"],
  ])("%s means %s", (word, meant) => expect(suggest(word, schedulers)).toMatch(new RegExp(`^${meant}`)));

  test.each([
    ["engine.maxTokns", "engine.maxTokens"],
    ["maxTokens", "engine.maxTokens"],
    ["max-tokens", "engine.maxTokens"],
    ["seeed", "seed"],
    ["sed", "seed"],
    ["sevice.knd", "service.kind"],
    ["service.Kind", "service.kind"],
  ])("key %s means %s", (word, meant) => expect(suggest(word, keys)).toBe(meant));

  test.each(["orca", "x", "", "---", "fifo-with-aging", "decode".repeat(100), "x".repeat(1_000_000)])(
    "%.20s means nothing",
    (word) => expect(suggest(word, schedulers)).toBeUndefined(),
  );

  test.each(["service.p", "engine.p", "p"])("key %s means nothing", (word) =>
    expect(suggest(word, keys)).toBeUndefined(),
  );

  test("a word is not suggested for itself", () => expect(suggest("hybrid", ["hybrid"])).toBeUndefined());
  test("no candidates, no suggestion", () => expect(suggest("hybrid", [])).toBeUndefined());
});

test("hint is the end of a message, or nothing", () => {
  expect(hint("hybird", schedulers)).toBe(" — did you mean hybrid?");
  expect(hint("orca", schedulers)).toBe("");
});
