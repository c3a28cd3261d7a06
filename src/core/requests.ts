/**
 * The requests of one trial: when each arrives and how long its prompt and output are.
 *
 * Columns instead of objects, and generated once for every policy that runs on them. Requests are in the
 * order of arrival; a request's id is its row.
 */
import type { WorkloadConfig } from "./config.js";
import { BLOCK_TOKENS } from "./kv-memory.js";
import { stream } from "./random.js";
import { member, type Registry } from "./registry.js";
import { fromSeconds, toSeconds } from "./units.js";

/** Rows for this many standard deviations above the mean count; more are added when needed. */
const SPARE_DEVIATIONS = 5;

export class Requests {
  /** Instants of arrival in ns, never decreasing. */
  arrivedAt = new Float64Array(0);
  promptTokens = new Int32Array(0);
  outputTokens = new Int32Array(0);
  /** Prompt tokens that the prefix cache holds, where a trace says so. */
  prefixHitTokens: Int32Array | undefined;
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
    this.reserve(backlog + rows);

    const before = stream(seed, trial, "backlog");
    for (let i = 0; i < backlog; i++) {
      this.arrivedAt[i] = 0;
      this.promptTokens[i] = prompt.sample(before);
      this.outputTokens[i] = output.sample(before);
    }

    const arrivals = process.open(stream(seed, trial, "arrivals"));
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

  /** Makes room for `rows` rows and keeps those that are there. */
  private reserve(rows: number): void {
    if (this.arrivedAt.length >= rows) return;
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
