/**
 * The oracle against cases worked out by hand from docs/model.md. Unless a case says otherwise an iteration
 * of b tokens takes S(b) = 10 + b ms (c = 10 ms, a = 1 ms, b0 = 0), and instants below are in ms.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runOracle, type OracleInput, type OracleIteration, type OracleOutput } from "./oracle.js";

const MS = 1e6;
const standard: OracleInput["conventions"] = {
  firstToken: "prefill",
  mixedBatch: "sum",
  sequenceCap: "resident",
  tbt: "gaps",
};
const reference: OracleInput["conventions"] = {
  firstToken: "decode",
  mixedBatch: "max",
  sequenceCap: "iteration",
  tbt: "tokens",
};
const decodePrioritizing: OracleInput["scheduler"] = { kind: "decode-prioritizing" };
const prefillPrioritizing: OracleInput["scheduler"] = { kind: "prefill-prioritizing" };
const hybrid = (ratio: number, ratioOf: "sequences" | "tokens" = "sequences"): OracleInput["scheduler"] => {
  return { kind: "hybrid", ratio, ratioOf };
};

/** [arrival in ms, prompt tokens, output tokens] */
type Row = [number, number, number];

interface Changes {
  scheduler?: OracleInput["scheduler"];
  engine?: Partial<OracleInput["engine"]>;
  service?: Partial<OracleInput["service"]>;
  conventions?: Partial<OracleInput["conventions"]>;
  draw?: OracleInput["draw"];
}

function run(rows: Row[], changes: Changes = {}): OracleOutput {
  return runOracle({
    requests: rows.map(([at, promptTokens, outputTokens]) => {
      return { arrivedAt: Math.round(at * MS), promptTokens, outputTokens };
    }),
    scheduler: changes.scheduler ?? prefillPrioritizing,
    engine: { maxTokens: 100, maxSequences: 100, chunkSize: null, replicas: 1, ...changes.engine },
    service: { cMs: 10, aMs: 1, b0: 0, exponential: false, ...changes.service },
    conventions: { ...standard, ...changes.conventions },
    draw:
      changes.draw ??
      (() => {
        throw new Error("no draw is due");
      }),
  });
}

/** An iteration in a line: "10-25 p0:5 p1:3 d2" (ms from, ms to, prompt id:tokens, decoding ids). */
function line({ startAt, endAt, prefill, decode }: OracleIteration): string {
  const prompts = prefill.map(({ id, tokens }) => `p${id}:${tokens}`);
  const decodes = decode.map((id) => `d${id}`);
  return [`${startAt / MS}-${endAt / MS}`, ...decodes, ...prompts].join(" ");
}
const lines = (output: OracleOutput, replica = 0): string[] =>
  output.iterations.filter((iteration) => iteration.replica === replica).map(line);
const inMs = (instants: number[]): number[] => instants.map((at) => at / MS);

