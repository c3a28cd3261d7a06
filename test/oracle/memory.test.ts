/** KV memory and preemption against cases worked out by hand. Synchronous; every iteration takes 10 ms. */
import { describe, expect, it } from "vitest";
import { inMs, kvOf, lines, run, tokensOf, type Row } from "./running.js";

describe("admission", () => {
  it("a head that does not fit stops the loop", () => {
    // 6 usable blocks. 0 (64 tokens: 4 blocks) runs; its decode takes a 5th. 1 (48: 3) does not fit into the 2
    // (then 1) free ones, and 2 (16: 1) stands behind it. At 20 all is free.
    const rows: Row[] = [
      [0, 64, 2],
      [0, 48, 1],
      [0, 16, 1],
    ];
    const output = run(rows, { engine: { kvTokens: kvOf(6) } });
    expect(lines(output)).toEqual(["0-10 p0:64", "10-20 d0", "20-30 p1:48 p2:16"]);
    // 4 blocks for 10 ms, 5 for 10, 3 + 1 for 10.
    expect(output.kvBlockTime).toBe(130e6);
  });

  it("the whole prompt must fit, though only its chunk gets blocks", () => {
    // 4 usable, chunk 16. 0 (32 tokens) is admitted with 1 block; 1 (48: 3) fits into the 3 that are free, and
    // takes 1. With a prompt of 49 (4 blocks) it would not, although its first chunk needs only 1.
    const engine = { kvTokens: kvOf(4), chunkSize: 16 };
    const fitting: Row[] = [
      [0, 32, 1],
      [0, 48, 1],
    ];
    expect(lines(run(fitting, { engine }))[0]).toBe("0-10 p0:16 p1:16");
    const larger: Row[] = [
      [0, 32, 1],
      [0, 49, 1],
    ];
    expect(lines(run(larger, { engine })).slice(0, 3)).toEqual([
      "0-10 p0:16",
      "10-20 p0:16@16",
      "20-30 p1:16",
    ]);
  });

  it("one block is the null block; what can never fit is rejected on arrival", () => {
    // kvTokens 63: 3 blocks, 2 usable. The last output token is never in the cache: 32 + 1 - 1 = 32 tokens fit,
    // 32 + 2 - 1 = 33 do not; a prefill-only job of 32 does.
    const rows: Row[] = [
      [0, 32, 1],
      [0, 32, 2],
      [0, 33, 0],
      [0, 32, 0],
    ];
    const output = run(rows, { engine: { kvTokens: 63 } });
    expect(output.requests.map(({ rejected }) => rejected)).toEqual([false, true, true, false]);
    expect(output.rejected).toBe(2);
    expect(output.requests[1]).toMatchObject({ startedAt: NaN, finishedAt: NaN, tokenAt: [], replica: -1 });
    expect(lines(output)).toEqual(["0-10 p0:32", "10-20 p3:32"]);
    // Under firstToken = decode every output token passes through the cache: 32 + 1 tokens need a third block.
    const later = run([[0, 32, 1]], {
      scheduler: { kind: "prefill-prioritizing" },
      engine: { kvTokens: 63 },
      conventions: { firstToken: "decode" },
    });
    expect(later.rejected).toBe(1);
  });
});

