/**
 * The batch as a scheduler composes it: enforces budget, cap, chunk size and memory, and moves the counts at
 * once, so that a bad plan is found where it is made.
 */
import { PlanError } from "../errors.js";
import { IdList } from "../queues/id-list.js";
import { decodeNext, passOver, preemptFor, serve, takeUpSkipped } from "./one-by-one.js";
import type { OpenBatch } from "./open-batch.js";
import { comesBefore, preemptLast } from "./preemption.js";
import type { Flight, Replica, Shared } from "../state/replica.js";
import { activateFirst, blocksNeeded } from "./residents.js";
import type { Batch, Head, OneByOne, PartialHead, PromptQueue, View } from "../policies/scheduler.js";
import { UNLIMITED, tokens, type Nanoseconds, type Tokens } from "../numbers/units.js";

/** The first unstarted prompt, as it is when somebody looks: a preempted request, else the discipline's first. */
class FirstWaiting implements Head {
  constructor(private readonly plan: Plan) {}

  get exists(): boolean {
    return this.plan.unstarted > 0;
  }

  get left(): Tokens {
    return this.plan.leftOf(this.plan.firstWaiting, true);
  }
}

/** The first partly prefilled prompt that the batch has not taken yet. */
class FirstPartial implements PartialHead {
  constructor(private readonly plan: Plan) {}

  get exists(): boolean {
    return this.plan.cursor < this.plan.replica.partial.length;
  }

  get left(): Tokens {
    return this.plan.leftOf(this.plan.firstPartial, false);
  }

  get decodesAhead(): number {
    const { shared, replica, cursor } = this.plan;
    const { admission } = shared.sequences;
    return replica.pool.ahead(admission[replica.partial.ids[cursor]], admission);
  }
}

/** The batch as it serves one by one; a name for its type, which the bundle's has none. */
const servedBy = (batch: OneByOne): OneByOne => batch;

/** The batches of one replica. */
export class Plan implements View, Batch, OneByOne, OpenBatch {
  readonly limits;
  readonly partial = new FirstPartial(this);
  readonly waiting = new FirstWaiting(this);
  tokensLeft: Tokens = tokens(0);
  slotsLeft = 0;
  /** The first partly prefilled prompt that this batch may still take. */
  cursor = 0;
  flight: Flight;
  decodeBlocks = 0;
  serving = -1;
  unservedVictims = 0;
  /** Prompts taken from a queue of unstarted ones that this batch does not end; they may stand anywhere among the chunks. */
  private readonly begun = new IdList();

  constructor(
    readonly shared: Shared,
    readonly replica: Replica,
  ) {
    this.limits = shared.limits;
    this.flight = replica.flight;
  }

  get now(): Nanoseconds {
    return this.shared.now;
  }

  get decodes(): number {
    return this.flight.decodes;
  }

  get oneByOne(): OneByOne | undefined {
    return this.shared.preemptsByClass ? servedBy(this) : undefined;
  }

  get freeBlocks(): number {
    return this.replica.memory?.free ?? UNLIMITED;
  }

  get decodable(): number {
    return this.replica.pool.size;
  }

  get resident(): number {
    return this.replica.resident;
  }

  /** Unstarted prompts that this batch may still take. */
  get unstarted(): number {
    return this.replica.waiting.length + this.replica.returned.length;
  }

  /**
   * Asks the scheduler for one iteration, into `flight`.
   * @returns whether the batch holds anything; one of nothing is refused unless another is in flight
   */
  compose(flight: Flight): boolean {
    // Only where batches are composed ahead does a replica have more than one.
    if (this.shared.depth > 1) this.flight = flight;
    this.cursor = 0;
    this.tokensLeft = this.limits.maxTokens;
    this.slotsLeft = this.limits.maxSequences;
    this.decodeBlocks = 0;
    this.begun.length = 0;
    flight.clear();
    if (this.replica.skipped.length > 0) takeUpSkipped(this.shared, this.replica);
    this.shared.scheduler.compose(this, this);
    if (flight.decodes + flight.chunkCount === 0) return this.nothing();
    // Prompts that began and ended in this batch leave the partly prefilled ones as they are.
    if (this.cursor > 0 || flight.ended.length < flight.chunkCount) this.settlePartial();
    return true;
  }

