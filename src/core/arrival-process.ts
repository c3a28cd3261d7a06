/** The interface of an arrival process: when requests arrive. */
import type { Definition, OptionSpec } from "./definition.js";
import type { Stream } from "./random.js";
import type { Nanoseconds } from "./units.js";

/** An open-loop arrival process. */
export interface ArrivalProcess {
  /** Requests per second, in the long run. */
  readonly ratePerSecond: number;
  /** Starts a trial's stream of arrivals. */
  open(stream: Stream): Arrivals;
}

/**
 * One trial's stream of arrivals. It never knows where the time window ends, so that a shorter window sees a
 * prefix (model §4).
 */
export interface Arrivals {
  /** The next instant, none before the last. */
  next(): Nanoseconds;
}

export type ArrivalDefinition = Definition<ArrivalProcess>;

/** The rate of a process that is given by its rate. */
export const RATE_OPTION: OptionSpec = {
  key: "ratePerSecond",
  kind: "number",
  min: 0,
  above: true,
  max: 1e6,
  unit: "1/s",
  summary: "arrival rate λ",
};
