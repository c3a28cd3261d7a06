/** Differences of configurations to one of reference: as sentences, a table, cells and a figure. */
import { bars } from "../../charts/index.js";
import { metricOf } from "../../core/measures/metrics.js";
import { halfWidth, trialsToResolve, verdict, type Summary, type Verdict } from "../../stats/index.js";
import type { Figure, Row, Table } from "../interface/report.js";
import { growsWithT, NO_VERDICT } from "../load/overload.js";
import { lowerIsBetter, metricWords, unitOf } from "../cells/metric-words.js";
import { relativeChange, scaleOf, withInterval } from "../cells/quantity.js";
import { jsonSummary, finite } from "../cells/rows.js";
import type { Shown } from "../tables/sweeping.js";

/** One metric of one configuration against that of another. */
export interface MetricDifference {
  readonly metric: string;
  readonly difference: Summary;
  /** Mean of the one of reference. */
  readonly base: number;
  /** null for plain counts. */
  readonly verdict: Verdict | null;
  /** Trials in all that would resolve it. */
  readonly trialsToResolve: number;
}

/** One configuration against another. */
export interface Pair {
  readonly label: string;
  readonly to: string;
  readonly how: "paired" | "welch";
  readonly trials: number;
  readonly metrics: readonly MetricDifference[];
  /** One of the two does not keep up with its load: times have no verdict. */
  readonly isOverload?: boolean;
}

/** Whether the difference says more of T than of the two. */
const isVoid = ({ isOverload = false }: Pair, metric: string): boolean => isOverload && growsWithT(metric);

/** The pair where one of the two does not keep up with its load. */
export const withoutVerdict = (pair: Pair): Pair => ({
  ...pair,
  isOverload: true,
  metrics: pair.metrics.map((one) =>
    growsWithT(one.metric) ? { ...one, verdict: null, trialsToResolve: NaN } : one,
  ),
});

export function metricDifference(metric: string, difference: Summary, base: number): MetricDifference {
  const counts = metricOf(metric)?.better === "neither";
  return {
    metric,
    difference,
    base,
    verdict: counts ? null : verdict(difference, lowerIsBetter(metric)),
    trialsToResolve: trialsToResolve(difference),
  };
}

const MANY_TRIALS = 1_000_000;

/** `not resolved (about 40 more trials)`; trials of both sides where they share nothing. */
function verdictText(one: MetricDifference, pair: Pair): string {
  const { verdict: said, trialsToResolve: needed } = one;
  if (isVoid(pair, one.metric)) return NO_VERDICT;
  if (said !== "not resolved") return said ?? "";
  const more = needed - pair.trials;
  return more > 0 && needed < MANY_TRIALS ? `not resolved (about ${more} more trials)` : "not resolved";
}

/** The change in per cent of the reference; without one (a mean of 0) the difference itself. */
const change = ({ difference, base }: MetricDifference): string =>
  relativeChange(difference.mean / Math.abs(base), halfWidth(difference) / Math.abs(base));

/** `chunk-size=64: P95 response time 3.2 % (± 0.4) above as given: worse`. */
export function sentence(pair: Pair, metric: string): string {
  const one = pair.metrics.find((each) => each.metric === metric);
  if (isVoid(pair, metric))
    return `${pair.label}: its ${metricWords(metric)} is not compared with that of ${pair.to}`;
  if (!one || !Number.isFinite(one.difference.mean))
    return `${pair.label}: no ${metricWords(metric)} to compare`;
  const { mean } = one.difference;
  if (mean === 0 && one.difference.sd === 0)
    return `${pair.label}: ${metricWords(metric)} the same as ${pair.to}`;
  const size = one.base === 0 ? "" : `${change({ ...one, difference: absolute(one.difference) })} `;
  const said = verdictText(one, pair);
  return `${pair.label}: ${metricWords(metric)} ${size}${mean < 0 ? "below" : "above"} ${pair.to}${said === "" ? "" : `: ${said}`}`;
}

const absolute = (summary: Summary): Summary => ({ ...summary, mean: Math.abs(summary.mean) });

