/**
 * The oracle: the model of docs/model.md written the most obvious way, as the executable spec.
 * Plain objects and arrays, one iteration at a time, every token credited by itself, no idea of speed.
 * It imports nothing of src, least of all the fast engine: property tests demand identical instants from both,
 * and an error shared by the two would be found by neither. Where these files and the page disagree, one
 * of them has a bug. Readings chosen where the page leaves room are marked "Reading:"; those about what a
 * real engine adds (KV memory, preemption, asynchronous scheduling, closed loops) stand here.
 *
 * Asynchronous scheduling
 *  A1 A replica composes only at an instant at which one of its iterations ends, or when nothing of it is in
 *     flight and work exists. It then composes until two iterations are in flight or a batch comes out empty.
 *     So an arrival while k runs with nothing queued behind it waits for k's end, and there two are composed
 *     as from idle: the engine's thread, having nothing to submit, blocks on the result of k.
 *  A2 An empty batch is no iteration: it takes no time, no draw, no place in the queue. What composing it did
 *     (a preemption) stands. It is an error only if nothing is in flight.
 *  A3 startedAt and preemptedAt are instants of composition, not of the start of the iteration.
 *  A4 "Last token in flight" is for B = 0 the end of the prefill. Such a request keeps slot and blocks, and its
 *     place in the order in which victims are sought.
 *  A5 Decode order of the base schedulers: those whose prefill ends in an iteration in flight come after all
 *     whose prefill has ended, by id. They are decodable already.
 *  A6 With several replicas each fills its queue (two from idle) before the next one decides.
 *  A7 An iteration is priced, and its draw taken, when it is composed.
 * KV memory
 *  M1 Usable blocks: floor(kvTokens / block) - 1, per replica. A request needs blocks for the tokens in the cache
 *     after its last iteration: L + max(0, B - 1) (firstToken = decode: L + B). Needs it more than are usable,
 *     it is rejected when the engine hears of it. In a closed loop the client has its answer at that instant.
 *  M2 Admission compares the blocks of L + outputs so far (without reservation: of its hits and its chunk) with the
 *     free blocks, survivors among them, less the watermark while anybody is resident.
 *  M3 A preempted request's survivors are its blocks with identity (M11): of the tokens computed, a chunk in flight
 *     included, a decode in flight not. The others are freed first, and worthless.
 *  M4 When resumed it takes all its survivors, then allocates from the head.
 *  M5 "No admission in an iteration that preempted" is about one composition: the next, also at the same instant,
 *     may admit again. (With firstToken = prefill the rule never matters synchronously, since the victim at the
 *     head cannot fit; with a token in flight, which its prompt does not yet hold, it can.)
 *  M6 A resumed request goes to the end of the order of admission.
 *  M7 It waits on its replica ahead of the central queue; the victim taken last stands first.
 *  M8 A running request with budget left 0 is not looked at, so it preempts nobody.
 *  M9 The recomputed chunk is prefill, also if it has one token; so is a last chunk of one token.
 *  M10 vllm with priorities (vLLM's policy): the victim is the running request with the largest (class, arrival), the
 *     first of equal ones in running order; the batch gives back what it holds of it. Whoever cannot be served even so
 *     is the victim itself, and ends the loop. Preempted requests wait in their class, by id.
 *  M11 A block has its identity once all of its tokens are known (not in flight) and scheduled; also where the batch
 *     that was to compute them gives them back. What a block without identity held is never found again.
 *  M12 Base schedulers: victims are sought from the end of [decode order, partly prefilled by arrival], so
 *     nobody already in the batch is one; a prompt's chunk throws out partly prefilled prompts only, itself at
 *     last. prefill-prioritizing decodes if it can neither continue nor admit a prompt.
 * Prefix hits
 *  P1 floor(min(hit, L - 1)/block) blocks on first admission; a resumed request has its survivors and no more.
 * Closed loop, overhead
 *  C1 A request enters the engine at arrivedAt + overhead; ids by (arrivedAt, client). Nothing delays the answer.
 *  C2 The horizon is inclusive, and compared with arrivedAt.
 */
import { Arrivals } from "./arrivals.js";
import { composeBase } from "./base-schedulers.js";
import { Composition } from "./composition.js";
import type { OracleInput, OracleOutput } from "./interface.js";
import { Memory, rulesOf } from "./memory.js";
import { emitsAtPrefillEnd, longest, type Batch, type Replica, type Sequence } from "./sequence.js";
import { iterationTime, shapeOf } from "./service-time.js";
import { composeVllm } from "./vllm-scheduler.js";

export type * from "./interface.js";

