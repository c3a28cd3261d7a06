/**
 * Requests that can never fit into the KV memory, as who asks for times sees them: an answer that never comes. A
 * metric's value stays that of the requests that were served; conditions on it count the others as +∞.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import type { Issue } from "../../core/errors.js";
import { builtIn, type Registry } from "../../core/configuration/registry.js";
import { summarize, type Summary } from "../../stats/index.js";
import type { Study } from "../interface/study.js";
import { offeredBy } from "./capacity.js";
import { memoryTokens } from "./offered.js";
import { percent } from "../cells/quantity.js";
import type { TrialRecords } from "../interface/trials.js";

const total = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + (Number.isFinite(value) ? value : 0), 0);

/** Of the measured requests of all trials the share that was rejected; 0 without a limit of memory. */
export function rejectedShare(records: TrialRecords, config: number, window = 0): number {
  if (records.configs[config].engine.kvTokens === null) return 0;
  const rejected = total(records.metric(config, "n_rejected", window));
  return rejected > 0 ? rejected / total(records.metric(config, "n_arrived", window)) : 0;
}

const ROUNDING = 1e-9;
const NEVER: Summary = { n: 2, mean: Infinity, sd: 0, low: Infinity, high: Infinity };
const MEAN_OF_REQUESTS = /^(?:ttft|tbt|rts|queueing_delay)_mean_s$/;

/** A metric with its rejected requests as +∞; percentiles are counted (tail.ts). */
export const countingRejected = (records: TrialRecords, config: number, metric: string): Summary =>
  MEAN_OF_REQUESTS.test(metric) && rejectedShare(records, config) > 0
    ? NEVER
    : summarize(records.metric(config, metric));

/**
 * What a reader must know first: who was rejected.
 * @param labels of the configurations, where they may differ in it
 */
export function rejections(records: TrialRecords, labels: readonly string[], window = 0): string[] {
  const said = new Map<string, string[]>();
  labels.forEach((label, i) => {
    const share = rejectedShare(records, i, window);
    if (share === 0) return;
    const count = total(records.metric(i, "n_rejected", window));
    const line = `${percent(share, NaN)} of the requests (${count}), as each needs more than the ${memoryTokens(records.configs[i].engine)} tokens of KV memory that a replica has for sequences`;
    said.set(line, [...(said.get(line) ?? []), label]);
  });
  return [...said].map(([line, who], i) => {
    const whom = who.length === labels.length ? "" : ` under ${who.join(", ")}`;
    const meaning = "; times are those of the others, and an SLO or assertion counts the rejected as +∞";
    return `rejected${whom}: ${line}${i === 0 ? meaning : ""}`;
  });
}

/** The same before anything has run, by the laws of the lengths. */
export function unfitNotes(config: Omit<SimulationConfig, "scheduler">, registry?: Registry): string[] {
  const unfit = 1 - offeredBy(config, registry).admitted;
  if (!(unfit > ROUNDING)) return [];
  return [
    `memory: ${percent(unfit, NaN)} of the requests need more than the ${memoryTokens(config.engine)} tokens of KV memory and are rejected; λ and its bounds count them as arrivals that take nothing`,
  ];
}

/** A study of which every request would be rejected, in all that it compares. */
export function checkFits(study: Study | undefined): Issue[] {
  if (!study) return [];
  const all = (study.variants ?? [{ study }]).map((one) => one.study);
  const fits = ({ config, registry = builtIn }: Study): boolean =>
    config.engine.kvTokens === null || offeredBy(config, registry).admitted > 0;
  if (all.some(fits)) return [];
  const { config, trace } = all[0];
  const requests = trace ? `${trace.requests} requests, all rejected` : "all requests would be rejected";
  const { kvTokens, blockTokens } = config.engine;
  return [
    {
      key: "engine.kvTokens",
      message: `invalid engine.kvTokens: ${kvTokens} (${requests}: each needs more than the ${memoryTokens(config.engine)} tokens of KV; one block of ${blockTokens} is the null block)`,
    },
  ];
}
