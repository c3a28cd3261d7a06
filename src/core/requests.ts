/**
 * The requests of one trial: when each arrives and how long its prompt and output are.
 *
 * Columns instead of objects, and generated once for every policy that runs on them. Requests are in the
 * order of arrival; a request's id is its row.
 */
import type { Arrivals } from "./arrival-process.js";
import type { WorkloadConfig } from "./config.js";
import { BLOCK_TOKENS } from "./kv-memory.js";
import { JointLengths } from "./joint-lengths.js";
import { stream } from "./random.js";
import { member, type Registry } from "./registry.js";
import { fromSeconds, toSeconds } from "./units.js";

/** Rows for this many standard deviations above the mean count; more are added when needed. */
const SPARE_DEVIATIONS = 5;

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

  /**
   * Prompt tokens that the prefix cache has when the request is admitted: whole blocks, and at least one token of
   * every prompt is computed.
   */
  hitTokens(id: number): number {
    const { prefixHitTokens } = this;
    if (prefixHitTokens === undefined) return 0;
    return Math.floor(Math.min(prefixHitTokens[id], this.promptTokens[id] - 1) / BLOCK_TOKENS) * BLOCK_TOKENS;
  }

  /** Leaves the requests that arrive at `instant` or earlier: the prefix that a shorter window sees (model §4). */
  until(instant: number): void {
    this.count = this.drawn;
    this.count = this.firstAt(instant + 1);
  }

  /** The first row that arrives at `instant` or later. */
  firstAt(instant: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.arrivedAt[middle] < instant) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Draws the requests of a trial: arrivals, prompt lengths and output lengths have a stream each, and none
   * depends on where arrivals end (model §4).
   * @param backlog so many requests more stand there at instant 0, from a stream of their own
   */
  generate(
    workload: WorkloadConfig,
    until: { readonly tmaxSeconds: number; readonly maxRequests: number | null },
    seed: number,
    trial: number,
    registry: Registry,
    backlog = 0,
  ): void {
    const process = member(registry.arrivals, workload.arrivals.kind).create(workload.arrivals);
    const prompt = member(registry.lengths, workload.promptTokens.kind).create(workload.promptTokens);
    const output = member(registry.lengths, workload.outputTokens.kind).create(workload.outputTokens);
    const last = fromSeconds(until.tmaxSeconds);
    const most = until.maxRequests ?? Infinity;
    const expected = process.ratePerSecond * toSeconds(last);
    const rows = Math.min(most, Math.ceil(expected + SPARE_DEVIATIONS * Math.sqrt(expected) + 16));
    this.prefixHitTokens = this.priority = undefined;
    this.reserve(backlog + rows);
    const arrivals = process.open(stream(seed, trial, "arrivals"), trial);
    if (prompt.joint !== undefined || output.joint !== undefined) {
      const lengths = new JointLengths(process, prompt, output);
      this.generateByRow(arrivals, lengths, { last, most, backlog, seed, trial });
      return;
    }

    const before = stream(seed, trial, "backlog");
    for (let i = 0; i < backlog; i++) {
      this.arrivedAt[i] = 0;
      this.promptTokens[i] = prompt.sample(before);
      this.outputTokens[i] = output.sample(before);
    }

    const prompts = stream(seed, trial, "prompt");
    const outputs = stream(seed, trial, "output");
    // One loop over three streams: the processor overlaps their chains of arithmetic.
    let count = backlog;
    for (;;) {
      const at = arrivals.next();
      if (at > last || count - backlog === most) break;
      if (count === this.arrivedAt.length) this.reserve(count * 2);
      this.arrivedAt[count] = at;
      this.promptTokens[count] = prompt.sample(prompts);
      this.outputTokens[count++] = output.sample(outputs);
    }
    this.drawn = this.count = count;
  }

  /** The same where a row of a table decides more than one thing of a request. */
  private generateByRow(
    arrivals: Arrivals,
    lengths: JointLengths,
    { last, most, backlog, seed, trial }: Record<"last" | "most" | "backlog" | "seed" | "trial", number>,
  ): void {
    const { marks } = lengths;
    if (marks?.prefixHitTokens) this.prefixHitTokens = new Int32Array(this.arrivedAt.length);
    if (marks?.priority) this.priority = new Int32Array(this.arrivedAt.length);
    this.count = 0;
    const put = (at: number): void => {
      const row = this.count;
      this.add(at, lengths.promptTokens, lengths.outputTokens);
      if (this.prefixHitTokens) this.prefixHitTokens[row] = lengths.prefixHitTokens;
      if (this.priority) this.priority[row] = lengths.priority;
    };
    const before = stream(seed, trial, "backlog");
    for (let i = 0; i < backlog; i++) {
      lengths.draw(-1, { rows: before, prompts: before, outputs: before });
      put(0);
    }
    const streams = JointLengths.streams(seed, trial);
    for (let at = arrivals.next(); at <= last && this.count - backlog < most; at = arrivals.next()) {
      lengths.draw(arrivals.row ?? -1, streams);
      put(at);
    }
    this.drawn = this.count;
  }

  /** Makes room for `rows` rows and keeps those that are there. */
  private reserve(rows: number): void {
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
