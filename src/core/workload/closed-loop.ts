/**
 * The clients of a closed loop, and what each will do: think, send one request, wait until it is answered
 * (completed or rejected), think again. Requests are numbered in the order of their arrival, ties by client.
 *
 * Which request comes when depends on the answers, so rows are added while the trial runs. What a client draws
 * does not: the n-th think time and the n-th lengths of each client come from streams of its own and are the same
 * under every policy (common random numbers, model §4), whatever the order in which requests arrive.
 */
import type { ClientLaw } from "./arrival-process.js";
import { ConfigError } from "../errors.js";
import { IdHeap } from "../queues/id-heap.js";
import { JointLengths } from "./joint-lengths.js";
import { stream, type Stream } from "../numbers/random.js";
import type { Rows, Senders } from "./senders.js";
import { NEVER, asInstant, type Instant } from "../numbers/units.js";

/** So many requests at one instant, and as many again as there are clients, are a loop in which no time passes. */
const MOST_AT_ONCE = 1_000_000;

/** When clients stop, and which trial it is. */
export interface LoopLimits {
  /** Nothing is sent later than this instant. */
  readonly last: number;
  /** Nothing is sent after so many requests. */
  readonly most: number;
  readonly seed: number;
  readonly trial: number;
}

export class ClosedLoop implements Senders {
  /** The client of each row. */
  clientOf = new Int32Array(0);
  /** The first instant at or after the warm-up at which somebody is known to send; NaN: nobody yet. */
  measuredFrom = asInstant(NaN);
  /** The clients that will send, by instant; ties by number. */
  private readonly thinking = new IdHeap();
  private readonly sendsAt: Float64Array;
  private readonly thinks: Stream[] = [];
  private readonly streams: ReturnType<typeof JointLengths.streams>[] = [];
  private warmup = 0;
  private last: number;
  private isOver = false;

  constructor(
    private readonly clients: ClientLaw,
    private readonly lengths: JointLengths,
    private readonly limits: LoopLimits,
  ) {
    this.sendsAt = new Float64Array(clients.count);
    this.last = limits.last;
  }

  /** The instant of the next request, or NEVER. */
  get nextAt(): Instant {
    return asInstant(this.thinking.length > 0 ? this.sendsAt[this.thinking.first] : NEVER);
  }

  /** Clients send nothing later than this instant, nor later than their horizon. */
  until(instant: number): void {
    this.last = Math.min(instant, this.limits.last);
  }

  /** From the beginning: every client thinks its first thought from instant 0 on. */
  restart(warmup: Instant): void {
    const { seed, trial } = this.limits;
    this.thinking.clear();
    this.warmup = warmup;
    this.measuredFrom = asInstant(NaN);
    this.isOver = false;
    this.streams.length = 0;
    for (let client = 0; client < this.clients.count; client++) {
      this.thinks[client] = stream(seed, trial, `think/${client}`);
      this.think(client, 0);
    }
  }

  /** The client whose turn it is sends its request: a row more. Returns its instant. */
  send(requests: Rows): Instant {
    const { seed, trial, most } = this.limits;
    const client = this.thinking.pop();
    const at = asInstant(this.sendsAt[client]);
    const row = requests.count;
    const crowd = MOST_AT_ONCE + this.clients.count;
    if (row >= crowd && requests.arrivedAt[row - crowd] === at)
      throw new ConfigError([
        {
          key: "workload.arrivals.thinkSeconds",
          message: `a closed loop in which no time passes: ${crowd} requests at one instant (think, serve or reject more slowly)`,
        },
      ]);
    this.lengths.draw(-1, (this.streams[client] ??= JointLengths.streams(seed, trial, `/${client}`)));
    requests.addDrawn(at, this.lengths);
    if (row === this.clientOf.length) {
      const larger = new Int32Array(Math.max(64, 2 * row));
      larger.set(this.clientOf);
      this.clientOf = larger;
    }
    this.clientOf[row] = client;
    if (row + 1 >= most) {
      this.isOver = true;
      this.thinking.clear();
    }
    return at;
  }

  /** The request of a row has its answer: its client thinks. */
  answered(row: number, now: number): void {
    this.think(this.clientOf[row], now);
  }

  private think(client: number, now: number): void {
    if (this.isOver) return;
    const at = now + this.clients.think(this.thinks[client]);
    if (at > this.last) return;
    this.sendsAt[client] = at;
    this.thinking.push(client, at);
    if (at >= this.warmup && !(this.measuredFrom <= at)) this.measuredFrom = asInstant(at);
  }
}
