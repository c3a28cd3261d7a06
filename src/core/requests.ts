/**
 * The requests of one trial: when each arrives and how long its prompt and output are.
 *
 * Columns instead of objects, and generated once for every policy that runs on them. Requests are in the
 * order of arrival; a request's id is its row.
 */
import type { Arrivals } from "./arrival-process.js";
import { ClosedLoop } from "./closed-loop.js";
import { capOf, type WorkloadConfig } from "./config.js";
import { CappedStream } from "./capped-stream.js";
import { ConfigError } from "./errors.js";
import { BLOCK_TOKENS } from "./kv-memory.js";
import { JointLengths } from "./joint-lengths.js";
import type { LengthLaw } from "./length-law.js";
import { stream, type Stream } from "./random.js";
import { member, type Registry } from "./registry.js";
import type { Senders } from "./senders.js";
import { firstAtLeast } from "./sorted.js";
import { fromSeconds, toSeconds, type Nanoseconds } from "./units.js";

/** Rows for this many standard deviations above the mean count; more are added when needed. */
const SPARE_DEVIATIONS = 5;

/** Requests are drawn so many at a time: what is drawn together costs half as much. */
const BLOCK = 128;
const instants = new Float64Array(BLOCK);
const uniforms = new Float64Array(BLOCK);

/**
 * Writes the next arrivals, `count` at the most, to `instants`.
 * @returns how many of them come at `last` or earlier
 */
function drawInstants(arrivals: Arrivals, count: number, last: number): number {
  let drawn = 0;
  if (arrivals.fill) {
    arrivals.fill(instants, count);
    if (instants[count - 1] <= last) return count;
    while (instants[drawn] <= last) drawn++;
  } else {
    while (drawn < count && (instants[drawn] = arrivals.next()) <= last) drawn++;
  }
  return drawn;
}

/** Writes the rows [from, to) of a column of lengths. */
function drawLengths(law: LengthLaw, source: Stream, into: Int32Array, from: number, to: number): void {
  if (law.fromUniforms) {
    source.uniforms(uniforms, to - from);
    law.fromUniforms(uniforms, into, from, to);
  } else for (let row = from; row < to; row++) into[row] = law.sample(source);
}

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
  sendNext(at: Nanoseconds): void {
    this.arrivedAt[this.count] = at;
    this.drawn = ++this.count;
  }

  /** Before a run: where that depends on answers nobody has sent anything. */
  restart(warmup: Nanoseconds): void {
    if (!this.clients) return;
    this.drawn = this.count = 0;
    this.clients.restart(warmup);
  }

  /** The first row that arrives at `instant` or later. */
  firstAt(instant: number): number {
    return firstAtLeast(this.arrivedAt, instant, this.count);
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
    const cap = capOf(workload);
    if (cap !== null && backlog > 0)
      throw new ConfigError([
        {
          key: "workload.maxConcurrency",
          message: `invalid workload.maxConcurrency: ${cap} (nobody whose requests are capped leaves a backlog)`,
        },
      ]);
    this.draw(workload, until, seed, trial, registry, backlog);
    if (cap !== null) this.holdBack(cap);
  }

  /** The requests that are there are due at their instants, and so many are out at once, at the most. */
  holdBack(most: number): void {
    this.clients = new CappedStream(this, most);
  }

  private draw(
    workload: WorkloadConfig,
    until: { readonly tmaxSeconds: number; readonly maxRequests: number | null },
    seed: number,
    trial: number,
    registry: Registry,
    backlog: number,
  ): void {
    const process = member(registry.arrivals, workload.arrivals.kind).create(workload.arrivals);
    const prompt = member(registry.lengths, workload.promptTokens.kind).create(workload.promptTokens);
    const output = member(registry.lengths, workload.outputTokens.kind).create(workload.outputTokens);
    const last = fromSeconds(until.tmaxSeconds);
    const most = until.maxRequests ?? Infinity;
    this.prefixHitTokens = this.priority = this.clients = undefined;
    if (process.clients) {
      if (backlog > 0)
        throw new ConfigError([
          {
            key: "workload.arrivals.kind",
            message: `invalid workload.arrivals.kind: ${workload.arrivals.kind} (a closed loop starts without a backlog: its clients wait for answers)`,
          },
        ]);
      const lengths = new JointLengths(process, prompt, output);
      this.mark(lengths);
      this.drawn = this.count = 0;
      this.clients = new ClosedLoop(process.clients, lengths, { last, most, seed, trial });
      return;
    }
    // NaN without a rate: what arrives at one instant is as many as there are.
    const expected = process.ratePerSecond * toSeconds(last) || (process.requests ?? 0);
    const rows = Math.min(most, Math.ceil(expected + SPARE_DEVIATIONS * Math.sqrt(expected) + 16));
    this.reserve(backlog + rows);
    const arrivals = process.open(stream(seed, trial, "arrivals"), trial);
    if (prompt.joint !== undefined || output.joint !== undefined) {
      const lengths = new JointLengths(process, prompt, output);
      this.generateByRow(arrivals, lengths, { last, most, backlog, seed, trial });
      return;
    }

    if (backlog > 0) this.standThere(backlog, prompt, output, stream(seed, trial, "backlog"));
    const prompts = stream(seed, trial, "prompt");
    const outputs = stream(seed, trial, "output");
    let count = backlog;
    for (let isOver = false; !isOver && count - backlog < most;) {
      const drawn = drawInstants(arrivals, Math.min(BLOCK, most - (count - backlog)), last);
      isOver = drawn < BLOCK;
      if (count + drawn > this.arrivedAt.length) this.reserve(Math.max(count * 2, count + drawn));
      if (drawn === BLOCK) this.arrivedAt.set(instants, count);
      else for (let i = 0; i < drawn; i++) this.arrivedAt[count + i] = instants[i];
      drawLengths(prompt, prompts, this.promptTokens, count, count + drawn);
      drawLengths(output, outputs, this.outputTokens, count, count + drawn);
      count += drawn;
    }
    this.drawn = this.count = count;
  }

  /** The first `backlog` requests stand there at instant 0. */
  private standThere(backlog: number, prompt: LengthLaw, output: LengthLaw, before: Stream): void {
    for (let i = 0; i < backlog; i++) {
      this.arrivedAt[i] = 0;
      this.promptTokens[i] = prompt.sample(before);
      this.outputTokens[i] = output.sample(before);
    }
  }

  /** The same where a row of a table decides more than one thing of a request. */
  private generateByRow(
    arrivals: Arrivals,
    lengths: JointLengths,
    { last, most, backlog, seed, trial }: Record<"last" | "most" | "backlog" | "seed" | "trial", number>,
  ): void {
    this.mark(lengths);
    this.count = 0;
    const before = stream(seed, trial, "backlog");
    for (let i = 0; i < backlog; i++) {
      lengths.draw(-1, { rows: before, prompts: before, outputs: before });
      this.addDrawn(0, lengths);
    }
    const streams = JointLengths.streams(seed, trial);
    for (let at = arrivals.next(); at <= last && this.count - backlog < most; at = arrivals.next()) {
      lengths.draw(arrivals.row ?? -1, streams);
      this.addDrawn(at, lengths);
    }
    this.drawn = this.count;
  }

  /** Makes the columns that a table has beside lengths. */
  private mark({ marks }: JointLengths): void {
    if (marks?.prefixHitTokens) this.prefixHitTokens = new Int32Array(this.arrivedAt.length);
    if (marks?.priority) this.priority = new Int32Array(this.arrivedAt.length);
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
