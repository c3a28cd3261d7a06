/**
 * A user's scheduler is one more registry entry (model §2): good ones run like the built-in, also when their
 * decode count goes up and down; bad ones are refused by name, iteration and rule, and none makes the engine hang.
 */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { DecodePool } from "../../src/core/state/decode-pool.js";
import { ConfigError, InvariantError, PlanError } from "../../src/core/errors.js";
import { nextPiece } from "../../src/core/policies/packing.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import type { Batch, PromptQueue, Scheduler, View } from "../../src/core/policies/scheduler.js";
import type { ServiceTimeDefinition } from "../../src/core/service-times/service-time-model.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import { tokens, UNLIMITED, asDuration, type Duration } from "../../src/core/numbers/units.js";
import {
  account,
  conventions,
  engine,
  plugin,
  memoryEngine,
  type Row,
  rows,
  run,
  type Setting,
  service,
  withoutFastForward,
  withSchedulers,
} from "./workloads.js";

/** Whether the head of that queue exists and the resident cap lets it run. */
const admits = (view: View, from: PromptQueue): boolean =>
  view[from].exists && (from !== "waiting" || view.resident < view.limits.residentCap);

/** As many decodes as the batch may hold. */
const allDecodes = (view: View, batch: Batch): number =>
  Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft);

describe("good ones", () => {
  const decodeFirst = plugin("decode-first", (view, batch) => {
    batch.decode(allDecodes(view, batch));
    batch.pack();
  });
  const newestFirst = plugin("unstarted-first", (view, batch) => {
    for (const from of ["waiting", "partial"] as const)
      while (batch.slotsLeft > 0 && batch.tokensLeft > 0 && admits(view, from))
        batch.chunk(from, tokens(Math.min(nextPiece(view, from), batch.tokensLeft, 5)));
    batch.decode(allDecodes(view, batch));
  });
  const turnAbout = plugin("turn-about", (view, batch) => {
    // One of each queue in turn, so that chunks of both stand mixed in the batch.
    for (let turn = 0; batch.slotsLeft > 0 && batch.tokensLeft > 0; turn++) {
      const from: PromptQueue = turn % 2 === 0 ? "waiting" : "partial";
      const other: PromptQueue = turn % 2 === 0 ? "partial" : "waiting";
      const chosen = admits(view, from) ? from : other;
      if (!admits(view, chosen)) break;
      batch.chunk(chosen, tokens(Math.min(nextPiece(view, chosen), batch.tokensLeft, 3)));
    }
    batch.decode(allDecodes(view, batch));
  });
  const registry = withSchedulers(decodeFirst, newestFirst, turnAbout);
  const slowly = withoutFastForward(registry);

  test.each(["decode-first", "unstarted-first", "turn-about"])(
    "%s obeys every law, with and without fast-forward",
    (kind) => {
      fc.assert(
        fc.property(rows, engine, service, conventions, (rows, engine, service, conventions) => {
          const setting = { scheduler: { kind }, engine, service, conventions };
          const fast = run(rows, setting, { registry });
          expect(fast.metrics.n_completed).toBe(rows.length);
          expect(account(fast)).toEqual(account(run(rows, setting, { registry: slowly })));
        }),
        { numRuns: 200 },
      );
    },
  );

  test("is listed among the schedulers when a name is unknown; a simulator brings its registry", () => {
    const message =
      "unknown scheduler: mlfq (one of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca, decode-first)";
    expect(() =>
      run([[0, 1, 1]], { scheduler: { kind: "mlfq" } }, { registry: withSchedulers(decodeFirst) }),
    ).toThrow(new ConfigError([{ key: "scheduler.kind", message }]));
    const simulator = new Simulator(registry);
    expect(run([[0, 1, 1]], { scheduler: { kind: "decode-first" } }, { simulator }).metrics.n_completed).toBe(
      1,
    );
  });

  test("one that raises its decodes step by step is one that asks for them at once", () => {
    const steps = plugin("steps", (view, batch) => {
      const all = allDecodes(view, batch);
      // Each step may preempt: then fewer are left to decode.
      for (let n = 0; n <= Math.min(Math.floor(all / 2) * 2, view.decodable); n++) batch.decode(n);
      batch.pack();
      // What the prompts have left, and what they have not.
      batch.decode(
        Math.min(view.decodable, Math.floor(all / 2) * 2 + Math.min(batch.slotsLeft, batch.tokensLeft, 1)),
      );
    });
    const once = plugin("once", (view, batch) => {
      const all = allDecodes(view, batch);
      batch.decode(Math.floor(all / 2) * 2);
      batch.pack();
      batch.decode(
        Math.min(view.decodable, Math.floor(all / 2) * 2 + Math.min(batch.slotsLeft, batch.tokensLeft, 1)),
      );
    });
    const both = withSchedulers(steps, once);
    fc.assert(
      fc.property(rows, memoryEngine, (rows, engine) => {
        const [a, b] = ["steps", "once"].map((kind) =>
          run(rows, { scheduler: { kind }, engine }, { registry: both }),
        );
        expect(account(a)).toEqual(account(b));
      }),
      { numRuns: 100 },
    );
  });

  test("one that asks for too much, hears no, and asks for less is served", () => {
    const tries = plugin("tries", (view, batch) => {
      for (let n = view.decodable + 2; n > 0; n--)
        try {
          batch.decode(n);
          break;
        } catch (error) {
          expect(error).toBeInstanceOf(PlanError);
        }
      batch.pack();
    });
    const crowd = Array.from({ length: 30 }, (_, i): Row => [i * 3e6, 1 + (i % 40), i % 20]);
    const setting = { engine: { maxTokens: 32, maxSequences: 6, chunkSize: 8 } };
    const polite = run(crowd, { ...setting, scheduler: { kind: "decode-first" } }, { registry });
    const pushy = run(
      crowd,
      { ...setting, scheduler: { kind: "tries" } },
      { registry: withSchedulers(tries) },
    );
    expect(account(pushy)).toEqual(account(polite));
  });
});

