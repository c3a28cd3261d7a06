/**
 * What is asked of a metric of a run, in words: `ttft_p95_s<0.5` (an assertion), `ttft_p99=1s` (a target of an
 * SLO). One grammar for both: a metric's name, with or without its unit, a relation, and a limit with a unit.
 */
import { decimalLength } from "../numbers/decimal.js";
import { METRICS, type MetricDefinition, metricOf } from "./metrics.js";

export type Relation = "<" | "<=" | ">" | ">=";

/** The longer ones first: each is looked for where a relation begins. */
const RELATIONS: readonly Relation[] = ["<=", ">=", "<", ">"];

export interface Condition {
  /** Name in METRICS, or of a percentile that no file has a column for. */
  readonly metric: string;
  readonly relation: Relation;
  /** In the metric's unit. */
  readonly limit: number;
}

/** Appended to a message about an unknown word; empty where nobody can tell what was meant. */
export type Hint = (word: string, known: readonly string[]) => string;

/** A condition as it is written. */
export const conditionText = ({ metric, relation, limit }: Condition): string =>
  `${metric}${relation}${limit}`;

/** What vLLM's benchmark and most papers call two of the times. */
const ALIASES: Readonly<Record<string, string>> = { tpot: "tbt", e2e: "rts", e2el: "rts" };

/** A word by the name that metrics have here: `tpot_p99` is `tbt_p99`. */
export const ownName = (word: string): string =>
  word.replace(/^[a-z0-9]+(?![a-z0-9])/, (family) =>
    Object.hasOwn(ALIASES, family) ? ALIASES[family] : family,
  );

/** The metric that a word names: its name or alias, or that without its unit (`ttft_p95`) or family (`attainment`). */
export function metricNamed(word: string): MetricDefinition | undefined {
  const own = ownName(word);
  return METRICS.find(({ name }) => [`${own}_s`, `${own}_qps`, `slo_${own}`].includes(name)) ?? metricOf(own);
}

/** Units of a limit, by the metric's unit: what one of them is in it. */
const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  s: { "": 1, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, min: 60 },
  "1/s": { "": 1, "/s": 1, "1/s": 1, qps: 1 },
  "": { "": 1, "%": 0.01 },
};

/** A number with a unit in `unit` (`s`, `1/s` or none), or undefined when it is none. */
export function readQuantity(text: string, unit: string): number | undefined {
  const written = text.trim();
  const length = decimalLength(written);
  const suffix = written.slice(length).trimStart();
  const units = UNITS[unit] ?? UNITS[""];
  if (length === 0 || !Object.hasOwn(units, suffix)) return undefined;
  const given = Number(written.slice(0, length));
  const factor = units[suffix];
  // 50 ms are 0.05 s, not 0.05000000000000001.
  const value = factor < 1 ? Number((given * factor).toPrecision(15)) : given * factor;
  return Number.isFinite(value) ? value : undefined;
}

/** What a limit of a metric may look like, for errors. */
export const quantityForm = (unit: string): string =>
  unit === "s" ? "a time, e.g. 0.5s or 50ms" : unit === "1/s" ? "a rate per second" : "a number, or e.g. 95%";

/**
 * What might have been meant by a word that names no metric, for errors.
 * @param also words that would be understood there besides metrics
 */
export function metricForm(word: string, hint: Hint, also: readonly string[] = []): string {
  const names = [...also, ...METRICS.map(({ name }) => name)];
  const known = [...names, ...names.map((name) => name.replace(/_(?:s|qps)$/, ""))];
  return `(one of: ${names.join(", ")}; of times any percentile, e.g. ttft_p99.9)${hint(word, known)}`;
}

/** Reads `metric<limit` (or <=, >, >=); a text instead of a condition says what is wrong with it. */
export function readCondition(text: string, hint: Hint): Condition | string {
  const at = text.search(/[<>=]/);
  const relation = RELATIONS.find((one) => text.startsWith(one, at));
  const word = text.slice(0, Math.max(0, at)).trim();
  const limit = text.slice(at + (relation ?? "").length);
  if (relation === undefined || word === "" || /[<>=]/.test(limit))
    return `not a condition: ${text.slice(0, 60)} (write metric<limit, with <, <=, > or >=, e.g. ttft_p95_s<0.5)`;
  return conditionOf(word, relation, limit, hint);
}

/**
 * Reads `metric=limit`: at most the limit where less of the metric is better, else at least.
 * @param also words that would be understood there besides metrics
 */
export function readTarget(
  word: string,
  limit: string,
  hint: Hint,
  also: readonly string[] = [],
): Condition | string {
  const metric = metricNamed(word);
  if (metric?.better === "neither")
    return `no target: ${metric.name} (neither more nor less of it is better)`;
  return conditionOf(word, metric?.better === "higher" ? ">=" : "<=", limit, hint, also);
}

function conditionOf(
  word: string,
  relation: Relation,
  limit: string,
  hint: Hint,
  also: readonly string[] = [],
): Condition | string {
  const metric = metricNamed(word);
  if (!metric) return `unknown metric: ${word.slice(0, 60)} ${metricForm(word, hint, also)}`;
  const value = readQuantity(limit, metric.unit);
  if (value === undefined)
    return `invalid limit of ${metric.name}: ${limit.trim().slice(0, 60) || "nothing"} (${quantityForm(metric.unit)})`;
  return { metric: metric.name, relation, limit: value };
}
