/** Schedulers side by side on the same trials: the table, the paired differences, and the sentence that answers. */
import { capOf, type SimulationConfig } from "../../core/configuration/config.js";
import { metricsOf } from "../../core/measures/metrics.js";
import { builtIn, type Registry } from "../../core/configuration/registry.js";
import {
  halfWidth,
  pairedDifference,
  summarize,
  trialsToResolve,
  verdict,
  type Summary,
  type Verdict,
} from "../../stats/index.js";
import type { Table } from "../interface/report.js";
import { BEHIND, growsWithT, keepingUp, NO_VERDICT, overloaded } from "../load/overload.js";
import { unitOf } from "../cells/metric-words.js";
import { plain, relativeChange, scaleOf, withInterval } from "../cells/quantity.js";
import { jsonSummary } from "../cells/rows.js";
import type { TrialRecords } from "../interface/trials.js";

/** The metric that answers "which scheduler": what a user waits for, but for the unluckiest twentieth. */
export const HEADLINE = "rts_p95_s";

const SHOWN: readonly (readonly [metric: string, title: string])[] = [
  ["ttft_mean_s", "TTFT"],
  ["tbt_mean_s", "TBT"],
  ["itl_p99_s", "ITL p99"],
  ["rts_p95_s", "RTS p95"],
  ["throughput_qps", "req"],
];
/** Where every configuration has a KV memory of its own size. */
const OF_MEMORY: typeof SHOWN = [
  ["kv_utilization", "KV use"],
  ["n_preemptions", "preempted"],
];

/** Where every configuration caps what is out at once. */
const OF_CAP: typeof SHOWN = [["client_wait_mean_s", "client wait"]];

/** A scheduler's name in figures and files; two of one kind are told apart by what they set. */
export function schedulerLabel(config: Pick<SimulationConfig, "scheduler">): string {
  const { kind, ratio, ratioOf } = config.scheduler;
  if (ratio === undefined || (ratio === 0.5 && ratioOf === "sequences")) return kind;
  return `${kind}(${ratio}${ratioOf === "tokens" ? " of tokens" : ""})`;
}

const shortNames = new Map(builtIn.schedulers.map(({ name, short }) => [name, short ?? name]));

/** The same in the narrow tables of the terminal: `decode` for decode-prioritizing. */
const shortLabel = (label: string): string =>
  label.replace(/^[a-z0-9-]+/, (name) => shortNames.get(name) ?? name);

/** The metrics that people look at first, a line per configuration; the best response time is marked, and overload. */
export function comparisonTable(
  title: string,
  labels: readonly string[],
  records: TrialRecords,
  registry?: Registry,
  window = 0,
): Table {
  const keeping = keepingUp(records, registry, window);
  const hasMemory = records.configs.every(({ engine }) => engine.kvTokens !== null);
  const hasCap = records.configs.every(({ workload }) => capOf(workload) !== null);
  const columns = [...SHOWN, ...(hasMemory ? OF_MEMORY : []), ...(hasCap ? OF_CAP : [])].map(
    ([metric, name]) => {
      const summaries = labels.map((_, i) => summarize(records.metric(i, metric, window)));
      const unit = unitOf(metric);
      const scale = scaleOf(
        unit,
        summaries.map((summary) => summary.mean),
      );
      return { metric, name, summaries, scale };
    },
  );
  const best = bestOf(keeping, records, window);
  return {
    title,
    columns: [
      "scheduler",
      ...columns.map(({ name, scale }) =>
        scale.unit === "1/s" ? `${name}/s` : `${name} ${scale.unit}`.trim(),
      ),
      "",
    ],
    rows: labels.map((label, i) => [
      shortLabel(label),
      ...columns.map(({ summaries, scale }) =>
        scale.unit === "1/s" ? plain(summaries[i].mean) : withInterval(summaries[i], scale),
      ),
      !keeping[i] ? BEHIND : labels.length > 1 && i === best ? "best" : "",
    ]),
  };
}

/** Place of the one with the least P95 response time of those that keep up; −1 when none has one. */
function bestOf(keeping: readonly boolean[], records: TrialRecords, window: number): number {
  let best = -1;
  let least = Infinity;
  keeping.forEach((keepsUp, i) => {
    const { mean } = summarize(records.metric(i, HEADLINE, window));
    if (keepsUp && mean < least) {
      least = mean;
      best = i;
    }
  });
  return best;
}

/**
 * What the headline metric says: the best, and how much worse the others are, by paired differences; and who does not
 * keep up with the load, and is therefore not compared.
 */
