/** A plan in words: the table, the sentences that answer, the notes; and its row of the CSV. */
import { conditionText } from "../../core/measures/condition.js";
import { limitText } from "../tables/assertions.js";
import type { SimulationConfig } from "../../core/configuration/config.js";
import { schedulerLabel } from "../tables/comparison.js";
import type { Row, Table } from "../interface/report.js";
import { isReplay, type Study } from "../interface/study.js";
import { metricWords, unitOf } from "../cells/metric-words.js";
import { percent, plain, scaleOf, withInterval } from "../cells/quantity.js";
import { unfitNotes } from "../load/rejection.js";
import { arrivalRate, keyCells, finite } from "../cells/rows.js";
import { validityNotes } from "../load/validity.js";
import type { LoadPlan } from "./load-search.js";
import { USUAL_ATTAINMENT } from "./objective.js";
import type { Point } from "./points.js";
import type { ReplicaPlan } from "./replica-search.js";

/** One scheduler with one chunk size. */
export interface Plan {
  readonly label: string;
  readonly config: SimulationConfig;
  /** What any policy can serve on this engine, and on one replica of it. */
  readonly bound: number;
  readonly boundOfOne: number;
  readonly load: LoadPlan;
  readonly replicas: ReplicaPlan;
}

const rangesText = ({ ranges }: LoadPlan): string =>
  ranges.map(({ from, to }) => `${plain(from)} to ${plain(to)}`).join("; ");

/** What stops the load from going higher. */
function limitedBy({ load }: Plan): string {
  if (!Number.isFinite(load.load)) return "";
  if (load.isOpen) return "bound";
  if (load.isCapacity) return "capacity";
  const after = load.points.find((point) => point.load > load.load && point.use.mean > 1);
  return after?.tightest?.target.metric ?? "";
}

export function summaryRow(plan: Plan, study: Study, slo: string): Row {
  const { config, load, replicas, bound } = plan;
  const { lambda_qps, ...keys } = keyCells(config, study.trials, undefined, study.registry);
  return {
    ...keys,
    scheduler: schedulerLabel(config),
    slo,
    replicas: config.engine.replicas,
    lambda_max_qps: finite(load.load),
    lambda_max_ci95_low: finite(load.low),
    lambda_max_ci95_high: finite(load.high),
    holds_qps: rangesText(load) || null,
    limited_by: limitedBy(plan) || null,
    upper_bound_qps: finite(bound),
    fraction_of_bound: finite(load.load / bound),
    lambda_qps,
    replicas_fewest: replicas.fewest ?? null,
    replicas_perhaps: replicas.perhaps ?? null,
    replicas_floor: replicas.floor,
  };
}

const interval = ({ low, high }: LoadPlan): string =>
  Number.isFinite(low) || Number.isFinite(high) ? `${plain(low)} – ${plain(high)}` : "–";

export function tableOf(plans: readonly Plan[], load: string): Table {
  return {
    title: `highest λ within the SLO, and fewest replicas at ${load}`,
    columns: ["scheduler", "λ", "95 % interval", "bound", "of bound", "limited by", "replicas", "floor"],
    rows: plans.map((plan) => [
      plan.label,
      plain(plan.load.load),
      interval(plan.load),
      plain(plan.bound),
      Number.isFinite(plan.load.load) ? percent(plan.load.load / plan.bound, NaN) : "–",
      limitedBy(plan) || "no load holds",
      replicasText(plan.replicas),
      String(plan.replicas.floor),
    ]),
  };
}

const replicasText = ({ fewest, perhaps }: ReplicaPlan): string =>
  `${fewest ?? "–"}${perhaps === undefined ? "" : ` (${perhaps}?)`}`;

/** How near a point comes: `P99 TTFT 23.5 ±0.4 ms, 2.35 times its limit at λ = 0.15 per s`. */
export function nearness({ tightest, use, keepsUp }: Point, where: string): string {
  if (!keepsUp) return `${where} it does not keep up`;
  if (!tightest) return `${where} nothing is asked`;
  const { target, summary, tail } = tightest;
  if (summary.n === 0) return `${where} no trial has a value of ${metricWords(target.metric)}`;
  if (summary.mean === Infinity)
    return `${where} ${metricWords(target.metric)} is +∞, as requests that cannot fit into the KV memory are rejected`;
  const times = `${plain(use.mean)} ${use.mean > 1 ? "times" : "of"} what ${conditionText(target)} allows`;
  if (tail)
    return `${where} ${withInterval(tail.share, { factor: 100, unit: "%" })} % of the ${tail.unit} lie beyond ${limitText(target)}${tail.hasRejected ? " (those that cannot fit into the KV memory as +∞)" : ""}, ${times}`;
  const scale = scaleOf(unitOf(target.metric), [summary.mean]);
  return (
    `${where} ${metricWords(target.metric)} is ${withInterval(summary, scale)} ${scale.unit}`.trim() +
    `, ${times}`
  );
}

