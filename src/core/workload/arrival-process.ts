/** The interface of an arrival process: when requests arrive. */
import type { Definition, OptionSpec } from "../options/definition.js";
import type { Stream } from "../numbers/random.js";
import { fromSeconds, type Instant, type Duration } from "../numbers/units.js";

/** Clients that wait for the answer to one request before they send the next: a closed loop (closed-loop.ts). */
export interface ClientLaw {
  /** How many there are. */
  readonly count: number;
  /** Mean think time, in s. */
  readonly thinkSeconds: number;
  /** A think time of one client, from its own stream. */
  think(stream: Stream): Duration;
}

/** An arrival process: open loop, or with `clients` a closed one. */
export interface ArrivalProcess {
  /**
   * Requests per second, in the long run; NaN where there is none: in a closed loop, whose rate depends on the answers,
   * and of requests that all arrive at one instant.
   */
  readonly ratePerSecond: number;
  /** Coefficient of variation of the gaps, of processes whose gaps are independent. */
  readonly gapCv?: number;
  /** The table whose rows arrive, of a process that replays one: lengths of the same table go along (trace.ts). */
  readonly table?: string;
  /** How many requests there are, of a process that replays them. */
  readonly requests?: number;
  /** Who sends the requests of a closed loop; nothing arrives of itself then. */
  readonly clients?: ClientLaw;
  /**
   * Starts a trial's arrivals.
   * @param stream the trial's stream of arrivals
   * @param trial number of the trial, from 1: a recorded trace is replayed in the first
   */
  open(stream: Stream, trial: number): Arrivals;
}

/**
 * One trial's stream of arrivals. It never knows where the time window ends, so that a shorter window sees a
 * prefix (model §4).
 */
export interface Arrivals {
  /** The next instant, none before the last; NEVER when no more will come. */
  next(): Instant;
  /** Writes the next `count` instants to `into`: the same as `next` gives, many at a time, where that is faster. */
  fill?(into: Float64Array, count: number): void;
  /** The row of the process's table that arrived last. */
  readonly row?: number;
}

/** The option of a process by which a user asks for more load. */
export interface LoadOption {
  readonly key: string;
  /**
   * Whether more of it is more load, or less (a mean gap, say). The rate of an open loop is proportional to it, or to
   * its inverse.
   */
  readonly sense: "more" | "less";
}

export interface ArrivalDefinition extends Definition<ArrivalProcess> {
  /** null: its load cannot be varied. */
  readonly loadOption: LoadOption | null;
  /** A closed loop: what it makes has `clients`. */
  readonly closed?: boolean;
  /** It replays requests that are given: what it makes has `requests`, and faster they are over sooner. */
  readonly replays?: boolean;
}

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

/** What more load means to such a process. */
export const RATE_LOAD: LoadOption = { key: RATE_OPTION.key, sense: "more" };

/** The coefficient of variation of the gaps, of a process that is given by it. */
export const CV_OPTION: OptionSpec = {
  key: "cv",
  kind: "number",
  min: 0.01,
  max: 100,
  summary: "coefficient of variation of the gaps; 1 is Poisson's",
};

/**
 * A renewal process: unit-mean gaps of a law, summed and divided by λ at the end, so that every λ of a sweep
 * sees the same randomness, only denser. Instant 0 counts as an arrival that is not simulated.
 */
export abstract class RenewalArrivals implements Arrivals {
  private units = 0;
  constructor(
    protected readonly stream: Stream,
    private readonly ratePerSecond: number,
  ) {}

  next(): Instant {
    this.units += this.gap();
    return fromSeconds(this.units / this.ratePerSecond);
  }

  /** One gap, with mean 1. */
  protected abstract gap(): number;
}