/** Prices every cached token, so that what the engine counts as `sumKv` shows in the instants. */
const kvPriced: ServiceTimeDefinition = {
  name: "kv-priced",
  summary: "1 ms, 1 µs a token, 1 ns a cached token",
  source: "test/contract",
  options: [],
  examples: [{ kind: "kv-priced" }],
  create: () => ({
    random: false,
    growsWithKv: true,
    price: ({ decodes, prefillTokens, sumKv }) => asDuration(1e6 + 1e3 * (decodes + prefillTokens) + sumKv),
  }),
};

/**
 * The engine that the wobbling scheduler needs, written plainly: at every iteration decode the first
 * `counts[k]` sequences in decode order, then whole prompts FCFS while they fit.
 */
function wobble(
  rows: readonly Row[],
  counts: readonly number[],
  maxTokens: number,
  emitsAtPrefillEnd: boolean,
) {
  interface Sequence {
    id: number;
    kv: number;
    tokenAt: number[];
  }
  const early = emitsAtPrefillEnd ? 1 : 0;
  const startedAt: number[] = [];
  const finishedAt: number[] = [];
  const tokenAt: number[][] = [];
  const waiting: number[] = [];
  let decoding: Sequence[] = [];
  let now = 0;
  let iterations = 0;
  for (let arrived = 0, finished = 0; finished < rows.length;) {
    while (arrived < rows.length && rows[arrived][0] <= now) waiting.push(arrived++);
    if (waiting.length + decoding.length === 0) {
      now = rows[arrived][0];
      continue;
    }
    const wanted = counts[iterations++ % counts.length];
    const active = decoding.slice(0, waiting.length > 0 ? wanted : Math.max(1, wanted)).slice(0, maxTokens);
    const packed: number[] = [];
    let left = maxTokens - active.length;
    while (waiting.length > 0 && rows[waiting[0]][1] <= left) {
      left -= rows[waiting[0]][1];
      packed.push(waiting.shift()!);
    }
    // A prompt that does not fit beside the decodes goes into an iteration of its own.
    const kv = active.reduce((sum, sequence) => sum + sequence.kv, 0);
    for (const id of packed) startedAt[id] = now;
    now += 1e6 + 1e3 * (maxTokens - left) + kv;
    for (const sequence of active) {
      sequence.tokenAt.push(now);
      sequence.kv++;
    }
    for (const id of packed) {
      const sequence = { id, kv: rows[id][1], tokenAt: early === 1 && rows[id][2] > 0 ? [now] : [] };
      tokenAt[id] = sequence.tokenAt;
      decoding.push(sequence);
    }
    decoding = decoding.filter(({ id, tokenAt }) => {
      if (tokenAt.length < rows[id][2]) return true;
      finishedAt[id] = now;
      finished++;
      return false;
    });
  }
  return { startedAt, finishedAt, tokenAt, iterations };
}

