/**
 * Who keeps up with its load. Who does not has no steady state: its times grow with T and compare with nothing, so it
 * is in no ranking and in no verdict on times; its cells stay, marked.
 */
import { capOf, type SimulationConfig } from "../../core/configuration/config.js";
import type { Registry } from "../../core/configuration/registry.js";
import { capacityBound, keepsUp } from "./capacity.js";
import { unitOf } from "../cells/metric-words.js";
import { plain } from "../cells/quantity.js";
import { arrivalRate } from "../cells/rows.js";
import type { TrialRecords } from "../interface/trials.js";

/** How a table marks who does not keep up. */
export const BEHIND = "behind";
/** What it has where a verdict on times would stand. */
export const NO_VERDICT = "no verdict";

/** Whether a metric of a run that does not keep up says more of T than of the configuration. */
export const growsWithT = (metric: string): boolean => unitOf(metric) === "s";

/** By configuration whether it keeps up: λ is below what any policy can serve, and what was left at T was soon done. */
export const keepingUp = (records: TrialRecords, registry?: Registry, window = 0): readonly boolean[] =>
  records.configs.map(
    (config, i) =>
      !(arrivalRate(config, registry) > capacityBound(config, registry)) &&
      keepsUp(config, records, i, window, registry),
  );

/** `λ = 9 per s (the most any policy can serve is 7.377)` */
export function loadWords(config: SimulationConfig, registry?: Registry): string {
  const bound = capacityBound(config, registry);
  const most = Number.isFinite(bound) ? ` (the most any policy can serve is ${plain(bound)})` : "";
  const cap = capOf(config.workload);
  const capped = cap === null ? "" : ` with at most ${cap} out at once`;
  return `λ = ${plain(arrivalRate(config, registry))} per s${capped}${most}`;
}

const listed = (names: readonly string[]): string =>
  names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;

/**
 * Who does not keep up, in a sentence; undefined when all do.
 * @param what they are one of: scheduler, chunk size, ratio, point
 */
export function overloaded(
  labels: readonly string[],
  records: TrialRecords,
  keeping: readonly boolean[],
  registry?: Registry,
  what = "scheduler",
): string | undefined {
  const at = labels.map((_, i) => i).filter((i) => !keeping[i]);
  if (at.length === 0) return undefined;
  const loads = [...new Set(at.map((i) => loadWords(records.configs[i], registry)))];
  const load = loads.length === 1 ? loads[0] : "its load";
  if (at.length < labels.length || labels.length === 1)
    return `${listed(at.map((i) => labels[i]))} ${at.length === 1 ? "does" : "do"} not keep up with ${load === "its load" && at.length > 1 ? "their load" : load}`;
  return `no ${what} keeps up with ${load}: times grow with T, and are not compared`;
}
