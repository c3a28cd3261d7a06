/** The timeline: what is recorded is what the engine did, and the words say what the columns hold. */
import { describe, expect, test } from "vitest";
import {
  draw,
  firstStall,
  heightOf,
  hit,
  iterationAt,
  iterationWords,
  LIGHT,
  requestWords,
  time,
} from "../../src/charts/index.js";
import type { Lane, Pen, View } from "../../src/charts/index.js";
import { prepare } from "../../src/core/configuration/check-config.js";
import { Requests } from "../../src/core/workload/requests.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import { LaneRecorder } from "../../src/experiments/explore/recording.js";

const ROWS = [
  { arrivedAt: 0, promptTokens: 5, outputTokens: 3 },
  { arrivedAt: 12e6, promptTokens: 10, outputTokens: 2 },
  { arrivedAt: 22e6, promptTokens: 3, outputTokens: 0 },
];

/** The example of docs/model.md §2, recorded; c = 10 ms, a = 1 ms a token. */
function recorded(kind: string, most = 100): Lane {
  const config = prepare({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens: { kind: "fixed", tokens: 1 },
      outputTokens: { kind: "fixed", tokens: 1 },
    },
    service: { kind: "affine", cMs: 10, aMs: 1 },
    engine: { maxTokens: 12, maxSequences: 4 },
    scheduler: { kind },
  });
  const recorder = new LaneRecorder(most);
  const outcome = new Simulator().run(config, Requests.of(ROWS), { seed: 1, trial: 1, observer: recorder });
  return recorder.lane(kind, outcome);
}

const KINDS = ["decode-prioritizing", "prefill-prioritizing", "hybrid"];

describe.each(KINDS)("%s", (kind) => {
  const lane = recorded(kind);

  test("every token is in an iteration, and every iteration follows the one before", () => {
    for (const [id, { promptTokens, outputTokens }] of ROWS.entries()) {
      const chunks = [...lane.chunkId].reduce(
        (sum, of, c) => sum + (of === id ? lane.chunkTokens[c]! : 0),
        0,
      );
      expect(chunks).toBe(promptTokens);
      let decoded = 0;
      for (let i = 0; i < lane.count; i++)
        for (let d = 0; d < lane.decodes[i]!; d++)
          if (lane.decodeId[lane.decodeFrom[i]! + d] === id) decoded++;
      expect(decoded).toBe(Math.max(0, outputTokens - 1));
    }
    for (let i = 1; i < lane.count; i++) expect(lane.startAt[i]).toBeGreaterThanOrEqual(lane.endAt[i - 1]!);
    expect(lane.isWhole).toBe(true);
  });

  test("who waits and who is there is counted at the iteration's start", () => {
    for (let i = 0; i < lane.count; i++) {
      const at = lane.startAt[i]!;
      const count = (from: Float64Array, to: Float64Array): number =>
        from.filter((since, id) => since <= at && to[id]! > at).length;
      expect(lane.waiting[i]).toBe(count(lane.arrivedAt, lane.startedAt));
      expect(lane.resident[i]).toBe(count(lane.startedAt, lane.finishedAt));
    }
  });

  test("a recording that is full is the beginning of the whole", () => {
    const part = recorded(kind, 2);
    expect([part.count, part.isWhole]).toEqual([2, false]);
    expect([...part.endAt]).toEqual([...lane.endAt.subarray(0, 2)]);
  });
});

describe("in words", () => {
  test("an iteration, and a request's life", () => {
    const lane = recorded("prefill-prioritizing");
    expect(iterationWords(lane, 0)).toBe(
      "iteration 1, 0.000 s to 0.015 s (15 ms): prefills 5 tokens (#0: 5)",
    );
    expect(requestWords(lane, 0)).toMatch(
      /^request #0, prompt of 5 tokens, 3 tokens out: arrived at 0\.000 s, waited 0 s, prefilled in one chunk, first token after 15 ms, stalled \d+ ms by the prefill of #1/,
    );
    expect(requestWords(lane, 9)).toBe("no request");
  });

  test("the first stall: decodes left out, prompts kept waiting, tokens made late", () => {
    expect(firstStall(recorded("prefill-prioritizing"))).toMatchObject({ kind: "decodes wait" });
    expect(firstStall(recorded("decode-prioritizing"))).toMatchObject({ kind: "prompts wait" });
  });

  test.each([
    [0, "0 s"],
    [0.0123, "12 ms"],
    [0.456, "0.46 s"],
    [1.234, "1.23 s"],
    [NaN, "–"],
  ])("%d s is %s", (seconds, words) => {
    expect(time(seconds)).toBe(words);
  });
});

/** A pen that counts what it draws. */
function counting(): Pen & { boxes: number } {
  const nothing = (): void => {};
  return {
    boxes: 0, fillStyle: "", strokeStyle: "", lineWidth: 1, font: "", textAlign: "left", textBaseline: "top",
    fillRect() { this.boxes++; },
    strokeRect: nothing, fillText: nothing, beginPath: nothing, moveTo: nothing, lineTo: nothing, stroke: nothing,
  }; // prettier-ignore
}

describe("drawing", () => {
  const lanes = KINDS.map((kind) => recorded(kind));
  const view: View = { from: 0, to: 0.05, width: 600, theme: LIGHT, font: "sans-serif" };

  test("looks only at the iterations in view, and draws as many marks at most", () => {
    for (const [from, to] of [
      [0, 0.05],
      [0.02, 0.03],
      [5, 6],
    ] as const) {
      // prettier-ignore
      const { iterations, marks } = draw(counting(), lanes, { ...view, from, to });
      const there = lanes.reduce(
        (sum, { startAt, endAt }) => sum + startAt.filter((at, i) => at < to && endAt[i]! > from).length,
        0,
      );
      expect(iterations).toBe(there);
      expect(marks).toBeLessThanOrEqual(there);
    }
  });

  test("gathers what is narrower than a pixel", () => {
    const { iterations, marks } = draw(counting(), lanes, { ...view, to: 1000 });
    expect(iterations).toBe(lanes.reduce((sum, { count }) => sum + count, 0));
    expect(marks).toBe(lanes.length);
  });

  test("draws nothing after the playhead while it reveals", () => {
    const { iterations } = draw(counting(), lanes, { ...view, playhead: 0.001, revealing: true });
    expect(iterations).toBe(3);
  });

  test("finds the request under a pixel", () => {
    const x = 8 + (0.0075 / 0.05) * (600 - 16);
    expect(hit(lanes, view, x, 20 + 38 - 1)).toEqual({ lane: 0, iteration: 0, request: 0 });
    expect(hit(lanes, view, x, 2)).toMatchObject({ request: -1 });
    expect(hit(lanes, view, x, heightOf(lanes) + 500)).toBeUndefined();
    expect(iterationAt(lanes[0]!, 99)).toBe(lanes[0]!.count);
  });
});
