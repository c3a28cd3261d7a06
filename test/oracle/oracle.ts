/**
 * The oracle: the model of docs/model.md §1-§3 written the most obvious way, as the executable spec.
 * Plain objects and arrays, one iteration at a time, every token credited by itself, no idea of speed.
 * It imports nothing, least of all the fast engine: property tests demand identical instants from both,
 * and an error shared by the two would be found by neither. Where this file and the page disagree, one
 * of them has a bug. Readings chosen where the page leaves room are marked "Reading:".
 */

// ---------------------------------------------------------------------------------------- the interface

export interface OracleInput {
  /** sorted by arrivedAt (ns, integers), ids = indices */
  requests: { arrivedAt: number; promptTokens: number; outputTokens: number }[];
  scheduler:
    | { kind: "decode-prioritizing" }
    | { kind: "prefill-prioritizing" }
    | { kind: "hybrid"; ratio: number; ratioOf: "sequences" | "tokens" };
  engine: { maxTokens: number; maxSequences: number; chunkSize: number | null; replicas: number };
  service: { cMs: number; aMs: number; b0: number; exponential: boolean };
  conventions: {
    firstToken: "prefill" | "decode";
    mixedBatch: "sum" | "max";
    sequenceCap: "resident" | "iteration";
    /** how TBT is computed from the instants (model §4): no instant depends on it, so the oracle ignores it */
    tbt: "gaps" | "tokens";
  };
  /** next Exp(1) draw of that replica's own service stream; called exactly once per iteration when exponential */
  draw(replica: number): number;
}

export interface OracleRequest {
  /** composition of the first batch that holds it */
  startedAt: number;
  /** NaN if none (B = 0) */
  firstTokenAt: number;
  finishedAt: number;
  /** instants of every output token */
  tokenAt: number[];
  replica: number;
}

export interface OracleIteration {
  replica: number;
  startAt: number;
  endAt: number;
  prefill: { id: number; tokens: number }[];
  decode: number[];
}

export interface OracleOutput {
  requests: OracleRequest[];
  /** in the order of their composition */
  iterations: OracleIteration[];
  prefillTokens: number;
  decodeTokens: number;
  /** iteration time, summed over iterations and replicas */
  busyTime: number;
}

// ----------------------------------------------------------------------------------- objects (model §1)

/** model §1: unstarted -> prefilling -> decoding -> finished; resident while prefilling or decoding. */
interface Sequence {
  id: number;
  arrivedAt: number;
  promptTokens: number;
  outputTokens: number;
  state: "unstarted" | "prefilling" | "decoding" | "finished";
  computedPromptTokens: number;
  startedAt: number;
  prefillEndedAt: number;
  finishedAt: number;
  tokenAt: number[];
  replica: number;
}

/** The plan of one iteration: who gets how many prompt tokens, and who decodes one token. */
interface Batch {
  prefill: { sequence: Sequence; tokens: number }[];
  decode: Sequence[];
}

interface Replica {
  number: number;
  /** its prefilling and decoding sequences: a sequence stays where its prefill began (model §1) */
  resident: Sequence[];
  running: { endAt: number; batch: Batch } | null;
}

// ------------------------------------------------------------------------------------ the loop (model §1)

export function runOracle(input: OracleInput): OracleOutput {
  const sequences = input.requests.map((request, id): Sequence => {
    return {
      id,
      ...request,
      state: "unstarted",
      computedPromptTokens: 0,
      startedAt: NaN,
      prefillEndedAt: NaN,
      finishedAt: NaN,
      tokenAt: [],
      replica: -1,
    };
  });
  const replicas = Array.from({ length: input.engine.replicas }, (_, number): Replica => {
    return { number, resident: [], running: null };
  });
  /** still to come, by arrival, ties by id */
  const arrivals = [...sequences];
  /** model §1: unstarted prompts stand in one central queue; it is in FCFS order because arrivals are */
  const waiting: Sequence[] = [];
  const output: OracleOutput = {
    requests: [],
    iterations: [],
    prefillTokens: 0,
    decodeTokens: 0,
    busyTime: 0,
  };

  for (;;) {
    const now = nextInstant(arrivals, replicas);
    if (now === Infinity) break;

    // model §1, the order within an instant. Reading: an iteration that takes no time ends at the instant
    // it began, after every replica has decided; the three steps are then gone through again at that instant.

    // 1. Iterations that end are credited, by replica.
    for (const replica of replicas) {
      if (replica.running?.endAt === now) {
        credit(replica, replica.running.batch, now, input, output);
        replica.running = null;
      }
    }
    // 2. Arrivals of the instant join the queue, by id.
    while (arrivals.length > 0 && arrivals[0]!.arrivedAt === now) waiting.push(arrivals.shift()!);
    // 3. Replicas without an iteration decide, by number, each seeing what the one before took.
    for (const replica of replicas) {
      if (replica.running === null) decide(replica, waiting, now, input, output);
    }
  }

  // model §2: nothing is ever lost; every request that arrives is completed.
  const lost = sequences.find((sequence) => sequence.state !== "finished");
  if (lost) throw new Error(`oracle: request ${lost.id} arrived and was never completed`);
  output.requests = sequences.map((sequence) => ({
    startedAt: sequence.startedAt,
    firstTokenAt: sequence.tokenAt.length > 0 ? sequence.tokenAt[0]! : NaN,
    finishedAt: sequence.finishedAt,
    tokenAt: sequence.tokenAt,
    replica: sequence.replica,
  }));
  return output;
}