describe("a request alone (model §2, §3 firstToken)", () => {
  it("standard: the prefill emits token 1, B - 1 decodes follow", () => {
    // Arrives at 3; prefill of 5: S(5) = 15 -> 18; two decodes, S(1) = 11 each -> 29, 40.
    const output = run([[3, 5, 3]]);
    expect(lines(output)).toEqual(["3-18 p0:5", "18-29 d0", "29-40 d0"]);
    const request = output.requests[0]!;
    expect(inMs(request.tokenAt)).toEqual([18, 29, 40]);
    expect(request).toMatchObject({ startedAt: 3e6, firstTokenAt: 18e6, finishedAt: 40e6, replica: 0 });
    expect(output).toMatchObject({ prefillTokens: 5, decodeTokens: 2, busyTime: 37e6 });
  });

  it("firstToken = decode: the prefill emits nothing, B decodes follow", () => {
    // As above with one decode more: tokens at 29, 40, 51.
    const output = run([[3, 5, 3]], { conventions: { firstToken: "decode" } });
    expect(inMs(output.requests[0]!.tokenAt)).toEqual([29, 40, 51]);
    expect(output.requests[0]).toMatchObject({ startedAt: 3e6, firstTokenAt: 29e6, finishedAt: 51e6 });
    expect(output).toMatchObject({ prefillTokens: 5, decodeTokens: 3, busyTime: 48e6 });
  });

  it.each(["prefill", "decode"] as const)(
    "B = 0 finishes with its prefill, firstToken = %s",
    (firstToken) => {
      const output = run([[3, 5, 0]], { conventions: { firstToken } });
      expect(lines(output)).toEqual(["3-18 p0:5"]);
      expect(output.requests[0]).toMatchObject({ firstTokenAt: NaN, finishedAt: 18e6, tokenAt: [] });
    },
  );

  it("B = 1: standard finishes with its prefill, firstToken = decode one decode later", () => {
    expect(run([[3, 5, 1]]).requests[0]).toMatchObject({ firstTokenAt: 18e6, finishedAt: 18e6 });
    const later = run([[3, 5, 1]], { conventions: { firstToken: "decode" } });
    expect(later.requests[0]).toMatchObject({ firstTokenAt: 29e6, finishedAt: 29e6 });
  });

  it("known answers of demo2 at λ -> 0 (model §6)", () => {
    // S(b) = 10 + b/2. TTFT 10 + L/2, RTS that + (B - 1)*10.5; L {32, 128, 512} w.p. {.6, .3, .1}, B {64, 256}:
    // E[L] = 108.8, E[B] = 160: 64.4 and 64.4 + 159*10.5 = 1733.9. Reference: one decode more before the first
    // token: 74.9; (B - 1)/B decodes per token, 10.5*(1 - (1/64 + 1/256)/2) = 10.39746; RTS 64.4 + 160*10.5.
    const mean = (conventions: OracleInput["conventions"]): { ttft: number; tbt: number; rts: number } => {
      const result = { ttft: 0, tbt: 0, rts: 0 };
      for (const [length, weight] of [
        [32, 0.6],
        [128, 0.3],
        [512, 0.1],
      ] as const) {
        for (const outputs of [64, 256]) {
          const { requests } = run([[0, length, outputs]], {
            engine: { maxTokens: 2048, maxSequences: 1000 },
            service: { aMs: 0.5 },
            conventions,
          });
          const { firstTokenAt, finishedAt } = requests[0]!;
          const tokens = conventions.tbt === "gaps" ? outputs - 1 : outputs;
          result.ttft += (weight / 2) * (firstTokenAt / MS);
          result.tbt += (weight / 2) * ((finishedAt - firstTokenAt) / MS / tokens);
          result.rts += (weight / 2) * (finishedAt / MS);
        }
      }
      return result;
    };
    const ours = mean(standard);
    expect(ours.ttft).toBeCloseTo(64.4, 9);
    expect(ours.tbt).toBeCloseTo(10.5, 9);
    expect(ours.rts).toBeCloseTo(1733.9, 8);
    const theirs = mean(reference);
    expect(theirs.ttft).toBeCloseTo(74.9, 9);
    expect(theirs.tbt).toBeCloseTo(10.3974609375, 9);
    expect(theirs.rts).toBeCloseTo(1744.4, 8);
  });
});

describe("iteration time (model §1)", () => {
  it("tokens up to b0 ride for free", () => {
    // b0 = 4: S(3) = S(4) = 10, S(6) = 12.
    const service = { b0: 4 };
    expect(lines(run([[0, 3, 0]], { service }))).toEqual(["0-10 p0:3"]);
    expect(lines(run([[0, 4, 0]], { service }))).toEqual(["0-10 p0:4"]);
    expect(lines(run([[0, 6, 0]], { service }))).toEqual(["0-12 p0:6"]);
  });

  it("is rounded to whole ns once an iteration", () => {
    // c = 0.0000016 ms = 1.6 ns -> 2 ns an iteration; prefill and two decodes end at 2, 4, 6 (not 5 = round(4.8)).
    const { requests } = run([[0, 1, 3]], { service: { cMs: 0.0000016, aMs: 0 } });
    expect(requests[0]!.tokenAt).toEqual([2, 4, 6]);
  });

  it("exponential: one draw per iteration, from the stream of its replica, with the cost as mean", () => {
    // S(4) = 14, S(1) = 11. Replica 0 draws 0.5, 2: 7, then 7 + 22 = 29. Replica 1 draws 1, 3: 14, then 47.
    const streams = [
      [0.5, 2],
      [1, 3],
    ];
    const asked: number[] = [];
    const output = run(
      [
        [0, 4, 2],
        [0, 4, 2],
      ],
      {
        engine: { replicas: 2, maxTokens: 4 },
        service: { exponential: true },
        draw: (replica) => {
          asked.push(replica);
          return streams[replica]!.shift()!;
        },
      },
    );
    expect(lines(output, 0)).toEqual(["0-7 p0:4", "7-29 d0"]);
    expect(lines(output, 1)).toEqual(["0-14 p1:4", "14-47 d1"]);
    expect(asked).toEqual([0, 1, 0, 1]);
  });

  it("mixedBatch: sum prices the tokens together, max the dearer side, a lone side by itself", () => {
    // 0: prefill of 2 -> 12. 12: 0 decodes beside the prompt of 5 that arrived at 1: sum S(6) = 16 -> 28;
    // max: max(S(5), S(1)) = 15 -> 27. Exponential with max: mean 15, not a maximum of draws: 2*15 = 30.
    const rows: Row[] = [
      [0, 2, 2],
      [1, 5, 0],
    ];
    const scheduler = hybrid(0.5);
    expect(lines(run(rows, { scheduler }))).toEqual(["0-12 p0:2", "12-28 d0 p1:5"]);
    const conventions = { mixedBatch: "max" } as const;
    expect(lines(run(rows, { scheduler, conventions }))).toEqual(["0-12 p0:2", "12-27 d0 p1:5"]);
    const random = run(rows, { scheduler, conventions, service: { exponential: true }, draw: () => 2 });
    expect(lines(random)).toEqual(["0-24 p0:2", "24-54 d0 p1:5"]);
    // Decodes can be the dearer side: three of them and one prompt token under b0 = 0: max(S(1), S(3)) = 13.
    const many: Row[] = [
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
      [1, 1, 0],
    ];
    // 0-13: three prompts of 1.
    expect(lines(run(many, { scheduler, conventions }))).toEqual([
      "0-13 p0:1 p1:1 p2:1",
      "13-26 d0 d1 d2 p3:1",
    ]);
  });
});

