/**
 * A run from a backlog: the system starts far out, where it is overloaded, and does not come back within the
 * run. Whether it drains from there or grows is what stability means, and both are stationary from the start
 * (theory §3).
 */
import type { SimulationConfig } from "./config.js";
import { InvariantError } from "./errors.js";
import { endedBy } from "./iteration.js";
import { advance, type State } from "./loop.js";
import type { Observer } from "./observer.js";
import { stream } from "./random.js";
import { member } from "./registry.js";
import type { Flight, Replica } from "./replica.js";
import { Requests } from "./requests.js";
import type { RunOptions, Simulator } from "./simulate.js";
import { fromSeconds, NEVER, toSeconds } from "./units.js";

export interface BacklogTask {
  readonly seed: number;
  readonly trial: number;
  readonly config: SimulationConfig;
  /** Requests that stand there at the start. */
  readonly backlog: number;
  /** Batches of equal time that are measured, after `settle` batches that are not. */
  readonly batches: number;
  readonly settle: number;
  /** Length of a batch in seconds. */
  readonly batchSeconds: number;
}

/** What each measured batch served. */
export interface Served {
  /** Decode tokens, by batch. */
  readonly decodeTokens: Float64Array<ArrayBuffer>;
  /** Prompt tokens, by batch. */
  readonly prefillTokens: Float64Array<ArrayBuffer>;
  /** Prompts whose prefill ended, by batch. */
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
  const { config, seed, trial, backlog, batches, settle, batchSeconds } = task;
  const requests = new Requests();
  const tmaxSeconds = batchSeconds * (batches + settle);
  requests.generate(
    config.workload,
    { tmaxSeconds, maxRequests: null },
    seed,
    trial,
    simulator.registry,
    backlog,
  );
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
  const batchTimes = new Batches(fromSeconds(batchSeconds), batches + settle, state.shared.varies);
  const until = fromSeconds(tmaxSeconds);
  advance(state, until, batchTimes);
  // Stretches in flight: what they have served by now counts as well.
  for (const { flight } of state.replicas)
    if (flight.endAt !== NEVER) batchTimes.add(flight, endedBy(flight, until, state.shared.varies));
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
  const { sequences, limits, emitsAtPrefillEnd } = shared;
  const { outputTokens } = sequences.requests;
  const first = Math.min(count, limits.maxSequences * replicas.length);
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
    if (shared.byAdmission) {
      sequences.place[id] = sequences.admission[id] = replica.admissions++;
      replica.pool.insert(id, sequences.place);
    } else replica.pool.append(id, sequences.place);
    replica.resident++;
    replica.routed++;
    replica.routedTokens += all - done;
  }
  const { arrivedAt } = sequences.requests;
  shared.nextArrivalAt = (
    shared.arrived < sequences.requests.count ? arrivedAt[shared.arrived] + shared.overhead : Infinity
  ) as typeof shared.nextArrivalAt;
}

/** Adds up what every batch of time serves; an iteration belongs to the batch in which it ends. */
class Batches implements Observer {
  readonly decodeTokens: Float64Array<ArrayBuffer>;
  readonly prefillTokens: Float64Array<ArrayBuffer>;
  readonly prompts: Float64Array<ArrayBuffer>;
  emptied = false;
  private readonly length: number;

  constructor(
    length: number,
    count: number,
    private readonly varies: boolean,
  ) {
    this.length = length;
    this.decodeTokens = new Float64Array(count);
    this.prefillTokens = new Float64Array(count);
    this.prompts = new Float64Array(count);
  }

  ended({ flight }: Replica): void {
    this.add(flight, flight.iterations);
  }

  /** Counts the first `iterations` of a stretch. */
  add(flight: Flight, iterations: number): void {
    const { decodes, prefillTokens, ended } = flight;
    for (let done = 0; done < iterations;) {
      const endAt = flight.endOf(done + 1, this.varies);
      const batch = Math.min(Math.ceil(endAt / this.length) - 1, this.decodeTokens.length - 1);
      const upTo = Math.max(
        done + 1,
        Math.min(iterations, endedBy(flight, (batch + 1) * this.length, this.varies)),
      );
      this.decodeTokens[batch] += (upTo - done) * decodes;
      this.prefillTokens[batch] += (upTo - done) * prefillTokens;
      this.prompts[batch] += (upTo - done) * ended.length;
      done = upTo;
    }
  }

  settled(replicas: readonly Replica[]): void {
    this.emptied ||= replicas.every(
      ({ resident, returned, waiting }) => resident + returned.length + waiting.length === 0,
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
