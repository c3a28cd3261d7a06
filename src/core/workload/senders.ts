/** Who sends requests where that depends on answers: rows are added while a trial runs. */
import type { JointLengths } from "./joint-lengths.js";
import type { Instant } from "../numbers/units.js";

/** The rows that they send: requests.ts. */
export interface Rows {
  /** Rows in use. */
  readonly count: number;
  readonly arrivedAt: Float64Array;
  /** Adds a request with the lengths just drawn. */
  addDrawn(arrivedAt: number, lengths: JointLengths): void;
  /** The next of the rows that were drawn is sent at an instant. */
  sendNext(at: Instant): void;
}

export interface Senders {
  /** The instant of the next request, as far as it is known, or NEVER. */
  readonly nextAt: Instant;
  /** The first instant at or after the warm-up at which somebody is known to send; NaN: nobody yet. */
  readonly measuredFrom: Instant;
  /** The client of each row, where there are clients. */
  readonly clientOf?: Int32Array;
  /** When each row was due, in ns, where it may be sent later (capped-stream.ts). */
  readonly dueAt?: Float64Array;
  /** Nothing that is due later than this instant is sent. */
  until(instant: number): void;
  /** From the beginning: nobody has sent anything. */
  restart(warmup: Instant): void;
  /** Sends the next request: a row more. Returns its instant. */
  send(rows: Rows): Instant;
  /** The request of a row has its answer: it is completed, or rejected. */
  answered(row: number, now: number): void;
}