describe("the order within an instant (model §1)", () => {
  it("an arrival at the instant an iteration ends is seen by the next one", () => {
    // 0: S(4) = 14. Request 1 arrives at 14 exactly and is prefilled before 0 decodes.
    const output = run([
      [0, 4, 2],
      [14, 5, 0],
    ]);
    expect(lines(output)).toEqual(["0-14 p0:4", "14-29 p1:5", "29-40 d0"]);
  });

  it("an arrival during an iteration waits for its end", () => {
    const output = run([
      [0, 4, 1],
      [1, 5, 1],
    ]);
    expect(lines(output)).toEqual(["0-14 p0:4", "14-29 p1:5"]);
    expect(output.requests[1]).toMatchObject({ startedAt: 14e6 });
  });

  it("arrivals of one instant are seen together, by id", () => {
    expect(
      lines(
        run([
          [0, 4, 0],
          [0, 5, 0],
        ]),
      ),
    ).toEqual(["0-19 p0:4 p1:5"]);
  });

  it("a place given back at an instant is free at that instant", () => {
    // maxSequences 1, resident: 1 waits for the completion of 0 at 25 (prefill S(4) = 14, decode 11).
    const output = run(
      [
        [0, 4, 2],
        [1, 5, 0],
      ],
      { engine: { maxSequences: 1 } },
    );
    expect(lines(output)).toEqual(["0-14 p0:4", "14-25 d0", "25-40 p1:5"]);
  });

  it("idle replicas decide by number, each seeing what the one before took; sequences stay", () => {
    // Budget 10. At 0 replica 0 takes 0 (6) and the first 4 of 1; that makes 1 its own. Replica 1 takes 2 (3).
    // Replica 0: S(10) = 20; at 20 it goes on with 1 (6 left): S(6) = 16 -> 36. Replica 1: S(3) = 13, idle from
    // then on although 1 has tokens left elsewhere.
    const output = run(
      [
        [0, 6, 0],
        [0, 10, 0],
        [0, 3, 0],
      ],
      { engine: { replicas: 2, maxTokens: 10 } },
    );
    expect(lines(output, 0)).toEqual(["0-20 p0:6 p1:4", "20-36 p1:6"]);
    expect(lines(output, 1)).toEqual(["0-13 p2:3"]);
    expect(output.requests.map(({ replica }) => replica)).toEqual([0, 0, 1]);
  });

  it("both replicas are credited before either decides", () => {
    // Cap 1 a replica, resident. Both finish at 14; 2 and 3 arrived meanwhile: 2 goes to replica 0, 3 to 1.
    const output = run(
      [
        [0, 4, 0],
        [0, 4, 0],
        [1, 4, 0],
        [2, 4, 0],
      ],
      { engine: { replicas: 2, maxSequences: 1 } },
    );
    expect(output.requests.map(({ replica }) => replica)).toEqual([0, 1, 0, 1]);
    expect(inMs(output.requests.map(({ finishedAt }) => finishedAt))).toEqual([14, 14, 28, 28]);
  });

  it("a freed replica takes from the queue before an earlier-numbered busy one", () => {
    // Cap 1. Replica 0: S(9) = 19; replica 1: S(4) = 14 and takes 2 at 14.
    const output = run(
      [
        [0, 9, 0],
        [0, 4, 0],
        [1, 4, 0],
      ],
      { engine: { replicas: 2, maxSequences: 1 } },
    );
    expect(lines(output, 1)).toEqual(["0-14 p1:4", "14-28 p2:4"]);
  });

  it("iterations that take no time: every idle replica decides before one that ends is credited", () => {
    // c = a = 0: all at 0. Replica 0 takes 0, replica 1 takes 1; both end; then replica 0 takes 2.
    const output = run(
      [
        [0, 1, 0],
        [0, 1, 0],
        [0, 1, 0],
      ],
      { engine: { replicas: 2, maxSequences: 1 }, service: { cMs: 0, aMs: 0 } },
    );
    expect(output.requests.map(({ replica }) => replica)).toEqual([0, 1, 0]);
    expect(output.requests.map(({ finishedAt }) => finishedAt)).toEqual([0, 0, 0]);
  });
});

