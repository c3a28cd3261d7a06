/**
 * A scheduler's promises, and fast paths held against the plain loop: a false promise is an error wherever it would
 * change a number, and what is not promised falsely agrees.
 */
import { describe, expect, test } from "vitest";
import { complete, type PartialConfig } from "../../../src/core/configuration/config.js";
import { InvariantError, PlanError } from "../../../src/core/errors.js";
import { METRICS } from "../../../src/core/measures/metrics.js";
import { builtIn, type Registry } from "../../../src/core/configuration/registry.js";
import { Requests } from "../../../src/core/workload/requests.js";
import type { Batch, Scheduler, View } from "../../../src/core/policies/scheduler.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";
import { runTask } from "../../../src/core/trial/trial.js";
import {
  demandSame,
  differenceOf,
  differentValues,
  type Account,
} from "../../../src/core/trial/verification.js";

const MS = 1e6;
const config: PartialConfig = {
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 2 },
    promptTokens: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
    outputTokens: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
  },
  service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
  scheduler: { kind: "mine" },
  horizon: { tmaxSeconds: 60 },
};

/** Every decode, then prompts: what a sound scheduler does. */
const compose = (view: View, batch: Batch): void => {
  batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
  batch.pack();
};

const registryOf = (scheduler: Partial<Scheduler>): Registry => ({
  ...builtIn,
  schedulers: [
    ...builtIn.schedulers,
    {
      name: "mine",
      summary: "of a test",
      source: "test",
      backlog: "waiting",
      options: [],
      examples: [{ kind: "mine" }],
      create: () => ({ compose, ...scheduler }),
    },
  ],
});
const run = (
  scheduler: Partial<Scheduler>,
  verify = false,
  requests?: Requests,
): ReturnType<typeof simulate> =>
  simulate(config, { registry: registryOf(scheduler), verify, ...(requests && { requests }) });
const fault = (act: () => unknown): unknown => {
  try {
    return void act();
  } catch (error) {
    return error;
  }
};
/** So many at 0, all alike. */
const burst = (count: number): Requests =>
  Requests.of(Array.from({ length: count }, () => ({ arrivedAt: 0, promptTokens: 8, outputTokens: 50 })));

/** Decodes at most so many. */
const atMost =
  (most: number) =>
  (view: View, batch: Batch): void => {
    batch.decode(Math.min(view.decodable, most, batch.slotsLeft, batch.tokensLeft));
    if (view.decodable === 0) batch.pack();
  };

describe("promises are checked in every run", () => {
  test("one that holds", () => {
    const plain = run({}).metrics;
    expect(run({ decodesAll: () => 1000 }).metrics).toEqual(plain);
  });

  test("decodesAll that never holds: named with scheduler, iteration and promise", () => {
    const error = fault(() => run({ decodesAll: () => 1000, compose: atMost(1) }, false, burst(5)));
    expect(error).toBeInstanceOf(PlanError);
    expect((error as PlanError).message).toBe(
      "scheduler mine, iteration 2: the promise decodesAll: 1000 does not hold: " +
        "of 5 decoding sequences the batch has 1, and 0 prompts",
    );
  });

  test("one that holds at a single decode and breaks at five", () => {
    const scheduler = { decodesAll: () => 1000, compose: atMost(4) };
    // Alone it keeps its word.
    expect(run(scheduler, false, burst(1)).outcome.arrived).toBe(1);
    const early = Requests.of([
      { arrivedAt: 0, promptTokens: 8, outputTokens: 5 },
      ...Array.from({ length: 5 }, () => ({ arrivedAt: 500 * MS, promptTokens: 8, outputTokens: 5 })),
    ]);
    const message = (fault(() => run(scheduler, false, early)) as Error).message;
    expect(message).toMatch(/iteration \d+: the promise decodesAll: 1000 does not hold: of 5 decoding/);
  });

  test("decodesFirst that lets prompts in beside decodes", () => {
    const rows = [0, 100, 200].map((at) => ({ arrivedAt: at * MS, promptTokens: 8, outputTokens: 50 }));
    const scheduler = { decodesAll: () => 1000, decodesFirst: true };
    const message = (fault(() => run(scheduler, false, Requests.of(rows))) as Error).message;
    expect(message).toMatch(/the promise decodesFirst does not hold: of 1 decoding .* 1, and 1 prompts/);
  });

  test("a limit of its own that decides", () => {
    const limited = (view: View, batch: Batch): void => {
      if (view.decodable > 0) batch.limited("decode");
      compose(view, batch);
    };
    const error = fault(() => run({ decodesAll: () => 1000, compose: limited }, false, burst(2)));
    expect((error as Error).message).toMatch(/, and a limit of its own decided$/);
  });
});