describe("one whose decode count goes up and down at every iteration", () => {
  const registryFor = (counts: readonly number[]) => {
    const definition = {
      ...plugin("wobble", () => {}),
      create(): Scheduler {
        let iteration = 0;
        return {
          everyIteration: true,
          compose(view, batch) {
            const wanted = counts[iteration++ % counts.length];
            const least = view.waiting.exists ? wanted : Math.max(1, wanted);
            batch.decode(Math.min(least, view.decodable, batch.tokensLeft));
            while (view.waiting.exists && view.waiting.left <= batch.tokensLeft)
              batch.chunk("waiting", view.waiting.left);
          },
        };
      },
    };
    const registry = withSchedulers(definition);
    return { ...registry, serviceTimes: [...registry.serviceTimes, kvPriced] };
  };

  test("has the instants, tokens and gaps of a plain engine (model §2, §3)", () => {
    const counts = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 });
    const few = fc
      .array(
        fc.tuple(
          fc.constantFrom(0, 0, 0, 1_000_000, 3_000_000, 20_000_000),
          fc.integer({ min: 1, max: 15 }),
          fc.integer({ min: 0, max: 25 }),
        ),
        { minLength: 1, maxLength: 20 },
      )
      .map((list) => {
        let clock = 0;
        return list.map(([gap, ...lengths]): Row => [(clock += gap), ...lengths]);
      });
    const deactivate = vi.spyOn(DecodePool.prototype, "deactivate");
    let steppedBack = 0;
    fc.assert(
      fc.property(
        few,
        counts,
        fc.boolean(),
        fc.integer({ min: 0, max: 5 }),
        (rows, counts, early, unmeasured) => {
          // No decodes beside a prompt that may be waiting for the whole budget: 0 must come up.
          const pattern = [...counts, 0];
          deactivate.mockClear();
          const expected = wobble(rows, pattern, 15, early);
          const warmup = rows[Math.min(unmeasured, rows.length - 1)][0];
          const { outcome, metrics } = run(
            rows,
            {
              scheduler: { kind: "wobble" },
              service: { kind: "kv-priced" },
              engine: { maxTokens: 15 },
              conventions: { firstToken: early ? "prefill" : "decode" },
              horizon: { warmupSeconds: warmup / 1e9 },
            },
            { registry: registryFor(pattern) },
          );
          const { startedAt, firstTokenAt, finishedAt } = outcome.shared.sequences;
          expect(rows.map((_, id) => [startedAt[id], firstTokenAt[id], finishedAt[id]])).toEqual(
            rows.map((_, id) => [
              expected.startedAt[id],
              expected.tokenAt[id][0] ?? NaN,
              expected.finishedAt[id],
            ]),
          );
          expect(metrics.n_iterations).toBe(expected.iterations);
          const gaps = expected.tokenAt
            .slice(outcome.firstMeasured)
            .flatMap((at) => at.slice(1).map((instant, i) => instant - at[i]))
            .sort((a, b) => a - b);
          const { gap, weight, count } = outcome.shared.gaps;
          const pooled = Array.from({ length: count }, (_, i) =>
            Array<number>(weight[i]).fill(gap[i]),
          ).flat();
          expect(pooled.sort((a, b) => a - b)).toEqual(gaps);
          const [replica] = outcome.replicas;
          expect([replica.sumKv, replica.activeUnmeasured, replica.resident]).toEqual([0, 0, 0]);
          if (deactivate.mock.calls.length > 3) steppedBack++;
        },
      ),
      { numRuns: 300 },
    );
    // In 65 % of the cases; in no more than a third of them by chance: 1e-23.
    expect(steppedBack).toBeGreaterThan(100);
    deactivate.mockRestore();
  });

  test("obeys every law on several replicas and with thousands of residents", () => {
    const byTheClock = plugin(
      "by-the-clock",
      (view, batch) => {
        const wanted = (Math.floor(view.now / 1000) * 7919) % 50;
        const n = Math.min(1 + wanted, allDecodes(view, batch));
        batch.decode(n);
        batch.pack(40, 2000);
      },
      { everyIteration: true },
    );
    const crowd = Array.from({ length: 2500 }, (_, i): Row => [i * 40_000, 1 + (i % 30), (i * 13) % 9]);
    const { outcome, metrics } = run(
      crowd,
      {
        scheduler: { kind: "by-the-clock" },
        engine: { replicas: 2 },
        conventions: { sequenceCap: "iteration" },
        service: { kind: "affine", cMs: 1, aMs: 0.0137 },
      },
      { registry: withSchedulers(byTheClock) },
    );
    expect(metrics.n_completed).toBe(2500);
    for (const { sumKv, activeUnmeasured } of outcome.replicas)
      expect([sumKv, activeUnmeasured]).toEqual([0, 0]);
  });
});

