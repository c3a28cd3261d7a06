/**
 * What every sweep shares: paired differences to a point of reference, as cells and in words, a table of points, and
 * which point is best. `sweep`, `sweep-chunk` and `hybrid` differ in what they vary and in what they say of it.
 */
import { finite } from "../cells/rows.js";
import { pairedDifference, simultaneous, summarize, halfWidth, verdict } from "../../stats/index.js";
import type { Registry } from "../../core/configuration/registry.js";
import type { Cell, Row, Table } from "../interface/report.js";
import { lowerIsBetter, metricWords, unitOf } from "../cells/metric-words.js";
import { BEHIND, growsWithT, keepingUp } from "../load/overload.js";
import { plain, relativeChange, scaleOf, withInterval } from "../cells/quantity.js";
import type { TrialRecords } from "../interface/trials.js";

/** Metrics and their titles in a table of the terminal. */
export type Shown = readonly (readonly [metric: string, title: string])[];

/** What a sweep shows and compares; P99 ITL is what chunking buys under mixed batches. */
export const COMPARED: Shown = [
  ["throughput_qps", "throughput"],
  ["ttft_mean_s", "TTFT"],
  ["tbt_mean_s", "TBT"],
  ["rts_p95_s", "RTS p95"],
  ["itl_p99_s", "ITL p99"],
];

/** The columns of paired differences. */
export const differenceColumns = (shown: Shown): string[] =>
  shown.flatMap(([metric]) => [
    `${metric}_difference`,
    `${metric}_difference_ci95_low`,
    `${metric}_difference_ci95_high`,
    `${metric}_verdict`,
  ]);

const MOST_NAMED = 3;

/** Paired differences of a configuration to `base`, for the CSV. */
export function differenceCells(shown: Shown, records: TrialRecords, config: number, base: number): Row {
  const cells: Record<string, Cell> = {};
  for (const [metric] of shown) {
    const difference = pairedDifference(records.metric(config, metric), records.metric(base, metric));
    cells[`${metric}_difference`] = finite(difference.mean);
    cells[`${metric}_difference_ci95_low`] = finite(difference.low);
    cells[`${metric}_difference_ci95_high`] = finite(difference.high);
    cells[`${metric}_verdict`] = difference.n < 2 ? null : verdict(difference, lowerIsBetter(metric));
  }
  return cells;
}

/** How a table marks a point that could not be simulated. */
const FAILED = "failed";

/** The column of why a point could not be simulated, where there is one; that point's other cells are empty. */
export const failureColumn = (records: TrialRecords): string[] => (records.failed.size > 0 ? [FAILED] : []);

/** The cell of that column. */
export function failureCell(records: TrialRecords, config: number): Row {
  const reason = records.failed.get(config);
  return reason ? { [FAILED]: reason.message } : {};
}

/** Which points could not be simulated, and why, each in a line; points that have a reason in common stand together. */
export function failures(records: TrialRecords, names: readonly string[]): string[] {
  const said = new Map<string, string[]>();
  for (const [config, { message }] of [...records.failed].sort(([a], [b]) => a - b)) {
    said.set(message, [...(said.get(message) ?? []), names[config]]);
  }
  return [...said].map(([reason, who]) => {
    const more = who.length > MOST_NAMED ? ` and ${who.length - MOST_NAMED} more` : "";
    return `${who.slice(0, MOST_NAMED).join("; ")}${more}: ${reason}`;
  });
}

/** What a table of points shows beside the metrics. */
export interface FurtherColumn {
  readonly title: string;
  /** By the points' order. */
  readonly cells: readonly string[];
}

/** The points of a sweep, a line each; throughput has no room for an interval. Who does not keep up is marked. */
export function pointTable(
  title: string,
  heads: readonly string[],
  names: readonly (readonly string[])[],
  shown: Shown,
  records: TrialRecords,
  configs: readonly number[],
  {
    window = 0,
    further = [],
    registry,
  }: {
    readonly window?: number;
    readonly further?: readonly FurtherColumn[];
    readonly registry?: Registry | undefined;
  } = {},
): Table {
  const all = keepingUp(records, registry, window);
  const marks = configs.map((config) => (records.failed.has(config) ? FAILED : all[config] ? "" : BEHIND));
  const last = marks.some((mark) => mark !== "") ? [...further, { title: "", cells: marks }] : further;
  const columns = shown.map(([metric, name]) => {
    const summaries = configs.map((config) => summarize(records.metric(config, metric, window)));
    const scale = scaleOf(
      unitOf(metric),
      summaries.map(({ mean }) => mean),
    );
    return { name, summaries, scale };
  });
  return {
    title,
    columns: [
      ...heads,
      ...columns.map(({ name, scale }) => (scale.unit === "1/s" ? "req/s" : `${name} ${scale.unit}`.trim())),
      ...last.map((column) => column.title),
    ],
    rows: names.map((own, i) => [
      ...own,
      ...columns.map(({ summaries, scale }) =>
        scale.unit === "1/s" ? plain(summaries[i].mean) : withInterval(summaries[i], scale),
      ),
      ...last.map(({ cells }) => cells[i]),
    ]),
  };
}

