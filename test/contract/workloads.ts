/**
 * What the contract suites run their members on: random engines, conventions and requests, and an account of
 * a run that two runs can be compared by.
 */
import fc from "fast-check";
import type { Conventions, PartialConfig } from "../../src/core/configuration/config.js";
import type { Predictions } from "../../src/core/policies/discipline.js";
import { builtIn, type Registry } from "../../src/core/configuration/registry.js";
import { Requests } from "../../src/core/workload/requests.js";
import type { Scheduler, SchedulerDefinition } from "../../src/core/policies/scheduler.js";
import { simulate, type Simulation, type SimulateOptions } from "../../src/core/trial/simulate.js";

/** A request: arrival in ns, prompt tokens, output tokens. */
export type Row = readonly [arrivedAt: number, promptTokens: number, outputTokens: number];

export const requestsOf = (rows: readonly Row[]): Requests =>
  Requests.of(
    rows.map(([arrivedAt, promptTokens, outputTokens]) => ({ arrivedAt, promptTokens, outputTokens })),
  );

/** What a run is given besides its requests; every part has a default. */
export type Setting = Partial<Omit<PartialConfig, "workload">>;

/** Runs given rows under `setting`, with every law watched. The workload's laws are not used. */
export function run(rows: readonly Row[], setting: Setting = {}, options: SimulateOptions = {}): Simulation {
  return simulate(
    {
      workload: {
        arrivals: { kind: "poisson", ratePerSecond: 1 },
        promptTokens: { kind: "fixed", tokens: 1 },
        outputTokens: { kind: "fixed", tokens: 1 },
      },
      service: { kind: "affine", cMs: 10, aMs: 1 },
      scheduler: { kind: "hybrid" },
      horizon: { tmaxSeconds: 1e6 },
      ...setting,
    },
    { requests: requestsOf(rows), verify: true, ...options },
  );
}

/** Instants of every request, ITLs and totals: equal accounts, equal runs. */
export function account({ outcome }: Pick<Simulation, "outcome">): object {
  const { shared, replicas, arrived } = outcome;
  const { startedAt, firstTokenAt, finishedAt } = shared.sequences;
  const pooled = new Map<number, number>();
  for (let i = 0; i < shared.gaps.count; i++) {
    if (shared.gaps.weight[i] === 0) continue; // expected, and never counted
    const gap = shared.gaps.gap[i];
    pooled.set(gap, (pooled.get(gap) ?? 0) + shared.gaps.weight[i]);
  }
  return {
    startedAt: [...startedAt.subarray(0, arrived)],
    firstTokenAt: [...firstTokenAt.subarray(0, arrived)],
    finishedAt: [...finishedAt.subarray(0, arrived)],
    gaps: [...pooled].sort((a, b) => a[0] - b[0]),
    totals: replicas.map((replica) => {
      const { iterations, prefillTokens, decodeTokens, sumKv, resident, activeUnmeasured } = replica;
      const { preemptions, recomputedTokens, resumedTokens, memory } = replica;
      return {
        iterations,
        prefillTokens,
        decodeTokens,
        sumKv,
        resident,
        activeUnmeasured,
        preemptions,
        recomputedTokens,
        resumedTokens,
        usedBlocks: memory?.used ?? 0,
      };
    }),
    busyTime: outcome.busyTime,
  };
}

const unknown = (): never => {
  throw new Error("nothing is known");
};
/** For queues that look at nothing but the order of arrivals. */
export const knowNothing: Predictions = {
  timeAlone: unknown,
  normal: unknown,
  uniform: unknown,
  recordedClass: unknown,
};

/** A definition whose schedulers are asked at every iteration: no fast-forward. */
export const askedEveryIteration = (definition: SchedulerDefinition): SchedulerDefinition => ({
  ...definition,
  create(spec): Scheduler {
    const scheduler = definition.create(spec);
    return { ...scheduler, compose: (view, batch) => scheduler.compose(view, batch), everyIteration: true };
  },
});