  /** An empty batch: only where another is in flight, or has lost what it was given. */
  private nothing(): false {
    if (this.flight === this.replica.flight && this.flight.preempted === 0)
      this.refuse("placed nothing while work waits");
    return false;
  }

  decode(n: number): number {
    const { flight, replica } = this;
    const more = n - flight.decodes;
    if (!(Number.isInteger(n) && more >= 0 && n <= this.decodable)) this.refuseDecodes(n);
    if (more > this.slotsLeft || more > this.tokensLeft) this.refuseDecodes(n);
    if (n === 0) return 0;
    if (this.shared.preemptsByClass) return this.decodeOneByOne(n);
    const granted = replica.memory === null ? n : this.fit(n);
    if (replica.pool.active !== granted) activateFirst(this.shared, replica, granted);
    this.slotsLeft -= granted - flight.decodes;
    this.tokensLeft = (this.tokensLeft - (granted - flight.decodes)) as Tokens;
    flight.decodes = granted;
    return granted;
  }

  chunk(from: PromptQueue, asked: Tokens): Tokens {
    const { flight, limits, replica } = this;
    const isWaiting = from === "waiting";
    if (!(isWaiting ? this.waiting.exists : this.partial.exists)) this.refuseChunk(from, asked);
    const left = isWaiting ? this.waiting.left : this.partial.left;
    if (!(Number.isInteger(asked) && asked >= 1 && asked <= left)) this.refuseChunk(from, asked);
    if (asked > limits.chunk || asked > this.tokensLeft || this.slotsLeft < 1) this.refuseChunk(from, asked);
    if (isWaiting && this.resident >= limits.residentCap) this.refuseChunk(from, asked);
    this.unservedVictims = 0;
    if (replica.memory !== null && !(isWaiting ? this.admits(left, asked) : this.extends(left, asked)))
      return tokens(0);
    this.take(isWaiting ? this.firstWaiting : this.firstPartial, isWaiting, left, asked);
    flight.prefillTokens += asked;
    this.tokensLeft = (this.tokensLeft - asked) as Tokens;
    this.slotsLeft--;
    return asked;
  }

  pack(prompts = UNLIMITED, budget = UNLIMITED, whole = false): boolean {
    const { flight, replica } = this;
    const { partial, memory } = replica;
    const { chunk, residentCap } = this.limits;
    let { slotsLeft, tokensLeft } = this;
    // What is left when the limits given are used up: below 0 they do not bind.
    const lastSlot = slotsLeft - this.limitOf(prompts);
    const lastToken = tokensLeft - this.limitOf(budget);
    let isLimited = false;
    for (;;) {
      const isWaiting = this.cursor === partial.length;
      if (isWaiting && (replica.resident >= residentCap || this.unstarted === 0)) break;
      if (slotsLeft === lastSlot || tokensLeft === lastToken) {
        isLimited = slotsLeft === lastSlot ? tokensLeft > 0 : slotsLeft > 0;
        break;
      }
      if (slotsLeft === 0 || tokensLeft === 0) break;
      const id = isWaiting ? this.firstWaiting : partial.ids[this.cursor];
      const left = this.leftOf(id, isWaiting);
      const piece = Math.min(left, chunk, tokensLeft - lastToken);
      if (whole && piece > tokensLeft && flight.chunkCount > 0) break;
      const asked = Math.min(piece, tokensLeft) as Tokens;
      if (memory !== null && !(isWaiting ? this.admits(left, asked) : this.extends(left, asked))) break;
      this.take(id, isWaiting, left, asked);
      tokensLeft = (tokensLeft - asked) as Tokens;
      slotsLeft--;
    }
    flight.prefillTokens += this.tokensLeft - tokensLeft;
    this.tokensLeft = tokensLeft;
    this.slotsLeft = slotsLeft;
    return isLimited;
  }

  /** A limit that `pack` was given, as an integer to the compiler: of any number it would compare doubles. */
  private limitOf(asked: number): number {
    return (asked | 0) === asked && asked >= 0 ? asked | 0 : this.beyond(asked);
  }

