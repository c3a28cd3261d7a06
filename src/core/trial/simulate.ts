/**
 * From a configuration to a finished trial: draws the requests, sets the engine up, runs the loop, measures.
 * Buffers live as long as the simulator and are reused from trial to trial.
 */
import { prepare } from "../configuration/check-config.js";
import { capOf, type PartialConfig, type SimulationConfig } from "../configuration/config.js";
import { invariant } from "../errors.js";
import { EventQueue } from "../queues/event-queue.js";
import { GapLog } from "../state/gap-log.js";
import { drawTrial } from "../configuration/draw-trial.js";
import { holdBack } from "../workload/drawing.js";
import { checkTotals, Invariants } from "../measures/invariants.js";
import { follow, FromSenders, RowsInOrder } from "../engine/arrivals.js";
import { advance, type State } from "../engine/loop.js";
import { type Measure, measureFurther } from "../measures/measures.js";
import { asRecord, measure, type Metrics } from "../measures/metrics.js";
import type { Observer } from "../engine/observer.js";
import type { Outcome } from "../engine/outcome.js";
import { Plan } from "../engine/plan.js";
import { Recorder } from "../engine/recorder.js";
import { setUpPool } from "../engine/set-up.js";
import { stream } from "../numbers/random.js";
import { builtIn, member, type Registry } from "../configuration/registry.js";
import { Replica } from "../state/replica.js";
import { TrialState } from "../state/trial-state.js";
import { Requests } from "../workload/requests.js";
import { Sequences } from "../state/sequences.js";
import { needsLargestGaps } from "../configuration/slo.js";
import { Tally } from "../measures/tally.js";
import { accountOf, demandSame, differenceOf } from "./verification.js";
import { fromMilliseconds, fromSeconds, NEVER } from "../numbers/units.js";

export interface RunOptions {
  /** Seed and trial of the random iteration times. */
  readonly seed: number;
  readonly trial: number;
  /** Is told what happens, in plain records; the run is the same, but takes longer. */
  readonly observer?: Observer;
  /** Without the fast paths: one iteration at a time, each composed. */
  readonly plain?: boolean;
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
      drawTrial(this.requests, config.workload, config.horizon, { seed, trial }, this.registry);
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
    const state = this.begin(config, requests, options);
    advance(state, NEVER, options.observer && new Recorder(options.observer));
    return outcomeOf(state);
  }

  /** The state before anything has happened. It uses this simulator's buffers: one at a time. */
  begin(config: SimulationConfig, requests: Requests, { seed, trial, plain = false }: RunOptions): State {
    const { registry, events, sequences, gaps } = this;
    const { engine, horizon } = config;
    const warmup = fromSeconds(horizon.warmupSeconds);
    requests.restart(warmup);
    requests.hitBlockTokens = engine.prefixCaching === false ? 0 : engine.blockTokens;
    sequences.reset(requests);
    sequences.trackGaps(needsLargestGaps(config));
    sequences.trackMemory(engine.kvTokens !== null);
    gaps.clear();
    events.reset(engine.replicas);
    const pool = setUpPool(config, registry, { requests, seed, trial, plain });
    const router = member(registry.routers, engine.router.kind);
    const { clients = null } = requests;
    const isCentral = router.central === true;
    const shared = new TrialState({
      sequences,
      gaps,
      entry: pool.engine,
      router: isCentral ? null : router.create(engine.router),
      routing: isCentral ? null : stream(seed, trial, "routing"),
      clients,
      isPlain: plain,
      emitsAtPrefillEnd: config.conventions.firstToken === "prefill",
      overhead: fromMilliseconds(engine.overheadMs),
      warmup,
    });
    follow(shared, [clients === null ? new RowsInOrder(shared) : new FromSenders(shared, clients)]);
    while (this.replicas.length < engine.replicas) this.replicas.push(new Replica(this.replicas.length));
    const replicas = this.replicas.slice(0, engine.replicas);
    const waiting = pool.newQueue();
    for (const replica of replicas)
      replica.reset(
        pool.engine,
        isCentral || replica.index === 0 ? waiting : pool.newQueue(),
        pool.engine.model.random ? stream(seed, trial, `service/${replica.index}`) : undefined,
      );
    const plans = replicas.map((replica) => new Plan(shared, replica));
    return { shared, replicas, events, plans, newQueue: pool.newQueue };
  }
}

