/** What the bench simulates: demo2, as its users run it (standard conventions, every metric). */
import { readFileSync } from "node:fs";

const { workload, service, engine } = JSON.parse(
  readFileSync(new URL("../../data/scenarios/demo2.json", import.meta.url), "utf8"),
);

/** The schedulers, with the λ* per second that `llmsim stability --scenario demo2` finds (README). */
export const SCHEDULERS = [
  { kind: "decode-prioritizing", boundary: 3.585 },
  { kind: "prefill-prioritizing", boundary: 7.295 },
  { kind: "hybrid", boundary: 7.295 },
];

/**
 * demo2 under one scheduler.
 * @param {string} kind the scheduler
 * @param {{ tmaxSeconds: number, maxRequests?: number }} horizon
 * @param {number} [ratePerSecond] λ; the scenario's own unless given
 */
export const demo2 = (kind, horizon, ratePerSecond = workload.arrivals.ratePerSecond) => ({
  workload: { ...workload, arrivals: { ...workload.arrivals, ratePerSecond } },
  service,
  engine,
  scheduler: { kind },
  horizon,
});
