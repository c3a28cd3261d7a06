/**
 * A trial as a Chrome trace (the Trace Event Format, which Perfetto and chrome://tracing open): every iteration with its
 * batch on one track a replica, requests by phase, and counters. It is the trial that the tables measure, observed; a
 * stretch that the engine ran as one is shown iteration by iteration.
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import {
  endOfIteration,
  type InstantRecord,
  type Observer,
  type StretchRecord,
} from "../../core/engine/observer.js";
import type { Registry } from "../../core/configuration/registry.js";
import type { Outcome } from "../../core/engine/outcome.js";
import { Simulator } from "../../core/trial/simulate.js";
import { schedulerLabel } from "../tables/comparison.js";
import type { TextFile } from "../interface/report.js";
import type { Trials } from "../interface/trials.js";

/** Iterations of each scheduler that are shown unless told otherwise: some 4 MB. */
export const DEFAULT_ITERATIONS = 20_000;

export interface Timeline {
  readonly file: TextFile;
  /** Where trials were cut, in words. */
  readonly notes: readonly string[];
}

type Event = Readonly<Record<string, unknown>>;

/** Microseconds, the format's unit; whole nanoseconds stay exact to the third decimal. */
const us = (nanoseconds: number): number => nanoseconds / 1000;

/** Watches one trial. Events stand under the process `pid`. */
class TraceRecorder implements Observer {
  readonly events: Event[] = [];
  iterations = 0;
  /** The instant from which on nothing is shown. */
  cutAt = Infinity;
  isCut = false;
  /** End of each request's first prefill. */
  readonly prefilledAt = new Map<number, number>();
  /** By replica: end of its last iteration, and what its counters showed last. */
  private readonly lastEnd: number[] = [];
  private readonly shown = new Map<string, number>();

  constructor(
    private readonly pid: number,
    private readonly most: number,
  ) {}

  ended(stretch: StretchRecord): void {
    const { replica, iterations, endAt, prefilled } = stretch;
    if (this.cutAt === Infinity && this.iterations + iterations >= this.most)
      this.cutAt = endOfIteration(stretch, this.most - this.iterations);
    // On another replica a stretch may have begun earlier and be told of later: its part before the cut is shown.
    let count = 0;
    while (count < iterations && endOfIteration(stretch, count) < this.cutAt) count++;
    this.isCut ||= count < iterations;
    if (count === 0) return;
    for (const id of prefilled) if (!this.prefilledAt.has(id)) this.prefilledAt.set(id, endAt);
    this.batchCounters(stretch);
    for (let i = 0; i < count; i++) this.iteration(stretch, i);
    this.iterations += count;
    this.lastEnd[replica] = endOfIteration(stretch, count);
  }

  settled({ at, replicas }: InstantRecord): void {
    if (at >= this.cutAt) return;
    for (const { replica, residents, blocks } of replicas) {
      this.count(`residents of replica ${replica}`, at, { residents });
      if (blocks !== null) this.count(`KV blocks of replica ${replica}`, at, { blocks });
    }
  }

  /** Requests by phase and the queue they make, which are known when the trial is over. */
  finish({ shared, arrived }: Outcome): void {
    for (let index = 0; index < this.lastEnd.length; index++)
      if (this.lastEnd[index] !== undefined) this.idleFrom(index, Math.min(this.lastEnd[index], this.cutAt));
    const { requests, startedAt, finishedAt, firstTokenAt } = shared.sequences;
    const changes: (readonly [at: number, by: number])[] = [];
    for (let id = 0; id < arrived && requests.arrivedAt[id] < this.cutAt; id++) {
      const arrival = requests.arrivedAt[id];
      const started = startedAt[id];
      if (started !== started) {
        this.events.push(this.async("i", id, "rejected", arrival));
        continue;
      }
      const prefilled = this.prefilledAt.get(id) ?? finishedAt[id];
      const args = {
        promptTokens: requests.promptTokens[id],
        outputTokens: requests.outputTokens[id],
        ...(firstTokenAt[id] === firstTokenAt[id] && { firstTokenAtMs: firstTokenAt[id] / 1e6 }),
      };
      this.span(id, `request ${id}`, arrival, finishedAt[id], args);
      this.span(id, "waiting", arrival, started);
      this.span(id, "prefill", started, prefilled);
      if (finishedAt[id] > prefilled) this.span(id, "decode", prefilled, finishedAt[id]);
      changes.push([arrival, 1], [started, -1]);
    }
    this.queue(changes);
  }

  private iteration(stretch: StretchRecord, i: number): void {
    const { replica, decodes, prefillTokens, chunks, kvTokens } = stretch;
    const startAt = endOfIteration(stretch, i);
    this.events.push({
      name: prefillTokens === 0 ? "decode" : decodes === 0 ? "prefill" : "mixed",
      cat: "iteration",
      ph: "X",
      pid: this.pid,
      tid: replica + 1,
      ts: us(startAt),
      dur: us(endOfIteration(stretch, i + 1) - startAt),
      args: {
        decodes,
        prefillTokens,
        cachedTokens: (kvTokens ?? 0) + i * decodes,
        ...(chunks.length > 0 && {
          promptTokensOf: Object.fromEntries(chunks.map(({ id, tokens }) => [id, tokens])),
        }),
      },
    });
  }

