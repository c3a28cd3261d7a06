/**
 * Closed loops: the machine-repairman model as a known answer, what every client owes, and common random numbers.
 * That the engine serves them right is oracle-equals-fast-closed.test.ts, windows are windows.test.ts.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PartialConfig } from "../../../src/core/configuration/config.js";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { ConfigError } from "../../../src/core/errors.js";
import { expectedRate } from "../../../src/core/configuration/expected-requests.js";
import { drawTrial } from "../../../src/core/configuration/draw-trial.js";
import { builtIn } from "../../../src/core/configuration/registry.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";
import { halfWidth, summarize } from "../../../src/stats/index.js";
import { machineRepairman } from "../../../src/theory/index.js";
import { account, memoryEngine, service, withoutFastForward } from "../../contract/workloads.js";

const LONG = process.env.LLMSIM_LONG === "1";
const RUNS = Number(process.env.LLMSIM_PROPERTY_RUNS ?? (LONG ? 60 : 25));

/** A request is one iteration: exponential with mean 10 ms. */
const repairman = (arrivals: object, engine: object = {}): PartialConfig => ({
  workload: {
    arrivals: { kind: "closed", thinkSeconds: 0.1, ...arrivals },
    promptTokens: { kind: "fixed", tokens: 1 },
    outputTokens: { kind: "fixed", tokens: 0 },
  },
  service: { kind: "exponential", cMs: 10 },
  engine: { maxSequences: 1, ...engine },
  scheduler: { kind: "prefill-prioritizing" },
  horizon: { tmaxSeconds: 170, warmupSeconds: 10 },
});

// Means do not depend on the law of the think times, nor on what follows an answer by how much.
describe.each([
  ["10 clients", { clients: 10 }, {}, 1],
  ["20 clients", { clients: 20 }, {}, 1],
  ["10 clients that always think as long", { clients: 10, think: "deterministic" }, {}, 1],
  ["40 clients and 4 replicas at one queue", { clients: 40 }, { replicas: 4 }, 4],
])("machine repairman, %s", (_, arrivals, engine, servers) => {
  test("throughput and mean response time inside intervals of a few percent", () => {
    const simulator = new Simulator();
    const runs = Array.from(
      { length: 16 },
      (_, i) => simulate(repairman(arrivals, engine), { simulator, seed: 5, trial: i + 1 }).metrics,
    );
    const loop = machineRepairman(arrivals.clients, 0.1, 0.01, servers);
    for (const [metric, theory, relative] of [
      ["throughput_qps", loop.throughput, 0.01],
      ["rts_mean_s", loop.responseTime, 0.03],
      ["utilization", loop.utilization, 0.01],
      ["number_in_system", loop.numberInSystem, 0.03],
    ] as const) {
      const found = summarize(runs.map((run) => run[metric]!));
      expect(halfWidth(found)).toBeLessThan(relative * theory);
      // Twice the 95 % interval: sixteen checks, each wrong with a chance of about 3·10⁻⁴.
      expect([metric, Math.abs(found.mean - theory) < 2 * halfWidth(found)]).toEqual([metric, true]);
    }
  });
});

const tokens: PartialConfig = {
  workload: {
    arrivals: { kind: "closed", clients: 7, thinkSeconds: 0.5 },
    promptTokens: { kind: "uniform", min: 1, max: 300 },
    outputTokens: { kind: "geometric", p: 0.05, max: 1024 },
  },
  service: { kind: "affine", cMs: 10, aMs: 0.5 },
  scheduler: { kind: "hybrid" },
  horizon: { tmaxSeconds: 40 },
};

/** By client: think times as they were (answer to next request), and lengths, in the client's own order. */
function byClient(config: PartialConfig, simulator?: Simulator): [think: number, ...number[]][][] {
  const verify = simulator === undefined;
  const { outcome } = simulate(config, { seed: 3, trial: 7, verify, ...(simulator && { simulator }) });
  const { requests, finishedAt } = outcome.shared.sequences;
  const clients: [number, ...number[]][][] = [];
  const answeredAt: number[] = [];
  for (let i = 0; i < outcome.arrived; i++) {
    const client = requests.clients!.clientOf![i];
    const think = requests.arrivedAt[i] - (answeredAt[client] ?? 0);
    (clients[client] ??= []).push([think, requests.promptTokens[i], requests.outputTokens[i]]);
    answeredAt[client] = finishedAt[i];
  }
  return clients;
}

test("the n-th request of a client has the same think time and lengths under every policy and engine", () => {
  const expected = byClient(tokens);
  const simulator = new Simulator();
  const variants: Partial<PartialConfig>[] = [
    ...builtIn.schedulers.flatMap(({ examples }) => examples.map((scheduler) => ({ scheduler }))),
    { engine: { chunkSize: 8, maxTokens: 64 } },
    { engine: { replicas: 3, router: { kind: "least-outstanding" } } },
    { engine: { async: true, overheadMs: 0 } },
    { service: { kind: "affine", cMs: 40 } },
    { horizon: { tmaxSeconds: 400, warmupSeconds: 3 } },
    // Another law of one thing moves nothing else.
    { workload: { ...tokens.workload, arrivals: { kind: "closed", clients: 9, thinkSeconds: 0.5 } } },
  ];
  for (const variant of variants) {
    const found = byClient({ ...tokens, ...variant }, simulator);
    expect(found.length).toBeGreaterThanOrEqual(expected.length);
    expected.forEach((requests, client) => {
      const common = Math.min(requests.length, found[client]!.length);
      expect(common).toBeGreaterThan(2);
      expect(found[client]!.slice(0, common)).toEqual(requests.slice(0, common));
    });
  }
});

