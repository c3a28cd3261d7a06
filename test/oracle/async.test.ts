/** Asynchronous scheduling against cases worked out by hand. Every iteration takes 10 ms. */
import { describe, expect, it } from "vitest";
import { composed, inMs, kvOf, lines, run, tokensOf, type Changes, type Row } from "./running.js";

const later = (rows: Row[], { engine, ...changes }: Changes = {}): ReturnType<typeof run> =>
  run(rows, { ...changes, engine: { ...engine, async: true } });

describe("batches are composed one iteration ahead", () => {
  it("two requests: from idle two at once, then k + 2 at the end of k", () => {
    // At 0: p0 (0-10), and d0 behind it (10-20). 1 arrives at 5. At 10: d0, the last token (B = 3), and p1 (20-30).
    // At 20: 0's last token is in flight; d1 (30-40). At 30: 1's last is in flight too: nothing. Ends at 40.
    const rows: Row[] = [
      [0, 5, 3],
      [5, 5, 2],
    ];
    const output = later(rows);
    expect(lines(output)).toEqual(["0-10 p0:5", "10-20 d0", "20-30 d0 p1:5", "30-40 d1"]);
    expect(composed(output)).toEqual([0, 0, 10, 20]);
    expect(tokensOf(output, 0)).toEqual([10, 20, 30]);
    expect(output.requests[1]).toMatchObject({ startedAt: 10e6, firstTokenAt: 30e6, finishedAt: 40e6 });
    // Synchronously 1's first token comes one iteration earlier.
    expect(run(rows).requests[1]).toMatchObject({ startedAt: 10e6, firstTokenAt: 20e6 });
    // It is vllm's default.
    expect(lines(run(rows, { engine: { async: undefined } }))).toEqual(lines(output));
  });

  it("an arrival while one iteration runs with none behind it waits for its end; then two are composed", () => {
    // 0 (B = 1): nothing to do behind p0. 1 arrives at 3. At 10: p1 (10-20) and d1 (20-30); at 20: d1 (30-40).
    const output = later([
      [0, 5, 1],
      [3, 5, 3],
    ]);
    expect(lines(output)).toEqual(["0-10 p0:5", "10-20 p1:5", "20-30 d1", "30-40 d1"]);
    expect(composed(output)).toEqual([0, 10, 10, 20]);
  });

  it("a request whose last token is in flight keeps its slot", () => {
    // Cap 1. p0 (0-10), d0 (10-20, the last). At 10 nothing can be composed; at 20 1 comes in.
    const rows: Row[] = [
      [0, 5, 2],
      [0, 5, 1],
    ];
    const output = later(rows, { engine: { maxSequences: 1 } });
    expect(lines(output)).toEqual(["0-10 p0:5", "10-20 d0", "20-30 p1:5"]);
    expect(composed(output)).toEqual([0, 0, 20]);
  });

  it("chunks too: the next one is composed while the last is in flight", () => {
    // Chunk 4 of 10 tokens, B = 0: 4, 4, 2; the second and third composed at 0 and 10.
    const output = later([[0, 10, 0]], { engine: { chunkSize: 4 } });
    expect(lines(output)).toEqual(["0-10 p0:4", "10-20 p0:4@4", "20-30 p0:2@8"]);
    expect(composed(output)).toEqual([0, 0, 10]);
    expect(output.requests[0]!.finishedAt).toBe(30e6);
  });
});