/** `registry` without fast-forward. */
export const withoutFastForward = (registry: Registry = builtIn): Registry => ({
  ...registry,
  schedulers: registry.schedulers.map(askedEveryIteration),
});

/** `builtIn` with a user's schedulers. */
export const withSchedulers = (...definitions: readonly SchedulerDefinition[]): Registry => ({
  ...builtIn,
  schedulers: [...builtIn.schedulers, ...definitions],
});

/** A user's scheduler, as a registry entry. */
export const plugin = (
  name: string,
  compose: Scheduler["compose"],
  more: Partial<Scheduler> = {},
): SchedulerDefinition => ({
  name,
  summary: "a user's scheduler",
  source: "test/contract",
  options: [],
  examples: [{ kind: name }],
  backlog: "waiting",
  create: () => ({ compose, ...more }),
});

/** Whether a scheduler has no conventions of its own that `conventions` contradict. */
export const runsUnder = ({ fixes = {} }: SchedulerDefinition, conventions: Conventions): boolean =>
  Object.entries(fixes).every(([field, value]) => conventions[field as keyof Conventions] === value);

export const conventions: fc.Arbitrary<Conventions> = fc.record({
  firstToken: fc.constantFrom("prefill", "decode"),
  mixedBatch: fc.constantFrom("sum", "max"),
  sequenceCap: fc.constantFrom("resident", "iteration"),
  tbt: fc.constantFrom("gaps", "tokens"),
});

/** The conventions a scheduler runs under: any, but for those that are part of it. */
export const conventionsOf = ({ fixes }: SchedulerDefinition): fc.Arbitrary<Conventions> =>
  conventions.map((free) => ({ ...free, ...fixes }));

/** Limits that bind, next to ones that never do. */
export const engine = fc.record({
  maxTokens: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 150 }), fc.constant(2048)),
  maxSequences: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 }), fc.constant(1000)),
  chunkSize: fc.option(fc.oneof(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 80 }))),
  replicas: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 3 })),
});

/** The same with KV memory that runs out, next to none that is counted, and time before the engine hears. */
export const memoryEngine = fc
  .tuple(
    engine,
    fc.record({
      kvTokens: fc.oneof(
        fc.constant(null),
        fc.integer({ min: 16, max: 40 }).map((blocks) => 16 * blocks),
        fc.integer({ min: 16, max: 18 }).map((blocks) => 16 * blocks),
      ),
      overheadMs: fc.constantFrom(0, 0, 3.5),
    }),
  )
  .map(([limits, real]) => ({ ...limits, ...real }));

export const service = fc.record({
  kind: fc.constant("affine"),
  cMs: fc.constantFrom(1, 10, 0.3337),
  aMs: fc.constantFrom(0, 0.5, 1 / 3),
  b0: fc.constantFrom(0, 3, 64),
});

/** Requests as they follow each other, by gap, prompt and output tokens. */
const oneAfterTheOther = (list: fc.Arbitrary<Row[]>): fc.Arbitrary<Row[]> =>
  list.map((rows) => {
    let clock = 0;
    return rows.map(([gap, ...lengths]): Row => [(clock += gap), ...lengths]);
  });

/** Requests in bursts, at iteration ends and in between. */
export const rows = oneAfterTheOther(
  fc.array(
    fc.tuple(
      fc.oneof(fc.constantFrom(0, 0, 0, 1e6, 10e6, 10.5e6, 100e6), fc.integer({ min: 1, max: 300_000_000 })),
      fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 200 })),
      fc.oneof(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 40 })),
    ),
    { minLength: 1, maxLength: 30 },
  ),
);

/** Many requests at about the same time, with long answers: memory runs out where it is counted and much may run. */
export const crowd = oneAfterTheOther(
  fc.array(
    fc.tuple(
      fc.constantFrom(0, 0, 1e6, 10e6),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 25, max: 40 }),
    ),
    { minLength: 12, maxLength: 30 },
  ),
);
