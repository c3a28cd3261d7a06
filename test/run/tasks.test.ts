/** Cutting a request into shards and putting their values back: every (trial, configuration) once, none twice. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { complete, type SimulationConfig } from "../../src/core/configuration/config.js";
import { METRICS } from "../../src/core/measures/metrics.js";
import { type TrialRequest, TrialRecords } from "../../src/experiments/interface/trials.js";
import { place, type Shard, shardsOf } from "../../src/run/tasks.js";

/** What a task may simulate at most, unless one trial alone is more (src/run/tasks.ts). */
const REQUESTS_A_TASK = 60_000;

const config: fc.Arbitrary<SimulationConfig> = fc
  .record({
    // Few rates, so that configurations share a workload as often as not; from idle to a heavy trial.
    rate: fc.constantFrom(0.01, 2, 2, 40, 5000),
    tmaxSeconds: fc.constantFrom(10, 100, 100),
    maxRequests: fc.option(fc.constantFrom(1, 1000)),
    scheduler: fc.constantFrom("decode-prioritizing", "prefill-prioritizing", "hybrid"),
    chunkSize: fc.option(fc.integer({ min: 1, max: 64 })),
  })
  .map(({ rate, tmaxSeconds, maxRequests, scheduler, chunkSize }) =>
    complete({
      workload: {
        arrivals: { kind: "poisson", ratePerSecond: rate },
        promptTokens: { kind: "fixed", tokens: 5 },
        outputTokens: { kind: "fixed", tokens: 5 },
      },
      service: { kind: "affine", cMs: 10 },
      engine: { chunkSize },
      scheduler: { kind: scheduler },
      horizon: { tmaxSeconds, maxRequests },
    }),
  );

const request: fc.Arbitrary<TrialRequest> = fc.record(
  {
    label: fc.constant("any"),
    seed: fc.nat(),
    configs: fc.array(config, { minLength: 1, maxLength: 6 }),
    trials: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 300 })),
    first: fc.integer({ min: 1, max: 1000 }),
    windows: fc.array(fc.constantFrom(1, 5, 10), { maxLength: 4 }),
    verify: fc.boolean(),
  },
  { requiredKeys: ["label", "seed", "configs", "trials"] },
);

/** (trial, place) pairs of a shard, in the order of its values. */
const pairsOf = ({ task, places }: Shard): [number, number][] =>
  Array.from({ length: task.count }, (_, i) =>
    places.map((position): [number, number] => [task.first + i, position]),
  ).flat();

describe("shards of any request", () => {
  test("cover every trial of every configuration exactly once, and nothing else", () => {
    fc.assert(
      fc.property(request, fc.boolean(), (asked, verify) => {
        const { configs, trials, first = 1 } = asked;
        const seen = shardsOf(asked, { verify })
          .flatMap(pairsOf)
          .map(([trial, position]) => (trial - first) * configs.length + position)
          .sort((a, b) => a - b);
        expect(seen).toEqual(Array.from({ length: trials * configs.length }, (_, i) => i));
      }),
      { numRuns: 300 },
    );
  });

  test("carry the request's own configurations, seed, windows and wish to verify", () => {
    fc.assert(
      fc.property(request, fc.boolean(), (asked, verify) => {
        for (const { task, places } of shardsOf(asked, { verify })) {
          expect(task.configs).toEqual(places.map((position) => asked.configs[position]));
          expect(task.seed).toBe(asked.seed);
          expect(task.windows).toEqual(asked.windows ?? []);
          expect(task.verify).toBe(verify || asked.verify === true);
          // Those of one task share their random numbers: one draw of requests serves all.
          const drawn = task.configs.map(({ workload, horizon }) => JSON.stringify([workload, horizon]));
          expect(new Set(drawn).size).toBe(1);
        }
      }),
    );
  });

  test("are no bigger than a task should be, dearest first, and configurations that share numbers are together", () => {
    fc.assert(
      fc.property(request, (asked) => {
        const shards = shardsOf(asked, {});
        const costs = shards.map(({ cost }) => cost);
        expect(costs).toEqual([...costs].sort((a, b) => b - a));
        for (const { task, cost } of shards) {
          expect(cost).toBeGreaterThan(0);
          if (task.count > 1) expect(cost).toBeLessThanOrEqual(REQUESTS_A_TASK);
        }
        const workloads = new Set(
          asked.configs.map(({ workload, horizon }) => JSON.stringify([workload, horizon])),
        );
        expect(new Set(shards.map(({ places }) => places.join())).size).toBe(workloads.size);
      }),
    );
  });

  test("many short trials make few tasks, one long trial a task", () => {
    const sample = (tmaxSeconds: number, trials: number): number[] => {
      const { workload, service, scheduler } = fc.sample(config, { numRuns: 1 })[0]!;
      const arrivals = { kind: "poisson", ratePerSecond: 1000 };
      const long = complete({
        workload: { ...workload, arrivals },
        service,
        scheduler,
        horizon: { tmaxSeconds },
      });
      return shardsOf({ label: "", configs: [long], seed: 1, trials }, {}).map(({ task }) => task.count);
    };
    expect(sample(1, 100)).toEqual([59, 41]);
    expect(sample(100, 3)).toEqual([1, 1, 1]);
  });
});

describe("values of shards", () => {
  test("come to stand by trial and configuration, in whatever order they arrive", () => {
    const shuffled = request.chain((asked) =>
      fc.record({
        asked: fc.constant(asked),
        shards: fc.shuffledSubarray(shardsOf(asked, {}), { minLength: shardsOf(asked, {}).length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ asked, shards }) => {
        const records = new TrialRecords(asked);
        const width = records.windows * METRICS.length;
        /** A number that tells trial, configuration and place in the values apart. */
        const mark = (trial: number, position: number, k: number): number => trial * 1e6 + position * 1e5 + k;
        for (const shard of shards) {
          const marks = pairsOf(shard).flatMap(([trial, position]) =>
            Array.from({ length: width }, (_, k) => mark(trial, position, k)),
          );
          place(records, asked, shard, Float64Array.from(marks));
        }
        const first = asked.first ?? 1;
        asked.configs.forEach((_, position) => {
          for (const [window, column] of [
            [0, 0],
            [records.windows - 1, METRICS.length - 1],
          ] as const)
            expect(records.metric(position, METRICS[column]!.name, window)).toEqual(
              Array.from({ length: asked.trials }, (_unused, i) =>
                mark(first + i, position, window * METRICS.length + column),
              ),
            );
        });
        expect(records.values.length).toBe(asked.trials * asked.configs.length * width);
      }),
    );
  });
});
