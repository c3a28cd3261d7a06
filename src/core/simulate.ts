/**
 * The loop: the only place that moves the clock.
 *
 * At one instant, in this order: iterations that end are credited, by replica; requests arrive, by id;
 * replicas without an iteration decide, by number, each seeing what the one before took (model §1).
 */
import { type PartialConfig, prepare, type SimulationConfig } from "./config.js";
import { invariant } from "./errors.js";
import { EventQueue } from "./event-queue.js";
import { GapLog } from "./gap-log.js";
import { begin, credit, cut } from "./iteration.js";
import { checkTotals, Laws } from "./laws.js";
import { asRecord, measure, type Metrics } from "./metrics.js";
import type { Observer } from "./observer.js";
import { Plan } from "./plan.js";
import { stream } from "./random.js";
import { builtIn, member, type Registry } from "./registry.js";
import { Replica, type Shared } from "./replica.js";
import { Requests } from "./requests.js";
import { Sequences } from "./sequences.js";
import { fromSeconds, NEVER, ns, tokens, UNLIMITED, type Nanoseconds } from "./units.js";

/** Everything that a finished trial came to, besides its metrics. */
export interface Outcome {
  readonly shared: Shared;
  readonly replicas: readonly Replica[];
  /** First row that is measured, and where rows end. */
  readonly firstMeasured: number;
  readonly arrived: number;
  /** From the first measured arrival to the last measured completion; NaN when nothing is measured. */
  readonly measuredFrom: Nanoseconds;
  readonly measuredUntil: Nanoseconds;
  /** Iteration time between these two, over all replicas. */
  readonly busyTime: number;
}

export interface RunOptions {
  /** Seed and trial of the random iteration times. */
  readonly seed: number;
  readonly trial: number;
  readonly observer?: Observer;
}

/** A simulator with its buffers: reused from trial to trial, one at a time. */
export class Simulator {
  readonly registry: Registry;
  private readonly requests = new Requests();
  private readonly sequences = new Sequences(this.requests);
  private readonly gaps = new GapLog();
  private readonly events = new EventQueue();
  private readonly replicas: Replica[] = [];
  /** What the requests in the buffer were drawn for. */
  private drawnFor = "";

  constructor(registry: Registry = builtIn) {
    this.registry = registry;
  }

  /**
   * Draws the requests of a trial, once for all configurations that share them.
   * The result is valid until the next call.
   */
  draw(config: SimulationConfig, seed: number, trial: number): Requests {
    const { tmaxSeconds, maxRequests } = config.horizon;
    const key = JSON.stringify([config.workload, tmaxSeconds, maxRequests, seed, trial]);
    if (key !== this.drawnFor) {
      this.drawnFor = "";
      this.requests.generate(config.workload, config.horizon, seed, trial, this.registry);
      this.drawnFor = key;
    }
    this.requests.until(NEVER); // a shorter window may have hidden some
    return this.requests;
  }

  /**
   * Runs one trial to its end: every request that arrives is completed.
   * @param config complete and checked
   * @returns the outcome, valid until the next call
   * @throws PlanError when the scheduler breaks a rule, ConfigError when the drain passes the clock's end
   */
  run(config: SimulationConfig, requests: Requests, options: RunOptions): Outcome {
    const { registry, events, sequences } = this;
    const { engine, conventions } = config;
    sequences.reset(requests);
    this.gaps.clear();
    events.reset(engine.replicas);
    const firstMeasured = requests.firstAt(fromSeconds(config.horizon.warmupSeconds));
    const model = member(registry.serviceTimes, config.service.kind).create(config.service);
    const shared: Shared = {
      sequences,
      waiting: member(registry.disciplines, engine.discipline.kind).create(engine.discipline),
      gaps: this.gaps,
      scheduler: member(registry.schedulers, config.scheduler.kind).create(config.scheduler),
      schedulerName: config.scheduler.kind,
      model,
      limits: {
        maxTokens: tokens(engine.maxTokens),
        maxSequences: engine.maxSequences,
        residentCap: conventions.sequenceCap === "resident" ? engine.maxSequences : UNLIMITED,
        chunk: tokens(engine.chunkSize ?? UNLIMITED),
      },
      emitsAtPrefillEnd: conventions.firstToken === "prefill",
      pricesDearerSide: conventions.mixedBatch === "max",
      firstMeasured,
      measuredFrom: ns(firstMeasured < requests.count ? requests.arrivedAt[firstMeasured] : NaN),
      now: ns(0),
      nextArrivalAt: ns(requests.count > 0 ? requests.arrivedAt[0] : NEVER),
      arrived: 0,
      completed: 0,
      completedMeasured: 0,
    };
    while (this.replicas.length < engine.replicas) this.replicas.push(new Replica(this.replicas.length));
    const replicas = this.replicas.slice(0, engine.replicas);
    for (const replica of replicas)
      replica.reset(
        model.random ? stream(options.seed, options.trial, `service/${replica.index}`) : undefined,
      );
    return loop(shared, replicas, events, options.observer);
  }
}