describe("preemption", () => {
  it("the last running request goes, waits at the head, and recomputes prompt and outputs", () => {
    // 6 usable. 0, 1, 2: 31 tokens, 2 blocks each. 0-10 prefill, 10-20 decode (32 tokens, still 2 blocks). At 20
    // 0 needs a third block: 2 goes, with its 2 full blocks; 0 and 1 take them both. At 40 1 is done (B = 4), 3
    // blocks are free, and 2 comes back with 31 + 2 = 33 tokens to prefill, none of them found: ahead of 3, which
    // arrived at 1 and finds no block.
    const rows: Row[] = [
      [0, 31, 20],
      [0, 31, 4],
      [0, 31, 4],
      [1, 16, 1],
    ];
    const output = run(rows, { engine: { kvTokens: kvOf(6) } });
    expect(lines(output).slice(0, 7)).toEqual([
      "0-10 p0:31 p1:31 p2:31",
      "10-20 d0 d1 d2",
      "20-30 d0 d1",
      "30-40 d0 d1",
      "40-50 d0 p2:33",
      "50-60 d0 d2",
      "60-70 d0 p3:16",
    ]);
    // The gap from 20 to 50 is one gap between tokens.
    expect(tokensOf(output, 2)).toEqual([10, 20, 50, 60]);
    expect(inMs(output.requests[2]!.preemptedAt)).toEqual([20]);
    expect(output).toMatchObject({ preemptions: 1, lostTokens: 32, survivorTokens: 0 });
    expect(output.prefillTokens).toBe(3 * 31 + 33 + 16);
    expect(output.requests[2]!.startedAt).toBe(0);
  });

  it("three requests, 6 usable blocks: two victims, the last block freed last survives", () => {
    // Chunk 32. 0-10: 0 (80 tokens: needs 5 of 6), 1 and 2 (32 each): 2 blocks each. At 10 0's chunk needs 2: 2
    // goes and 0 takes both its blocks; 1's decode (33 tokens) needs one and finds none: it goes itself. Waiting:
    // 1, 2. At 20 0's last 16 tokens take 1's second block (freed first), its first survives. At 30 0 is done.
    // 1 has 33 tokens and finds 16: a chunk of 17. 2 has 33 and finds none: 32 (3 + 3 blocks fit into 6), then 1.
    const rows: Row[] = [
      [0, 80, 1],
      [0, 32, 2],
      [0, 32, 2],
    ];
    const output = run(rows, { engine: { kvTokens: kvOf(6), chunkSize: 32 } });
    expect(lines(output)).toEqual([
      "0-10 p0:32 p1:32 p2:32",
      "10-20 p0:32@32",
      "20-30 p0:16@64",
      "30-40 p1:17@16 p2:32",
      "40-50 p2:1@32",
    ]);
    expect(output.requests.map(({ preemptedAt }) => inMs(preemptedAt))).toEqual([[], [10], [10]]);
    expect(output).toMatchObject({ lostTokens: 64, survivorTokens: 16 });
  });

  it("a block that is not full is worthless", () => {
    // 4 usable, chunk 24. 0-10: 0 (16: 1 block), 1 (40, needs 3 of 3) gets 24 tokens, 2 blocks. At 10 0's decode
    // takes the last block; 1's rest of 16 needs one more: it goes itself, with one full block and 8 tokens of
    // another. At 20 0 is done; 1 finds 16 tokens and computes 24. (Both blocks are still there.)
    const rows: Row[] = [
      [0, 16, 2],
      [0, 40, 1],
    ];
    const output = run(rows, { engine: { kvTokens: kvOf(4), chunkSize: 24 } });
    expect(lines(output)).toEqual(["0-10 p0:16 p1:24", "10-20 d0", "20-30 p1:24@16"]);
    // It is the first to be taken. 4 usable: 0 (32) and 1 (24) have 2 blocks each. At 10 0 needs a third: 1 goes, and
    // 0 takes its second block. At 20 0 is done; of 1's 25 tokens 16 are found.
    const other = run(
      [
        [0, 32, 2],
        [0, 24, 2],
      ],
      { engine: { kvTokens: kvOf(4) } },
    );
    expect(lines(other)).toEqual(["0-10 p0:32 p1:24", "10-20 d0", "20-30 p1:9@16"]);
  });

  it("no admission in an iteration that preempted, though a smaller prompt would fit", () => {
    // 4 usable. 0 (32) and 1 (32) fill them. At 10 0 needs a third: 1 goes, leaving 1 free. 2 (16 tokens) would
    // fit there; it stands behind 1 anyhow. At 20 0 is done: 1 finds its first block: 33 - 16 = 17.
    const rows: Row[] = [
      [0, 32, 2],
      [0, 32, 2],
      [5, 16, 1],
    ];
    const output = run(rows, { engine: { kvTokens: kvOf(4) } });
    expect(lines(output)).toEqual(["0-10 p0:32 p1:32", "10-20 d0", "20-30 p1:17@16 p2:16"]);
  });

  it("the order of admission decides who finds the last block, decode or chunk", () => {
    // 4 usable, chunk 16. 0 (48 tokens) and 1 (15, B = 3): one block each at 0-10, and one more for 0's second
    // chunk (1 has 16 tokens at 20). 20: 0's third chunk takes the last block; 1, whose 17th token needs one, goes
    // itself, although it decodes. At 30 0 is done (B = 1); 1 has 17 tokens and finds its block.
    const rows: Row[] = [
      [0, 48, 1],
      [0, 15, 3],
    ];
    const output = run(rows, { engine: { kvTokens: kvOf(4), chunkSize: 16 } });
    expect(lines(output)).toEqual([
      "0-10 p0:16 p1:15",
      "10-20 d1 p0:16@16",
      "20-30 p0:16@32",
      "30-40 p1:1@16",
    ]);
  });
});

