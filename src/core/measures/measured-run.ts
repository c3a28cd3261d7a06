/**
 * A finished trial, or a window of one, as the formulas of metrics.ts read it: what a tally has counted, and what each
 * of several metrics needs, found once.
 */
import type { SimulationConfig } from "../configuration/config.js";
import type { Outcome } from "../engine/outcome.js";
import { toSeconds } from "../numbers/units.js";
import type { Replica } from "../state/replica.js";
import { clientWaits } from "./client-wait.js";
import { requestsMeeting } from "./judge-requests.js";
import type { Tally } from "./tally.js";

/** The percentiles that every file has. */
export const SHARES = [0.5, 0.9, 0.95, 0.99] as const;
/** The mean and these percentiles. */
const STATISTICS = 1 + SHARES.length;

/** The times that have percentiles. */
export const TIMES = [
  ["ttft", "time to first token: first token − arrival"],
  ["tbt", "time between tokens of a request (vLLM: TPOT), by the convention in force"],
  ["itl", "inter-token latency: every gap between consecutive tokens, pooled over requests"],
  ["rts", "response time (end-to-end latency): completion − arrival"],
  ["queueing_delay", "composition of the first batch that holds the request − arrival"],
] as const;
export type TimeName = (typeof TIMES)[number][0];

/** What is asked of requests, and how a time between tokens is counted. */
export type Asked = Pick<SimulationConfig, "slo" | "conventions">;

export class MeasuredRun {
  private readonly statistics = new Map<TimeName | "client wait", Float64Array>();

  /** @param asked without it nothing is asked of a request */
  constructor(
    readonly outcome: Outcome,
    private readonly tally: Tally,
    private readonly asked?: Asked,
  ) {}

  /** Measured requests that arrived. */
  get arrived(): number {
    return this.outcome.arrived - this.outcome.firstMeasured;
  }

  /** From the first measured arrival to the last measured completion, in ns. */
  get duration(): number {
    return this.outcome.measuredUntil - this.outcome.measuredFrom;
  }

  /** The same in s. */
  get makespan(): number {
    return toSeconds(this.duration);
  }

  /** What the measured requests ask for, in tokens. */
  get demand(): Tally["measured"] {
    return this.tally.measured;
  }

  /** Over all replicas. */
  total(of: (replica: Replica) => number): number {
    return this.outcome.replicas.reduce((sum, replica) => sum + of(replica), 0);
  }

  get iterations(): number {
    return this.total((replica) => replica.iterations);
  }

  /** All values of a time. */
  sampleOf(time: TimeName): Tally["times"]["ttft"] | Outcome["shared"]["gaps"] {
    const { times } = this.tally;
    return time === "itl" ? this.outcome.shared.gaps : times[time === "queueing_delay" ? "delay" : time];
  }

  /** A time's mean in s, place 0, or one of its percentiles, in the order of SHARES from place 1 on. */
  timeAt(time: TimeName, place: number): number {
    let found = this.statistics.get(time);
    if (!found) {
      const sample = this.sampleOf(time);
      found = new Float64Array(STATISTICS);
      found[0] = sample.mean;
      sample.percentiles(SHARES, found, 1);
      this.statistics.set(time, found);
    }
    return toSeconds(found[place]);
  }

  /** The same of the wait at the client. */
  clientWaitAt(place: number): number {
    let found = this.statistics.get("client wait");
    if (!found) {
      found = new Float64Array(STATISTICS);
      clientWaits(this.outcome, SHARES, found, 0);
      this.statistics.set("client wait", found);
    }
    return toSeconds(found[place]);
  }

  /** Time that requests spend in the system within the makespan, summed, in ns: Little's law with its mean. */
  get presence(): number {
    const { shared, firstMeasured, measuredFrom: from, measuredUntil: until } = this.outcome;
    const { finishedAt } = shared.sequences;
    let presence = this.tally.times.rts.sum;
    for (let i = this.arrived > 0 ? this.tally.spanning(this.outcome) : firstMeasured; i < firstMeasured; i++)
      if (finishedAt[i] > from) presence += Math.min(finishedAt[i], until) - from;
    return presence;
  }

  /** Measured requests that meet all that is asked of each; NaN where nothing is, or nobody arrived. */
  get met(): number {
    return this.asked && this.arrived > 0 ? requestsMeeting(this.asked, this.outcome) : NaN;
  }
}