function loop(
  shared: Shared,
  replicas: readonly Replica[],
  events: EventQueue,
  observer: Observer | undefined,
): Outcome {
  const { sequences, waiting, firstMeasured } = shared;
  const { arrivedAt, count } = sequences.requests;
  const plan = new Plan(shared);
  const measured = count - firstMeasured;
  let measuredUntil = ns(NaN);
  let busyTime = 0;
  let idle = replicas.length;

  for (;;) {
    // An arrival is seen when somebody decides: at once by an idle replica, else when the next iteration ends.
    const now = ns(idle > 0 ? Math.min(events.nextAt, shared.nextArrivalAt) : events.nextAt);
    if (now === NEVER) break;
    shared.now = now;
    while (events.nextAt === now) {
      const replica = replicas[events.nextSource];
      observer?.ended?.(replica, shared);
      credit(shared, replica);
      events.set(replica.index, NEVER);
      idle++;
    }
    if (shared.completedMeasured === measured && measuredUntil !== measuredUntil && measured > 0) {
      measuredUntil = now;
      busyTime = busyUntil(replicas, shared.measuredFrom, now);
    }
    while (shared.nextArrivalAt <= now) {
      sequences.arrive(shared.arrived);
      waiting.pushBack(shared.arrived++);
      shared.nextArrivalAt = ns(shared.arrived < count ? arrivedAt[shared.arrived] : NEVER);
    }
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[i];
      // A stretch cut to this instant by a replica with a lower number.
      if (replica.flight.endAt === now && i > 0) {
        observer?.ended?.(replica, shared);
        credit(shared, replica);
        idle++;
      }
      if (replica.flight.endAt !== NEVER || (replica.resident === 0 && waiting.length === 0)) continue;
      begin(shared, plan, replica);
      events.set(i, replica.flight.endAt);
      idle--;
      observer?.began?.(replica, shared);
      if (replica.flight.admitted > 0 && replicas.length > 1) cutOthers(shared, replicas, replica, events);
    }
    observer?.settled?.(replicas, shared);
  }
  invariant(
    shared.completed === count,
    () => `${count - shared.completed} of ${count} requests were never completed`,
  );
  const { arrived, measuredFrom } = shared;
  return { shared, replicas, firstMeasured, arrived, measuredFrom, measuredUntil, busyTime };
}

/**
 * The central queue has lost prompts to `taker`: a stretch that repeats on another replica because of what
 * stood there ends with the iteration it is in. At this very instant, higher numbers still decide after it.
 */
function cutOthers(shared: Shared, replicas: readonly Replica[], taker: Replica, events: EventQueue): void {
  for (const replica of replicas) {
    const { flight, index } = replica;
    if (replica === taker || flight.endAt === NEVER || flight.iterations === 1) continue;
    if (!flight.leftWaiting || !flight.dependsOnArrivals) continue;
    cut(flight, shared.now, index < taker.index);
    events.set(index, flight.endAt > shared.now ? flight.endAt : NEVER);
  }
}

/** Iteration time inside [from, until], with the part done of stretches in flight. */
function busyUntil(replicas: readonly Replica[], from: Nanoseconds, until: Nanoseconds): number {
  let busy = 0;
  for (const replica of replicas) {
    busy += replica.busyTime;
    if (replica.flight.endAt !== NEVER) busy += until - Math.max(replica.flight.startAt, from);
  }
  return busy;
}

export interface SimulateOptions {
  /** Seed of the study; trials differ by their number alone. Default 1. */
  readonly seed?: number;
  /** Number of the trial, from 1. Default 1. */
  readonly trial?: number;
  /** Checks every law of the model while it runs. */
  readonly verify?: boolean;
  readonly registry?: Registry;
  /** Simulates these requests instead of drawing them. */
  readonly requests?: Requests;
  /** Buffers to reuse. */
  readonly simulator?: Simulator;
  /** Lifts the limit on the number of requests. */
  readonly force?: boolean;
}

export interface Simulation {
  readonly config: SimulationConfig;
  readonly metrics: Metrics;
  readonly outcome: Outcome;
}

/**
 * Simulates one trial of a configuration and measures it.
 *
 * @param given the configuration; what has a default may be left out
 * @returns the metrics of the trial and its outcome, valid until the simulator (if one is given) runs again
 * @throws ConfigError with every problem of the configuration; PlanError when a scheduler breaks a rule;
 *   InvariantError when a law of the model does not hold
 * @example simulate({ ...scenario, scheduler: { kind: "hybrid", ratio: 0.5 } }, { seed: 1 }).metrics.ttft_mean_s
 */
export function simulate(given: PartialConfig, options: SimulateOptions = {}): Simulation {
  const { seed = 1, trial = 1, registry = options.simulator?.registry ?? builtIn } = options;
  const config = prepare(given, registry, { force: options.force ?? false });
  const simulator = options.simulator ?? new Simulator(registry);
  const requests = options.requests ?? simulator.draw(config, seed, trial);
  const values = runTrial(simulator, config, requests, { seed, trial, verify: options.verify ?? false });
  return { config, metrics: asRecord(values.values), outcome: values.outcome };
}

/** Runs and measures one trial of a checked configuration; `verify` also checks every law while it runs. */
export function runTrial(
  simulator: Simulator,
  config: SimulationConfig,
  requests: Requests,
  options: { readonly seed: number; readonly trial: number; readonly verify: boolean },
): { readonly values: Float64Array; readonly outcome: Outcome } {
  const laws = options.verify ? new Laws(config) : undefined;
  const outcome = simulator.run(config, requests, { ...options, ...(laws && { observer: laws }) });
  checkTotals(config, outcome);
  laws?.finish(outcome);
  return { values: measure(config, outcome), outcome };
}