  private beyond(asked: number): number {
    if (asked > UNLIMITED) return UNLIMITED;
    return this.refuse(`a limit of pack is a whole number: asked ${asked}`);
  }

  /** The id at the head of the unstarted. */
  get firstWaiting(): number {
    const { returned, waiting } = this.replica;
    return this.isReturnedFirst ? returned.first : waiting.first;
  }

  /** Whether a preempted request is the first of the unstarted: they come first, or in their class. */
  private get isReturnedFirst(): boolean {
    const { returned, waiting } = this.replica;
    if (returned.length === 0) return false;
    if (!this.shared.preemptsByClass || waiting.length === 0) return true;
    return comesBefore(waiting, returned.first, waiting.first);
  }

  /** The partly prefilled prompt that comes next. */
  get firstPartial(): number {
    return this.replica.partial.ids[this.cursor];
  }

  /** Prompt tokens to go of the head of a queue. */
  leftOf(id: number, isWaiting: boolean): Tokens {
    const known = this.shared.sequences.promptLeft[id] as Tokens;
    return isWaiting && this.isReturnedFirst ? this.leftOfReturned(id, known) : known;
  }

  /** What a preempted request has to compute again: all but its leading blocks that survive. */
  private leftOfReturned(id: number, known: Tokens): Tokens {
    const { blockTokens } = this.shared.kvRules;
    const hits = Math.min(this.replica.memory!.survivors(id), Math.floor((known - 1) / blockTokens));
    return (known - hits * blockTokens) as Tokens;
  }

  /** Puts a chunk of a queue's head, with `left` tokens to go, into the batch, for which there is room. */
  private take(id: number, isWaiting: boolean, left: Tokens, taken: Tokens): void {
    const { flight } = this;
    const { sequences, varies } = this.shared;
    if (isWaiting) this.admit(id);
    else this.cursor++;
    const chunk = flight.chunkCount++;
    if (chunk === flight.chunkId.length) flight.growChunks();
    flight.chunkId[chunk] = id;
    flight.chunkTokens[chunk] = taken;
    if (varies) flight.chunkCached[chunk] = sequences.known(id) - left;
    sequences.promptLeft[id] = left - taken;
    if (taken === left) flight.ended.insertAscending(id);
    else if (isWaiting) this.begun.push(id);
  }

  dependsOn(what: "arrivals" | "nothing"): void {
    this.flight.dependsOnArrivals = what === "arrivals";
  }

  limited(side: "decode" | "prefill"): void {
    if (side === "decode") this.flight.limitsDecode = true;
    else this.flight.limitsPrefill = true;
  }

  /** Takes the blocks that the first `n` sequences need, preempting until they fit; returns how many are left of n. */
  private fit(n: number): number {
    const { shared, replica } = this;
    const memory = replica.memory!;
    const { pool } = replica;
    for (;;) {
      const some = Math.min(n, pool.size);
      activateFirst(shared, replica, some);
      const needed = blocksNeeded(replica) - this.decodeBlocks;
      // The first in order take what is free before anybody goes: whose blocks come free then may be taken next.
      const taken = Math.min(needed, memory.free);
      memory.take(taken);
      this.decodeBlocks += taken;
      if (taken === needed) return some;
      if (!this.preempt()) this.refuse("out of memory with nobody to preempt");
    }
  }

  /** Whether the prompt at the head of the queue fits as it must; if so, the blocks of its chunk are taken. */
  private admits(left: number, asked: number): boolean {
    const { replica, shared } = this;
    const { blockTokens, reservesPrompt, watermarkBlocks } = shared.kvRules;
    const memory = replica.memory!;
    const id = this.firstWaiting;
    const known = shared.sequences.known(id);
    const taken = memory.blocksFor(known - left + asked);
    const needed = reservesPrompt ? memory.blocksFor(known) : taken;
    const spared = replica.resident > 0 ? watermarkBlocks : 0;
    if (this.flight.preempted > 0 || needed + spared > memory.free) return false;
    const survivors = this.isReturnedFirst ? (known - left) / blockTokens : 0;
    memory.reclaim(id, survivors);
    memory.take(taken - survivors);
    replica.recomputedTokens -= survivors * blockTokens;
    return true;
  }