export function headline(
  labels: readonly string[],
  records: TrialRecords,
  registry?: Registry,
  window = 0,
): string {
  const keeping = keepingUp(records, registry, window);
  const best = bestOf(keeping, records, window);
  const overload = overloaded(labels, records, keeping, registry);
  if (best < 0) return overload ?? "no request was measured, so there is nothing to compare";
  const winner = summarize(records.metric(best, HEADLINE, window));
  const scale = scaleOf("s", [winner.mean]);
  const level = `${withInterval(winner, scale).replace("±", "± ")} ${scale.unit}`;
  if (labels.length === 1) return `${labels[0]}: P95 response time ${level}`;
  const others = labels
    .map((label, i) => ({ label, i }))
    .filter(({ i }) => i !== best && keeping[i])
    .map(({ label, i }) => ({ label, ...relative(records, i, best, window) }))
    .sort((a, b) => a.ratio - b.ratio)
    .map(({ label, ratio, half, resolved }) =>
      resolved ? `${label} is ${relativeChange(ratio, half)} worse` : `${label} is not resolved from it`,
    );
  const left = overload === undefined ? [] : [overload];
  if (others.length === 0) return [`${labels[best]} has a P95 response time of ${level}`, ...left].join("; ");
  return [`${labels[best]} has the lowest P95 response time, ${level}`, others.join(", "), ...left].join(
    "; ",
  );
}

/** (a − b)/b of the headline metric, with the half-width of its 95 % interval from the paired differences. */
export function relative(
  records: TrialRecords,
  a: number,
  b: number,
  window = 0,
): { readonly ratio: number; readonly half: number; readonly resolved: boolean } {
  const base = summarize(records.metric(b, HEADLINE, window)).mean;
  const difference = pairedDifference(
    records.metric(a, HEADLINE, window),
    records.metric(b, HEADLINE, window),
  );
  const half = halfWidth(difference) / base;
  return { ratio: difference.mean / base, half, resolved: difference.low > 0 || difference.high < 0 };
}

/** The paired difference of one metric between two configurations. */
export interface Difference {
  readonly metric: string;
  readonly summary: Summary;
  readonly verdict: Verdict | null;
  readonly trialsToResolve: number;
}

/** Every metric's paired difference `of` − `to`; plain counts have no verdict. */
export function differences(records: TrialRecords, of: number, to: number): Difference[] {
  return metricsOf(records.configs[of]).map(({ name, better }) => {
    const summary = pairedDifference(records.metric(of, name), records.metric(to, name));
    return {
      metric: name,
      summary,
      verdict: better === "neither" ? null : verdict(summary, better === "lower"),
      trialsToResolve: trialsToResolve(summary),
    };
  });
}

/** The differences of every configuration to the first, for the terminal. */
export function differenceTable(
  labels: readonly string[],
  records: TrialRecords,
  registry?: Registry,
): Table {
  const keeping = keepingUp(records, registry);
  const rows: string[][] = [];
  for (let i = 1; i < labels.length; i++) {
    const all = differences(records, i, 0);
    for (const [metric, title] of SHOWN) {
      const { summary, verdict: said, trialsToResolve: needed } = all.find((d) => d.metric === metric)!;
      const unit = unitOf(metric);
      const scale = scaleOf(unit, [summary.mean]);
      rows.push([
        shortLabel(labels[i]),
        title === "req" ? "throughput" : title,
        `${withInterval(summary, scale)} ${scale.unit}`.trim(),
        growsWithT(metric) && !(keeping[0] && keeping[i])
          ? NO_VERDICT
          : said === "not resolved"
            ? unresolved(needed)
            : (said ?? ""),
      ]);
    }
  }
  return {
    title: `paired differences to ${labels[0]}`,
    columns: ["scheduler", "metric", "difference", ""],
    rows,
  };
}

/** Above this many trials nobody will wait: the two are as good as equal. */
const MANY_TRIALS = 1_000_000;

function unresolved(needed: number): string {
  if (!Number.isFinite(needed) || needed > MANY_TRIALS) return "not resolved";
  return `not resolved (about ${needed} trials would)`;
}

/** The differences of every configuration to the first, for the JSON document. */
export function jsonDifferences(
  configs: readonly SimulationConfig[],
  records: TrialRecords,
  registry?: Registry,
): unknown[] {
  const keeping = keepingUp(records, registry);
  return configs.slice(1).map((config, i) => {
    const isRanked = keeping[0] && keeping[i + 1];
    const all = differences(records, i + 1, 0).map((one) =>
      isRanked || !growsWithT(one.metric) ? one : { ...one, verdict: null, trialsToResolve: NaN },
    );
    const main = all.find(({ metric }) => metric === HEADLINE)!;
    return {
      scheduler: config.scheduler.kind,
      ratio: config.scheduler.ratio ?? null,
      to: configs[0].scheduler.kind,
      to_ratio: configs[0].scheduler.ratio ?? null,
      metrics: Object.fromEntries(
        all.map(({ metric, summary, verdict: said }) => [metric, { ...jsonSummary(summary), verdict: said }]),
      ),
      metric: HEADLINE,
      verdict: main.verdict,
      trials_to_resolve: Number.isFinite(main.trialsToResolve) ? main.trialsToResolve : null,
    };
  });
}
