/**
 * A run from a backlog: the system starts far out, where it is overloaded, and does not come back within the
 * run. Whether it drains from there or grows is what stability means, and both are stationary from the start
 * (theory §3).
 */
import { drawTrial } from "../configuration/draw-trial.js";
import type { SimulationConfig } from "../configuration/config.js";
import { InvariantError } from "../errors.js";
import type { IdList } from "../queues/id-list.js";
import { endedBy } from "../engine/stretch.js";
import { lookAhead } from "../engine/arrivals.js";
import { advance, type State } from "../engine/loop.js";
import type { Inspector } from "../engine/inspector.js";
import { stream } from "../numbers/random.js";
import { member } from "../configuration/registry.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { Requests } from "../workload/requests.js";
import { cachedTokens } from "../engine/residents.js";
import type { RunOptions, Simulator } from "./simulate.js";
import { fromSeconds, NEVER, toSeconds } from "../numbers/units.js";

export interface BacklogTask {
  readonly seed: number;
  readonly trial: number;
  readonly config: SimulationConfig;
  /** Requests that stand there at the start. */
  readonly backlog: number;
  /**
   * They are those that the discipline leaves over of so many times as many: an order that reads sizes serves some
   * sizes at once, and others pile up. 1 unless given: requests like any others.
   */
  readonly leftOf?: number;
  /** Batches of equal time that are measured, after `settle` batches that are not. */
  readonly batches: number;
  readonly settle: number;
  /** Length of a batch in seconds. */
  readonly batchSeconds: number;
}

/**
 * What each measured batch served. With limited KV memory a request counts with its last token: what a preempted one
 * computes again serves nobody.
 */
export interface Served {
  /** Decode tokens, by batch. */
  readonly decodeTokens: Float64Array<ArrayBuffer>;
  /** Prompt tokens, by batch. */
  readonly prefillTokens: Float64Array<ArrayBuffer>;
  /** Prompts whose prefill ended, by batch; with limited KV memory requests that completed. */
  readonly prompts: Float64Array<ArrayBuffer>;
  /** The backlog was gone before the end: the system is stable, and the batches tell no drift. */
  readonly emptied: boolean;
}

/** Whether the backlog of a configuration stands in the decode pool or waits as prompts. */
export function backlogDecodes(simulator: Pick<Simulator, "registry">, config: SimulationConfig): boolean {
  if (config.conventions.sequenceCap === "resident") return false;
  const { outputTokens } = config.workload;
  // Requests that decode nothing cannot pile up there.
  const beyond = config.conventions.firstToken === "prefill" ? 1 : 0;
  if (member(simulator.registry.lengths, outputTokens.kind).create(outputTokens).survival(beyond) === 0)
    return false;
  return member(simulator.registry.schedulers, config.scheduler.kind).backlog === "decoding";
}

/** @param plain without the fast paths */
export function runBacklog(simulator: Simulator, task: BacklogTask, plain = false): Served {
  const { config, seed, trial, backlog, leftOf = 1, batches, settle, batchSeconds } = task;
  const requests = new Requests();
  const tmaxSeconds = batchSeconds * (batches + settle);
  const drawn = { seed, trial, backlog: backlog * leftOf };
  drawTrial(requests, config.workload, { tmaxSeconds, maxRequests: null }, drawn, simulator.registry);
  const state = simulator.begin(config, requests, { seed, trial, plain });
  // With limited KV memory the backlog waits: who holds blocks is for the engine to say.
  const decoding =
    config.engine.kvTokens !== null
      ? 0
      : backlogDecodes(simulator, config)
        ? backlog
        : config.conventions.sequenceCap === "resident"
          ? Math.min(backlog, config.engine.maxSequences * config.engine.replicas)
          : 0;
  startDecoding(state, decoding, stream(seed, trial, "progress"));
  if (leftOf > 1) leaveLast(state, backlog * leftOf, backlog);
  const completions = config.engine.kvTokens === null ? undefined : state.shared;
  const batchTimes = new Batches(
    fromSeconds(batchSeconds),
    batches + settle,
    state.replicas[0].engine.varies,
    completions,
  );
  const until = fromSeconds(tmaxSeconds);
  advance(state, until, batchTimes);
  // Stretches in flight: what they have served by now counts as well.
  for (const { engine, scheduled } of state.replicas)
    if (scheduled.endAt !== NEVER) batchTimes.add(scheduled, endedBy(scheduled, until, engine.varies));
  if (state.shared.now === 0) throw new InvariantError("a run from a backlog in which nothing happened");
  return {
    decodeTokens: batchTimes.decodeTokens.slice(settle),
    prefillTokens: batchTimes.prefillTokens.slice(settle),
    prompts: batchTimes.prompts.slice(settle),
    emptied: batchTimes.emptied || state.shared.completed + state.shared.rejected === requests.count,
  };
}

/**
 * The first `count` requests start prefilled and decode, spread over the replicas. Those that fit into an
 * iteration have done a uniform share of their tokens: started together they would stay in phase for ever.
 */
