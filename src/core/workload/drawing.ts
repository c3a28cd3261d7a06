/**
 * The requests of one trial, drawn: arrivals, prompt lengths and output lengths have a stream each, and none depends
 * on where arrivals end (model §4).
 */
import type { ArrivalProcess, Arrivals } from "./arrival-process.js";
import { CappedStream } from "./capped-stream.js";
import { ClosedLoop, type LoopLimits } from "./closed-loop.js";
import { JointLengths } from "./joint-lengths.js";
import type { LengthLaw } from "./length-law.js";
import { stream, type Stream } from "../numbers/random.js";
import type { Requests } from "./requests.js";
import { fromSeconds, toSeconds } from "../numbers/units.js";

/** What requests are drawn from. */
export interface WorkloadLaws {
  readonly arrivals: ArrivalProcess;
  readonly promptTokens: LengthLaw;
  readonly outputTokens: LengthLaw;
  /** So many of an open stream are out at once, at the most; null: as many as come. */
  readonly maxConcurrency: number | null;
}

/** Where arrivals end, and which trial it is. */
export interface DrawnTrial {
  readonly tmaxSeconds: number;
  readonly maxRequests: number | null;
  readonly seed: number;
  readonly trial: number;
  /** So many requests more stand there at instant 0, from a stream of their own. */
  readonly backlog: number;
}

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

/** Replaces the rows of `requests` by those of a trial; a closed loop draws its rows while it runs. */
export function drawRequests(requests: Requests, laws: WorkloadLaws, drawn: DrawnTrial): void {
  const { maxConcurrency } = laws;
  requests.prefixHitTokens = requests.priority = requests.clients = undefined;
  const { clients } = laws.arrivals;
  const last = fromSeconds(drawn.tmaxSeconds);
  const most = drawn.maxRequests ?? Infinity;
  if (clients) {
    const lengths = new JointLengths(laws.arrivals, laws.promptTokens, laws.outputTokens);
    requests.mark(lengths);
    requests.filled(0);
    const { seed, trial } = drawn;
    requests.clients = new ClosedLoop(clients, lengths, { last, most, seed, trial });
  } else drawOpen(requests, laws, { last, most, seed: drawn.seed, trial: drawn.trial }, drawn.backlog);
  if (maxConcurrency !== null) holdBack(requests, maxConcurrency);
}

/** The requests that are there are due at their instants, and so many are out at once, at the most. */
export function holdBack(requests: Requests, most: number): void {
  requests.clients = new CappedStream(requests, most);
}

/** Arrivals that depend on nobody's answers. */
function drawOpen(requests: Requests, laws: WorkloadLaws, limits: LoopLimits, backlog: number): void {
  const { arrivals: process, promptTokens: prompt, outputTokens: output } = laws;
  const { last, most, seed, trial } = limits;
  // NaN without a rate: what arrives at one instant is as many as there are.
  const expected = process.ratePerSecond * toSeconds(last) || (process.requests ?? 0);
  const rows = Math.min(most, Math.ceil(expected + SPARE_DEVIATIONS * Math.sqrt(expected) + 16));
  requests.reserve(backlog + rows);
  const arrivals = process.open(stream(seed, trial, "arrivals"), trial);
  if (prompt.joint !== undefined || output.joint !== undefined) {
    drawByRow(requests, arrivals, new JointLengths(process, prompt, output), limits, backlog);
    return;
  }

  if (backlog > 0) standThere(requests, backlog, prompt, output, stream(seed, trial, "backlog"));
  const prompts = stream(seed, trial, "prompt");
  const outputs = stream(seed, trial, "output");
  let count = backlog;
  for (let isOver = false; !isOver && count - backlog < most;) {
    const drawn = drawInstants(arrivals, Math.min(BLOCK, most - (count - backlog)), last);
    isOver = drawn < BLOCK;
    if (count + drawn > requests.arrivedAt.length) requests.reserve(Math.max(count * 2, count + drawn));
    if (drawn === BLOCK) requests.arrivedAt.set(instants, count);
    else for (let i = 0; i < drawn; i++) requests.arrivedAt[count + i] = instants[i];
    drawLengths(prompt, prompts, requests.promptTokens, count, count + drawn);
    drawLengths(output, outputs, requests.outputTokens, count, count + drawn);
    count += drawn;
  }
  requests.filled(count);
}

/** The first `backlog` requests stand there at instant 0. */
function standThere(
  requests: Requests,
  backlog: number,
  prompt: LengthLaw,
  output: LengthLaw,
  before: Stream,
): void {
  for (let i = 0; i < backlog; i++) {
    requests.arrivedAt[i] = 0;
    requests.promptTokens[i] = prompt.sample(before);
    requests.outputTokens[i] = output.sample(before);
  }
}

/** The same where a row of a table decides more than one thing of a request. */
function drawByRow(
  requests: Requests,
  arrivals: Arrivals,
  lengths: JointLengths,
  { last, most, seed, trial }: LoopLimits,
  backlog: number,
): void {
  requests.mark(lengths);
  requests.filled(0);
  const before = stream(seed, trial, "backlog");
  for (let i = 0; i < backlog; i++) {
    lengths.draw(-1, { rows: before, prompts: before, outputs: before });
    requests.addDrawn(0, lengths);
  }
  const streams = JointLengths.streams(seed, trial);
  for (let at = arrivals.next(); at <= last && requests.count - backlog < most; at = arrivals.next()) {
    lengths.draw(arrivals.row ?? -1, streams);
    requests.addDrawn(at, lengths);
  }
}