/** The earliest instant at which anything happens: an arrival, or the end of an iteration. */
function nextInstant(arrivals: Sequence[], replicas: Replica[]): number {
  const ends = replicas.map((replica) => replica.running?.endAt ?? Infinity);
  return Math.min(arrivals[0]?.arrivedAt ?? Infinity, ...ends);
}

// ------------------------------------------------------------------------------- one iteration (model §2)

/** model §2: at the instant the engine becomes free and work exists, the scheduler composes the batch. */
function decide(
  replica: Replica,
  waiting: Sequence[],
  now: number,
  input: OracleInput,
  output: OracleOutput,
): void {
  // model §1: an idle replica decides as soon as work it may take exists: its own sequences, or the queue.
  if (replica.resident.length === 0 && waiting.length === 0) return;

  const batch = compose(replica, waiting, input);
  if (batch.prefill.length === 0 && batch.decode.length === 0) {
    // model §1: never idle while work waits. Its own sequences always may continue, and where none is
    // resident the cap lets one in: so an empty batch here is a stall, whatever the other replicas do.
    throw new Error(
      `oracle: stall at ${now} ns: replica ${replica.number} composes nothing with ` +
        `${replica.resident.length} resident and ${waiting.length} waiting`,
    );
  }
  checkLimits(replica, batch, input);

  // Admission. model §4: the queueing delay ends at the composition of the first batch that holds a request.
  for (const { sequence } of batch.prefill) {
    if (sequence.state !== "unstarted") continue;
    waiting.splice(waiting.indexOf(sequence), 1);
    sequence.state = "prefilling";
    sequence.startedAt = now;
    sequence.replica = replica.number;
    replica.resident.push(sequence);
  }

  const time = iterationTime(batch, replica.number, input);
  replica.running = { endAt: now + time, batch };
  output.busyTime += time;
  output.iterations.push({
    replica: replica.number,
    startAt: now,
    endAt: now + time,
    prefill: batch.prefill.map(({ sequence, tokens }) => ({ id: sequence.id, tokens })),
    decode: batch.decode.map((sequence) => sequence.id),
  });
}

/** model §2: at the end of an iteration its tokens are credited and stamped with that instant. */
function credit(replica: Replica, batch: Batch, now: number, input: OracleInput, output: OracleOutput): void {
  for (const sequence of batch.decode) {
    output.decodeTokens += 1;
    sequence.tokenAt.push(now);
    finishIfDone(sequence, now);
  }
  for (const { sequence, tokens } of batch.prefill) {
    output.prefillTokens += tokens;
    sequence.computedPromptTokens += tokens;
    if (sequence.computedPromptTokens < sequence.promptTokens) continue;
    sequence.state = "decoding";
    sequence.prefillEndedAt = now;
    // model §3, firstToken = prefill: the iteration that ends the prefill emits output token 1; B - 1 decode
    // iterations follow (B = 1 finishes here). decode: prefill emits nothing; B decode iterations follow.
    // model §1: a prefill-only job (B = 0) has no token and finishes when its prefill does.
    if (input.conventions.firstToken === "prefill" && sequence.outputTokens > 0) sequence.tokenAt.push(now);
    finishIfDone(sequence, now);
  }
  replica.resident = replica.resident.filter((sequence) => sequence.state !== "finished");
}