/** What a state that has run to its end came to; every request that arrived must be completed. */
export function outcomeOf({ shared, replicas }: State): Outcome {
  const { arrived, completed, rejected, measuredFrom, measuredUntil, busyTime } = shared;
  const { count } = shared.sequences.requests;
  const lost = count - completed - rejected;
  invariant(lost === 0, () => `${lost} of ${count} requests were never completed`);
  const firstMeasured = Math.min(shared.firstMeasured, arrived);
  return { shared, replicas, firstMeasured, arrived, measuredFrom, measuredUntil, busyTime };
}

export interface SimulateOptions {
  /** Seed of the study; trials differ by their number alone. Default 1. */
  readonly seed?: number;
  /** Number of the trial, from 1. Default 1. */
  readonly trial?: number;
  /** Holds the run against one iteration at a time, which is watched by every law of the model. Takes several times as long. */
  readonly verify?: boolean;
  /** One iteration at a time, without the fast paths: the same results, slowly. */
  readonly plain?: boolean;
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
  const cap = capOf(config.workload);
  if (options.requests && cap !== null) holdBack(requests, cap);
  const { verify = false, plain = false } = options;
  const values = runTrial(simulator, config, requests, { seed, trial, verify, plain });
  return { config, metrics: asRecord(values.values, config), outcome: values.outcome };
}

/** How a trial is run. */
export interface TrialOptions {
  readonly seed: number;
  readonly trial: number;
  /** Hold it against the plain loop, watched by every law. */
  readonly verify: boolean;
  /** Run the plain loop alone. */
  readonly plain?: boolean | undefined;
  /** What to measure besides METRICS; their values follow. */
  readonly measures?: readonly Measure[] | undefined;
}

/**
 * Runs and measures one trial of a checked configuration.
 * @returns its metrics, and its outcome, valid until the simulator runs again
 * @throws InvariantError or PlanError where `verify` finds a law broken or a difference (verification.ts)
 */
export function runTrial(
  simulator: Simulator,
  config: SimulationConfig,
  requests: Requests,
  { seed, trial, verify, plain = false, measures = [] }: TrialOptions,
): { readonly values: Float64Array; readonly outcome: Outcome } {
  if (!verify) return measureRun(simulator, config, requests, { seed, trial, plain, measures });
  // First, so that what is returned is the run that is measured.
  const slowly = { seed, trial, plain: true, measures };
  const watched = measureRun(simulator, config, requests, slowly, new Invariants(config, simulator.registry));
  if (plain) return watched;
  const expected = accountOf(watched.outcome, watched.values);
  const fast = measureRun(simulator, config, requests, { seed, trial, measures });
  const difference = differenceOf(accountOf(fast.outcome, fast.values), expected);
  demandSame(difference, config.scheduler.kind, simulator.registry);
  return fast;
}

function measureRun(
  simulator: Simulator,
  config: SimulationConfig,
  requests: Requests,
  { measures, ...options }: RunOptions & { readonly measures: readonly Measure[] },
  laws?: Invariants,
): { readonly values: Float64Array; readonly outcome: Outcome } {
  const state = simulator.begin(config, requests, options);
  advance(state, NEVER, laws);
  const outcome = outcomeOf(state);
  const tally = new Tally(outcome.shared, config.conventions.tbt);
  tally.count(outcome, NEVER);
  checkTotals(config, outcome, tally);
  laws?.finish(outcome);
  const values = measure(outcome, tally, config);
  return { values: measureFurther(measures, outcome, tally, values), outcome };
}
