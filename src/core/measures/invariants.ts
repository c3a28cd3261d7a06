/**
 * The laws that every run must obey (theory §1). `checkTotals` costs next to nothing and is always on;
 * `Laws` watches every batch and is on under `verify` and in tests.
 */
import type { SimulationConfig } from "../configuration/config.js";
import { builtIn, member, type Registry } from "../configuration/registry.js";
import { invariant } from "../errors.js";
import type { Inspector } from "../engine/inspector.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import type { Outcome } from "../engine/outcome.js";
import type { Tally } from "./tally.js";
import { NEVER, type Instant } from "../numbers/units.js";

const total = (replicas: readonly Replica[], of: (replica: Replica) => number): number =>
  replicas.reduce((sum, replica) => sum + of(replica), 0);

/**
 * Every token that was asked for was computed once, and every gap counted once.
 * @param tally has counted the requests
 */
export function checkTotals(config: SimulationConfig, outcome: Outcome, tally: Tally): void {
  const { shared, replicas, arrived } = outcome;
  const { warmUp, measured } = tally;
  // A preempted sequence's prompt is computed again, and that prefill emits a token that decoding would have.
  const again = total(replicas, (replica) => replica.recomputedTokens);
  const resumed = total(replicas, (replica) => replica.resumedTokens);
  const hits = warmUp.hitTokens + measured.hitTokens;
  const prompts = warmUp.promptTokens + measured.promptTokens - hits + again;
  // The first token of each comes with the end of its prefill, or is decoded as well; either way one gap less.
  const first = config.conventions.firstToken === "prefill" ? warmUp.withOutput + measured.withOutput : 0;
  const decodes = warmUp.outputTokens + measured.outputTokens - first - resumed;
  const gaps = measured.outputTokens - measured.withOutput;
  const expect = (what: string, counted: number, expected: number): void =>
    invariant(counted === expected, () => `${what}: counted ${counted}, expected ${expected}`);
  expect("arrived = completed + rejected + in system", shared.completed + shared.rejected, arrived);
  expect(
    "prefill tokens",
    total(replicas, (replica) => replica.prefillTokens),
    prompts,
  );
  expect(
    "decode tokens",
    total(replicas, (replica) => replica.decodeTokens),
    decodes,
  );
  expect("inter-token latencies", shared.gaps.total, gaps);
  expect(
    "residents at the end",
    total(replicas, (replica) => replica.resident),
    0,
  );
}

/** Watches one trial. */
export class Invariants implements Inspector {
  private clock = 0;
  private busy = 0;
  private iterations = 0;
  private tokens = 0;
  /** Area under N(t), requests · ns, and N since the last instant. */
  private area = 0;
  private inSystem = 0;
  private arrived = 0;

  constructor(
    private readonly config: SimulationConfig,
    private readonly registry: Registry = builtIn,
  ) {}

  began(replica: Replica, scheduled: ScheduledBatch, shared: TrialState): void {
    const { now } = shared;
    const { engine, conventions } = this.config;
    const batch = scheduled.decodes + scheduled.prefillTokens;
    this.at(now);
    invariant(batch >= 1 && batch <= engine.maxTokens, () => `a batch of ${batch} tokens`);
    invariant(
      scheduled.decodes + scheduled.chunkCount <= engine.maxSequences,
      () => `${scheduled.decodes} decodes and ${scheduled.chunkCount} chunks in one iteration`,
    );
    invariant(
      conventions.sequenceCap === "iteration" || replica.resident <= engine.maxSequences,
      () => `${replica.resident} residents`,
    );
    const mostOfOne = engine.chunkSize ?? Infinity;
    for (let i = 0; i < scheduled.chunkCount; i++)
      invariant(scheduled.chunkTokens[i] <= mostOfOne, () => `a chunk of ${scheduled.chunkTokens[i]} tokens`);
    invariant(
      scheduled.endAt >= now && scheduled.iterations >= 1,
      () => `an iteration that ends at ${scheduled.endAt}`,
    );
    for (let i = 0; i < scheduled.chunkCount; i++)
      invariant(
        shared.sequences.requests.arrivedAt[scheduled.chunkId[i]] <= now,
        () => `request ${scheduled.chunkId[i]} started before it arrived`,
      );
  }