test("what `prefilling` was called before still works: the head, and the queue of a chunk", () => {
  const heads = new Set<boolean>();
  const scheduler = (from: PromptQueue) =>
    plugin(`by ${from}`, (view, batch) => {
      heads.add(view.partial === view.prefilling);
      batch.decode(allDecodes(view, batch));
      while (batch.slotsLeft > 0 && batch.tokensLeft > 0) {
        const next = view.prefilling.exists ? from : "waiting";
        if (!admits(view, next)) break;
        batch.chunk(next, tokens(Math.min(nextPiece(view, next), batch.tokensLeft, 3)));
      }
    });
  const [by, before] = [scheduler("prefilling"), scheduler("partial")];
  const registry = withSchedulers(by, before);
  const long: Row[] = [
    [0, 20, 3],
    [5, 9, 2],
  ];
  const of = (kind: string) =>
    account(run(long, { scheduler: { kind }, engine: { maxTokens: 4 } }, { registry }));
  expect(of("by prefilling")).toEqual(of("by partial"));
  expect(heads).toEqual(new Set([true]));
});

describe("bad ones are refused where they ask (PlanError: scheduler, iteration, rule)", () => {
  const prefill = (_view: View, batch: Batch): void => void batch.pack();
  /** Prefills while a prompt waits, then does `then`. */
  const afterPrefill =
    (then: Scheduler["compose"]): Scheduler["compose"] =>
    (view, batch) => {
      if (view.partial.exists || view.waiting.exists) prefill(view, batch);
      else then(view, batch);
    };
  /** Three requests at once: the first iteration ends their prefills, the second decodes. */
  const three: Row[] = [
    [0, 4, 5],
    [0, 4, 5],
    [0, 4, 5],
  ];
  const cap = (sequenceCap: "resident" | "iteration", maxSequences: number): Setting => ({
    conventions: { sequenceCap },
    engine: { maxSequences },
  });
  const cases: [string, Scheduler["compose"], Setting, number, string][] = [
    ["nothing at all", () => {}, {}, 1, "placed nothing while work waits"],
    ["decodes nobody", (_, batch) => void batch.decode(0), {}, 1, "placed nothing while work waits"],
    ["stops after the prefill", afterPrefill(() => {}), {}, 2, "placed nothing while work waits"],
    [
      "more decodes than the budget",
      afterPrefill((_, batch) => void batch.decode(3)),
      { engine: { maxTokens: 2 } },
      7,
      "over the token budget: asked 3, left 2",
    ],
    [
      "a chunk over the budget",
      (view, batch) => void batch.chunk("waiting", view.waiting.left),
      { engine: { maxTokens: 3 } },
      1,
      "over the token budget: asked 4, left 3",
    ],
    [
      "a chunk over what is left of the budget",
      (view, batch) => {
        batch.chunk("waiting", view.waiting.left);
        batch.chunk("waiting", view.waiting.left);
      },
      { engine: { maxTokens: 7 } },
      1,
      "over the token budget: asked 4, left 3",
    ],
    [
      "more decodes than the cap",
      afterPrefill((_, batch) => void batch.decode(3)),
      cap("iteration", 2),
      3,
      "over the sequence cap: asked 3, left 2",
    ],
    [
      "more prompts than the cap",
      (view, batch) => {
        for (let i = 0; i < 3; i++) batch.chunk("waiting", view.waiting.left);
      },
      cap("iteration", 2),
      1,
      "over the sequence cap: no place left",
    ],
    [
      "more residents than the cap",
      (view, batch) => {
        batch.decode(Math.min(1, view.decodable));
        if (batch.slotsLeft > 0 && view.waiting.exists) batch.chunk("waiting", view.waiting.left);
      },
      cap("resident", 2),
      3,
      "over the resident cap: 2 of 2",
    ],
    [
      "a chunk over the chunk size",
      (_, batch) => void batch.chunk("waiting", tokens(4)),
      { engine: { chunkSize: 3 } },
      1,
      "over the chunk size: asked 4 of 3",
    ],
    [
      "longer than the prompt",
      (_, batch) => void batch.chunk("waiting", tokens(5)),
      {},
      1,
      "longer than the prompt: asked 5, left 4",
    ],
    [
      "more than is left of a prompt",
      (view, batch) => void batch.chunk(view.partial.exists ? "partial" : "waiting", tokens(3)),
      {},
      2,
      "longer than the prompt: asked 3, left 1",
    ],
    [
      "a partly prefilled prompt where there is none",
      (_, batch) => void batch.chunk("partial", tokens(1)),
      {},
      1,
      "no partial prompt to take a chunk of",
    ],
    [
      "an unstarted prompt where there is none",
      (view, batch) => {
        for (let i = 0; i < 4; i++) batch.chunk("waiting", view.waiting.left);
      },
      {},
      1,
      "no waiting prompt to take a chunk of",
    ],
    [
      "takes decodes back",
      afterPrefill((_, batch) => {
        batch.decode(1);
        batch.decode(0);
      }),
      {},
      2,
      "decodes taken back: asked 0, placed 1",
    ],
    [
      "more decodes than there are",
      afterPrefill((view, batch) => void batch.decode(view.decodable + 1)),
      {},
      2,
      "more decodes than sequences: asked 4, decodable 3",
    ],
    [
      "decodes before any prefill",
      (_, batch) => void batch.decode(1),
      {},
      1,
      "more decodes than sequences: asked 1, decodable 0",
    ],
    ...[1.5, -1, NaN, Infinity, "2" as unknown as number].map(
      (n): [string, Scheduler["compose"], Setting, number, string] => [
        `${typeof n} ${n} decodes`,
        afterPrefill((_, batch) => void batch.decode(n)),
        {},
        2,
        `decodes must be a whole number: asked ${n}`,
      ],
    ),
    ...[1.5, 0, -3, NaN, Infinity].map((n): [string, Scheduler["compose"], Setting, number, string] => [
      `a chunk of ${n} tokens`,
      (_, batch) => void batch.chunk("waiting", tokens(n)),
      {},
      1,
      `a chunk has at least 1 token: asked ${n}`,
    ]),
  ];

  test.each(cases)("%s", (_, compose, setting, iteration, rule) => {
    const simulator = new Simulator(withSchedulers(plugin("bad", compose)));
    const attempt = (): unknown => {
      try {
        return run(three, { ...setting, scheduler: { kind: "bad" } }, { simulator }).metrics;
      } catch (error) {
        return error;
      }
    };
    const error = attempt();
    expect(error).toBeInstanceOf(PlanError);
    expect(error).toMatchObject({
      name: "PlanError",
      scheduler: "bad",
      iteration,
      rule,
      message: `scheduler bad, iteration ${iteration}: ${rule}`,
    });
    // The buffers that it left in the middle of a run serve the next one all the same.
    const setup = { scheduler: { kind: "hybrid" } };
    expect(account(run(three, setup, { simulator }))).toEqual(account(run(three, setup)));
  });

  test("a scheduler's own exception passes as it is", () => {
    const own = new TypeError("my bug");
    const throws = plugin("throws", () => {
      throw own;
    });
    expect(() => run(three, { scheduler: { kind: "throws" } }, { registry: withSchedulers(throws) })).toThrow(
      own,
    );
  });

  test("one that starves a prompt is not blamed on the engine: what it places is run", () => {
    // Decodes for ever what it can and prefills only then: legal, and every request completes.
    const miser = plugin("miser", (view, batch) => {
      if (batch.decode(Math.min(1, view.decodable)) === 0) batch.pack(1, 1);
    });
    const { metrics } = run(three, { scheduler: { kind: "miser" } }, { registry: withSchedulers(miser) });
    expect(metrics.n_completed).toBe(3);
    expect(metrics.n_iterations).toBe(3 * (4 + 4));
  });
});