describe("decode-prioritizing (model §2)", () => {
  const scheduler = decodePrioritizing;

  it("decodes all and nothing else while any sequence decodes", () => {
    // 0: S(4) = 14; decodes 14-25, 25-36; only then request 1, waiting since 1: S(5).
    const output = run(
      [
        [0, 4, 3],
        [1, 5, 0],
      ],
      { scheduler },
    );
    expect(lines(output)).toEqual(["0-14 p0:4", "14-25 d0", "25-36 d0", "36-51 p1:5"]);
  });

  it("a prompt that does not fit stops the packing: neither cut nor skipped", () => {
    // Budget 10: 4 fits; 7 does not fit into 6 and 3 behind it, which would, waits too. Then 7 and 3 together.
    const output = run(
      [
        [0, 4, 0],
        [0, 7, 0],
        [0, 3, 0],
      ],
      { scheduler, engine: { maxTokens: 10 } },
    );
    expect(lines(output)).toEqual(["0-14 p0:4", "14-34 p1:7 p2:3"]);
  });

  it("only the first prompt may be cut, when its next piece exceeds maxTokens", () => {
    // Budget 10. 25 = 10 + 10 + 5, and the 5 left share their iteration with 1 (5). Had 1 stood first (below),
    // 0's 25 would have stopped the packing behind it, uncut.
    const engine = { maxTokens: 10 };
    const output = run(
      [
        [0, 25, 0],
        [0, 5, 0],
      ],
      { scheduler, engine },
    );
    expect(lines(output)).toEqual(["0-20 p0:10", "20-40 p0:10", "40-60 p0:5 p1:5"]);
    const other = run(
      [
        [0, 5, 0],
        [0, 25, 0],
      ],
      { scheduler, engine },
    );
    expect(lines(other)).toEqual(["0-15 p0:5", "15-35 p1:10", "35-55 p1:10", "55-70 p1:5"]);
  });

  it("partly prefilled prompts pause while others decode and head the next prefill iteration", () => {
    // Chunk 4. At 0: 0 (4, whole) and a chunk of 1 (of 7): S(8) = 18. 0 decodes once: 29. Then 1's rest (3)
    // ahead of 2 (5, arrived at 1; its first chunk of 4): S(7) = 17 -> 46; then the last token of 2: S(1) -> 57.
    const output = run(
      [
        [0, 4, 2],
        [0, 7, 0],
        [1, 5, 0],
      ],
      { scheduler, engine: { chunkSize: 4 } },
    );
    expect(lines(output)).toEqual(["0-18 p0:4 p1:4", "18-29 d0", "29-46 p1:3 p2:4", "46-57 p2:1"]);
  });

  it("with chunking the next chunk must fit whole; a chunk longer than the budget is cut when first", () => {
    // Budget 10, chunk 4: 0's chunk 4, 1's chunk 4, 2's chunk of 4 does not fit into 2, 3 (1 token) waits behind.
    // Then: 0 has 2 left, 1 is done (4), 2: 4, 3: 1 -> together 7.
    const output = run(
      [
        [0, 6, 0],
        [0, 4, 0],
        [0, 4, 0],
        [0, 1, 0],
      ],
      { scheduler, engine: { maxTokens: 10, chunkSize: 4 } },
    );
    expect(lines(output)).toEqual(["0-18 p0:4 p1:4", "18-35 p0:2 p2:4 p3:1"]);
    // Budget 3, chunk 4, prompt 8: 3, 3, 2 (the next chunk is min(4, what is left), not the cut chunk's last 1).
    const cut = run([[0, 8, 0]], { scheduler, engine: { maxTokens: 3, chunkSize: 4 } });
    expect(lines(cut)).toEqual(["0-13 p0:3", "13-26 p0:3", "26-38 p0:2"]);
  });
});