function startDecoding(
  { shared, replicas }: State,
  count: number,
  progress: ReturnType<typeof stream>,
): void {
  const { sequences, emitsAtPrefillEnd } = shared;
  const { outputTokens } = sequences.requests;
  const first = Math.min(count, shared.entry.limits.maxSequences * replicas.length);
  for (let id = 0; id < count; id++) {
    const all = outputTokens[id] - (emitsAtPrefillEnd && outputTokens[id] > 0 ? 1 : 0);
    const done = id < first ? Math.floor(progress.uniform() * all) : 0;
    sequences.promptLeft[id] = 0;
    sequences.startedAt[id] = 0;
    sequences.firstTokenAt[id] = 0;
    sequences.lastTokenAt[id] = 0;
    shared.arrived++;
    if (all === 0) {
      sequences.finishedAt[id] = 0;
      shared.completed++;
      continue;
    }
    const replica = replicas[id % replicas.length];
    sequences.decodeLeft[id] = all - done;
    if (replica.engine.byAdmission) {
      sequences.place[id] = sequences.admission[id] = replica.admissions++;
      replica.pool.insert(id, sequences.place);
    } else replica.pool.append(id, sequences.place);
    replica.resident++;
    replica.routed++;
    replica.routedTokens += all - done;
  }
  lookAhead(shared);
}

/** Of the requests up to `drawn` that do not decode yet `kept` stand there: those that the order serves last. */
function leaveLast({ shared, replicas, newQueue }: State, drawn: number, kept: number): void {
  const { sequences, router } = shared;
  const { usableBlocks, kvRules } = shared.entry;
  const queue = newQueue();
  for (; shared.arrived < drawn; shared.arrived++) {
    const id = shared.arrived;
    sequences.startedAt[id] = 0;
    if (Math.ceil(cachedTokens(shared, id, 0) / kvRules.blockTokens) <= usableBlocks) queue.pushBack(id);
    else shared.rejected++;
  }
  for (; queue.length > kept; shared.completed++) sequences.finishedAt[queue.popFront()] = 0;
  for (let turn = 0; queue.length > 0; turn++) {
    const id = queue.popFront();
    const replica = replicas[router === null ? 0 : turn % replicas.length];
    replica.waiting.pushBack(id);
    if (router === null) continue;
    replica.routed++;
    replica.routedTokens += cachedTokens(shared, id, 0) - sequences.requests.hitTokens(id);
  }
  lookAhead(shared);
}

/** Adds up what every batch of time serves; an iteration belongs to the batch in which it ends. */
class Batches implements Inspector {
  readonly decodeTokens: Float64Array<ArrayBuffer>;
  readonly prefillTokens: Float64Array<ArrayBuffer>;
  readonly prompts: Float64Array<ArrayBuffer>;
  emptied = false;
  private readonly length: number;

  constructor(
    length: number,
    count: number,
    private readonly varies: boolean,
    /** Where requests count as they complete. */
    private readonly completions?: TrialState,
  ) {
    this.length = length;
    this.decodeTokens = new Float64Array(count);
    this.prefillTokens = new Float64Array(count);
    this.prompts = new Float64Array(count);
  }

  ended({ scheduled }: Replica): void {
    this.add(scheduled, scheduled.iterations);
    if (this.completions === undefined) return;
    this.complete(this.completions, scheduled.finishing, scheduled.endAt);
    this.complete(this.completions, scheduled.finishingUnseated, scheduled.endAt);
  }

  /** Counts requests whose last token comes at an instant. */
  private complete({ sequences, emitsAtPrefillEnd }: TrialState, { ids, length }: IdList, at: number): void {
    const { requests } = sequences;
    const batch = this.batchOf(at);
    for (let i = 0; i < length; i++) {
      const output = requests.outputTokens[ids[i]];
      this.decodeTokens[batch] += emitsAtPrefillEnd ? Math.max(output - 1, 0) : output;
      this.prefillTokens[batch] += requests.promptTokens[ids[i]] - requests.hitTokens(ids[i]);
      this.prompts[batch]++;
    }
  }

  private batchOf(instant: number): number {
    return Math.min(Math.max(0, Math.ceil(instant / this.length) - 1), this.decodeTokens.length - 1);
  }

  /** Counts the first `iterations` of a stretch. */
  add(scheduled: ScheduledBatch, iterations: number): void {
    if (this.completions !== undefined) return;
    const { decodes, prefillTokens, ended } = scheduled;
    for (let done = 0; done < iterations;) {
      const endAt = scheduled.endOf(done + 1, this.varies);
      const batch = this.batchOf(endAt);
      const upTo = Math.max(
        done + 1,
        Math.min(iterations, endedBy(scheduled, (batch + 1) * this.length, this.varies)),
      );
      this.decodeTokens[batch] += (upTo - done) * decodes;
      this.prefillTokens[batch] += (upTo - done) * prefillTokens;
      this.prompts[batch] += (upTo - done) * ended.length;
      done = upTo;
    }
  }

  settled(replicas: readonly Replica[]): void {
    this.emptied ||= replicas.every(
      ({ resident, preempted, waiting }) => resident + preempted.length + waiting.length === 0,
    );
  }
}

/** Requests still in the system at the end of the window, from an empty start. */
export function leftAt(simulator: Simulator, config: SimulationConfig, options: RunOptions): number {
  const requests = simulator.draw(config, options.seed, options.trial);
  const state = simulator.begin(config, requests, options);
  advance(state, fromSeconds(config.horizon.tmaxSeconds));
  return requests.count - state.shared.completed - state.shared.rejected;
}

/** Seconds that a run of a task simulates. */
export const secondsOf = ({ batches, settle, batchSeconds }: BacklogTask): number =>
  toSeconds(fromSeconds(batchSeconds * (batches + settle)));