test("ids are in order of arrival; a client has one request at a time; nothing is sent after T, however it comes", () => {
  const { outcome } = simulate(tokens, { verify: true });
  const { requests, finishedAt } = outcome.shared.sequences;
  const arrivedAt = [...requests.arrivedAt.subarray(0, outcome.arrived)];
  expect(arrivedAt).toEqual([...arrivedAt].sort((a, b) => a - b));
  expect(arrivedAt.at(-1)!).toBeLessThanOrEqual(40e9);
  const busyUntil = new Map<number, number>();
  arrivedAt.forEach((at, i) => {
    const client = requests.clients!.clientOf![i];
    expect(at).toBeGreaterThanOrEqual(busyUntil.get(client) ?? 0);
    busyUntil.set(client, finishedAt[i]);
  });
  // Clients stop when the first so many have been sent, whoever sent them.
  const fewer = simulate({ ...tokens, horizon: { tmaxSeconds: 40, maxRequests: 25 } }, { verify: true });
  expect(fewer.outcome.arrived).toBe(25);
  expect([...fewer.outcome.shared.sequences.requests.arrivedAt.subarray(0, 25)]).toEqual(
    arrivedAt.slice(0, 25),
  );
});

test("all who think the same time first ask at once, in their order; deterministic think times are exact", () => {
  const arrivals = { kind: "closed", clients: 3, thinkSeconds: 0.25, think: "deterministic" };
  for (const requests of byClient({ ...tokens, workload: { ...tokens.workload, arrivals } }))
    expect(requests.every(([think]) => think === 0.25e9)).toBe(true);
});

// The oracle has no routers: there the engine is held to itself, asked at every iteration.
test.each(builtIn.routers.map(({ name }) => name))("router %s: fast-forward changes nothing", (router) => {
  let busy = 0;
  fc.assert(
    fc.property(
      fc.record({
        clients: fc.integer({ min: 1, max: 15 }),
        thinkSeconds: fc.constantFrom(0, 0.01, 0.5),
        think: fc.constantFrom("exponential", "deterministic"),
      }),
      memoryEngine,
      service,
      fc.boolean(),
      fc.constantFrom<Spec>({ kind: "hybrid" }, { kind: "prefill-prioritizing" }, { kind: "vllm" }),
      (loop, limits, times, async, scheduler) => {
        const config: PartialConfig = {
          workload: {
            arrivals: { kind: "closed", ...loop },
            promptTokens: { kind: "uniform", min: 1, max: 60 },
            outputTokens: { kind: "uniform", min: 0, max: 60 },
          },
          service: times,
          engine: { ...limits, async, router: { kind: router } },
          scheduler,
          horizon: { tmaxSeconds: 1.5, warmupSeconds: 0.2 },
        };
        const fast = simulate(config, { verify: true });
        const slow = simulate(config, { verify: true, registry: withoutFastForward() });
        expect(account(fast)).toEqual(account(slow));
        const { kv_utilization: fastUse, ...rest } = fast.metrics;
        const { kv_utilization: slowUse, ...others } = slow.metrics;
        expect(rest).toEqual(others);
        // A batch composed ahead may count blocks that the one before it is about to give back: when, depends on
        // how iterations are told apart.
        if (!async) expect(fastUse || 0).toBeCloseTo(slowUse || 0, 9);
        else expect(fastUse || 0).toBeLessThanOrEqual(1);
        if (fast.outcome.arrived >= 10) busy++;
      },
    ),
    { numRuns: RUNS },
  );
  // 82 % of the cases have ten requests and more; none of ten by chance: 4e-8, of 25: 2e-19.
  expect(busy).toBeGreaterThan(0);
});

test("lengths of one table stay together, client by client", () => {
  const values = { weights: null };
  const { outcome } = simulate({
    ...tokens,
    workload: {
      ...tokens.workload,
      promptTokens: { kind: "pairs", values: [10, 200], ...values },
      outputTokens: { kind: "pairs", values: [3, 40], ...values },
    },
  });
  const { promptTokens, outputTokens } = outcome.shared.sequences.requests;
  const seen = new Set<string>();
  for (let i = 0; i < outcome.arrived; i++) seen.add(`${promptTokens[i]}/${outputTokens[i]}`);
  expect([...seen].sort()).toEqual(["10/3", "200/40"]);
});

test("a loop in which no time passes is refused, and so is a backlog", () => {
  const stuck: PartialConfig = {
    ...tokens,
    workload: {
      arrivals: { kind: "closed", clients: 2, thinkSeconds: 0 },
      promptTokens: { kind: "fixed", tokens: 10 },
      outputTokens: { kind: "fixed", tokens: 100 },
    },
    engine: { kvTokens: 64 },
  };
  expect(() => simulate(stuck)).toThrow(/a closed loop in which no time passes/);
  const config = prepare(tokens);
  const drawn = { seed: 1, trial: 1, backlog: 5 };
  expect(() => drawTrial(new Requests(), config.workload, config.horizon, drawn, builtIn)).toThrow(
    ConfigError,
  );
});

test("the expected rate is near the true one, and limits the number of requests", () => {
  for (const given of [repairman({ clients: 10 }), repairman({ clients: 40 }), tokens]) {
    const config = prepare(given);
    const { throughput_qps } = simulate(config).metrics;
    const expected = expectedRate(config, builtIn);
    expect(expected).toBeGreaterThan(0.8 * throughput_qps!);
    expect(expected).toBeLessThan(3 * throughput_qps!);
  }
  const huge = repairman({ clients: 100_000, thinkSeconds: 0 }, { maxSequences: 1000 });
  expect(() => prepare({ ...huge, horizon: { tmaxSeconds: 1e6 } })).toThrow(/too many requests/);
});
