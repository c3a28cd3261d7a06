/**
 * The engine under arrivals that are not Poisson, against GI/M/1 (theory §1): with probability sigma an arrival
 * waits, and the response time is exponential with rate mu(1 − sigma).
 */
import { describe, expect, test } from "vitest";
import type { Spec } from "../../../src/core/options/definition.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";
import { halfWidth, summarize } from "../../../src/stats/index.js";
import { gim1 } from "../../../src/theory/index.js";

const LAMBDA = 50;
const MU = 100;

/** E[e^(−s·gap)] of gamma gaps: (1 + s/(kλ))^(−k). */
const gamma =
  (cv: number) =>
  (s: number): number => {
    const k = 1 / (cv * cv);
    return (1 + s / (k * LAMBDA)) ** -k;
  };
/** The same of on/off bursts, by first-step analysis: on, the next arrival races the switch; off, it waits. */
const onOff =
  (on: number, off: number) =>
  (s: number): number => {
    const rate = (LAMBDA * (on + off)) / on;
    const back = 1 / off / (1 / off + s);
    return rate / (rate + s + (1 / on) * (1 - back));
  };

const cases: [string, Spec, (s: number) => number, number?, number?][] = [
  ["gamma gaps, CV 2", { kind: "gamma", ratePerSecond: LAMBDA, cv: 2 }, gamma(2), 43.6105, 130.645],
  ["gamma gaps, CV 0.5", { kind: "gamma", ratePerSecond: LAMBDA, cv: 0.5 }, gamma(0.5)],
  [
    "on/off bursts",
    { kind: "on-off", ratePerSecond: LAMBDA, onSeconds: 0.1, offSeconds: 0.15 },
    onOff(0.1, 0.15),
  ],
];

describe.each(cases)("%s, exponential service of 10 ms", (_, arrivals, laplace, mean, p95) => {
  const queue = gim1(LAMBDA, MU, laplace);

  test("theory gives the published numbers", () => {
    if (mean === undefined) return;
    expect(1000 * queue.responseTime).toBeCloseTo(mean, 4);
    expect(1000 * queue.responseP(0.95)).toBeCloseTo(p95!, 3);
  });

  test("the engine agrees: mean and P95 response time inside intervals of a few percent", () => {
    const simulator = new Simulator();
    const runs = Array.from({ length: 16 }, (_, i) => {
      const { metrics } = simulate(
        {
          workload: {
            arrivals,
            promptTokens: { kind: "fixed", tokens: 1 },
            outputTokens: { kind: "fixed", tokens: 0 },
          },
          service: { kind: "exponential", cMs: 1000 / MU },
          engine: { maxSequences: 1 },
          scheduler: { kind: "decode-prioritizing" },
          horizon: { tmaxSeconds: 820, warmupSeconds: 20 },
        },
        { simulator, seed: 11, trial: i + 1 },
      );
      return metrics;
    });
    for (const [metric, theory] of [
      ["rts_mean_s", queue.responseTime],
      ["rts_p95_s", queue.responseP(0.95)],
    ] as const) {
      const found = summarize(runs.map((run) => run[metric]!));
      expect(halfWidth(found)).toBeLessThan(0.04 * theory);
      // Twice the 95 % interval: six checks, each wrong with a chance of about 3·10⁻⁴.
      expect(Math.abs(found.mean - theory)).toBeLessThan(2 * halfWidth(found));
    }
  });
});
