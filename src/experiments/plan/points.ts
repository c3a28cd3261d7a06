/** Points of a plan: a configuration at a load, and what it makes of the SLO. */
import type { Condition } from "../../core/measures/condition.js";
import type { SimulationConfig } from "../../core/configuration/config.js";
import type { Registry } from "../../core/configuration/registry.js";
import type { Row } from "../interface/report.js";
import { isReplay } from "../interface/study.js";
import { keepsUp } from "../load/capacity.js";
import { atRate } from "../load/load-option.js";
import { arrivalRate, keyCells, metricCells, finite } from "../cells/rows.js";
import { isEnough, measuresFor } from "../load/tail.js";
import type { Trials } from "../interface/trials.js";
import {
  tightest,
  usesOf,
  verdictOf,
  wholeUse,
  type SloVerdict,
  type TargetUse,
  type Use,
} from "./objective.js";

export interface Point {
  readonly config: SimulationConfig;
  /** Requests per second. */
  readonly load: number;
  readonly use: Use;
  /** The target that is used most; none where nothing is asked. */
  readonly tightest: TargetUse | undefined;
  /** It finishes what arrives: else its queues grow with T, and no SLO holds for long. */
  readonly keepsUp: boolean;
  readonly verdict: SloVerdict;
  /** Trials that it took: more than asked for where a percentile needs them. */
  readonly trials: number;
  /** Cells of its CSV row. */
  readonly row: Row;
}

/** Whether the means say that the SLO holds. */
export const isWithin = ({ keepsUp, use }: Point): boolean => keepsUp && use.mean <= 1;

/** What a plan's points share. */
export interface Setting {
  readonly trials: Trials;
  readonly seed: number;
  readonly count: number;
  readonly targets: readonly Condition[];
  /** The study's own, where it has one. */
  readonly registry?: Registry | undefined;
}

/** Simulates configurations on the same trials. */
export async function pointsOf(
  { trials, seed, count, targets, registry }: Setting,
  label: string,
  configs: readonly SimulationConfig[],
): Promise<Point[]> {
  if (configs.length === 0) return [];
  const request = { label, configs, seed, trials: count, ...measuresFor(targets) };
  const first = await trials.run(request);
  const all = await Promise.all(
    configs.map(async (config, i) => {
      const wanted = trialsToTell(usesOf(targets, first, i), first.trials);
      if (wanted === undefined) return { records: first, i };
      return { records: await trials.run({ ...request, configs: [config], trials: wanted }), i: 0 };
    }),
  );
  return configs.map((config, at) => {
    const { records, i } = all[at];
    const uses = usesOf(targets, records, i);
    const use = wholeUse(uses);
    const isStable = keepsUp(config, records, i, 0, registry);
    const verdict = isStable ? verdictOf(use) : "fails";
    const most = tightest(uses);
    return {
      config,
      load: arrivalRate(config, registry),
      use,
      tightest: most,
      keepsUp: isStable,
      verdict,
      trials: records.trials,
      row: {
        ...keyCells(config, records.trials, undefined, registry),
        replicas: config.engine.replicas,
        verdict,
        keeps_up: isStable ? 1 : 0,
        slo_use: finite(use.mean),
        slo_use_ci95_low: finite(use.low),
        slo_use_ci95_high: finite(use.high),
        tightest: most?.target.metric ?? null,
        ...metricCells(records, i),
      },
    };
  });
}

/** Of a percentile so many values are simulated where the usual trials have too few: times as many as say anything. */
const AMPLE = 4;
const MOST_TRIALS = 20_000;

/** Trials that are enough for every percentile that is asked for; undefined where those there are do, or none would. */
function trialsToTell(uses: readonly TargetUse[], trials: number): number | undefined {
  const wanted = uses.map(({ tail }) =>
    tail && !isEnough(tail) && tail.count > 0 ? Math.ceil((AMPLE * tail.enough * trials) / tail.count) : 0,
  );
  const most = Math.min(MOST_TRIALS, Math.max(0, ...wanted));
  return most > trials ? most : undefined;
}

/** The columns of a point beside those of every CSV. */
export const POINT_COLUMNS = [
  "replicas",
  "verdict",
  "keeps_up",
  "slo_use",
  "slo_use_ci95_low",
  "slo_use_ci95_high",
  "tightest",
];

/** The same configuration at another load; what is replayed faster is over sooner. */
export function atLoad(config: SimulationConfig, load: number, registry?: Registry): SimulationConfig {
  const there = atRate(config, load, registry);
  if (!isReplay({ config, registry })) return there;
  const tmaxSeconds = config.horizon.tmaxSeconds / (load / arrivalRate(config, registry));
  return { ...there, horizon: { ...config.horizon, tmaxSeconds } };
}

export const withReplicas = (config: SimulationConfig, replicas: number): SimulationConfig => ({
  ...config,
  engine: { ...config.engine, replicas },
});
