/** The library's one call: what it takes, what it gives, and where it stops (model §1, §4). */
import { describe, expect, test } from "vitest";
import type { PartialConfig } from "../../../src/core/configuration/config.js";
import { ConfigError } from "../../../src/core/errors.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";
import { account, type Row, run } from "../../contract/workloads.js";

const small: PartialConfig = {
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 5 },
    promptTokens: { kind: "uniform", min: 1, max: 300 },
    outputTokens: { kind: "geometric", p: 0.05 },
  },
  service: { kind: "affine", cMs: 10, aMs: 0.2 },
  scheduler: { kind: "hybrid" },
  horizon: { tmaxSeconds: 30 },
};

describe("one trial", () => {
  test("seed and trial decide it, 1 and 1 unless given", () => {
    const plain = simulate(small);
    expect(account(simulate(small, { seed: 1, trial: 1 }))).toEqual(account(plain));
    expect(account(simulate(small, { seed: 2 }))).not.toEqual(account(plain));
    expect(account(simulate(small, { trial: 2 }))).not.toEqual(account(plain));
  });

  test("watching the laws changes nothing; nor does reusing buffers after a larger run", () => {
    const plain = account(simulate(small));
    expect(account(simulate(small, { verify: true }))).toEqual(plain);
    const simulator = new Simulator();
    simulate({ ...small, horizon: { tmaxSeconds: 200 }, engine: { replicas: 3 } }, { simulator });
    expect(account(simulate(small, { simulator }))).toEqual(plain);
    expect(account(simulate(small, { simulator }))).toEqual(plain);
  });

  test("what a prefix cache saves the warm-up is part of its account", () => {
    const requests = Requests.of([
      { arrivedAt: 0, promptTokens: 40, outputTokens: 2 },
      { arrivedAt: 2e9, promptTokens: 40, outputTokens: 2 },
    ]);
    requests.prefixHitTokens = Int32Array.of(32, 16);
    const horizon = { tmaxSeconds: 10, warmupSeconds: 1 };
    // The laws would tell if prompt tokens were missing: 8 and 24 are computed.
    const { metrics, outcome } = simulate({ ...small, horizon }, { requests });
    expect(metrics.n_arrived).toBe(1);
    expect(outcome.replicas[0].prefillTokens).toBe(32);
  });

  test("a request that is turned away leaves nothing for the next trial's request in its place", () => {
    const simulator = new Simulator();
    const tight = { ...small, engine: { kvTokens: 160 } };
    const rejected = [1, 2, 3, 4].map(
      (trial) => simulate(tight, { simulator, trial, verify: true }).metrics.n_rejected,
    );
    expect(Math.min(...rejected)).toBeGreaterThan(5);
  });

  test("a plain object in, the completed configuration out", () => {
    const { config, metrics } = simulate(JSON.parse(JSON.stringify(small)) as PartialConfig);
    expect(config.engine.maxTokens).toBe(2048);
    expect(metrics.n_completed).toBe(metrics.n_arrived);
  });

  test("no request at all is a run with nothing to measure", () => {
    const { metrics } = run([]);
    expect([metrics.n_arrived, metrics.n_iterations, metrics.makespan_s]).toEqual([0, 0, NaN]);
  });
});

describe("the clock's end", () => {
  test("a drain that would pass 2^53 ns is a ConfigError that says so", () => {
    const slow = { service: { kind: "affine", cMs: 1e6 } };
    const drain = (outputs: number) => (): unknown => run([[0, 1, outputs]], slow).metrics;
    // 9007 iterations of 1000 s fit: the prefill and 9006 decodes.
    expect(drain(9007)).not.toThrow();
    expect(drain(9008)).toThrow(ConfigError);
    expect(drain(9008)).toThrow("the drain would pass 2^53 ns (the clock counts 104 days)");
  });

  test("two billion tokens take one stretch, not two billion steps", () => {
    const service = { kind: "affine", cMs: 0.001 };
    const { outcome, metrics } = run([[0, 1, 2_000_000_000]], { service }, { verify: false });
    expect(outcome.shared.sequences.finishedAt[0]).toBe(2e9 * 1000);
    expect([metrics.n_iterations, metrics.itl_p99_s]).toEqual([2e9, 1e-6]);
  });
});

describe("ties (model §1, §2)", () => {
  test("at one instant: iterations end, then requests arrive, then idle replicas decide, by number", () => {
    // S = 10 + b. Replica 0 runs 0–15, replica 1 runs 0–15; at 15 both are credited, request 2 arrives, and
    // replica 0 takes it; request 3 arrives at 15 as well and goes into the same batch.
    const rows: Row[] = [
      [0, 5, 1],
      [0, 5, 1],
      [15e6, 2, 1],
      [15e6, 3, 1],
    ];
    const { outcome } = run(rows, { engine: { replicas: 2, maxTokens: 5 } });
    const { startedAt, finishedAt } = outcome.shared.sequences;
    expect([...startedAt.subarray(0, 4)]).toEqual([0, 0, 15e6, 15e6]);
    expect([...finishedAt.subarray(0, 4)]).toEqual([15e6, 15e6, 30e6, 30e6]);
    expect(outcome.replicas.map(({ iterations }) => iterations)).toEqual([2, 1]);
  });

  test("an arrival at an iteration's end is in the next batch; a nanosecond later it is not", () => {
    const start = (arrivedAt: number): number =>
      run(
        [
          [0, 5, 3],
          [arrivedAt, 5, 1],
        ],
        { scheduler: { kind: "prefill-prioritizing" } },
      ).outcome.shared.sequences.startedAt[1];
    // Prefill 0–15, decodes 15–26 and 26–37.
    expect([start(15e6), start(15e6 + 1), start(26e6), start(26e6 + 1)]).toEqual([15e6, 26e6, 26e6, 37e6]);
  });

  test("sequences that finish together free their places together", () => {
    const rows: Row[] = [
      [0, 1, 3],
      [0, 1, 3],
      [0, 1, 1],
    ];
    const { outcome } = run(rows, {
      engine: { maxSequences: 2 },
      scheduler: { kind: "prefill-prioritizing" },
    });
    // Two prefilled 0–12, decoded 12–24 and 24–36; the third starts at 36.
    expect(outcome.shared.sequences.startedAt[2]).toBe(36e6);
  });
});

test("requests that preempt each other for ever end the trial with an error, as their engine would go round", () => {
  // Found by a property: vLLM's priorities, one class, prompts that arrive at one instant and fit only alone.
  const rows = [0, 1].map(() => ({ arrivedAt: 0, promptTokens: 50, outputTokens: 20 }));
  const requests = Requests.of(rows);
  requests.priority = Int32Array.of(1, 1);
  const config = {
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens: { kind: "fixed", tokens: 1 },
      outputTokens: { kind: "fixed", tokens: 1 },
    },
    service: { kind: "affine", cMs: 10 },
    engine: {
      ...{ maxTokens: 10, chunkSize: 7, kvTokens: 80, blockTokens: 1, prefixCaching: false as const },
      discipline: { kind: "priority" },
    },
    scheduler: { kind: "vllm", version: "0.16" },
    horizon: { tmaxSeconds: 100 },
  };
  const message =
    /^no end of preemptions: 1791 at \d+\.\d+ s without a token for anyone \(scheduler vllm; requests of one class/;
  expect(() => simulate(config, { requests })).toThrow(message);
  expect(() => simulate(config, { requests, plain: true })).toThrow(message);
  // Told apart by their instants, they are through.
  requests.arrivedAt[1] = 1;
  expect(simulate(config, { requests }).metrics.n_completed).toBe(2);
});