/** The point with the best mean, and what trials allow to say of it. */
export interface Best {
  /** Place in the list of points. */
  readonly place: number;
  /** Places of the points that it is not resolved from, by intervals that hold for every pair at once. */
  readonly unresolved: readonly number[];
  /** The change from the first point, in words, when that is resolved though the point was picked. */
  readonly change?: string;
}

/** The best of some configurations by one metric; undefined when none has a value. */
export function bestPoint(
  records: TrialRecords,
  configs: readonly number[],
  metric: string,
): Best | undefined {
  const values = configs.map((config) => records.metric(config, metric));
  const means = values.map((one) => summarize(one).mean);
  const sign = lowerIsBetter(metric) ? 1 : -1;
  let place = -1;
  means.forEach((mean, i) => {
    if (Number.isFinite(mean) && (place < 0 || sign * mean < sign * means[place])) place = i;
  });
  if (place < 0) return undefined;
  const pairs = (values.length * (values.length - 1)) / 2;
  const unresolved = values
    .map((_, i) => i)
    .filter((i) => {
      if (i === place) return false;
      const { low, high } = simultaneous(pairedDifference(values[i], values[place]), pairs);
      return !(low > 0 || high < 0);
    });
  const toFirst = simultaneous(pairedDifference(values[place], values[0]), Math.max(1, values.length - 1));
  const isBetter = verdict(toFirst, lowerIsBetter(metric)) === "better";
  const change = relativeChange(Math.abs(toFirst.mean) / means[0], halfWidth(toFirst) / means[0]);
  return { place, unresolved, ...(isBetter && { change }) };
}

/** The sentence about the best point; of a time only points that keep up with their load are compared. */
export function bestSentence(
  records: TrialRecords,
  given: readonly number[],
  givenNames: readonly string[],
  metric: string,
  registry?: Registry,
): string {
  const hasValues = given.map((config) => !records.failed.has(config));
  const configs = given.filter((_, i) => hasValues[i]);
  const names = givenNames.filter((_, i) => hasValues[i]);
  if (configs.length === 0) return "no point could be simulated";
  const all = keepingUp(records, registry);
  const keeping = configs.map((config) => !growsWithT(metric) || all[config]);
  if (keeping.every(Boolean)) return bestOf(records, configs, names, metric);
  const kept = <T>(list: readonly T[]): T[] => list.filter((_, i) => keeping[i]);
  const left = names.filter((_, i) => !keeping[i]);
  if (left.length === names.length)
    return `no point keeps up with its load: ${metricWords(metric)} grows with T, and is not compared`;
  const more = left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : "";
  const who = `${left.slice(0, MOST_NAMED).join("; ")}${more}`;
  return `${bestOf(records, kept(configs), kept(names), metric)}; not compared, as it does not keep up with its load: ${who}`;
}

function bestOf(
  records: TrialRecords,
  configs: readonly number[],
  names: readonly string[],
  metric: string,
): string {
  const best = bestPoint(records, configs, metric);
  const what = metricWords(metric);
  if (!best) return `no point has a value of ${what}`;
  const summary = summarize(records.metric(configs[best.place], metric));
  const scale = scaleOf(unitOf(metric), [summary.mean]);
  const level = `${withInterval(summary, scale).replace("±", "± ")} ${scale.unit}`.trim();
  const direction = lowerIsBetter(metric) ? "lowest" : "highest";
  const said = `${what} is ${direction} at ${names[best.place]}, ${level}`;
  if (configs.length === 1) return `${what} at ${names[0]} is ${level}`;
  const isSame = configs.every((config) => {
    const { low, high } = pairedDifference(
      records.metric(config, metric),
      records.metric(configs[0], metric),
    );
    return low === 0 && high === 0;
  });
  if (isSame) return `${what} is the same at every point, ${level}`;
  const change =
    best.change === undefined
      ? []
      : [`${best.change} ${lowerIsBetter(metric) ? "below" : "above"} that at ${names[0]}`];
  const others = best.unresolved.map((i) => names[i]);
  const shown = others.slice(0, MOST_NAMED).join("; ");
  const more = others.length > MOST_NAMED ? ` and ${others.length - MOST_NAMED} more` : "";
  return [
    said,
    ...change,
    others.length === 0 ? "resolved from every other point" : `not resolved from ${shown}${more}`,
  ].join("; ");
}
