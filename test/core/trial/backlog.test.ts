/** Runs from a backlog (theory §3): what a batch of time serves, by counting; and which way the backlog goes. */
import { describe, expect, test } from "vitest";
import {
  backlogDecodes,
  type BacklogTask,
  leftAt,
  runBacklog,
  secondsOf,
} from "../../../src/core/trial/backlog.js";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { PartialConfig, SimulationConfig } from "../../../src/core/configuration/config.js";
import { advance } from "../../../src/core/engine/loop.js";
import { builtIn, member } from "../../../src/core/configuration/registry.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { drawTrial } from "../../../src/core/configuration/draw-trial.js";
import type { RouterDefinition } from "../../../src/core/policies/router.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";
import { runTask } from "../../../src/core/trial/trial.js";
import { fromMilliseconds, NEVER, asInstant } from "../../../src/core/numbers/units.js";
import { withoutFastForward } from "../../contract/workloads.js";

const demo2 = (ratePerSecond: number, more: Partial<PartialConfig> = {}): SimulationConfig =>
  prepare({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond },
      promptTokens: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
      outputTokens: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5 },
    scheduler: { kind: "hybrid" },
    conventions: { sequenceCap: "iteration" },
    ...more,
  });
const task = (config: SimulationConfig, more: Partial<BacklogTask> = {}): BacklogTask => {
  return { seed: 1, trial: 1, config, backlog: 3000, batches: 6, settle: 2, batchSeconds: 20, ...more };
};
const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

describe("what a batch of time serves", () => {
  const setting = { engine: { maxTokens: 300, maxSequences: 40, chunkSize: 64 } };
  const cases = builtIn.schedulers.flatMap(({ examples, fixes }) =>
    examples.flatMap((scheduler) =>
      (["iteration", "resident"] as const)
        .filter((sequenceCap) => sequenceCap === (fixes?.sequenceCap ?? sequenceCap))
        .map((sequenceCap) => [JSON.stringify(scheduler), sequenceCap, scheduler] as const),
    ),
  );

  test.each(cases)(
    "%s, sequenceCap %s: as counting every iteration by itself",
    (_, sequenceCap, scheduler) => {
      const config = demo2(3, { ...setting, scheduler, conventions: { sequenceCap } });
      const few = task(config, { backlog: 300, batchSeconds: 3.7 });
      const found = runBacklog(new Simulator(), few);
      expect(found).toEqual(runBacklog(new Simulator(withoutFastForward()), few));
      expect([found.decodeTokens, found.prefillTokens, found.prompts].map(({ length }) => length)).toEqual([
        6, 6, 6,
      ]);
      // Every prompt that ends has prefilled a token at least in the iteration in which it ends.
      found.prompts.forEach((prompts, batch) => {
        expect(found.prefillTokens[batch]).toBeGreaterThanOrEqual(prompts);
      });
      expect(sum(found.decodeTokens) + sum(found.prefillTokens)).toBeGreaterThan(1000);
      // The batches before the measured ones are the same run's.
      const whole = runBacklog(new Simulator(), { ...few, batches: 8, settle: 0 });
      expect([...whole.decodeTokens.subarray(2)]).toEqual([...found.decodeTokens]);
      expect([...whole.prefillTokens.subarray(2)]).toEqual([...found.prefillTokens]);
      expect([...whole.prompts.subarray(2)]).toEqual([...found.prompts]);
    },
  );

  test("an iteration belongs to the batch in which it ends, also when it ends at its edge", () => {
    // One sequence, S(1) = 100 ms: exactly ten decodes end in (k, k + 1] seconds.
    const config = prepare({
      workload: {
        arrivals: { kind: "deterministic", ratePerSecond: 0.1 },
        promptTokens: { kind: "fixed", tokens: 1 },
        outputTokens: { kind: "fixed", tokens: 1001 },
      },
      service: { kind: "affine", cMs: 100 },
      scheduler: { kind: "decode-prioritizing" },
      engine: { maxSequences: 1 },
    });
    const found = runBacklog(
      new Simulator(),
      task(config, { backlog: 9, batchSeconds: 1, batches: 20, settle: 12 }),
    );
    expect([...found.decodeTokens]).toEqual(Array<number>(20).fill(10));
    expect([...found.prefillTokens]).toEqual(Array<number>(20).fill(0));
  });

  /** Prompts of 4 tokens and no output, S = 250 ms; decode-prioritizing, so the backlog waits as prompts. */
  const chunked = (engine: NonNullable<PartialConfig["engine"]>): SimulationConfig =>
    prepare({
      workload: {
        arrivals: { kind: "deterministic", ratePerSecond: 0.01 },
        promptTokens: { kind: "fixed", tokens: 4 },
        outputTokens: { kind: "fixed", tokens: 0 },
      },
      service: { kind: "affine", cMs: 250 },
      scheduler: { kind: "decode-prioritizing" },
      engine,
    });

  test("a prompt counts once, where its prefill ends, however many chunks it took", () => {
    // Chunks of 2 in a budget of 2: a prompt each 0.5 s. Batches of 0.75 s hold three iterations; prompts end
    // at 0.5 | 1, 1.5 | 2 | 2.5, 3 | 3.5 | 4, 4.5.
    const found = runBacklog(
      new Simulator(),
      task(chunked({ maxTokens: 2, maxSequences: 1, chunkSize: 2 }), {
        backlog: 20,
        batchSeconds: 0.75,
        settle: 0,
      }),
    );
    expect([...found.prompts]).toEqual([1, 2, 1, 2, 1, 2]);
    expect([...found.prefillTokens]).toEqual([6, 6, 6, 6, 6, 6]);
    expect([...found.decodeTokens]).toEqual([0, 0, 0, 0, 0, 0]);
    expect(found.emptied).toBe(false);
  });

  test("prompts that end together all count", () => {
    // Three prompts of 4 fill the budget of 12; four iterations a second.
    const config = chunked({ maxTokens: 12, maxSequences: 9 });
    const found = runBacklog(
      new Simulator(),
      task(config, { backlog: 100, batchSeconds: 1, batches: 4, settle: 2 }),
    );
    expect([...found.prompts]).toEqual([12, 12, 12, 12]);
    expect([...found.prefillTokens]).toEqual([48, 48, 48, 48]);
  });

  test("seed and trial decide it; buffers carry nothing over", () => {
    const config = demo2(5, setting);
    const simulator = new Simulator();
    const first = runBacklog(simulator, task(config));
    simulate({ ...config, horizon: { tmaxSeconds: 30 } }, { simulator });
    expect(runBacklog(simulator, task(config))).toEqual(first);
    expect(runBacklog(simulator, task(config, { trial: 2 }))).not.toEqual(first);
    expect(runBacklog(simulator, task(config, { seed: 2 }))).not.toEqual(first);
  });
});

