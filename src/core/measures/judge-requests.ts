/**
 * Service-level objectives asked of each request: goodput is the rate of requests that meet them all, attainment
 * their share of all that were injected (DistServe, Zhong et al., OSDI 2024; docs/model.md §4).
 *
 * A request that was rejected, or is not finished, misses. A target that has no value for a request (no second
 * token, so no gap) is met by it.
 */
import type { SimulationConfig } from "../configuration/config.js";
import type { Outcome } from "../engine/outcome.js";
import type { SloConfig } from "../configuration/slo.js";
import { fromSeconds } from "../numbers/units.js";

/** Measured requests that meet all that is asked of each; NaN where nothing is asked of a request. */
export function requestsMeeting(
  { slo, conventions }: Pick<SimulationConfig, "slo" | "conventions">,
  outcome: Outcome,
): number {
  const isAsked = slo !== undefined && Object.values(slo).some((one) => one !== null);
  return isAsked ? meeting(slo, conventions.tbt === "gaps" ? 1 : 0, outcome) : NaN;
}

/** Measured requests that meet every limit. */
function meeting(slo: SloConfig, perGap: number, { shared, firstMeasured, arrived }: Outcome): number {
  const { requests, firstTokenAt, finishedAt, largestGap } = shared.sequences;
  const { arrivedAt, outputTokens } = requests;
  const nanoseconds = (seconds: number | null): number =>
    seconds === null ? Infinity : fromSeconds(seconds);
  const most = {
    ttft: nanoseconds(slo.ttftSeconds),
    tbt: nanoseconds(slo.tbtSeconds),
    rts: nanoseconds(slo.rtsSeconds),
    itl: nanoseconds(slo.itlSeconds),
  };
  let met = 0;
  for (let i = firstMeasured; i < arrived; i++) {
    const finished = finishedAt[i];
    const output = outputTokens[i];
    // NaN (rejected) is not within the limit.
    if (!(finished - arrivedAt[i] <= most.rts)) continue;
    if (output > 0 && firstTokenAt[i] - arrivedAt[i] > most.ttft) continue;
    if (output > perGap && finished - firstTokenAt[i] > most.tbt * (output - perGap)) continue;
    if (largestGap !== null && largestGap[i] > most.itl) continue;
    met++;
  }
  return met;
}
