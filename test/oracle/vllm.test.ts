/** The V1 scheduler, synchronous, against cases worked out by hand. S(b) = 10 + b ms. */
import { describe, expect, it } from "vitest";
import { lines, run, type Row } from "./running.js";

const service = { aMs: 1 };

describe("vllm", () => {
  it("running requests first, then waiting ones into the rest of the budget", () => {
    // Budget 8. 0-18: 2 of 0, 6 of 1. 18-33: 0 decodes, the last 4 of 1 (B = 1: done). 33-44: d0.
    const rows: Row[] = [
      [0, 2, 3],
      [0, 10, 1],
    ];
    expect(lines(run(rows, { service, engine: { maxTokens: 8 } }))).toEqual([
      "0-18 p0:2 p1:6",
      "18-33 d0 p1:4@6",
      "33-44 d0",
    ]);
  });

  it("a chunk limit leaves budget to those behind a partly prefilled prompt", () => {
    // Budget 4, chunk 3, 0 of 9 tokens (B = 1), 1 of 1 token, 2 of 2. 0-14: 3 of 0, 1. 14-28 and 28-42: 3 of 0, d1.
    // 42-55: 0 is done; 1 decodes, and 2 comes in.
    const rows: Row[] = [
      [0, 9, 1],
      [0, 1, 9],
      [0, 2, 1],
    ];
    expect(lines(run(rows, { service, engine: { maxTokens: 4, chunkSize: 3 } })).slice(0, 4)).toEqual([
      "0-14 p0:3 p1:1",
      "14-28 d1 p0:3@3",
      "28-42 d1 p0:3@6",
      "42-55 d1 p2:2",
    ]);
  });

  it("a prompt that takes the rest of the budget keeps the waiting ones out", () => {
    // Budget 5, chunk 4. 0-15: 0 (2 tokens), 3 of 1 (20). Then d0 and 4 of 1, four times; with 1's last token, at 75,
    // there is budget for 2 (B = 3), which decodes from 88 on.
    const rows: Row[] = [
      [0, 2, 9],
      [0, 20, 1],
      [0, 1, 3],
    ];
    expect(lines(run(rows, { service, engine: { maxTokens: 5, chunkSize: 4 } })).slice(0, 7)).toEqual([
      "0-15 p0:2 p1:3",
      "15-30 d0 p1:4@3",
      "30-45 d0 p1:4@7",
      "45-60 d0 p1:4@11",
      "60-75 d0 p1:4@15",
      "75-88 d0 p1:1@19 p2:1",
      "88-100 d0 d2",
    ]);
  });

  it("decodes that fill the budget let nobody in; those beyond it pause", () => {
    // Budget 2: 0 and 1 decode to their end (B = 3) before 2 is admitted.
    const rows: Row[] = [
      [0, 1, 3],
      [0, 1, 3],
      [0, 1, 1],
    ];
    expect(lines(run(rows, { service, engine: { maxTokens: 2 } }))).toEqual([
      "0-12 p0:1 p1:1",
      "12-24 d0 d1",
      "24-36 d0 d1",
      "36-47 p2:1",
    ]);
  });

  it("the cap counts residents", () => {
    const rows: Row[] = [
      [0, 1, 3],
      [0, 1, 2],
      [0, 1, 1],
    ];
    expect(lines(run(rows, { service, engine: { maxSequences: 2 } }))).toEqual([
      "0-12 p0:1 p1:1",
      "12-24 d0 d1",
      "24-36 d0 p2:1",
    ]);
  });

  it("has the standard conventions only", () => {
    expect(() => run([[0, 1, 1]], { conventions: { firstToken: "decode" } })).toThrow(/standard/);
  });
});
