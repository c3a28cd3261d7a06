/** Names that users of the library have written keep working, whatever the core calls things now. */
import { expect, test } from "vitest";
import {
  type Foreknowledge,
  type Predictions,
  prepare,
  type PromptOrder,
  simulate,
  Simulator,
  type WaitingQueue,
} from "../src/index.js";

const CONFIG = {
  workload: {
    arrivals: { kind: "deterministic", ratePerSecond: 1 },
    promptTokens: { kind: "fixed", tokens: 5 },
    outputTokens: { kind: "fixed", tokens: 3 },
  },
  service: { kind: "affine", cMs: 10, aMs: 0 },
  scheduler: { kind: "hybrid" },
  horizon: { tmaxSeconds: 3 },
} as const;

test("types: the compiler takes each for the other", () => {
  const known: (given: Foreknowledge) => Predictions = (given) => given;
  const queue: (given: PromptOrder) => WaitingQueue = (given) => given;
  expect([known, queue].map((same) => same.length)).toEqual([1, 1]);
});

test("an outcome's requests, and a simulator's draw", () => {
  const drawn = new Simulator().draw(prepare(CONFIG), 1, 1);
  const { outcome } = simulate(CONFIG, { requests: drawn });
  const { firstTokenAt, finishedAt } = outcome.shared.sequences;
  expect([...finishedAt.subarray(0, outcome.arrived)].map((at, i) => at - firstTokenAt[i]!)).toEqual(
    Array.from({ length: outcome.arrived }, () => 20e6),
  );
});