describe("which way the backlog goes, on both sides of the known boundaries (model §6)", () => {
  /** Tokens arrived less tokens served, as a share of those arrived: above 0 the backlog grows. */
  function drift(kind: string, rate: number, sequenceCap: "iteration" | "resident" = "iteration"): number {
    const config = demo2(rate, { scheduler: { kind }, conventions: { sequenceCap } });
    const { decodeTokens, prefillTokens, emptied } = runBacklog(
      new Simulator(),
      task(config, { backlog: 12_000, batches: 10, batchSeconds: 60 }),
    );
    expect(emptied).toBe(false);
    const decodesOnly = backlogDecodes(new Simulator(), config);
    const perRequest = decodesOnly ? 159 : 159 + 108.8;
    const served = sum(decodeTokens) + (decodesOnly ? 0 : sum(prefillTokens));
    return 1 - served / (rate * perRequest * 600);
  }

  test.each([
    ["decode-prioritizing", 3.58367],
    ["prefill-prioritizing", 7.19591],
    ["hybrid", 7.29501],
  ])("%s: λ* = %d", (kind, boundary) => {
    expect(drift(kind, boundary * 0.93)).toBeLessThan(-0.02);
    expect(drift(kind, boundary * 1.07)).toBeGreaterThan(0.02);
  });

  test("under a resident cap no policy passes 7.38 per second", () => {
    expect(drift("hybrid", 8, "resident")).toBeGreaterThan(0.02);
    expect(drift("hybrid", 6, "resident")).toBeLessThan(-0.02);
  });
});