describe("preemption with a token in flight", () => {
  it("the token is credited, and the prompt to recompute grows by it", () => {
    // 4 usable; 0 and 1 of 32 tokens fill them. Both batches are composed at 0: in the second 0 needs a block, and 1
    // goes, its first token in flight. It gets that at 10. It has 33 tokens (3 blocks) and waits until 0 is done at
    // 60 (B = 6); at 50 0's last token is in flight, its blocks not yet free. It finds its first block: 17 tokens.
    const output = later(
      [
        [0, 32, 6],
        [0, 32, 3],
      ],
      { engine: { kvTokens: kvOf(4) } },
    );
    expect(lines(output)).toEqual([
      "0-10 p0:32 p1:32",
      "10-20 d0",
      "20-30 d0",
      "30-40 d0",
      "40-50 d0",
      "50-60 d0",
      "60-70 p1:17@16",
      "70-80 d1",
    ]);
    expect(composed(output)).toEqual([0, 0, 10, 20, 30, 40, 60, 60]);
    expect(tokensOf(output, 1)).toEqual([10, 70, 80]);
    expect(inMs(output.requests[1]!.preemptedAt)).toEqual([0]);
  });

  it("one that waits for its last token can be the victim, and finishes out of the waiting queue", () => {
    const output = later(
      [
        [0, 32, 2],
        [0, 32, 1],
      ],
      { engine: { kvTokens: kvOf(4) } },
    );
    expect(lines(output)).toEqual(["0-10 p0:32 p1:32", "10-20 d0"]);
    expect(output.requests[1]).toMatchObject({ finishedAt: 10e6, preemptedAt: [0], tokenAt: [10e6] });
    expect(output).toMatchObject({ preemptions: 1, prefillTokens: 64 });
  });

  it("a batch that only preempts is no iteration", () => {
    // 4 usable: 0 (33: 3 blocks, B = 1), 1 (16: 1, B = 3). The second batch at 0: 0 has nothing left to schedule, 1
    // needs a block and goes itself. (With its 16 known tokens it would fit again at once, but a batch that
    // preempted admits nobody.) At 10: 0 is done, 1 has its token 1 and finds its block: 1 token of 17.
    const output = later(
      [
        [0, 33, 1],
        [0, 16, 3],
      ],
      { engine: { kvTokens: kvOf(4) } },
    );
    expect(lines(output)).toEqual(["0-10 p0:33 p1:16", "10-20 p1:1@16", "20-30 d1"]);
    expect(composed(output)).toEqual([0, 10, 10]);
    expect(tokensOf(output, 1)).toEqual([10, 20, 30]);
    expect(inMs(output.requests[1]!.preemptedAt)).toEqual([0]);
  });
});

describe("base schedulers", () => {
  const rows: Row[] = [
    [0, 1, 3],
    [5, 1, 2],
  ];
  it.each([
    // At 10 the prompt goes first; at 20 0 has one token to go, and 1, whose prefill is in flight, stands behind it.
    ["prefill-prioritizing", ["0-10 p0:1", "10-20 d0", "20-30 p1:1", "30-40 d0 d1"], [0, 0, 10, 20]],
    // At 10 0 decodes on, its last token; at 20 nothing is left to decode: the prompt, and at 30 its decode.
    [
      "decode-prioritizing",
      ["0-10 p0:1", "10-20 d0", "20-30 d0", "30-40 p1:1", "40-50 d1"],
      [0, 0, 10, 20, 30],
    ],
    ["hybrid", ["0-10 p0:1", "10-20 d0", "20-30 d0 p1:1", "30-40 d1"], [0, 0, 10, 20]],
  ] as const)("%s", (kind, expected, composedAt) => {
    const output = later(rows, { scheduler: { kind, ratio: 0.5, ratioOf: "sequences" } });
    expect(lines(output)).toEqual(expected);
    expect(composed(output)).toEqual(composedAt);
  });

  it("firstToken = decode: B decodes, the first composed while the prefill is in flight", () => {
    const output = later([[0, 5, 2]], {
      scheduler: { kind: "prefill-prioritizing" },
      conventions: { firstToken: "decode" },
    });
    expect(lines(output)).toEqual(["0-10 p0:5", "10-20 d0", "20-30 d0"]);
    expect(tokensOf(output, 0)).toEqual([20, 30]);
  });

  it("several replicas: each fills its queue before the next one decides", () => {
    const prompts: Row[] = [
      [0, 4, 1],
      [0, 4, 1],
      [0, 4, 1],
    ];
    const scheduler = { kind: "prefill-prioritizing" } as const;
    const output = later(prompts, { scheduler, engine: { replicas: 2, maxTokens: 4 } });
    expect(lines(output, 0)).toEqual(["0-10 p0:4", "10-20 p1:4"]);
    expect(lines(output, 1)).toEqual(["0-10 p2:4"]);
  });
});