export function runOracle(input: OracleInput): OracleOutput {
  checkInput(input);
  const replicas = Array.from({ length: input.engine.replicas }, (_, number): Replica => {
    const memory = new Memory(input.engine.kvTokens ?? null, rulesOf(input));
    return { number, memory, resident: [], preempted: [], queue: [], vain: 0 };
  });
  const arrivals = new Arrivals(input);
  const sequences: Sequence[] = [];
  /** model §1: unstarted prompts stand in one central queue, here by arrival */
  const central: Sequence[] = [];
  const output: OracleOutput = {
    requests: [],
    iterations: [],
    compositions: [],
    prefillTokens: 0,
    decodeTokens: 0,
    busyTime: 0,
    preemptions: 0,
    rejected: 0,
    prefixHitTokens: 0,
    survivorTokens: 0,
    lostTokens: 0,
    kvBlockTime: 0,
  };

  for (let before = 0; ;) {
    const ends = replicas.map(({ queue }) => queue[0]?.endAt ?? Infinity);
    const now = Math.min(arrivals.nextAt, ...ends);
    if (now === Infinity) break;
    for (const { memory } of replicas) output.kvBlockTime += memory.used * (now - before);
    before = now;

    // model §1, the order within an instant. Reading: an iteration that takes no time ends at the instant
    // it began, after every replica has decided; the three steps are then gone through again at that instant.

    // 1. Iterations that end are credited, by replica.
    const decides = new Set(replicas.filter(({ queue }) => queue.length === 0));
    for (const replica of replicas) {
      if (replica.queue[0]?.endAt !== now) continue;
      const finished = credit(replica, replica.queue.shift()!.batch, now, input, output);
      finished.forEach(({ client }) => arrivals.answered(client, now));
      decides.add(replica);
    }
    // 2. Arrivals of the instant, those just caused by completions too, join the queue, by id.
    for (let sequence = arrivals.take(now); sequence; sequence = arrivals.take(now)) {
      sequences.push(sequence);
      const empty = new Memory(input.engine.kvTokens ?? null, rulesOf(input));
      if (empty.blocksFor(longest(sequence, input)) <= empty.usable) {
        central.push(sequence);
        continue;
      }
      sequence.state = "rejected";
      output.rejected += 1;
      arrivals.answered(sequence.client, now);
    }
    // 3. Replicas without an iteration (or whose iteration has just ended) decide, by number, each seeing what
    // the one before took.
    for (const replica of replicas) if (decides.has(replica)) decide(replica, central, now, input, output);
  }

  // model §2: nothing is ever lost; every request that arrives is completed (or rejected on arrival).
  const lost = sequences.find(({ state }) => state !== "finished" && state !== "rejected");
  if (lost) throw new Error(`oracle: request ${lost.id} arrived and was never completed`);
  output.requests = sequences.map((sequence) => ({
    client: sequence.client,
    arrivedAt: sequence.arrivedAt,
    promptTokens: sequence.promptTokens,
    outputTokens: sequence.outputTokens,
    prefixHitTokens: sequence.prefixHitTokens,
    startedAt: sequence.startedAt,
    firstTokenAt: sequence.tokenAt[0] ?? NaN,
    finishedAt: sequence.finishedAt,
    tokenAt: sequence.tokenAt,
    replica: sequence.replica,
    preemptedAt: sequence.preemptedAt,
    rejected: sequence.state === "rejected",
  }));
  return output;
}

function checkInput({ scheduler, conventions }: OracleInput): void {
  const { firstToken, mixedBatch, sequenceCap } = conventions;
  const isStandard = firstToken === "prefill" && mixedBatch === "sum" && sequenceCap === "resident";
  if (scheduler.kind === "vllm" && !isStandard)
    throw new Error("oracle: vllm has the standard conventions only");
}

/**
 * model §2: at the instant the engine becomes free and work exists, the scheduler composes the batch; with
 * asynchronous scheduling, batches until one runs and one is queued behind it (A1).
 */
