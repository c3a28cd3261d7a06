/**
 * How much of an SLO a point uses: each target's metric as a share of its limit, and of several targets the greatest.
 * Up to 1 the SLO holds. Metrics of which more is better count what is missing: of an attainment of 95 % that is
 * asked, misses of 2 % use 0.4. So do percentiles: of a P99 that is asked, 0.4 % of the requests beyond use 0.4.
 */
import type { Condition } from "../../core/measures/condition.js";
import { metricOf } from "../../core/measures/metrics.js";
import { summarize, type Summary } from "../../stats/index.js";
import type { Study } from "../interface/study.js";
import { countingRejected } from "../load/rejection.js";
import { isEnough, type Tail, tailOf } from "../load/tail.js";
import type { TrialRecords } from "../interface/trials.js";

/** A share of a limit with its 95 % interval. */
export interface Use {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** One target at one point. */
export interface TargetUse extends Use {
  readonly target: Condition;
  /** The metric itself. */
  readonly summary: Summary;
  /** What it was judged by, where the target is a percentile. */
  readonly tail?: Tail;
}

export type SloVerdict = "holds" | "fails" | "undecided";

/** Of the requests this share must meet what is asked of each, unless the SLO says otherwise. */
export const USUAL_ATTAINMENT = 0.99;

/** What a plan asks of a run; what is asked of each request becomes an attainment. */
export function objectiveOf({ config, targets = [] }: Study): readonly Condition[] {
  const attainment: Condition = { metric: "slo_attainment", relation: ">=", limit: USUAL_ATTAINMENT };
  const isSaid = targets.some(({ metric }) => metricOf(metric)?.needs === "slo");
  return config.slo && !isSaid ? [...targets, attainment] : targets;
}

/** part/whole, also of nothing: what is not allowed at all is used up by any of it. */
const share = (part: number, whole: number): number =>
  whole > 0 ? part / whole : part > 0 ? Infinity : part === part ? 0 : NaN;

function useOf(target: Condition, summary: Summary): TargetUse {
  const { limit, relation } = target;
  if (relation === "<=" || relation === "<")
    return {
      target,
      summary,
      mean: share(summary.mean, limit),
      low: share(summary.low, limit),
      high: share(summary.high, limit),
    };
  // Shares of 1 count their misses; rates, how many times too few they are.
  const isShare = metricOf(target.metric)!.unit === "" && limit <= 1;
  const used = (value: number): number =>
    isShare ? share(Math.max(0, 1 - value), 1 - limit) : share(limit, value);
  return {
    target,
    summary,
    mean: used(summary.mean),
    low: used(summary.high),
    high: used(summary.low),
  };
}

/** Too few values tell nothing but their mean. */
function useOfTail(target: Condition, summary: Summary, tail: Tail): TargetUse {
  const { share: beyond, allowed } = tail;
  const isTold = isEnough(tail);
  return {
    ...{ target, summary, tail },
    mean: beyond.mean / allowed,
    low: isTold ? beyond.low / allowed : 0,
    high: isTold ? beyond.high / allowed : Infinity,
  };
}

/** Every target of one configuration's records; a request that was rejected is one whose times are +∞. */
export const usesOf = (
  targets: readonly Condition[],
  records: TrialRecords,
  config: number,
): readonly TargetUse[] =>
  targets.map((target) => {
    const tail = tailOf(target, records, config);
    if (tail) return useOfTail(target, summarize(records.metric(config, target.metric)), tail);
    return useOf(target, countingRejected(records, config, target.metric));
  });

/** The whole SLO: the greatest share, and of the ends of intervals the greatest of each. */
export function wholeUse(uses: readonly TargetUse[]): Use {
  const greatest = (of: (use: Use) => number): number =>
    uses.reduce((most, use) => (of(use) === of(use) ? Math.max(most, of(use)) : NaN), 0);
  return {
    mean: greatest(({ mean }) => mean),
    low: greatest(({ low }) => low),
    high: greatest(({ high }) => high),
  };
}

/** The target that is used most. */
export const tightest = (uses: readonly TargetUse[]): TargetUse | undefined =>
  uses.reduce<TargetUse | undefined>(
    (most, use) => (most === undefined || use.mean > most.mean ? use : most),
    undefined,
  );

/** Holds when all of every interval does, fails when none of one does. */
export const verdictOf = ({ low, high }: Use): SloVerdict =>
  high <= 1 ? "holds" : low > 1 ? "fails" : "undecided";