describe("prefill-prioritizing (model §2)", () => {
  it("packs FCFS, the last prompt cut to fit, and goes on with it first", () => {
    // Budget 10: 4, 6 of 7; then 1 left of 1 and 3. Then 0 decodes: a waiting prompt came first.
    const output = run(
      [
        [0, 4, 2],
        [0, 7, 0],
        [0, 3, 0],
      ],
      { engine: { maxTokens: 10 } },
    );
    expect(lines(output)).toEqual(["0-20 p0:4 p1:6", "20-34 p1:1 p2:3", "34-45 d0"]);
  });

  it("chunking: k tokens a prompt and iteration, several partly prefilled, none blocks those behind", () => {
    // Chunk 3, budget 8: 3 of 5, 3 of 4, 2 of 6 (a chunk cut by the budget): S(8) = 18. Then 2, 1, 3 of the 4
    // left: S(6) = 16 -> 34. Then 1: S(1) = 11 -> 45.
    const output = run(
      [
        [0, 5, 0],
        [0, 4, 0],
        [0, 6, 0],
      ],
      { engine: { maxTokens: 8, chunkSize: 3 } },
    );
    expect(lines(output)).toEqual(["0-18 p0:3 p1:3 p2:2", "18-34 p0:2 p1:1 p2:3", "34-45 p2:1"]);
  });

  it("partly prefilled prompts go before unstarted ones, both by arrival", () => {
    // Chunk 3, budget 4: 3 of 0 (9), 1 of 1 (9) at 0-14; 2 came at 1. 14-28: again 3 and 1; 28-42: 0's last 3,
    // 1 of 1; 42-56: 1 has 6 left: 3 and 1 of 2 (2 tokens); 56-70: 3 of 1, 1 of 2.
    const output = run(
      [
        [0, 9, 0],
        [0, 9, 0],
        [1, 2, 0],
      ],
      { engine: { maxTokens: 4, chunkSize: 3 } },
    );
    expect(lines(output)).toEqual([
      "0-14 p0:3 p1:1",
      "14-28 p0:3 p1:1",
      "28-42 p0:3 p1:1",
      "42-56 p1:3 p2:1",
      "56-70 p1:3 p2:1",
    ]);
  });

  it("sequenceCap = resident: prompts the cap does not admit do not stop the decoding", () => {
    // maxSequences 2. 0-12: prompts 0, 1 (1 token each). 2 waits but is not admitted: decode 0, 1 (12-24), which
    // finishes 1 (B = 2); 2 is admitted: 24-35; then 0 (B = 3) 35-46.
    const output = run(
      [
        [0, 1, 3],
        [0, 1, 2],
        [0, 1, 0],
      ],
      { engine: { maxSequences: 2 } },
    );
    expect(lines(output)).toEqual(["0-12 p0:1 p1:1", "12-24 d0 d1", "24-35 p2:1", "35-46 d0"]);
  });

  it("sequenceCap = iteration: any number resident, at most maxSequences in an iteration", () => {
    // 0-12: 0, 1. 12-23: 2, before any decode. 23-35: the first two decode (0, 1): 1 done. 35-46: 0.
    const output = run(
      [
        [0, 1, 3],
        [0, 1, 2],
        [0, 1, 0],
      ],
      { engine: { maxSequences: 2 }, conventions: { sequenceCap: "iteration" } },
    );
    expect(lines(output)).toEqual(["0-12 p0:1 p1:1", "12-23 p2:1", "23-35 d0 d1", "35-46 d0"]);
  });

  it("decodes in the order in which prefill ended, not of arrival", () => {
    // Budget 4, chunk 3, iteration cap 2. 0-14: 3 of 0 (7), 1 whole (1). 14-27: 3 of 0. 27-38: last of 0.
    // 38-50 both decode: 1 before 0.
    const output = run(
      [
        [0, 7, 2],
        [0, 1, 2],
      ],
      { engine: { maxTokens: 4, chunkSize: 3 } },
    );
    expect(lines(output)).toEqual(["0-14 p0:3 p1:1", "14-27 p0:3", "27-38 p0:1", "38-50 d1 d0"]);
  });

  it("at most min(maxSequences, maxTokens) decode, the first in order", () => {
    // decode-prioritizing decodes what one prefill iteration packed, so never more than fit; prefill-prioritizing
    // can pile them up. Three prompts of 1 prefill two at a time (0-12, 12-23), then 0 and 1 decode their last
    // token (23-35), then 2 (35-46): the same whether the budget or the cap is the 2 that binds.
    const rows: Row[] = [
      [0, 1, 2],
      [0, 1, 2],
      [0, 1, 2],
    ];
    const byTokens = run(rows, { engine: { maxTokens: 2 } });
    expect(lines(byTokens)).toEqual(["0-12 p0:1 p1:1", "12-23 p2:1", "23-35 d0 d1", "35-46 d2"]);
    const bySequences = run(rows, { engine: { maxSequences: 2 }, conventions: { sequenceCap: "iteration" } });
    expect(lines(bySequences)).toEqual(["0-12 p0:1 p1:1", "12-23 p2:1", "23-35 d0 d1", "35-46 d2"]);
  });

  it("a prompt given no token is not admitted", () => {
    // Budget 4: 0 takes it all, so 1 is not started and belongs to nobody: alone it starts at S(4) = 14; a second
    // replica takes it at 0.
    const one = run(
      [
        [0, 4, 0],
        [0, 4, 0],
      ],
      { engine: { maxTokens: 4 } },
    );
    expect(inMs(one.requests.map(({ startedAt }) => startedAt))).toEqual([0, 14]);
    const two = run(
      [
        [0, 4, 0],
        [0, 4, 0],
      ],
      { engine: { maxTokens: 4, replicas: 2 } },
    );
    expect(two.requests.map(({ startedAt, replica }) => [startedAt, replica])).toEqual([
      [0, 0],
      [0, 1],
    ]);
  });
});