describe("prefix hits known as a number", () => {
  it("save prefill on first admission, in whole blocks, and leave one token to compute", () => {
    // S(b) = 10 + b. 40 tokens, 100 said to hit: floor(39/16) = 2 blocks, 8 tokens to compute. 32 tokens, 32 hit:
    // one block. 40 tokens, 31 hit: one block.
    const time = { aMs: 1 };
    expect(lines(run([[0, 40, 1, 100]], { service: time }))).toEqual(["0-18 p0:8@32"]);
    expect(lines(run([[0, 32, 1, 32]], { service: time }))).toEqual(["0-26 p0:16@16"]);
    const output = run([[0, 40, 1, 31]], { service: time });
    expect(lines(output)).toEqual(["0-34 p0:24@16"]);
    expect(output).toMatchObject({ prefixHitTokens: 16, prefillTokens: 24 });
    const base = run([[0, 40, 1, 100]], { service: time, scheduler: { kind: "decode-prioritizing" } });
    expect(lines(base)).toEqual(["0-18 p0:8@32"]);
  });

  it("their blocks are allocated as any others, and survive as the request's own", () => {
    // 4 usable. 0 and 1: 32 tokens, 16 hit: 2 blocks each. At 10 0 needs a third and 1 goes, keeping its first
    // block: at 20 it finds that one, and not the hit on top.
    const rows: Row[] = [
      [0, 32, 2],
      [0, 32, 2, 16],
    ];
    const output = run(rows, { engine: { kvTokens: kvOf(4) } });
    expect(lines(output)).toEqual(["0-10 p0:32 p1:16@16", "10-20 d0", "20-30 p1:17@16"]);
    expect(output).toMatchObject({ prefixHitTokens: 16, survivorTokens: 16, lostTokens: 32 });
  });
});

describe("base schedulers under KV memory", () => {
  it("a chunk throws out nobody who decodes", () => {
    // hybrid, 4 usable, chunk 16. 0-10: 0 (16: 1 block), 1 (48: needs 3 of 3; 1 block). 10-20: 0 decodes (17: 2
    // blocks), 1 its second chunk: 4 used. 20-30: 1's third chunk needs a block and only 1 itself is partly
    // prefilled: it goes. At 30 0 is done (B = 3); 1 finds both its blocks (nobody took any): 16 tokens.
    const rows: Row[] = [
      [0, 16, 3],
      [0, 48, 1],
    ];
    const scheduler = { kind: "hybrid", ratio: 0.5, ratioOf: "sequences" } as const;
    const output = run(rows, { scheduler, engine: { kvTokens: kvOf(4), chunkSize: 16 } });
    expect(lines(output)).toEqual(["0-10 p0:16 p1:16", "10-20 d0 p1:16@16", "20-30 d0", "30-40 p1:16@32"]);
  });

  it("a decode throws out the last partly prefilled prompt, and the last in decode order after it", () => {
    // decode-prioritizing, 5 usable, budget 64. 0-10: 0 and 1 (16 tokens, B = 3: 1 block each), and of 2 (48: fits
    // into 3) a chunk of 32: 2 blocks, 1 left. At 10 0's decode takes it; 1's throws out 2, whose second block it
    // takes. At 30 both are done; 2 finds its first block: a chunk of 32 is left.
    const rows: Row[] = [
      [0, 16, 3],
      [0, 16, 3],
      [0, 48, 1],
    ];
    const scheduler = { kind: "decode-prioritizing" } as const;
    const output = run(rows, { scheduler, engine: { kvTokens: kvOf(5), chunkSize: 32 } });
    expect(lines(output)).toEqual(["0-10 p0:16 p1:16 p2:32", "10-20 d0 d1", "20-30 d0 d1", "30-40 p2:32@16"]);
    // 2 usable: 0's decode throws out 1, the last in decode order.
    const both = run(rows.slice(0, 2), { scheduler, engine: { kvTokens: kvOf(2) } });
    expect(lines(both)).toEqual(["0-10 p0:16 p1:16", "10-20 d0", "20-30 d0", "30-40 p1:17", "40-50 d1"]);
  });

  it("prefill-prioritizing decodes when no prompt fits", () => {
    // 0 takes 1 block, and its decode a second; 1 (32 tokens) needs 2. With 3 usable both start at 0; with 2, 1 waits.
    const rows: Row[] = [
      [0, 16, 2],
      [0, 32, 1],
    ];
    const scheduler = { kind: "prefill-prioritizing" } as const;
    expect(lines(run(rows, { scheduler, engine: { kvTokens: kvOf(3) } }))).toEqual([
      "0-10 p0:16 p1:32",
      "10-20 d0",
    ]);
    expect(lines(run(rows, { scheduler, engine: { kvTokens: kvOf(2) } }))).toEqual([
      "0-10 p0:16",
      "10-20 d0",
      "20-30 p1:32",
    ]);
  });
});
