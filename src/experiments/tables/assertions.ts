/**
 * `--assert`: conditions on the metrics of a run, for CI. Each is judged on the 95 % interval over trials: it holds
 * when the whole interval does, fails when none of it does, and is undecided else (also without an interval). A request
 * that was rejected counts as one whose times are +∞. A percentile is judged by the requests of all trials (tail.ts).
 */
import { conditionText, readCondition, type Condition } from "../../core/measures/condition.js";
import type { Issue } from "../../core/errors.js";
import { METRICS, metricOf, metricsOf } from "../../core/measures/metrics.js";
import { summarize, trialsForHalfWidth, type Summary } from "../../stats/index.js";
import type { ExperimentOption, OptionsOf } from "../interface/options.js";
import type { Annotation, Table } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { given, plain, scaleOf, withInterval } from "../cells/quantity.js";
import { countingRejected } from "../load/rejection.js";
import { jsonSummary } from "../cells/rows.js";
import { isEnough, type Tail, tailOf } from "../load/tail.js";
import type { TrialRecords } from "../interface/trials.js";

export const ASSERT_OPTION = {
  key: "assert",
  flag: "--assert <condition>",
  kind: "conditions",
  summary:
    "a condition for CI, e.g. 'ttft_p95_s<0.5' (repeatable), judged on the 95 % interval of every scheduler: exit 1 when one fails, 4 when one is undecided",
} as const satisfies ExperimentOption;

/** As far as they could be read. */
type Given = Partial<OptionsOf<readonly [typeof ASSERT_OPTION]>>;

export type Holding = "pass" | "fail" | "undecided";

/** Whether a condition holds, by the interval. */
export function holds({ relation, limit }: Condition, { low, high }: Summary): Holding {
  if (!(low <= high)) return "undecided";
  const all = { "<": high < limit, "<=": high <= limit, ">": low > limit, ">=": low >= limit };
  const none = { "<": low >= limit, "<=": low > limit, ">": high <= limit, ">=": high < limit };
  return all[relation] ? "pass" : none[relation] ? "fail" : "undecided";
}

/** One condition, for one configuration. */
export interface Judged {
  readonly condition: Condition;
  readonly label: string;
  readonly summary: Summary;
  readonly holding: Holding;
  /** What it was judged by, where the condition is on a percentile. */
  readonly tail?: Tail;
  /** About how many trials would decide it; NaN when it is decided or nothing tells. */
  readonly trialsToDecide: number;
}

/** The conditions of the option; they have been read once already. */
export function assertionsOf({ assert }: Given): Condition[] {
  const texts = assert ?? [];
  return texts.map((text) => readCondition(text, () => "")).filter((one) => typeof one !== "string");
}

/** What a metric needs to be measured. */
const LACKING = {
  slo: "--slo (e.g. --slo ttft=0.5s)",
  memory: "--kv-tokens (e.g. --kv-tokens 100000)",
  cap: "--max-concurrency (e.g. --max-concurrency 32)",
} as const;

/** Conditions on what is not measured. */
export function checkAssertions(options: Given, study: Study | undefined): Issue[] {
  if (study === undefined) return [];
  const known = metricsOf(study.config);
  return assertionsOf(options).flatMap(({ metric }) => {
    const definition = METRICS.find(({ name }) => name === metric);
    if (!definition || known.includes(definition)) return [];
    return [{ key: "--assert", message: `--assert ${metric} needs ${LACKING[definition.needs!]}` }];
  });
}

/** Every condition for every configuration. */
export const judge = (
  conditions: readonly Condition[],
  labels: readonly string[],
  records: TrialRecords,
): Judged[] =>
  conditions.flatMap((condition) =>
    labels.map((label, i): Judged => {
      const tail = tailOf(condition, records, i);
      if (tail) return judgeTail(condition, label, summarize(records.metric(i, condition.metric)), tail);
      const summary = countingRejected(records, i, condition.metric);
      const holding = holds(condition, summary);
      const apart = Math.abs(summary.mean - condition.limit);
      const isOpen = holding === "undecided" && summary.n > 1 && apart > 0;
      const trialsToDecide = isOpen ? trialsForHalfWidth(summary.sd, apart) : NaN;
      return { condition, label, summary, holding, trialsToDecide };
    }),
  );