describe("pack says whether its own limits ended it", () => {
  type Limits = NonNullable<Setting["engine"]>;

  /** What it says at each composition, on prompts of 4 tokens that all wait from the start. */
  function said(count: number, engine: Limits, prompts: number, budget: number): boolean[] {
    const answers: boolean[] = [];
    const listening = plugin("listening", (_view, batch) => {
      answers.push(batch.pack(prompts, budget));
    });
    const rows = Array.from({ length: count }, (): Row => [0, 4, 0]);
    const registry = withSchedulers(listening);
    run(rows, { scheduler: { kind: "listening" }, engine }, { registry, verify: false });
    return answers;
  }

  test.each<[string, boolean[], number, Limits, number, number]>([
    ["no limits of its own, all placed", [false], 3, {}, UNLIMITED, UNLIMITED],
    ["2 prompts an iteration, 1 left over, then none", [true, false], 3, {}, 2, UNLIMITED],
    ["endless limits are none", [false], 3, {}, Infinity, 1e12],
    ["as many prompts as there are", [false], 3, {}, 3, UNLIMITED],
    ["6 tokens: a prompt and a half, then the rest of 12", [true, false], 3, {}, UNLIMITED, 6],
    ["as many tokens as there are", [false], 3, {}, UNLIMITED, 12],
    ["the engine's places end it", [false, false], 3, { maxSequences: 2 }, UNLIMITED, UNLIMITED],
    ["the engine's places end it where its own limit would", [false, false], 3, { maxSequences: 2 }, 2, 12],
    ["the engine's tokens end it where its own prompts would", [false, false], 3, { maxTokens: 8 }, 2, 99],
    ["its own budget ends it where the engine's would too", [true, false], 3, { maxTokens: 6 }, 3, 6],
  ])("%s", (_, expected, count, engine, prompts, budget) => {
    expect(said(count, engine, prompts, budget)).toEqual(expected);
  });

  test.each([
    [1.5, 4],
    [-1, 4],
    [NaN, 4],
    [2, 0.5],
    [2, -3],
  ])("%d prompts of %d tokens are no limits", (prompts, budget) => {
    expect(() => said(3, {}, prompts, budget)).toThrow(
      expect.objectContaining({
        name: "PlanError",
        message: expect.stringContaining("a limit of pack is a whole number: asked ") as string,
      }) as Error,
    );
  });
});