function decide(
  replica: Replica,
  central: Sequence[],
  now: number,
  input: OracleInput,
  output: OracleOutput,
): void {
  const depth = (input.engine.async ?? input.scheduler.kind === "vllm") ? 2 : 1;
  while (replica.queue.length < depth) {
    // model §1: an idle replica decides as soon as work it may take exists: its own sequences, or the queue.
    if (replica.resident.length + replica.preempted.length + central.length === 0) return;
    const composition = new Composition(replica, central, now, input, output);
    if (input.scheduler.kind === "vllm") composeVllm(composition);
    else composeBase(composition);
    const { batch } = composition;
    const { preempted } = composition;
    if (batch.prefill.length === 0 && batch.decode.length === 0) {
      const nothing = { prefill: [], decode: [], sumKv: 0, preempted };
      if (preempted.length > 0)
        output.compositions.push({
          ...nothing,
          replica: replica.number,
          composedAt: now,
          startAt: now,
          endAt: now,
        });
      // model §1: never idle while work waits. Its own sequences always may continue, and where none is
      // resident the cap and memory let one in: so this is a stall, whatever the other replicas do.
      if (replica.queue.length > 0) return;
      // One that came to nothing but preemptions has made room: the next is composed at once.
      if (preempted.length > 0) continue;
      throw new Error(
        `oracle: stall at ${now} ns: replica ${replica.number} composes nothing with ` +
          `${replica.resident.length} resident, ${replica.preempted.length} preempted, ${central.length} waiting`,
      );
    }
    checkLimits(replica, batch, input);

    const shape = shapeOf(batch);
    const time = iterationTime(shape, replica.number, input);
    const startAt = replica.queue.at(-1)?.endAt ?? now;
    replica.queue.push({ endAt: startAt + time, batch });
    output.busyTime += time;
    const iteration = {
      replica: replica.number,
      composedAt: now,
      startAt,
      endAt: startAt + time,
      prefill: batch.prefill.map(({ sequence, tokens, cached }) => ({ id: sequence.id, tokens, cached })),
      decode: batch.decode.map(({ sequence }) => sequence.id),
      sumKv: shape.sumKv,
      preempted,
    };
    output.iterations.push(iteration);
    output.compositions.push(iteration);
  }
}

/**
 * model §2: at the end of an iteration its tokens are credited and stamped with that instant. A request preempted
 * meanwhile gets its token all the same: the prompt to recompute grows by it, and if it was the last the request
 * finishes out of the waiting queue.
 */
function credit(
  replica: Replica,
  batch: Batch,
  now: number,
  input: OracleInput,
  output: OracleOutput,
): Sequence[] {
  const emit = (sequence: Sequence): void => {
    replica.vain = 0;
    sequence.inFlight -= 1;
    sequence.tokenAt.push(now);
  };
  for (const { sequence } of batch.decode) {
    output.decodeTokens += 1;
    sequence.decodesInFlight -= 1;
    emit(sequence);
  }
  for (const { sequence, tokens, isLast } of batch.prefill) {
    output.prefillTokens += tokens;
    if (!isLast) continue;
    if (sequence.state === "decoding") sequence.prefillEndedAt = now;
    if (emitsAtPrefillEnd(sequence, input)) emit(sequence);
  }
  const served = [...batch.decode, ...batch.prefill.filter(({ isLast }) => isLast)];
  const finished = served.map(({ sequence }) => sequence).filter(isDone);
  for (const sequence of finished) {
    // Out of the waiting queue: nothing of it is computed again, so its preemption has lost nothing.
    if (sequence.state === "preempted") output.lostTokens -= longest(sequence, input);
    sequence.state = "finished";
    sequence.finishedAt = now;
    replica.memory.release(sequence.id, sequence.computed);
  }
  replica.resident = replica.resident.filter(({ state }) => state !== "finished");
  replica.preempted = replica.preempted.filter(({ state }) => state !== "finished");
  return finished;
}

const isDone = ({ tokenAt, outputTokens }: Sequence): boolean => tokenAt.length >= outputTokens;

/** The limits no batch may pass, whatever the scheduler (model §1 token budget, §3 sequence cap, §2 chunks). */
function checkLimits(replica: Replica, batch: Batch, input: OracleInput): void {
  const { maxTokens, maxSequences, chunkSize } = input.engine;
  const demand = (holds: boolean, rule: string): void => {
    if (!holds) throw new Error(`oracle: bad batch on replica ${replica.number}: ${rule}`);
  };
  const sequences = batch.prefill.length + batch.decode.length;
  const tokens = batch.prefill.reduce((sum, chunk) => sum + chunk.tokens, batch.decode.length);
  demand(tokens <= maxTokens, "token budget exceeded");
  demand(sequences <= maxSequences, "more than maxSequences in an iteration");
  for (const { sequence, tokens, cached } of batch.prefill) {
    demand(tokens >= 1 && tokens <= (chunkSize ?? Infinity), "a prompt gets no token, or more than a chunk");
    demand(cached + tokens <= sequence.toPrefill, "a prompt gets more tokens than it has");
  }
  if (input.conventions.sequenceCap === "resident")
    demand(replica.resident.length <= maxSequences, "more than maxSequences resident");
}