/** The point that uses the SLO least. */
export const nearest = (points: readonly Point[]): Point =>
  points.reduce((best, point) => {
    if (point.keepsUp !== best.keepsUp) return point.keepsUp ? point : best;
    return point.use.mean < best.use.mean ? point : best;
  });

export const perSecond = (value: number): string => `λ = ${plain(value)} per s`;

const greatest = (plans: readonly Plan[], of: (plan: Plan) => number): number =>
  plans.reduce((most, one) => Math.max(most, of(one)), -Infinity);

export function answers(plans: readonly Plan[], load: string): string[] {
  const holding = plans
    .filter((plan) => Number.isFinite(plan.load.load))
    .sort((a, b) => b.load.load - a.load.load);
  const said = holding.map(
    (plan) =>
      `${plan.label} up to ${plain(plan.load.load)}${Number.isFinite(plan.load.low) || Number.isFinite(plan.load.high) ? ` (${interval(plan.load)})` : ""}`,
  );
  const none = plans
    .filter((plan) => !Number.isFinite(plan.load.load))
    .map(({ label }) => `${label} at none`);
  const fewest = plans
    .filter(({ replicas }) => replicas.fewest !== undefined)
    .sort((a, b) => a.replicas.fewest! - b.replicas.fewest!)
    .map(({ label, replicas }) => `${label} ${replicasText(replicas)}`);
  const bound = greatest(plans, (plan) => plan.bound);
  return [
    `within the SLO, in requests per second: ${[...said, ...none].join(", ")}${Number.isFinite(bound) ? `; no policy can serve more than ${plain(bound)}` : ""}`,
    fewest.length > 0
      ? `replicas at ${load}: ${fewest.join(", ")}${Number.isFinite(bound) ? `; fewer than ${-greatest(plans, ({ replicas }) => -replicas.floor)} cannot serve it` : ""}`
      : `no number of replicas that was tried holds the SLO at ${load}`,
  ];
}

/** Where a percentile took more trials than were asked for. */
function trialNotes(plans: readonly Plan[], { trials }: Study): string[] {
  const points = plans.flatMap(({ load, replicas }) => [...load.points, ...replicas.points]);
  const most = Math.max(...points.map((point) => point.trials));
  if (most <= trials) return [];
  return [
    `percentiles are judged by all requests of all trials: points with few of them took more trials than ${trials}, up to ${most}`,
  ];
}

export function notesOf(plans: readonly Plan[], study: Study, most: number): string[] {
  return [
    ...trialNotes(plans, study),
    ...validityNotes(study),
    ...unfitNotes(study.config, study.registry),
    ...(study.config.slo && !(study.targets ?? []).some(({ metric }) => metric === "slo_attainment")
      ? [
          `what the SLO asks of each request is asked of ${100 * USUAL_ATTAINMENT} % of them (attainment=95% in --slo asks it of fewer)`,
        ]
      : []),
    ...(isReplay(study)
      ? [
          `λ is of the whole trace, which as given brings ${plain(arrivalRate(study.config, study.registry))} per s on average: other loads are the trace played faster or slower`,
        ]
      : []),
    ...plans.flatMap(({ label, load, replicas, config }) => [
      ...(Number.isFinite(load.load)
        ? []
        : [
            `${label}: ${nearness(nearest(load.points), `nearest at ${perSecond(nearest(load.points).load)}:`)}`,
          ]),
      ...(load.ranges.length > 1
        ? [
            `${label}: the SLO comes and goes with the load: it holds at λ from ${rangesText(load).replaceAll(";", ", and from")}`,
          ]
        : load.ranges.length === 1 && load.ranges[0].from > load.points[0].load
          ? [`${label}: the SLO does not hold at lower loads: only at λ from ${rangesText(load)}`]
          : []),
      ...(load.isCapacity
        ? [
            `${label}: up to where it keeps up the SLO holds; above, queues grow with T (llmsim stability finds the boundary)`,
          ]
        : []),
      ...(replicas.fewest === undefined
        ? [
            `${label}: no number of replicas up to ${most} holds the SLO for certain; ${nearness(nearest(replicas.points), `nearest, with ${nearest(replicas.points).config.engine.replicas}:`)}`,
          ]
        : []),
      ...(replicas.skipped ? [`${label}: not every number of replicas below was tried`] : []),
      ...(config.engine.replicas > 1
        ? [`${label}: λ is for ${config.engine.replicas} replicas together`]
        : []),
    ]),
  ];
}
