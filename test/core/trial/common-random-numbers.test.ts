/** Common random numbers (model §4): what a policy decides never moves what arrives. */
import { expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { PartialConfig } from "../../../src/core/configuration/config.js";
import { builtIn } from "../../../src/core/configuration/registry.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";

const base: PartialConfig = {
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 2 },
    promptTokens: { kind: "lognormal", mu: 3.2764, sigma: 1.5201 },
    outputTokens: { kind: "geometric", p: 0.0056, max: 1024 },
  },
  service: { kind: "affine", cMs: 45.5, aMs: 0.3, b0: 64 },
  scheduler: { kind: "hybrid" },
  horizon: { tmaxSeconds: 100 },
};

/** The requests of trial 7 as a configuration's run saw them. */
function requestsSeen(more: Partial<PartialConfig>, simulator = new Simulator()): unknown {
  const { outcome } = simulate({ ...base, ...more }, { seed: 3, trial: 7, simulator });
  const { arrivedAt, promptTokens, outputTokens } = outcome.shared.sequences.requests;
  const { arrived } = outcome;
  return [arrivedAt, promptTokens, outputTokens].map((column) => [...column.subarray(0, arrived)]);
}

test("every scheduler, ratio, chunk size, limit, convention and replica count sees the same requests", () => {
  const expected = requestsSeen({});
  const simulator = new Simulator();
  const variants: Partial<PartialConfig>[] = [
    ...builtIn.schedulers.flatMap(({ examples }) => examples.map((scheduler) => ({ scheduler }))),
    { scheduler: { kind: "hybrid", ratio: 0.1 } },
    { scheduler: { kind: "hybrid", ratio: 0.9, ratioOf: "tokens" } },
    { engine: { chunkSize: 8 } },
    { engine: { chunkSize: 512, maxTokens: 600, maxSequences: 20 } },
    { engine: { replicas: 4 } },
    { conventions: { firstToken: "decode", mixedBatch: "max", sequenceCap: "iteration", tbt: "tokens" } },
    { service: { kind: "affine", cMs: 1 } },
    { service: { kind: "exponential", cMs: 45.5 } },
    { horizon: { tmaxSeconds: 100, warmupSeconds: 50 } },
  ];
  for (const variant of variants) {
    expect(requestsSeen(variant)).toEqual(expected);
    expect(requestsSeen(variant, simulator)).toEqual(expected);
  }
});

test("a shorter window sees the same requests, fewer of them", () => {
  const whole = requestsSeen({}) as number[][];
  const short = requestsSeen({ horizon: { tmaxSeconds: 40 } }) as number[][];
  const count = short[0].length;
  expect(count).toBeGreaterThan(50);
  expect(short).toEqual(whole.map((column) => column.slice(0, count)));
  expect(whole[0][count]).toBeGreaterThan(40e9);
});

test("requests are drawn once for the configurations that share them, and anew for others", () => {
  const simulator = new Simulator();
  const first = simulator.draw(prepare(base), 1, 1);
  const drawn = [...first.arrivedAt.subarray(0, first.count)];
  const again = simulator.draw(prepare({ ...base, scheduler: { kind: "prefill-prioritizing" } }), 1, 1);
  expect([...again.arrivedAt.subarray(0, again.count)]).toEqual(drawn);
  const arrivals = (config: PartialConfig, seed: number, trial: number): number[] => {
    const requests = simulator.draw(prepare(config), seed, trial);
    return [...requests.arrivedAt.subarray(0, requests.count)];
  };
  const faster = { ...base.workload, arrivals: { kind: "poisson", ratePerSecond: 3 } };
  for (const other of [
    arrivals(base, 2, 1),
    arrivals(base, 1, 2),
    arrivals({ ...base, workload: faster }, 1, 1),
    arrivals({ ...base, horizon: { tmaxSeconds: 99 } }, 1, 1),
    arrivals({ ...base, horizon: { tmaxSeconds: 100, maxRequests: 9 } }, 1, 1),
  ])
    expect(other).not.toEqual(drawn);
  expect(arrivals(base, 1, 1)).toEqual(drawn);
});