describe("where the backlog stands", () => {
  test("as the scheduler says, and always as prompts under a resident cap", () => {
    const stands = (kind: string, sequenceCap: "iteration" | "resident"): boolean =>
      backlogDecodes(new Simulator(), demo2(1, { scheduler: { kind }, conventions: { sequenceCap } }));
    for (const { name, backlog, fixes } of builtIn.schedulers) {
      if (fixes?.sequenceCap !== "resident") expect(stands(name, "iteration")).toBe(backlog === "decoding");
      expect(stands(name, "resident")).toBe(false);
    }
  });

  test("a backlog that is soon gone is reported gone", () => {
    expect(runBacklog(new Simulator(), task(demo2(0.5), { backlog: 20 })).emptied).toBe(true);
    expect(runBacklog(new Simulator(), task(demo2(20), { backlog: 20 })).emptied).toBe(false);
  });

  test("requests without output are done before it begins", () => {
    const workload = { ...demo2(5).workload, outputTokens: { kind: "fixed", tokens: 0 } };
    for (const firstToken of ["prefill", "decode"] as const) {
      const config = demo2(5, { workload, conventions: { sequenceCap: "iteration", firstToken } });
      const { decodeTokens, prefillTokens, emptied } = runBacklog(
        new Simulator(),
        task(config, { backlog: 50 }),
      );
      expect(emptied).toBe(true);
      expect(sum(decodeTokens)).toBe(0);
      expect(sum(prefillTokens)).toBeGreaterThan(0);
    }
  });
});

describe("a start from a full state decides at once", () => {
  /** Ten of the backlog decode at a time, S = 100 ms: 100 tokens a second and replica. */
  const full = (ratePerSecond: number, replicas: number): SimulationConfig =>
    prepare({
      workload: {
        arrivals: { kind: "deterministic", ratePerSecond },
        promptTokens: { kind: "fixed", tokens: 1 },
        outputTokens: { kind: "fixed", tokens: 1001 },
      },
      service: { kind: "affine", cMs: 100 },
      scheduler: { kind: "prefill-prioritizing" },
      engine: { maxSequences: 10, replicas },
      conventions: { sequenceCap: "iteration" },
    });

  test.each([1, 2, 3])("on %d replicas nobody waits for the first arrival", (replicas) => {
    // It would come at 1000 s; the run ends at 8 s.
    const found = runBacklog(
      new Simulator(),
      task(full(0.001, replicas), { backlog: 40 * replicas, batchSeconds: 1, batches: 8, settle: 0 }),
    );
    expect([...found.decodeTokens]).toEqual(Array<number>(8).fill(100 * replicas));
    expect(found.emptied).toBe(false);
  });

  test("an arrival later in the run is prefilled when it comes", () => {
    // At 4 s, the end of an iteration: from there to 4.1 s is its prefill.
    const found = runBacklog(
      new Simulator(),
      task(full(0.25, 1), { backlog: 40, batchSeconds: 1, batches: 6, settle: 0 }),
    );
    expect([...found.decodeTokens]).toEqual([100, 100, 100, 100, 90, 100]);
    expect([...found.prefillTokens]).toEqual([0, 0, 0, 0, 1, 0]);
    expect([...found.prompts]).toEqual([0, 0, 0, 0, 1, 0]);
  });
});

test("what an empty start leaves unfinished is what finishes later", () => {
  const config = demo2(6, { horizon: { tmaxSeconds: 40 } });
  const { outcome } = simulate(config, { seed: 3, trial: 2 });
  const { finishedAt } = outcome.shared.sequences;
  const late = finishedAt.subarray(0, outcome.arrived).filter((at) => at > 40e9);
  expect(late.length).toBeGreaterThan(5);
  expect(leftAt(new Simulator(), config, { seed: 3, trial: 2 })).toBe(late.length);
});

test("who can never fit into the memory is not left unfinished", () => {
  // 512 tokens and those of the answer are more than 31 blocks; a tenth of the prompts are so long.
  const config = demo2(2, { engine: { kvTokens: 32 * 16 }, horizon: { tmaxSeconds: 100 } });
  const { outcome } = simulate(config, { seed: 3, trial: 2 });
  expect(outcome.shared.rejected).toBeGreaterThan(0);
  const { finishedAt } = outcome.shared.sequences;
  const late = finishedAt.subarray(0, outcome.arrived).filter((at) => at > 100e9);
  expect(leftAt(new Simulator(), config, { seed: 3, trial: 2 })).toBe(late.length);
});

