/**
 * An open stream of requests of which only so many may be out at once, as benchmark clients cap it (vLLM's
 * `--max-concurrency`): a request is sent when it is due and fewer than that are out, in the order in which they are due.
 * Its times count from when it is sent; how long it waited at the client is a metric of its own (docs/model.md §4).
 *
 * What is due when, and how long it is, was drawn before: the same under every policy and every cap.
 */
import type { Rows, Senders } from "./senders.js";
import { firstAtLeast } from "../numbers/sorted.js";
import { NEVER, asInstant, type Instant } from "../numbers/units.js";

export class CappedStream implements Senders {
  measuredFrom = asInstant(NaN);
  readonly dueAt: Float64Array;
  /** When the answers came, in their order: the n-th makes room for the request that is n places beyond the cap. */
  private readonly answeredAt: Float64Array;
  private answers = 0;
  /** Requests that are due in this window, and that the engine has heard of. */
  private total: number;
  private sent = 0;
  private warmup = 0;

  /**
   * @param requests all of the trial's, at the instants at which they are due
   * @param most that are out at once, at least 1
   */
  constructor(
    requests: Rows,
    private readonly most: number,
  ) {
    this.dueAt = requests.arrivedAt.slice(0, requests.count);
    this.answeredAt = new Float64Array(requests.count);
    this.total = requests.count;
  }

  get nextAt(): Instant {
    const { sent, most } = this;
    if (sent === this.total || sent >= most + this.answers) return NEVER;
    return asInstant(
      sent < most ? this.dueAt[sent] : Math.max(this.dueAt[sent], this.answeredAt[sent - most]),
    );
  }

  until(instant: number): void {
    this.total = firstAtLeast(this.dueAt, instant + 1);
  }

  restart(warmup: Instant): void {
    this.sent = this.answers = 0;
    this.warmup = warmup;
    this.measuredFrom = asInstant(NaN);
    this.look();
  }

  send(requests: Rows): Instant {
    const at = this.nextAt;
    requests.sendNext(at);
    this.sent++;
    this.look();
    return at;
  }

  answered(_row: number, now: number): void {
    this.answeredAt[this.answers++] = now;
    this.look();
  }

  private look(): void {
    const at = this.nextAt;
    if (at !== NEVER && at >= this.warmup && !(this.measuredFrom <= at)) this.measuredFrom = at;
  }
}
