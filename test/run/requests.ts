/** A request for trials that makes many shards of little work, for the suites of executors and runner. */
import { complete, type PartialConfig, type SimulationConfig } from "../../src/core/configuration/config.js";
import type { StabilityTask } from "../../src/core/trial/trial.js";
import type { TrialRecords, TrialRequest } from "../../src/experiments/interface/trials.js";

const small: PartialConfig = {
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 20 },
    promptTokens: { kind: "uniform", min: 1, max: 40 },
    outputTokens: { kind: "geometric", p: 0.2 },
  },
  service: { kind: "affine", cMs: 10, aMs: 0.1 },
  scheduler: { kind: "hybrid" },
  horizon: { tmaxSeconds: 5 },
};

export const smallConfig = (changes: Partial<PartialConfig> = {}): SimulationConfig =>
  complete({ ...small, ...changes });

const withRate = (ratePerSecond: number, changes: Partial<PartialConfig> = {}): SimulationConfig =>
  smallConfig({ workload: { ...small.workload, arrivals: { kind: "poisson", ratePerSecond } }, ...changes });

/** Twelve loads, each with a workload of its own and so a shard of its own; the last takes several. */
export const manyShards: TrialRequest = {
  label: "many",
  seed: 7,
  trials: 7,
  windows: [1, 2.5, 5],
  configs: [
    ...Array.from({ length: 10 }, (_, i) => withRate(1 + 3 * i)),
    withRate(4, { scheduler: { kind: "decode-prioritizing" } }), // shares the second's random numbers
    smallConfig({ service: { kind: "exponential", cMs: 5 }, engine: { replicas: 2 } }),
    // 25,000 requests a trial, prefill only: two trials a task.
    complete({
      workload: {
        arrivals: { kind: "poisson", ratePerSecond: 2941 },
        promptTokens: { kind: "fixed", tokens: 1 },
        outputTokens: { kind: "fixed", tokens: 0 },
      },
      service: { kind: "affine", cMs: 10 },
      scheduler: { kind: "prefill-prioritizing" },
      horizon: { tmaxSeconds: 5 },
    }),
  ],
};

/** Runs from a backlog, cheap and dear, each with an answer of its own. */
export const backlogs: readonly StabilityTask[] = [1, 2, 3, 4, 5, 6, 7, 8].map((trial) => ({
  kind: "stability",
  seed: 3,
  trial,
  config: withRate(10 * trial, { scheduler: { kind: trial < 5 ? "decode-prioritizing" : "hybrid" } }),
  backlog: 100 * trial,
  batches: 4,
  settle: 1,
  batchSeconds: 2,
  fromEmpty: trial % 2 === 0,
}));

/**
 * Where two results differ; undefined when they are the same bits. Only the sign of a NaN may differ: it depends
 * on the compiler's tier and reaches no file.
 */
export function difference(a: TrialRecords, b: TrialRecords): number | undefined {
  const at = a.values.findIndex((value, i) => !Object.is(value, b.values[i]));
  return at < 0 && a.values.length === b.values.length ? undefined : at;
}

/** Configurations that the engine refuses while it runs, each with its error; they have not been checked. */
export const failing = {
  config: smallConfig({
    service: { kind: "affine", cMs: 1e6 },
    workload: { ...small.workload, outputTokens: { kind: "fixed", tokens: 1e6 } },
  }),
  plan: smallConfig({ engine: { maxTokens: 0 } }),
  // Without a replica nothing is ever completed.
  invariant: smallConfig({ engine: { replicas: 0 } }),
  other: smallConfig({ service: { kind: "no such model" } }),
} as const;