describe("a service-time model that is wrong is refused where it prices", () => {
  /** The result of a request with a prefill and two decodes, iterations priced by `price` of their number. */
  function attempt(price: (call: number) => number): unknown {
    const wrong: ServiceTimeDefinition = {
      name: "wrong",
      summary: "a user's service-time model",
      source: "test/contract",
      options: [],
      examples: [{ kind: "wrong" }],
      create() {
        let call = 0;
        // Random, so that every iteration is priced by itself.
        return { random: true, price: () => price(++call) as Duration };
      },
    };
    const registry = { ...builtIn, serviceTimes: [...builtIn.serviceTimes, wrong] };
    try {
      const setting = { scheduler: { kind: "hybrid" }, service: { kind: "wrong" } };
      return run([[0, 4, 3]], setting, { registry }).metrics;
    } catch (error) {
      return error;
    }
  }

  const times = [NaN, -1, -1e6, 0.5, 1e6 + 0.25, Infinity, -Infinity];
  test.each(times.flatMap((time) => [1, 3].map((at) => [time, at] as const)))(
    "%d ns in iteration %d",
    (time, at) => {
      const error = attempt((call) => (call === at ? time : 1e6));
      expect(error).toBeInstanceOf(PlanError);
      const rule = `the service-time model priced an iteration at ${time} ns (whole, not negative)`;
      expect(error).toMatchObject({ scheduler: "hybrid", iteration: at, rule });
    },
  );

  test("whole ones are taken", () => {
    expect(attempt(() => 1e6)).toMatchObject({ n_iterations: 3, makespan_s: 0.003 });
  });
});

test("the three errors are told apart by class and name", () => {
  expect(new InvariantError("x")).toMatchObject({ name: "InvariantError", message: "x" });
  expect(
    new ConfigError([
      { key: "a", message: "one" },
      { key: "b", message: "two" },
    ]),
  ).toMatchObject({
    name: "ConfigError",
    message: "one\ntwo",
  });
});
