/** In this process or on threads: the same bytes, the same errors, and an end when the user asks for one. */
import { afterAll, describe, expect, test, vi } from "vitest";
import { complete } from "../../src/core/configuration/config.js";
import type { Spec } from "../../src/core/options/definition.js";
import { ConfigError, InvariantError, PlanError } from "../../src/core/errors.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import type { Trace } from "../../src/core/workload/trace.js";
import { withTraces } from "../../src/core/configuration/trace-registry.js";
import type { TrialTask } from "../../src/core/trial/trial.js";
import { answer, Interrupted, valuesOf } from "../../src/run/executor.js";
import { inProcess } from "../../src/run/in-process.js";
import { threadPool } from "../../src/run/pool.js";
import { runner } from "../../src/run/runner.js";
import { silent } from "../experiments/studies.js";
import { executorContract } from "./executor-contract.js";
import { difference, failing, manyShards, smallConfig } from "./requests.js";

const one = inProcess();
const two = threadPool(2);
afterAll(async () => {
  await two.close();
  await one.close();
});

describe("any number of workers", () => {
  const expected = runner(inProcess(), silent).run(manyShards);

  test.each([1, 2, 4])("%i threads give the bytes of none", async (workers) => {
    const pool = threadPool(workers);
    expect(pool.width).toBe(workers);
    try {
      const records = await runner(pool, silent).run(manyShards);
      expect(difference(records, await expected)).toBeUndefined();
    } finally {
      await pool.close();
    }
  });
});

describe("recorded traces", () => {
  const traces: readonly Trace[] = [
    {
      key: "shared",
      arrivedAt: Float64Array.from({ length: 400 }, (_, i) => (i * i * 1e6) / 4),
      promptTokens: Int32Array.from({ length: 400 }, (_, i) => 1 + ((i * 7) % 90)),
      outputTokens: Int32Array.from({ length: 400 }, (_, i) => (i * 11) % 30),
    },
  ];
  const registry = withTraces(traces);
  const lengths = (column: string): Spec => ({ kind: "trace", data: "shared", column });
  const configs = [
    { kind: "trace", data: "shared", speedup: 1, blockSeconds: 3 },
    { kind: "poisson", ratePerSecond: 12 },
  ].map((arrivals) =>
    complete(
      {
        ...smallConfig(),
        workload: { arrivals, promptTokens: lengths("prompt"), outputTokens: lengths("output") },
        horizon: { tmaxSeconds: 40 },
      },
      registry,
    ),
  );
  const request = { label: "traces", configs, seed: 4, trials: 9, windows: [10, 40] };

  test("threads that were handed them once give the bytes of none", async () => {
    const expected = await runner(inProcess(registry), silent, { registry }).run(request);
    expect(expected.metric(0, "n_arrived", 1)[0]).toBe(400);
    for (const workers of [1, 3]) {
      const pool = threadPool(workers, { traces });
      try {
        const records = await runner(pool, silent, { registry }).run(request);
        expect(difference(records, expected)).toBeUndefined();
      } finally {
        await pool.close();
      }
    }
  });
});

executorContract("in this process", () => one);
executorContract("on two threads", () => two);

test("plain data between threads: an answer and its values are the two sides of one", () => {
  const simulator = new Simulator();
  const task = { seed: 1, first: 1, count: 1, windows: [], verify: true };
  for (const [name, type] of [
    ["config", ConfigError],
    ["plan", PlanError],
    ["invariant", InvariantError],
  ] as const) {
    const given = structuredClone(answer(simulator, { ...task, configs: [failing[name]] }));
    expect(() => valuesOf(given)).toThrow(type);
  }
  const values = answer(simulator, { ...task, configs: [smallConfig()] });
  expect(valuesOf(values)).toBe(values);
  expect(() => answer(simulator, { ...task, configs: [failing.other] })).toThrow(RangeError);
});

describe("when the user asks to stop", () => {
  /** Minutes of work, in many trials. */
  const endless = (count: number): TrialTask => ({
    seed: 1,
    first: 1,
    count,
    configs: [smallConfig({ horizon: { tmaxSeconds: 2000 } })],
    windows: [],
    verify: false,
  });

  test.each([
    ["in this process", (signal: AbortSignal) => inProcess(builtIn, signal)],
    ["on threads", (signal: AbortSignal) => threadPool(2, { signal })],
  ])("%s: no more is begun, and what is missing has no value", async (_, make) => {
    const stop = new AbortController();
    const executor = make(stop.signal);
    const heard: string[] = [];
    let moved = (): void => {};
    const isMoving = new Promise<void>((resolve) => (moved = resolve));
    const progress = { ...silent, advance: moved, end: () => void heard.push("end") };
    const trials = runner(executor, progress, { signal: stop.signal });
    const configs = endless(1).configs;
    const work = trials.run({ label: "long", configs, seed: 1, trials: 20_000 });
    await isMoving;
    stop.abort(new Interrupted("SIGINT"));
    const records = await work;
    expect(heard).toEqual(["end"]);
    const arrived = records.metric(0, "n_arrived");
    expect(arrived.some((value) => value > 0)).toBe(true);
    expect(records.trials).toBe(arrived.length);
    expect(records.trials).toBeLessThan(20_000);
    // Nothing more is begun.
    const more = await trials.run({ label: "more", configs, seed: 1, trials: 3 });
    expect(more.trials).toBe(0);
    await expect(executor.run(endless(1))).rejects.toBeInstanceOf(Interrupted);
    await executor.close();
  });

  test.each([
    ["a trial", { count: 50 }],
    ["a configuration", { configs: Array.from({ length: 50 }, () => smallConfig()) }],
    ["a window that is checked", { windows: Array.from({ length: 50 }, (_, i) => 1 + i / 50), verify: true }],
  ] as const)("in this process: heard within %s of a task", async (_, change) => {
    const stop = new AbortController();
    const runs = vi.spyOn(Simulator.prototype, "begin");
    const task = inProcess(builtIn, stop.signal).run({ ...endless(1), ...change });
    setImmediate(() => stop.abort(new Interrupted("SIGINT")));
    await expect(task).rejects.toBeInstanceOf(Interrupted);
    expect(runs.mock.calls.length).toBeLessThan(5);
    runs.mockRestore();
  });
});