  /** Takes the blocks of the next chunk of the first partly prefilled prompt, preempting until they fit. */
  private extends(left: number, asked: number): boolean {
    const memory = this.replica.memory!;
    const { partial } = this.replica;
    const id = partial.ids[this.cursor];
    const cached = this.shared.sequences.known(id) - left;
    const needed = memory.blocksFor(cached + asked) - memory.blocksFor(cached);
    if (needed > memory.free && this.shared.preemptsByClass) serve(this, id);
    while (needed > memory.free) {
      if (!this.preempt()) return false;
      // It may have been this very prompt.
      if (this.cursor >= partial.length || partial.ids[this.cursor] !== id) return false;
    }
    memory.take(needed);
    return true;
  }

  /** Somebody goes; false if there is nobody. */
  private preempt(): boolean {
    if (this.shared.preemptsByClass) return preemptFor(this);
    return preemptLast(this) >= 0;
  }

  decodeNext(): boolean {
    if (!(this.decodes < this.decodable && this.tokensLeft > 0 && this.slotsLeft > 0))
      this.refuseDecodes(this.decodes + 1);
    this.unservedVictims = 0;
    return decodeNext(this);
  }

  skip(n: number): void {
    passOver(this, n);
  }

  private decodeOneByOne(n: number): number {
    while (this.decodes < Math.min(n, this.decodable)) if (!this.decodeNext()) break;
    return this.decodes;
  }

  private admit(id: number): void {
    const { replica, shared } = this;
    const { sequences } = shared;
    if (this.isReturnedFirst) replica.returned.popFront();
    else {
      replica.waiting.popFront();
      sequences.startedAt[id] = shared.now;
    }
    if (replica.memory) sequences.tickedAt[id] = -1;
    if (shared.byAdmission) sequences.admission[id] = replica.admissions++;
    replica.resident++;
    this.flight.admitted++;
  }

  /** Drops the prompts that end from the partly prefilled ones and adds the admitted that do not. */
  private settlePartial(): void {
    const { partial } = this.replica;
    const { promptLeft, admission } = this.shared.sequences;
    let kept = 0;
    for (let i = 0; i < partial.length; i++)
      if (i >= this.cursor || promptLeft[partial.ids[i]] > 0) partial.ids[kept++] = partial.ids[i];
    partial.length = kept;
    for (let i = 0; i < this.begun.length; i++)
      if (this.shared.byAdmission) partial.insertBy(admission, this.begun.ids[i]);
      else partial.insertAscending(this.begun.ids[i]);
  }

  private refuseDecodes(n: number): never {
    const before = this.flight.decodes;
    const more = n - before;
    if (!(Number.isInteger(n) && n >= 0)) this.refuse(`decodes must be a whole number: asked ${n}`);
    if (n < before) this.refuse(`decodes taken back: asked ${n}, placed ${before}`);
    if (n > this.decodable)
      this.refuse(`more decodes than sequences: asked ${n}, decodable ${this.decodable}`);
    if (more > this.slotsLeft) this.refuse(`over the sequence cap: asked ${more}, left ${this.slotsLeft}`);
    this.refuse(`over the token budget: asked ${more}, left ${this.tokensLeft}`);
  }

  private refuseChunk(from: PromptQueue, asked: Tokens): never {
    if (!this[from].exists) this.refuse(`no ${from} prompt to take a chunk of`);
    const { left } = this[from];
    if (!(Number.isInteger(asked) && asked >= 1)) this.refuse(`a chunk has at least 1 token: asked ${asked}`);
    if (asked > left) this.refuse(`longer than the prompt: asked ${asked}, left ${left}`);
    if (asked > this.limits.chunk) this.refuse(`over the chunk size: asked ${asked} of ${this.limits.chunk}`);
    if (asked > this.tokensLeft)
      this.refuse(`over the token budget: asked ${asked}, left ${this.tokensLeft}`);
    if (this.slotsLeft < 1) this.refuse("over the sequence cap: no place left");
    this.refuse(`over the resident cap: ${this.resident} of ${this.limits.residentCap}`);
  }

  private refuse(rule: string): never {
    throw new PlanError(this.shared.schedulerName, this.replica.iterations + 1, rule);
  }
}
