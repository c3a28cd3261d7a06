/**
 * Do 95 % intervals cover? Many experiments of 30 trials each estimate the M/M/1 mean response time; the share
 * whose interval holds the true value must itself be near 95 % (theory §4).
 */
import { complete, type SimulationConfig } from "../../core/configuration/config.js";
import { summarize } from "../../stats/index.js";
import { mm1 } from "../../theory/index.js";
import type { Trials } from "../interface/trials.js";

export interface CoverageSize {
  readonly experiments: number;
  readonly trials: number;
  /** Requests of a trial that are simulated first and not measured, and those that are, on average. */
  readonly warmup: number;
  readonly measured: number;
}

export interface Coverage {
  readonly offeredLoad: number;
  readonly config: SimulationConfig;
  readonly experiments: number;
  /** Share of the experiments whose interval holds the theoretical mean. */
  readonly share: number;
}

/** The share must lie here, at 1000 experiments. */
export const COVERAGE_RANGE = [0.93, 0.97] as const;

export const FULL_COVERAGE: CoverageSize = { experiments: 1000, trials: 30, warmup: 2000, measured: 5000 };

const RATE_OF_SERVICE = 100;

/** @param offeredLoad ρ, below 1 */
export async function coverage(
  trials: Trials,
  seed: number,
  offeredLoad: number,
  size: CoverageSize,
): Promise<Coverage> {
  const rate = offeredLoad * RATE_OF_SERVICE;
  const config = complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: rate },
      promptTokens: { kind: "fixed", tokens: 1 },
      outputTokens: { kind: "fixed", tokens: 0 },
    },
    service: { kind: "exponential", cMs: 1000 / RATE_OF_SERVICE },
    engine: { maxSequences: 1 },
    scheduler: { kind: "decode-prioritizing" },
    horizon: { tmaxSeconds: (size.warmup + size.measured) / rate, warmupSeconds: size.warmup / rate },
  });
  const records = await trials.run({
    label: `coverage at ρ = ${offeredLoad}`,
    configs: [config],
    seed,
    trials: size.experiments * size.trials,
  });
  const truth = mm1(rate, RATE_OF_SERVICE).responseTime;
  const means = records.metric(0, "rts_mean_s");
  let covered = 0;
  for (let i = 0; i < size.experiments; i++) {
    const { low, high } = summarize(means.slice(i * size.trials, (i + 1) * size.trials));
    if (low <= truth && truth <= high) covered++;
  }
  return { offeredLoad, config, experiments: size.experiments, share: covered / size.experiments };
}