describe("hybrid (model §2)", () => {
  /** four prompts of one token that decode, and more of them behind */
  const eight: Row[] = Array.from({ length: 8 }, (): Row => [0, 1, 2]);

  it("at most D decodes and maxSequences - D prompts; unused places are not lent", () => {
    // maxSequences 4, r = .5: D = 2, two prompts an iteration, also in the first where nothing decodes.
    // 0-12: p0 p1. 12-26: d0 d1 p2 p3 (0, 1 done). 26-40: d2 d3 p4 p5. 40-54: d4 d5 p6 p7. 54-66: d6 d7.
    expect(lines(run(eight, { scheduler: hybrid(0.5), engine: { maxSequences: 4 } }))).toEqual([
      "0-12 p0:1 p1:1",
      "12-26 d0 d1 p2:1 p3:1",
      "26-40 d2 d3 p4:1 p5:1",
      "40-54 d4 d5 p6:1 p7:1",
      "54-66 d6 d7",
    ]);
  });

  it("the decode side is not lent places either; sequenceCap bounds the residents", () => {
    // r = .25: D = 1, three prompts. resident: 0-13: p0 p1 p2. Three resident, one more may come: 13-25: d0 p3
    // (0 done). Three again (1, 2, 3): 25-37: d1 p4. 37-49: d2 p5. 49-61: d3 p6. 61-73: d4 p7; then d5, d6, d7.
    const engine = { maxSequences: 4 };
    expect(lines(run(eight, { scheduler: hybrid(0.25), engine }))).toEqual([
      "0-13 p0:1 p1:1 p2:1",
      "13-25 d0 p3:1",
      "25-37 d1 p4:1",
      "37-49 d2 p5:1",
      "49-61 d3 p6:1",
      "61-73 d4 p7:1",
      "73-84 d5",
      "84-95 d6",
      "95-106 d7",
    ]);
    // iteration: 0-13: p0 p1 p2. 13-27: d0 p3 p4 p5. 27-40: d1 p6 p7. Then d2 ... d7 one by one.
    const conventions = { sequenceCap: "iteration" } as const;
    expect(lines(run(eight, { scheduler: hybrid(0.25), engine, conventions }))).toEqual([
      "0-13 p0:1 p1:1 p2:1",
      "13-27 d0 p3:1 p4:1 p5:1",
      "27-40 d1 p6:1 p7:1",
      "40-51 d2",
      "51-62 d3",
      "62-73 d4",
      "73-84 d5",
      "84-95 d6",
      "95-106 d7",
    ]);
  });

  it.each([
    // [r, maxSequences, D]: clamped below, clamped above, floor, and 0.29*100 = 28.999999999999996 in binary
    [0.01, 4, 1],
    [0.99, 4, 3],
    [0.74, 4, 2],
    [0.29, 100, 29],
  ])("r = %d of %d sequences: D = %d", (ratio, maxSequences, D) => {
    const rows = Array.from({ length: 2 * maxSequences }, (): Row => [0, 1, 9]);
    const output = run(rows, {
      scheduler: hybrid(ratio),
      engine: { maxSequences, maxTokens: 1000 },
      conventions: { sequenceCap: "iteration" },
    });
    expect(output.iterations[0]!.prefill).toHaveLength(maxSequences - D);
    expect(Math.max(...output.iterations.map(({ decode }) => decode.length))).toBe(D);
  });

  it("decodes come first into the token budget, prompts are cut to fit what is left", () => {
    // Budget 5. 0-15: 0 (2), 3 of 1 (9). 15-30: d0, 4 of 1. 30-45: d0, then 2 of 1, and 2 of 2 (3 tokens):
    // d0 done (B = 3). 45-56: the last of 2.
    const output = run(
      [
        [0, 2, 3],
        [0, 9, 0],
        [0, 3, 0],
      ],
      { scheduler: hybrid(0.5), engine: { maxTokens: 5, maxSequences: 8 } },
    );
    expect(lines(output)).toEqual(["0-15 p0:2 p1:3", "15-30 d0 p1:4", "30-45 d0 p1:2 p2:2", "45-56 p2:1"]);
  });

  it("decodes may fill the budget: no prompt then", () => {
    // Budget 2, D = 2. 0-12: 0, 1. 12-24: d0 d1, nothing left for 2. Both done; 24-35: p2.
    const output = run(
      [
        [0, 1, 2],
        [0, 1, 2],
        [0, 1, 0],
      ],
      { scheduler: hybrid(0.5), engine: { maxTokens: 2, maxSequences: 4 } },
    );
    expect(lines(output)).toEqual(["0-12 p0:1 p1:1", "12-24 d0 d1", "24-35 p2:1"]);
  });

  it("maxSequences = 1: decode if a sequence decodes, else prefill", () => {
    // iteration cap, so that 1 could be resident: still it waits. 0-12 p0 (2); 12-23, 23-34: d0; 34-47 p1 (3).
    const output = run(
      [
        [0, 2, 3],
        [0, 3, 0],
      ],
      { scheduler: hybrid(0.5), engine: { maxSequences: 1 }, conventions: { sequenceCap: "iteration" } },
    );
    expect(lines(output)).toEqual(["0-12 p0:2", "12-23 d0", "23-34 d0", "34-47 p1:3"]);
  });

  it("partly prefilled prompts use the places of the prompts", () => {
    // maxSequences 2, D = 1, one prompt; chunk 2. 0-12: 2 of 0 (5); 12-24: 2; 24-35: 1 (0 done). Then 1.
    const output = run(
      [
        [0, 5, 0],
        [0, 1, 0],
      ],
      { scheduler: hybrid(0.5), engine: { maxSequences: 2, chunkSize: 2 } },
    );
    expect(lines(output)).toEqual(["0-12 p0:2", "12-24 p0:2", "24-35 p0:1", "35-46 p1:1"]);
  });

  it("ratio of tokens: D decodes, maxTokens - D prefill tokens, maxSequences together", () => {
    // Budget 10, r = .3: D = 3, seven prefill tokens, not lent. 0-17: 0 (2), 5 of 1 (9).
    // 17-32: d0 (done, B = 2), 4 of 1. 32-43: d1 (B = 2).
    const output = run(
      [
        [0, 2, 2],
        [0, 9, 2],
      ],
      { scheduler: hybrid(0.3, "tokens"), engine: { maxTokens: 10 } },
    );
    expect(lines(output)).toEqual(["0-17 p0:2 p1:5", "17-32 d0 p1:4", "32-43 d1"]);
    // maxSequences 3, budget 4, r = .5: D = 2, two prefill tokens. iteration: 0-12: p0 p1. 12-25: d0 d1 (done)
    // and one place: p2. 25-38: d2 and two places: p3 p4. 38-51: d3 d4, p5. 51-62: d5. (B = 2 each.)
    const six = Array.from({ length: 6 }, (): Row => [0, 1, 2]);
    const capped = run(six, {
      scheduler: hybrid(0.5, "tokens"),
      engine: { maxTokens: 4, maxSequences: 3 },
      conventions: { sequenceCap: "iteration" },
    });
    expect(lines(capped)).toEqual([
      "0-12 p0:1 p1:1",
      "12-25 d0 d1 p2:1",
      "25-38 d2 p3:1 p4:1",
      "38-51 d3 d4 p5:1",
      "51-62 d5",
    ]);
  });

  it("ratio of tokens with maxSequences = 1 and with maxTokens = 1", () => {
    // maxSequences 1, budget 10, r = .5: D = 5, five prefill tokens. 0-15: 5 of 0 (7); 15-27: 2;
    // 27-38: d0; 38-49: p1.
    const rows: Row[] = [
      [0, 7, 2],
      [0, 1, 0],
    ];
    const single = run(rows, {
      scheduler: hybrid(0.5, "tokens"),
      engine: { maxTokens: 10, maxSequences: 1 },
      conventions: { sequenceCap: "iteration" },
    });
    expect(lines(single)).toEqual(["0-15 p0:5", "15-27 p0:2", "27-38 d0", "38-49 p1:1"]);
    // Budget 1: one token an iteration, 11 each: decode if a sequence decodes, else prefill.
    const tiny = run(
      [
        [0, 2, 2],
        [0, 1, 0],
      ],
      { scheduler: hybrid(0.5, "tokens"), engine: { maxTokens: 1 } },
    );
    expect(lines(tiny)).toEqual(["0-11 p0:1", "11-22 p0:1", "22-33 d0", "33-44 p1:1"]);
  });
});