  /** Tokens in the batch, and in the cache of the sequences that decode; constant or growing along a stretch. */
  private batchCounters(stretch: StretchRecord): void {
    const { replica, startAt, decodes, prefillTokens, kvTokens, iterations } = stretch;
    const before = this.lastEnd[replica];
    if (before !== undefined && before < startAt) this.idleFrom(replica, before);
    this.count(`batch tokens of replica ${replica}`, startAt, { decode: decodes, prefill: prefillTokens });
    const name = `KV tokens of replica ${replica}`;
    this.count(name, startAt, { decoding: kvTokens ?? 0 });
    const last = endOfIteration(stretch, iterations - 1);
    if (iterations > 1 && last < this.cutAt)
      this.count(name, last, { decoding: (kvTokens ?? 0) + (iterations - 1) * decodes });
  }

  private idleFrom(index: number, at: number): void {
    this.count(`batch tokens of replica ${index}`, at, { decode: 0, prefill: 0 });
    this.count(`KV tokens of replica ${index}`, at, { decoding: 0 });
  }

  private queue(changes: (readonly [at: number, by: number])[]): void {
    changes.sort((a, b) => a[0] - b[0]);
    let length = 0;
    changes.forEach(([at, by], i) => {
      length += by;
      // What happens at one instant is one step.
      if (at < this.cutAt && changes[i + 1]?.[0] !== at) this.count("queue", at, { waiting: length });
    });
  }

  /** A counter's new values, where they are new. */
  private count(name: string, at: number, values: Readonly<Record<string, number>>): void {
    let isNew = false;
    for (const [series, value] of Object.entries(values)) {
      const key = `${name}/${series}`;
      if (this.shown.get(key) === value) continue;
      this.shown.set(key, value);
      isNew = true;
    }
    if (isNew) this.events.push({ name, ph: "C", pid: this.pid, ts: us(at), args: values });
  }

  /** An async span of a request; what is still under way at the cut ends there. */
  private span(id: number, name: string, from: number, until: number, args?: Event): void {
    if (from >= this.cutAt) return;
    this.events.push({ ...this.async("b", id, name, from), ...(args && { args }) });
    const end = this.async("e", id, name, Math.min(until, this.cutAt));
    this.events.push(until > this.cutAt ? { ...end, args: { cut: true } } : end);
  }

  private async(kind: "b" | "e" | "i", id: number, name: string, at: number): Event {
    const ph = kind === "i" ? "n" : kind;
    return { name, cat: "request", ph, id: `${this.pid}.${id}`, pid: this.pid, tid: 0, ts: us(at) };
  }
}

/**
 * The timeline of trial 1 under each configuration, one process each.
 * @param most iterations of each configuration that are shown
 */
export async function timelineFile(
  path: string,
  configs: readonly SimulationConfig[],
  seed: number,
  most: number,
  trials: Pick<Trials, "goesOn">,
  registry?: Registry,
): Promise<Timeline> {
  const simulator = new Simulator(registry);
  const lines: string[] = [];
  const notes: string[] = [];
  for (const [i, config] of configs.entries()) {
    if ((await trials.goesOn?.()) === false) break;
    const pid = i + 1;
    const label = schedulerLabel(config);
    const recorder = new TraceRecorder(pid, most);
    const requests = simulator.draw(config, seed, 1);
    const outcome = simulator.run(config, requests, { seed, trial: 1, observer: recorder });
    recorder.finish(outcome);
    const about = (name: string, tid: number, args: Event): Event => ({ name, ph: "M", pid, tid, args });
    const events: Event[] = [
      about("process_name", 0, { name: label }),
      about("process_sort_index", 0, { sort_index: pid }),
      ...outcome.replicas.map(({ index }) => about("thread_name", index + 1, { name: `replica ${index}` })),
    ];
    for (const event of events.concat(recorder.events)) lines.push(JSON.stringify(event));
    if (recorder.isCut)
      notes.push(
        `timeline: ${label} is cut after ${recorder.iterations} iterations, at ${recorder.cutAt / 1e9} s (--timeline-limit ${most})`,
      );
  }
  const about = JSON.stringify({ program: "llmsim", seed, trial: 1, notes });
  const start = `{"displayTimeUnit":"ms","otherData":${about},"traceEvents":[\n`;
  return { file: { path, under: "current", text: joined(start, lines, "\n]}\n") }, notes };
}

/** Lines with commas between, in pieces: a million iterations are longer than a text can be. */
const joined = (start: string, lines: readonly string[], end: string): Iterable<string> => ({
  *[Symbol.iterator]() {
    yield start;
    for (let i = 0; i < lines.length; i++) yield i === 0 ? lines[i] : `,\n${lines[i]}`;
    yield end;
  },
});