test("a router counts a backlog that decodes where it decodes", () => {
  const seen: number[][] = [];
  const watch: RouterDefinition = {
    ...member(builtIn.routers, "round-robin"),
    name: "watch",
    create: () => ({
      route(fleet) {
        seen.push([0, 1].flatMap((i) => [fleet.outstanding(i), fleet.outstandingTokens(i)]));
        return 0;
      },
    }),
  };
  const registry = { ...builtIn, routers: [...builtIn.routers, watch] };
  // 21 sequences of 1000 tokens, at most 10 decode on each; nothing has ended when the first arrival comes.
  const config = prepare(
    {
      workload: {
        arrivals: { kind: "deterministic", ratePerSecond: 20 },
        promptTokens: { kind: "fixed", tokens: 1 },
        outputTokens: { kind: "fixed", tokens: 1001 },
      },
      service: { kind: "affine", cMs: 100 },
      scheduler: { kind: "prefill-prioritizing" },
      engine: { maxSequences: 10, replicas: 2, router: { kind: "watch" } },
      conventions: { sequenceCap: "iteration" },
    },
    registry,
  );
  runBacklog(new Simulator(registry), task(config, { backlog: 21, batchSeconds: 1, batches: 1, settle: 0 }));
  const [first, second] = seen;
  expect([first[0], first[2]]).toEqual([11, 10]);
  // The last of the eleven has all its tokens before it; the others a share of theirs.
  expect(first[1]).toBeGreaterThan(1000);
  expect(first[1]).toBeLessThan(11 * 1000);
  // At the second one an iteration of ten tokens has ended on each; the first is outstanding.
  expect(second.map((value, i) => value - first[i])).toEqual([1, 1001 - 10, 0, -10]);
});

test("the loop stops at any instant and goes on as if it had not", () => {
  const config = demo2(6, { horizon: { tmaxSeconds: 20 }, engine: { replicas: 2, maxSequences: 30 } });
  const finished = (stops: readonly number[]): number[] => {
    const requests = new Requests();
    drawTrial(requests, config.workload, config.horizon, { seed: 1, trial: 1 }, builtIn);
    const state = new Simulator().begin(config, requests, { seed: 1, trial: 1 });
    for (const seconds of stops) advance(state, asInstant(seconds * 1e9));
    advance(state, NEVER);
    return [...state.shared.sequences.finishedAt.subarray(0, requests.count)];
  };
  const whole = finished([]);
  expect(finished([0, 0.3, 5, 5, 17.123, 20, 30])).toEqual(whole);
});

test("the instant at which it stops is inside", () => {
  // Alone, with S(1) = 10.5 ms and one token to emit: done at 10.5 ms.
  const completedBy = (ms: number): number => {
    const requests = Requests.of([{ arrivedAt: 0, promptTokens: 1, outputTokens: 1 }]);
    const state = new Simulator().begin(demo2(1), requests, { seed: 1, trial: 1 });
    advance(state, fromMilliseconds(ms));
    return state.shared.completed;
  };
  expect([completedBy(10.499999), completedBy(10.5), completedBy(11)]).toEqual([0, 1, 1]);
});

test("as a task: emptied, left, then the batches", () => {
  const stability = { kind: "stability", fromEmpty: true, ...task(demo2(6)) } as const;
  const { decodeTokens, prefillTokens, prompts } = runBacklog(new Simulator(), stability);
  const horizon = { ...stability.config.horizon, tmaxSeconds: 120 };
  const left = leftAt(new Simulator(), { ...stability.config, horizon }, { seed: 1, trial: 1 });
  expect([...runTask(new Simulator(), stability)]).toEqual([
    0,
    left,
    ...decodeTokens,
    ...prefillTokens,
    ...prompts,
  ]);
  expect(runTask(new Simulator(), { ...stability, fromEmpty: false })[1]).toBeNaN();
  expect(runTask(new Simulator(), { ...stability, config: demo2(0.5), backlog: 5 })[0]).toBe(1);
  expect(secondsOf(stability)).toBe(160);
});
