/** What a worker runs: trials, configurations and windows in their places, and who is to blame when one fails (model §4). */
import { describe, expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { PartialConfig, SimulationConfig } from "../../../src/core/configuration/config.js";
import { ConfigError, InvariantError, PlanError } from "../../../src/core/errors.js";
import { METRICS } from "../../../src/core/measures/metrics.js";
import { builtIn } from "../../../src/core/configuration/registry.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";
import { runTask, type TrialTask } from "../../../src/core/trial/trial.js";
import { knowNothing, plugin, withSchedulers } from "../../contract/workloads.js";

const demo2: PartialConfig = {
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 2 },
    promptTokens: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
    outputTokens: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
  },
  service: { kind: "affine", cMs: 10, aMs: 0.5 },
  scheduler: { kind: "hybrid" },
  horizon: { tmaxSeconds: 60 },
};
const configs: SimulationConfig[] = [
  prepare({ ...demo2, scheduler: { kind: "decode-prioritizing" } }),
  prepare({ ...demo2, scheduler: { kind: "prefill-prioritizing" }, engine: { chunkSize: 64 } }),
  prepare({ ...demo2, horizon: { tmaxSeconds: 60, warmupSeconds: 8 } }),
  prepare({ ...demo2, service: { kind: "exponential", cMs: 10, aMs: 0.5 }, engine: { replicas: 2 } }),
];
const task = (more: Partial<TrialTask>): TrialTask => {
  return { seed: 1, first: 1, count: 1, configs, windows: [], verify: true, ...more };
};
/** One trial by itself: the same configuration with T in place of its horizon. */
const alone = (config: SimulationConfig, tmaxSeconds: number, trial: number, seed = 1): number[] => {
  const { warmupSeconds } = config.horizon;
  // A window inside the warm-up measures nothing; by itself it would be refused.
  const horizon = {
    ...config.horizon,
    tmaxSeconds,
    warmupSeconds: warmupSeconds < tmaxSeconds ? warmupSeconds : 0,
  };
  const { metrics } = simulate({ ...config, horizon }, { seed, trial });
  return METRICS.map(({ name }) => metrics[name] ?? NaN);
};

test("values stand by trial, configuration and window, and each is that window simulated alone", () => {
  const windows = [0.001, 9, 20, 45.5, 60];
  const values = runTask(new Simulator(), task({ first: 3, count: 2, windows }));
  const width = METRICS.length;
  expect(values.length).toBe(2 * configs.length * windows.length * width);
  let at = 0;
  for (const trial of [3, 4])
    for (const config of configs)
      for (const window of windows) {
        expect([...values.subarray(at, at + width)]).toEqual(alone(config, window, trial));
        at += width;
      }
});

test("without windows the configurations' own horizon is the only one", () => {
  const values = runTask(new Simulator(), task({ seed: 9, first: 5 }));
  expect([...values]).toEqual(configs.flatMap((config) => alone(config, 60, 5, 9)));
});

test("a window inside the warm-up measures nothing", () => {
  const values = runTask(new Simulator(), task({ configs: [configs[2]], windows: [5, 60] }));
  const metric = (name: string, window: number): number =>
    values[window * METRICS.length + METRICS.findIndex((m) => m.name === name)];
  expect([metric("n_arrived", 0), metric("ttft_mean_s", 0)]).toEqual([0, NaN]);
  expect(metric("n_arrived", 1)).toBeGreaterThan(50);
});

test("trials in pieces are the trials together; buffers carry nothing over", () => {
  const simulator = new Simulator();
  const together = runTask(simulator, task({ count: 4, windows: [10, 60] }));
  const pieces = [1, 2, 3, 4].flatMap((first) => [...runTask(simulator, task({ first, windows: [10, 60] }))]);
  expect(pieces).toEqual([...together]);
  expect([...runTask(new Simulator(), task({ first: 4, windows: [10, 60] }))]).toEqual(
    [...together].slice((3 * together.length) / 4),
  );
});

test("a simulator that has run a shorter window still knows all requests of the trial", () => {
  const simulator = new Simulator();
  const [config] = configs;
  const before = simulate(config, { simulator, trial: 2 }).metrics;
  runTask(simulator, task({ first: 2, configs: [config], windows: [5] }));
  expect(simulate(config, { simulator, trial: 2 }).metrics).toEqual(before);
});

describe("errors", () => {
  const failing = (registry: typeof builtIn, more: Partial<TrialTask>): (() => unknown) => {
    return () => runTask(new Simulator(registry), task(more));
  };

  test("a failed invariant names the scheduler, seed and trial that replay it", () => {
    const leaky = {
      ...builtIn.disciplines[0],
      name: "leaky",
      create: () => {
        const queue = builtIn.disciplines[0].create({ kind: "fcfs" }, knowNothing);
        const { popFront } = queue;
        queue.popFront = () => {
          const id = popFront.call(queue);
          if (queue.length > 0) popFront.call(queue);
          return id;
        };
        return queue;
      },
    };
    const registry = { ...builtIn, disciplines: [...builtIn.disciplines, leaky] };
    const config = prepare({ ...demo2, engine: { discipline: { kind: "leaky" } } }, registry);
    const run = failing(registry, { seed: 77, first: 12, configs: [config] });
    expect(run).toThrow(InvariantError);
    expect(run).toThrow(/never completed \(scheduler hybrid, seed 77, trial 12\)$/);
  });

  test("a scheduler's and the user's own faults pass as they are", () => {
    const registry = withSchedulers(plugin("idler", () => {}));
    const idler = prepare({ ...demo2, scheduler: { kind: "idler" } }, registry);
    expect(failing(registry, { configs: [idler] })).toThrow(
      new PlanError("idler", 1, "placed nothing while work waits"),
    );
    const endless = prepare({
      ...demo2,
      workload: { ...demo2.workload, outputTokens: { kind: "fixed", tokens: 2_000_000_000 } },
    });
    // Not held against the plain loop, which would go through two billion iterations before it is told.
    expect(failing(builtIn, { configs: [endless], verify: false })).toThrow(ConfigError);
  });
});