/** A percentile is at most a limit where the share of values beyond is at most what it leaves. */
function judgeTail(condition: Condition, label: string, summary: Summary, tail: Tail): Judged {
  const { share, allowed, count, enough } = tail;
  const isUpper = condition.relation === "<" || condition.relation === "<=";
  const beyond: Condition = { metric: condition.metric, relation: isUpper ? "<=" : ">", limit: allowed };
  const isTold = isEnough(tail) && share.n > 1;
  const holding = isTold ? holds(beyond, share) : "undecided";
  const apart = Math.abs(share.mean - allowed);
  const trialsToDecide = !(count > 0)
    ? NaN
    : !isEnough(tail)
      ? Math.ceil((enough * share.n) / count)
      : holding === "undecided" && share.n > 1 && apart > 0
        ? trialsForHalfWidth(share.sd, apart)
        : NaN;
  return { condition, label, summary, holding, tail, trialsToDecide };
}

const MANY_TRIALS = 1_000_000;

/** `0.482 ± 0.012 s`, in the unit that reads well. */
function found({ condition, summary, tail }: Judged): string {
  const { unit } = metricOf(condition.metric)!;
  if (tail && Number.isFinite(tail.share.mean)) {
    const level = withInterval(tail.share, { factor: 100, unit: "%" });
    const rejected = tail.hasRejected ? " (rejected ones as +∞)" : "";
    return `${level} % beyond${rejected}, ${given(100 * tail.allowed)} % may be`;
  }
  if (summary.mean === Infinity) return "+∞, as requests were rejected";
  const scale = scaleOf(unit, [summary.mean]);
  return `${withInterval(summary, scale)} ${scale.unit}`.trim();
}

function verdictText({ holding, summary, tail, trialsToDecide }: Judged): string {
  if (holding !== "undecided") return holding;
  if (tail && !isEnough(tail))
    return `undecided (${plain(tail.count)} ${tail.unit}, ${plain(tail.enough)} would do${trialsToDecide < MANY_TRIALS ? `: ${trialsToDecide} trials` : ""})`;
  if ((tail?.share ?? summary).n < 2) return "undecided (no interval)";
  return trialsToDecide < MANY_TRIALS ? `undecided (about ${trialsToDecide} trials would)` : "undecided";
}

export const assertionTable = (judged: readonly Judged[], noun = "assertion"): Table => ({
  title: "assertions",
  columns: [noun, "scheduler", "found", ""],
  rows: judged.map((one) => [conditionText(one.condition), one.label, found(one), verdictText(one)]),
});

const LEVELS = { pass: "notice", fail: "error", undecided: "warning" } as const;

export const annotationsOf = (judged: readonly Judged[]): Annotation[] =>
  judged.map((one) => ({
    level: LEVELS[one.holding],
    title: `llmsim: ${conditionText(one.condition)}`,
    message: `${one.label}: ${found(one)}: ${verdictText(one)}`,
  }));

/** The answer's sentence. */
export function assertionAnswer(judged: readonly Judged[]): string {
  const of = (holding: Holding): Judged[] => judged.filter((one) => one.holding === holding);
  const named = (some: readonly Judged[]): string =>
    some.map((one) => `${conditionText(one.condition)} under ${one.label} (${found(one)})`).join(", ");
  const [failed, open] = [of("fail"), of("undecided")];
  if (failed.length + open.length === 0)
    return `${judged.length === 1 ? "the assertion holds" : `all ${judged.length} assertions hold`}`;
  return [
    ...(failed.length > 0 ? [`failed: ${named(failed)}`] : []),
    ...(open.length > 0 ? [`undecided: ${named(open)}`] : []),
  ].join("; ");
}

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What the JSON document says of them. */
export const jsonAssertions = (judged: readonly Judged[]): unknown[] =>
  judged.map(({ condition, label, summary, holding, tail, trialsToDecide }) => ({
    assertion: conditionText(condition),
    metric: condition.metric,
    relation: condition.relation,
    limit: condition.limit,
    scheduler: label,
    verdict: holding,
    ...jsonSummary(summary),
    ...(tail && {
      share_beyond: orNull(tail.share.mean),
      share_beyond_ci95_low: orNull(tail.share.low),
      share_beyond_ci95_high: orNull(tail.share.high),
      share_allowed: tail.allowed,
      values: tail.count,
    }),
    trials_to_decide: Number.isFinite(trialsToDecide) ? trialsToDecide : null,
  }));

/** Limits as people read them: `500 ms`. */
export function limitText({ metric, limit }: Condition): string {
  const { unit } = metricOf(metric)!;
  const scale = scaleOf(unit, [limit]);
  return `${given(limit * scale.factor)} ${scale.unit}`.trim();
}