/** A line a metric, for each pair; what all are compared with stands in the title. */
export function pairTable(pairs: readonly Pair[], shown: Shown): Table {
  const several = new Set(pairs.map(({ to }) => to)).size > 1;
  const noun = pairs.every(({ how }) => how === "paired") ? "paired differences" : "differences";
  return {
    title: several || pairs.length === 0 ? noun : `${noun} to ${pairs[0].to}`,
    columns: ["configuration", ...(several ? ["to"] : []), "metric", "difference", "change", ""],
    rows: pairs.flatMap((pair) =>
      shown.flatMap(([metric, title]) => {
        const one = pair.metrics.find((each) => each.metric === metric);
        if (!one) return [];
        const scale = scaleOf(unitOf(metric), [one.difference.mean]);
        return [
          [
            pair.label,
            ...(several ? [pair.to] : []),
            title,
            `${withInterval(one.difference, scale)} ${scale.unit}`.trim(),
            one.base === 0 || isVoid(pair, metric) ? "" : change(one).replace(/ \(.*/, ""),
            verdictText(one, pair),
          ],
        ];
      }),
    ),
  };
}

/** Pairs as rows, a line a metric. */
export const pairRows = (pairs: readonly Pair[]): Row[] =>
  pairs.flatMap((pair) =>
    pair.metrics.map(({ metric, difference, base, verdict: said, trialsToResolve: needed }) => ({
      configuration: pair.label,
      to: pair.to,
      interval: pair.how,
      metric,
      difference: finite(difference.mean),
      difference_ci95_low: finite(difference.low),
      difference_ci95_high: finite(difference.high),
      relative: finite(difference.mean / Math.abs(base)),
      verdict: said,
      trials_to_resolve: finite(needed),
    })),
  );

export const PAIR_COLUMNS = [
  "configuration",
  "to",
  "interval",
  "metric",
  "difference",
  "difference_ci95_low",
  "difference_ci95_high",
  "relative",
  "verdict",
  "trials_to_resolve",
];

/** What the JSON document says of them; reads like the differences of `run`. */
export const jsonPairs = (pairs: readonly Pair[], metric: string): unknown[] =>
  pairs.map((pair) => {
    const main = pair.metrics.find((one) => one.metric === metric);
    return {
      configuration: pair.label,
      to: pair.to,
      interval: pair.how,
      metrics: Object.fromEntries(
        pair.metrics.map((one) => [one.metric, { ...jsonSummary(one.difference), verdict: one.verdict }]),
      ),
      metric,
      verdict: main?.verdict ?? null,
      trials_to_resolve: finite(main?.trialsToResolve ?? NaN),
    };
  });

/** The changes in per cent, a group of bars a metric. */
export function pairFigure(
  path: string,
  pairs: readonly Pair[],
  shown: Shown,
  title: string,
  subtitle: string,
): Figure[] {
  const several = new Set(pairs.map(({ to }) => to)).size > 1;
  const rows = shown.flatMap(([metric]) =>
    pairs.flatMap((pair) => {
      const one = pair.metrics.find((each) => each.metric === metric);
      if (!one || !(one.base !== 0) || !Number.isFinite(one.difference.mean)) return [];
      if (isVoid(pair, metric)) return [];
      const share = (value: number): number | null => finite((100 * value) / Math.abs(one.base));
      const better = lowerIsBetter(metric) ? "less is better" : "more is better";
      return [
        {
          metric: `${metricWords(metric)} (${better})`,
          series: several ? `${pair.label} to ${pair.to}` : pair.label,
          change: share(one.difference.mean),
          change_ci95_low: share(one.difference.low),
          change_ci95_high: share(one.difference.high),
        },
      ];
    }),
  );
  if (rows.length === 0) return [];
  const spec = bars({
    rows,
    series: { column: "series", title: "configuration" },
    value: { column: "change", title: several ? "change (%)" : `change from ${pairs[0].to} (%)` },
    category: { column: "metric" },
    title,
    subtitle,
  });
  return [{ path, spec }];
}
