/** Metrics in the words of sentences and axes: `P95 response time`, `mean TTFT`. */
import { metricOf } from "../../core/measures/metrics.js";

const TIMES: Readonly<Record<string, string>> = {
  ttft: "TTFT",
  tbt: "TBT",
  itl: "ITL",
  rts: "response time",
  queueing_delay: "queueing delay",
  client_wait: "wait at the client",
};
const OTHERS: Readonly<Record<string, string>> = {
  throughput_qps: "throughput",
  goodput_qps: "goodput",
  slo_attainment: "SLO attainment",
  output_tokens_per_s: "output tokens",
  total_tokens_per_s: "tokens",
  number_in_system: "requests in the system",
};

/** What a sentence calls a metric. */
export function metricWords(name: string): string {
  const [, time, statistic] = /^(\w+)_(mean|p[\d.]+)_s$/.exec(name) ?? [];
  if (time !== undefined && Object.hasOwn(TIMES, time)) {
    const said = statistic === "mean" ? "mean" : statistic.toUpperCase();
    return `${said} ${TIMES[time]}`;
  }
  return OTHERS[name] ?? name;
}

/** What the head of a column calls it: `RTS p99.9`, `goodput`. */
export function metricTitle(name: string): string {
  const [, time, statistic] = /^(\w+)_(mean|p[\d.]+)_s$/.exec(name) ?? [];
  if (time === undefined || !Object.hasOwn(TIMES, time)) return OTHERS[name] ?? name;
  const short = time === "rts" ? "RTS" : TIMES[time];
  return statistic === "mean" ? short : `${short} ${statistic}`;
}

export const unitOf = (name: string): string => metricOf(name)!.unit;

/** What an axis calls it: `P95 response time (s)`. */
export const axisTitle = (name: string): string => {
  const unit = unitOf(name);
  const shown = unit === "1/s" && name.endsWith("_qps") ? "requests/s" : unit;
  return shown === "" ? metricWords(name) : `${metricWords(name)} (${shown})`;
};

/** Whether less of it is better; plain counts count as better when lower. */
export const lowerIsBetter = (name: string): boolean => metricOf(name)!.better !== "higher";
