/** Who sends requests where that depends on answers: rows are added while a trial runs. */
import type { Requests } from "./requests.js";
import type { Nanoseconds } from "./units.js";

export interface Senders {
  /** The instant of the next request, as far as it is known, or NEVER. */
  readonly nextAt: Nanoseconds;
  /** The first instant at or after the warm-up at which somebody is known to send; NaN: nobody yet. */
  readonly measuredFrom: Nanoseconds;
  /** The client of each row, where there are clients. */
  readonly clientOf?: Int32Array;
  /** When each row was due, in ns, where it may be sent later (capped-stream.ts). */
  readonly dueAt?: Float64Array;
  /** Nothing that is due later than this instant is sent. */
  until(instant: number): void;
  /** From the beginning: nobody has sent anything. */
  restart(warmup: Nanoseconds): void;
  /** Sends the next request: a row more. Returns its instant. */
  send(requests: Requests): Nanoseconds;
  /** The request of a row has its answer: it is completed, or turned away. */
  answered(row: number, now: number): void;
}