function finishIfDone(sequence: Sequence, now: number): void {
  if (sequence.tokenAt.length < sequence.outputTokens) return;
  sequence.state = "finished";
  sequence.finishedAt = now;
}

// ---------------------------------------------------------------------------- who may get what (model §2)

/** model §2: decoding sequences by the instant their prefill ended, ties by id. */
function decodingInOrder(replica: Replica): Sequence[] {
  return replica.resident
    .filter((sequence) => sequence.state === "decoding")
    .sort((a, b) => a.prefillEndedAt - b.prefillEndedAt || a.id - b.id);
}

/**
 * model §2: prompts by arrival, partly prefilled ones before unstarted ones, ties by id (ids are in order of
 * arrival). model §3, sequenceCap = resident: at most maxSequences resident sequences a replica, counted
 * when the batch is composed; a partly prefilled prompt already counts and may always continue, so the cap
 * only ends the list of unstarted prompts. iteration: any number resident.
 */
function promptsInOrder(replica: Replica, waiting: Sequence[], input: OracleInput): Sequence[] {
  const partlyPrefilled = replica.resident
    .filter((sequence) => sequence.state === "prefilling")
    .sort((a, b) => a.arrivedAt - b.arrivedAt || a.id - b.id);
  const admissible =
    input.conventions.sequenceCap === "resident"
      ? waiting.slice(0, Math.max(0, input.engine.maxSequences - replica.resident.length))
      : waiting;
  return [...partlyPrefilled, ...admissible];
}

/**
 * model §2: a piece is the prompt (what is left of it), or with chunking its next chunk: at most k tokens.
 * Reading: chunks are not on a grid; a chunk cut by the budget leaves its tokens to the prompt, whose next
 * chunk is again min(k, what is left of the prompt).
 */
function nextPiece(prompt: Sequence, input: OracleInput): number {
  const left = prompt.promptTokens - prompt.computedPromptTokens;
  return input.engine.chunkSize === null ? left : Math.min(input.engine.chunkSize, left);
}

/**
 * model §2: prompts are packed FCFS into so many tokens and places; one that gets no token is not in the batch
 * (§3). mayCut = "last": the last prompt is cut to fit. "first": decode-prioritizing, where a piece that does
 * not fit whole in what is left stops the packing, neither cut nor skipped; only the first prompt of an
 * iteration may be cut, when its next piece exceeds maxTokens ("nothing is ever lost").
 */
interface Pack {
  mayCut: "first" | "last";
  tokens: number;
  places: number;
}
function pack(prompts: Sequence[], { mayCut, tokens, places }: Pack, input: OracleInput): Batch["prefill"] {
  const packed: Batch["prefill"] = [];
  let left = tokens;
  for (const sequence of prompts) {
    if (packed.length === places || left === 0) break;
    const piece = nextPiece(sequence, input);
    if (piece > left && mayCut === "first" && packed.length > 0) break;
    const granted = Math.min(piece, left);
    packed.push({ sequence, tokens: granted });
    left -= granted;
  }
  return packed;
}

// -------------------------------------------------------------------------------- schedulers (model §2)

