/**
 * The requests of one trial: when each arrives and how long its prompt and output are.
 *
 * Columns instead of objects, and generated once for every policy that runs on them. Requests are in the
 * order of arrival; a request's id is its row.
 */
import type { JointLengths } from "./joint-lengths.js";
import type { Senders } from "./senders.js";
import { firstAtLeast } from "../numbers/sorted.js";
import { BLOCK_TOKENS, type Instant } from "../numbers/units.js";

/** A longer column that begins as the given one. */
function longer(column: Int32Array | undefined, rows: number): Int32Array | undefined {
  if (column === undefined) return undefined;
  const grown = new Int32Array(rows);
  grown.set(column);
  return grown;
}

export class Requests {
  /** Instants of arrival in ns, never decreasing. */
  arrivedAt = new Float64Array(0);
  promptTokens = new Int32Array(0);
  outputTokens = new Int32Array(0);
  /** Prompt tokens that a prefix cache held; undefined unless the requests' trace says. */
  prefixHitTokens: Int32Array | undefined;
  /** Priorities, the lower the sooner; undefined unless the requests' trace says. */
  priority: Int32Array | undefined;
  /** Tokens of the blocks in which hits count; 0: the engine that runs them finds nothing. */
  hitBlockTokens: number = BLOCK_TOKENS;
  /** Who sends them where that depends on answers, and rows come while the trial runs; undefined in an open loop. */
  clients: Senders | undefined;
  /** Rows in use: all that were drawn, or the prefix that `until` left. */
  count = 0;
  private drawn = 0;

  /** Requests given one by one: for tests, traces and callers with data of their own. */
  static of(rows: readonly { arrivedAt: number; promptTokens: number; outputTokens: number }[]): Requests {
    const requests = new Requests();
    requests.reserve(rows.length);
    for (const row of rows) requests.add(row.arrivedAt, row.promptTokens, row.outputTokens);
    return requests;
  }

  add(arrivedAt: number, promptTokens: number, outputTokens: number): void {
    if (this.count === this.arrivedAt.length) this.reserve(Math.max(64, this.count * 2));
    this.arrivedAt[this.count] = arrivedAt;
    this.promptTokens[this.count] = promptTokens;
    this.outputTokens[this.count] = outputTokens;
    this.drawn = ++this.count;
  }

  /** Adds a request with the lengths just drawn. */
  addDrawn(arrivedAt: number, lengths: JointLengths): void {
    const row = this.count;
    this.add(arrivedAt, lengths.promptTokens, lengths.outputTokens);
    if (this.prefixHitTokens) this.prefixHitTokens[row] = lengths.prefixHitTokens;
    if (this.priority) this.priority[row] = lengths.priority;
  }

  /**
   * Prompt tokens that the prefix cache has when the request is admitted: whole blocks, and at least one token of
   * every prompt is computed.
   */
  hitTokens(id: number): number {
    const { prefixHitTokens, hitBlockTokens } = this;
    if (prefixHitTokens === undefined || hitBlockTokens === 0) return 0;
    const hits = Math.min(prefixHitTokens[id], this.promptTokens[id] - 1);
    return hits - (hits % hitBlockTokens);
  }

  /** Leaves the requests that arrive at `instant` or earlier: the prefix that a shorter window sees (model §4). */
  until(instant: number): void {
    if (this.clients) {
      this.clients.until(instant);
      return;
    }
    this.count = this.drawn;
    this.count = this.firstAt(instant + 1);
  }

  /** The next of the rows that were drawn is sent at an instant. */
  sendNext(at: Instant): void {
    this.arrivedAt[this.count] = at;
    this.drawn = ++this.count;
  }

  /** Before a run: where that depends on answers nobody has sent anything. */
  restart(warmup: Instant): void {
    if (!this.clients) return;
    this.drawn = this.count = 0;
    this.clients.restart(warmup);
  }

  /** The first row that arrives at `instant` or later. */
  firstAt(instant: number): number {
    return firstAtLeast(this.arrivedAt, instant, this.count);
  }

  /** All rows up to `count` are drawn, and in use. */
  filled(count: number): void {
    this.drawn = this.count = count;
  }

  /** Makes the columns that a table has beside lengths. */
  mark({ marks }: JointLengths): void {
    if (marks?.prefixHitTokens) this.prefixHitTokens = new Int32Array(this.arrivedAt.length);
    if (marks?.priority) this.priority = new Int32Array(this.arrivedAt.length);
  }

  /** Makes room for `rows` rows and keeps those that are there. */
  reserve(rows: number): void {
    if (this.arrivedAt.length >= rows) return;
    this.prefixHitTokens = longer(this.prefixHitTokens, rows);
    this.priority = longer(this.priority, rows);
    const arrivedAt = new Float64Array(rows);
    const promptTokens = new Int32Array(rows);
    const outputTokens = new Int32Array(rows);
    arrivedAt.set(this.arrivedAt);
    promptTokens.set(this.promptTokens);
    outputTokens.set(this.outputTokens);
    this.arrivedAt = arrivedAt;
    this.promptTokens = promptTokens;
    this.outputTokens = outputTokens;
  }
}