describe("stalls", () => {
  it("work that no replica composes is an error, not an endless or a silent run", () => {
    expect(() => run([[0, 1, 1]], { engine: { maxTokens: 0 } })).toThrow(/stall/);
    expect(() => run([[0, 1, 1]], { engine: { maxSequences: 0 } })).toThrow(/stall/);
    expect(() => run([[0, 1, 1]], { engine: { replicas: 0 } })).toThrow(/never completed/);
  });
});

describe("laws for any configuration (model §1-§3)", () => {
  const small = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });
  const anyInput = fc.record({
    rows: fc.array(fc.tuple(small(60, 0), small(20), small(6, 0)), { maxLength: 14 }),
    scheduler: fc.oneof(
      fc.constant(decodePrioritizing),
      fc.constant(prefillPrioritizing),
      fc
        .tuple(fc.double({ min: 0.01, max: 0.99, noNaN: true }), fc.constantFrom("sequences", "tokens"))
        .map(([ratio, of]) => hybrid(ratio, of as "sequences" | "tokens")),
    ),
    engine: fc.record({
      maxTokens: small(16),
      maxSequences: small(6),
      chunkSize: fc.option(small(8)),
      replicas: small(3),
    }),
    service: fc.record({ cMs: small(3, 0), aMs: small(2, 0), b0: small(6, 0) }),
    conventions: fc.record({
      firstToken: fc.constantFrom("prefill" as const, "decode" as const),
      mixedBatch: fc.constantFrom("sum" as const, "max" as const),
      sequenceCap: fc.constantFrom("resident" as const, "iteration" as const),
    }),
  });

  it("nothing is lost, tokens close, replicas never overlap and never idle while work waits", () => {
    fc.assert(
      fc.property(anyInput, ({ rows, ...changes }) => {
        rows.sort((a, b) => a[0] - b[0]);
        const { requests, iterations, ...output } = run(rows, changes);
        const decodes = rows.map(([, , outputs]) => {
          return changes.conventions.firstToken === "prefill" ? Math.max(outputs - 1, 0) : outputs;
        });
        const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
        expect(output.prefillTokens).toBe(sum(rows.map(([, prompt]) => prompt)));
        expect(output.decodeTokens).toBe(sum(decodes));
        expect(output.busyTime).toBe(sum(iterations.map(({ startAt, endAt }) => endAt - startAt)));

        requests.forEach((request, id) => {
          const [at, prompt, outputs] = rows[id]!;
          const holding = iterations.filter(({ prefill, decode }) => {
            return prefill.some((piece) => piece.id === id) || decode.includes(id);
          });
          expect(holding[0]!.startAt).toBe(request.startedAt);
          expect(holding.at(-1)!.endAt).toBe(request.finishedAt);
          expect(holding.every(({ replica }) => replica === request.replica)).toBe(true);
          expect(request.startedAt).toBeGreaterThanOrEqual(at * MS);
          expect(request.tokenAt).toHaveLength(outputs);
          expect(request.firstTokenAt).toBe(outputs === 0 ? NaN : request.tokenAt[0]);
          if (outputs > 0) expect(request.tokenAt.at(-1)).toBe(request.finishedAt);
          const pieces = holding.flatMap(({ prefill }) => prefill.filter((piece) => piece.id === id));
          expect(sum(pieces.map(({ tokens }) => tokens))).toBe(prompt);
          expect(Math.max(...pieces.map(({ tokens }) => tokens))).toBeLessThanOrEqual(
            Math.min(changes.engine.chunkSize ?? Infinity, changes.engine.maxTokens),
          );
        });

        for (let replica = 0; replica < changes.engine.replicas; replica++) {
          const own = iterations.filter((iteration) => iteration.replica === replica);
          own.slice(1).forEach(({ startAt }, index) => {
            const idleFrom = own[index]!.endAt;
            expect(startAt).toBeGreaterThanOrEqual(idleFrom);
            // Idle in [idleFrom, startAt): none of its own in flight then, and nobody stood unstarted.
            const hadWork = requests.some((request, id) => {
              const from = request.replica === replica ? request.startedAt : rows[id]![0] * MS;
              const to = request.replica === replica ? request.finishedAt : request.startedAt;
              return Math.max(from, idleFrom) < Math.min(to, startAt);
            });
            expect(hadWork).toBe(false);
          });
        }
      }),
      { numRuns: 300 },
    );
  });
});