function compose(replica: Replica, waiting: Sequence[], input: OracleInput): Batch {
  const { scheduler } = input;
  const { maxTokens, maxSequences } = input.engine;
  const prompts = promptsInOrder(replica, waiting, input);
  const decoding = decodingInOrder(replica);

  // A pure iteration has at most maxSequences sequences: the cap of sequenceCap = iteration (§3); under
  // resident it follows, since all of them are resident. At most min(maxSequences, maxTokens) decode (§2).
  const decodeOnly = (): Batch => {
    return { decode: decoding.slice(0, Math.min(maxSequences, maxTokens)), prefill: [] };
  };
  const prefillOnly = (mayCut: Pack["mayCut"]): Batch => {
    return { decode: [], prefill: pack(prompts, { mayCut, tokens: maxTokens, places: maxSequences }, input) };
  };

  switch (scheduler.kind) {
    // While any sequence decodes, decode all of them and nothing else; partly prefilled prompts pause
    // meanwhile and head the next prefill iteration (they head `prompts`). Otherwise one prefill iteration.
    case "decode-prioritizing":
      return decoding.length > 0 ? decodeOnly() : prefillOnly("first");

    // While any prompt is partly prefilled, or unstarted and admitted by the cap, pure prefill iterations.
    case "prefill-prioritizing":
      return prompts.length > 0 ? prefillOnly("last") : decodeOnly();

    case "hybrid":
      if (scheduler.ratioOf === "sequences") {
        // maxSequences = 1: decode if a sequence decodes, else prefill.
        if (maxSequences === 1) return decoding.length > 0 ? decodeOnly() : prefillOnly("last");
        // At most D decodes first, then at most maxSequences - D prompts into the rest of the token budget.
        // Places unused on one side are not lent to the other, even when that side is empty.
        const D = share(scheduler.ratio, maxSequences);
        const decode = decoding.slice(0, Math.min(D, maxTokens));
        const room = { mayCut: "last", tokens: maxTokens - decode.length, places: maxSequences - D } as const;
        return { decode, prefill: pack(prompts, room, input) };
      } else {
        // Reading: maxTokens = 1 leaves no D in [1, maxTokens - 1]; as with maxSequences = 1 above.
        if (maxTokens === 1) return decoding.length > 0 ? decodeOnly() : prefillOnly("last");
        // The ratio divides the token budget: at most D decodes, at most maxTokens - D prefill tokens, at most
        // maxSequences sequences together. Reading: with maxSequences = 1 too, so a prefill has maxTokens - D.
        const D = share(scheduler.ratio, maxTokens);
        const decode = decoding.slice(0, Math.min(D, maxSequences));
        const room = { mayCut: "last", tokens: maxTokens - D, places: maxSequences - decode.length } as const;
        return { decode, prefill: pack(prompts, room, input) };
      }
  }
}

/** model §2, hybrid: D = floor(r * whole + 1e-9), clamped to [1, whole - 1]. */
function share(ratio: number, whole: number): number {
  return Math.min(Math.max(Math.floor(ratio * whole + 1e-9), 1), whole - 1);
}

/** The limits no batch may pass, whatever the scheduler (model §1 token budget, §3 sequence cap, §2 chunks). */
function checkLimits(replica: Replica, batch: Batch, input: OracleInput): void {
  const { maxTokens, maxSequences } = input.engine;
  const demand = (holds: boolean, rule: string): void => {
    if (!holds) throw new Error(`oracle: bad batch on replica ${replica.number}: ${rule}`);
  };
  const prefillTokens = batch.prefill.reduce((sum, { tokens }) => sum + tokens, 0);
  demand(prefillTokens + batch.decode.length <= maxTokens, "token budget exceeded");
  demand(
    batch.prefill.length + batch.decode.length <= maxSequences,
    "more than maxSequences in an iteration",
  );
  for (const { sequence, tokens } of batch.prefill) {
    demand(
      tokens >= 1 && tokens <= nextPiece(sequence, input),
      "a prompt gets no token, or more than a piece",
    );
  }
  if (input.conventions.sequenceCap === "resident") {
    const admitted = batch.prefill.filter(({ sequence }) => sequence.state === "unstarted").length;
    demand(replica.resident.length + admitted <= maxSequences, "more than maxSequences resident");
  }
}

// ------------------------------------------------------------------------- service time (model §1 and §3)

/** model §1: S(b) = c + a * max(0, b - b0), in ms. */
function serviceTimeMs(b: number, { cMs, aMs, b0 }: OracleInput["service"]): number {
  return cMs + aMs * Math.max(0, b - b0);
}

/** Whole nanoseconds, rounded once, when priced. */
function iterationTime(batch: Batch, replica: number, input: OracleInput): number {
  const prefillTokens = batch.prefill.reduce((sum, { tokens }) => sum + tokens, 0);
  const decodeTokens = batch.decode.length;
  // model §3, mixedBatch. sum: S(prefill + decode tokens). max: max(S(prefill tokens), S(decode tokens)), which
  // is about mixed batches: an absent side costs nothing, not even c.
  const isMixed = prefillTokens > 0 && decodeTokens > 0;
  const costMs =
    isMixed && input.conventions.mixedBatch === "max"
      ? Math.max(serviceTimeMs(prefillTokens, input.service), serviceTimeMs(decodeTokens, input.service))
      : serviceTimeMs(prefillTokens + decodeTokens, input.service);
  // model §1, exponential: one draw an iteration, with its cost as mean, from a stream of the replica's own.
  return input.service.exponential
    ? Math.round(input.draw(replica) * (costMs * 1e6))
    : Math.round(costMs * 1e6);
}