  ended(replica: Replica, { now }: TrialState): void {
    const { scheduled } = replica;
    this.at(now);
    this.busy += now - scheduled.startAt;
    this.iterations += scheduled.iterations;
    this.tokens += scheduled.iterations * (scheduled.decodes + scheduled.prefillTokens);
  }

  settled(replicas: readonly Replica[], shared: TrialState): void {
    const { now } = shared;
    this.at(now);
    // While every replica is busy the loop takes arrivals in late: their part of the area is added here.
    // A rejected request is never in the system; its row says so as soon as it has arrived.
    const { sequences, rejected } = shared;
    for (; this.arrived < shared.arrived; this.arrived++)
      if (rejected === 0 || !Number.isNaN(sequences.startedAt[this.arrived]))
        this.area += now - sequences.requests.arrivedAt[this.arrived];
    this.inSystem = shared.arrived - shared.completed - shared.rejected;
    for (const replica of replicas)
      invariant(
        replica.scheduled.endAt !== NEVER ||
          replica.resident + replica.preempted.length + replica.waiting.length === 0,
        () => `replica ${replica.index} idle while work waits`,
      );
  }

  /** What can be said only when the trial is over. */
  finish(outcome: Outcome): void {
    const { sequences } = outcome.shared;
    const { arrivedAt, outputTokens } = sequences.requests;
    const { startedAt, firstTokenAt, finishedAt } = sequences;
    const { discipline, router } = this.config.engine;
    const isFcfs =
      member(this.registry.disciplines, discipline.kind).byArrival === true &&
      member(this.registry.routers, router.kind).central === true;
    for (let i = 0; i < outcome.arrived; i++) {
      if (Number.isNaN(finishedAt[i])) continue;
      const ordered =
        arrivedAt[i] <= startedAt[i] &&
        startedAt[i] <= finishedAt[i] &&
        (outputTokens[i] === 0
          ? Number.isNaN(firstTokenAt[i])
          : startedAt[i] <= firstTokenAt[i] && firstTokenAt[i] <= finishedAt[i]);
      invariant(ordered, () => `request ${i}: its instants are out of order`);
      if (isFcfs && i > 0)
        invariant(!(startedAt[i - 1] > startedAt[i]), () => `request ${i} started before request ${i - 1}`);
    }
    this.checkBusyTime();
    this.checkArea(outcome);
  }

  /** Little's law on the sample path: the area under N(t) is the sum of the response times. */
  private checkArea(outcome: Outcome): void {
    const { sequences } = outcome.shared;
    let responses = 0;
    for (let i = 0; i < outcome.arrived; i++)
      if (!Number.isNaN(sequences.finishedAt[i]))
        responses += sequences.finishedAt[i] - sequences.requests.arrivedAt[i];
    invariant(
      Math.abs(this.area - responses) <= 1e-9 * responses,
      () => `the area under N(t) is ${this.area}, the responses sum to ${responses}`,
    );
  }

  /**
   * Where the times are affine and not random, b0 = 0 and `sum`: busy time = c·iterations + a·tokens, but for the
   * rounding of each iteration.
   */
  private checkBusyTime(): void {
    const { service, conventions } = this.config;
    const model = member(this.registry.serviceTimes, service.kind);
    const terms = model.affine?.(service);
    if (terms?.b0 !== 0 || conventions.mixedBatch !== "sum" || model.create(service).random) return;
    const cost = 1e6 * (terms.cMs * this.iterations + terms.aMs * this.tokens);
    invariant(
      Math.abs(cost - this.busy) <= 0.5 * this.iterations + 1e-9 * cost,
      () => `busy time ${this.busy} ns, but the batches cost ${cost} ns`,
    );
  }

  private at(now: Instant): void {
    invariant(now >= this.clock, () => `the clock went back from ${this.clock} to ${now}`);
    this.area += this.inSystem * (now - this.clock);
    this.clock = now;
  }
}