describe("verify", () => {
  test.each(builtIn.schedulers.map(({ name }) => name))(
    "%s: what is measured is what the plain loop gives",
    (kind) => {
      const given = { ...config, scheduler: { kind } };
      const fast = simulate(given);
      for (const how of [{ verify: true }, { plain: true }])
        expect(simulate(given, how).metrics).toEqual(fast.metrics);
    },
  );

  const dependsOnNothing = (view: View, batch: Batch): void => {
    compose(view, batch);
    batch.dependsOn("nothing");
  };

  test('a false dependsOn("nothing") is an error of its scheduler', () => {
    expect(run({ compose: dependsOnNothing }).metrics).not.toEqual(run({}).metrics);
    const error = fault(() => run({ compose: dependsOnNothing }, true));
    expect(error).toBeInstanceOf(PlanError);
    expect((error as Error).message).toMatch(/^scheduler mine: a promise does not hold .*: request \d+: /);
  });

  test("so is a policy that reads the clock and does not say everyIteration", () => {
    const odd = (view: View, batch: Batch): void => {
      // Half of the time it lets nobody in.
      if (view.decodable === 0 || Math.floor(view.now / (100 * MS)) % 2 === 0) compose(view, batch);
      else batch.decode(view.decodable);
    };
    expect(fault(() => run({ compose: odd }, true))).toBeInstanceOf(PlanError);
    expect(fault(() => run({ compose: odd, everyIteration: true }, true))).toBeUndefined();
  });

  test("windows and runs from a backlog as well", () => {
    const registry = registryOf({ compose: dependsOnNothing });
    const whole = complete(config, registry);
    const task = { seed: 1, first: 1, count: 1, configs: [whole], windows: [20, 40], verify: true };
    const windows = fault(() => runTask(new Simulator(registry), task));
    expect((windows as Error).message).toMatch(/^scheduler mine: a promise .*: window 1: /);
    const stability = {
      kind: "stability",
      seed: 1,
      trial: 1,
      config: whole,
      fromEmpty: true,
      verify: true,
    } as const;
    const batches = { backlog: 20, batches: 4, settle: 1, batchSeconds: 10 };
    const backlog = fault(() => runTask(new Simulator(registry), { ...stability, ...batches }));
    expect((backlog as Error).message).toMatch(
      /^scheduler mine: a promise .*: a run from a backlog: value \d+ /,
    );
  });

  test("a difference under a built-in scheduler is a bug of ours", () => {
    const different = (): void => demandSame("request 0: start (ns) 1, not 2", "vllm", builtIn);
    expect(different).toThrow(InvariantError);
    expect(different).toThrow("the fast paths differ from the plain loop: request 0: start (ns) 1, not 2");
  });

  test("what counts as a difference", () => {
    const account = (change: Partial<Account> = {}): Account => ({
      columns: { "start (ns)": Float64Array.of(1, NaN) },
      gaps: new Map([[10, 3]]),
      values: new Float64Array(METRICS.length).fill(0.1),
      ...change,
    });
    const values = (name: string, factor: number): Float64Array => {
      const changed = account().values.slice();
      changed[METRICS.findIndex((metric) => metric.name === name)] *= factor;
      return changed;
    };
    const against = (change: Partial<Account>): string | undefined =>
      differenceOf(account(), account(change));
    expect(against({})).toBeUndefined();
    expect(against({ columns: { "start (ns)": Float64Array.of(1) } })).toBe("2 requests, not 1");
    expect(against({ columns: { "start (ns)": Float64Array.of(1, 2) } })).toBe(
      "request 1: start (ns) NaN, not 2",
    );
    expect(against({ gaps: new Map([[10, 2]]) })).toBe("3 inter-token latencies of 10 ns, not 2");
    expect(
      against({
        gaps: new Map([
          [10, 3],
          [11, 1],
        ]),
      }),
    ).toBe("0 inter-token latencies of 11 ns, not 1");
    expect(against({ values: values("ttft_mean_s", 1 + 1e-15) })).toMatch(/^ttft_mean_s 0.1, not /);
    // Sums beyond 2^53 are rounded by the number of their steps.
    expect(against({ values: values("kv_utilization", 1 + 1e-12) })).toBeUndefined();
    expect(against({ values: values("kv_utilization", 1 + 1e-8) })).toMatch(/^kv_utilization/);
    // A log of too many gaps tells its percentiles to 2^-12.
    const coarse = { values: values("itl_p99_s", 1 + 1e-4) };
    expect(against(coarse)).toMatch(/^itl_p99_s/);
    expect(differentValues(account({ gaps: undefined }), account(coarse))).toBeUndefined();
  });
});
