/**
 * The batch as a scheduler composes it: enforces budget, cap, chunk size and memory, and moves the counts at
 * once, so that a bad plan is found where it is made.
 */
import { growDecodes } from "./decode-blocks.js";
import { FirstPrefilling, FirstWaiting, type PromptQueues } from "./heads.js";
import { IdList } from "../queues/id-list.js";
import { decodeNext, passOver, preemptFor, serve, takeUpSkipped } from "./one-by-one.js";
import type { OpenBatch } from "./open-batch.js";
import { comesBefore, preemptLast } from "./preemption.js";
import { refuse, refuseChunk, refuseDecodes } from "./refusals.js";
import type { EngineSetup } from "../state/engine-setup.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { activateFirst, blocksNeeded } from "./residents.js";
import type { Batch, OneByOne, PrefillingHead, PromptQueue, View } from "../policies/scheduler.js";
import { UNLIMITED, tokens, type Tokens, type Instant } from "../numbers/units.js";

/** The batch as it serves one by one; a name for its type, which the bundle's has none. */
const servedBy = (batch: OneByOne): OneByOne => batch;

/** The batches of one replica. */
export class Plan implements View, Batch, OneByOne, OpenBatch, PromptQueues {
  readonly engine: EngineSetup;
  readonly limits;
  readonly prefilling = new FirstPrefilling(this);
  readonly waiting = new FirstWaiting(this);
  tokensLeft: Tokens = tokens(0);
  slotsLeft = 0;
  /** The first partly prefilled prompt that this batch may still take. */
  cursor = 0;
  scheduled: ScheduledBatch;
  decodeBlocks = 0;
  serving = -1;
  unservedVictims = 0;
  /** Prompts taken from a queue of unstarted ones that this batch does not end; they may stand anywhere among the chunks. */
  private readonly begun = new IdList();

  constructor(
    readonly shared: TrialState,
    readonly replica: Replica,
  ) {
    this.engine = replica.engine;
    this.limits = this.engine.limits;
    this.scheduled = replica.scheduled;
  }

  get now(): Instant {
    return this.shared.now;
  }

  /** What plugins may call it. */
  get partial(): PrefillingHead {
    return this.prefilling;
  }

  get decodes(): number {
    return this.scheduled.decodes;
  }

  get oneByOne(): OneByOne | undefined {
    return this.engine.preemptsByClass ? servedBy(this) : undefined;
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
    return this.replica.waiting.length + this.replica.preempted.length;
  }

  /**
   * Asks the scheduler for one iteration, into `scheduled`.
   * @returns whether the batch holds anything; one of nothing is refused unless another is under way
   */
  compose(scheduled: ScheduledBatch): boolean {
    // Only where batches are composed ahead does a replica have more than one.
    if (this.engine.depth > 1) this.scheduled = scheduled;
    this.cursor = 0;
    this.tokensLeft = this.limits.maxTokens;
    this.slotsLeft = this.limits.maxSequences;
    this.decodeBlocks = 0;
    this.begun.length = 0;
    scheduled.clear();
    if (this.replica.skipped.length > 0) takeUpSkipped(this.shared, this.replica);
    this.engine.scheduler.compose(this, this);
    if (scheduled.decodes + scheduled.chunkCount === 0) return this.nothing();
    // Prompts that began and ended in this batch leave the partly prefilled ones as they are.
    if (this.cursor > 0 || scheduled.ended.length < scheduled.chunkCount) this.settlePrefilling();
    return true;
  }

  /** An empty batch: only where another is under way, or has lost what it was given. */
  private nothing(): false {
    if (this.scheduled === this.replica.scheduled && this.scheduled.preempted === 0)
      refuse(this.replica, "placed nothing while work waits");
    return false;
  }

  decode(n: number): number {
    const { scheduled, replica } = this;
    const more = n - scheduled.decodes;
    if (!(Number.isInteger(n) && more >= 0 && n <= this.decodable)) refuseDecodes(this, n);
    if (more > this.slotsLeft || more > this.tokensLeft) refuseDecodes(this, n);
    if (n === 0) return 0;
    if (this.engine.preemptsByClass) return this.decodeOneByOne(n);
    const granted = replica.memory === null ? n : this.fit(n);
    if (replica.pool.active !== granted) activateFirst(this.shared, replica, granted);
    this.slotsLeft -= granted - scheduled.decodes;
    this.tokensLeft = (this.tokensLeft - (granted - scheduled.decodes)) as Tokens;
    scheduled.decodes = granted;
    return granted;
  }

  chunk(from: PromptQueue, asked: Tokens): Tokens {
    const { scheduled, limits, replica } = this;
    const isWaiting = from === "waiting";
    if (!(isWaiting ? this.waiting.exists : this.prefilling.exists)) refuseChunk(this, from, asked);
    const left = isWaiting ? this.waiting.left : this.prefilling.left;
    if (!(Number.isInteger(asked) && asked >= 1 && asked <= left)) refuseChunk(this, from, asked);
    if (asked > limits.chunk || asked > this.tokensLeft || this.slotsLeft < 1) refuseChunk(this, from, asked);
    if (isWaiting && this.resident >= limits.residentCap) refuseChunk(this, from, asked);
    this.unservedVictims = 0;
    if (replica.memory !== null && !(isWaiting ? this.admits(left, asked) : this.extends(left, asked)))
      return tokens(0);
    this.take(isWaiting ? this.firstWaiting : this.firstPrefilling, isWaiting, left, asked);
    scheduled.prefillTokens += asked;
    this.tokensLeft = (this.tokensLeft - asked) as Tokens;
    this.slotsLeft--;
    return asked;
  }

  pack(prompts = UNLIMITED, budget = UNLIMITED, whole = false): boolean {
    const { scheduled, replica } = this;
    const { prefilling, memory } = replica;
    const { chunk, residentCap } = this.limits;
    let { slotsLeft, tokensLeft } = this;
    // What is left when the limits given are used up: below 0 they do not bind.
    const lastSlot = slotsLeft - this.limitOf(prompts);
    const lastToken = tokensLeft - this.limitOf(budget);
    let isLimited = false;
    for (;;) {
      const isWaiting = this.cursor === prefilling.length;
      if (isWaiting && (replica.resident >= residentCap || this.unstarted === 0)) break;
      if (slotsLeft === lastSlot || tokensLeft === lastToken) {
        isLimited = slotsLeft === lastSlot ? tokensLeft > 0 : slotsLeft > 0;
        break;
      }
      if (slotsLeft === 0 || tokensLeft === 0) break;
      const id = isWaiting ? this.firstWaiting : prefilling.ids[this.cursor];
      const left = this.leftOf(id, isWaiting);
      const piece = Math.min(left, chunk, tokensLeft - lastToken);
      if (whole && piece > tokensLeft && scheduled.chunkCount > 0) break;
      const asked = Math.min(piece, tokensLeft) as Tokens;
      if (memory !== null && !(isWaiting ? this.admits(left, asked) : this.extends(left, asked))) break;
      this.take(id, isWaiting, left, asked);
      tokensLeft = (tokensLeft - asked) as Tokens;
      slotsLeft--;
    }
    scheduled.prefillTokens += this.tokensLeft - tokensLeft;
    this.tokensLeft = tokensLeft;
    this.slotsLeft = slotsLeft;
    return isLimited;
  }

  /** A limit that `pack` was given, as a 32-bit integer. */
  private limitOf(asked: number): number {
    return (asked | 0) === asked && asked >= 0 ? asked | 0 : this.beyond(asked);
  }

  private beyond(asked: number): number {
    if (asked > UNLIMITED) return UNLIMITED;
    return refuse(this.replica, `a limit of pack is a whole number: asked ${asked}`);
  }

  /** The id at the head of the unstarted. */
  get firstWaiting(): number {
    const { preempted, waiting } = this.replica;
    return this.isPreemptedFirst ? preempted.first : waiting.first;
  }

  /** Whether a preempted request is the first of the unstarted: they come first, or in their class. */
  private get isPreemptedFirst(): boolean {
    const { preempted, waiting } = this.replica;
    if (preempted.length === 0) return false;
    if (!this.engine.preemptsByClass || waiting.length === 0) return true;
    return comesBefore(waiting, preempted.first, waiting.first);
  }

  /** The partly prefilled prompt that comes next. */
  get firstPrefilling(): number {
    return this.replica.prefilling.ids[this.cursor];
  }

  /** Prompt tokens to go of the head of a queue: all but those that a waiting one finds in the cache. */
  leftOf(id: number, isWaiting: boolean): Tokens {
    const left = this.shared.sequences.promptLeft[id];
    const { memory } = this.replica;
    return tokens(isWaiting && memory !== null ? left - memory.lookup(id, left) : left);
  }

  /** Puts a chunk of a queue's head, with `left` tokens to go, into the batch, for which there is room. */
  private take(id: number, isWaiting: boolean, left: Tokens, taken: Tokens): void {
    const { scheduled } = this;
    const { sequences } = this.shared;
    if (isWaiting) this.admit(id);
    else this.cursor++;
    const chunk = scheduled.chunkCount++;
    if (chunk === scheduled.chunkId.length) scheduled.growChunks();
    scheduled.chunkId[chunk] = id;
    scheduled.chunkTokens[chunk] = taken;
    if (this.engine.varies) scheduled.chunkCached[chunk] = sequences.known(id) - left;
    sequences.promptLeft[id] = left - taken;
    if (taken === left) scheduled.ended.insertAscending(id);
    else if (isWaiting) this.begun.push(id);
  }

  dependsOn(what: "arrivals" | "nothing"): void {
    this.scheduled.dependsOnArrivals = what === "arrivals";
  }

  limited(side: "decode" | "prefill"): void {
    if (side === "decode") this.scheduled.limitsDecode = true;
    else this.scheduled.limitsPrefill = true;
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
      if (taken > 0) growDecodes(shared, replica, this.decodeBlocks, taken);
      this.decodeBlocks += taken;
      if (taken === needed) return some;
      if (!this.preempt()) refuse(this.replica, "out of memory with nobody to preempt");
    }
  }

  /** Whether the prompt at the head of the queue fits as it must; if so, the blocks of its chunk are taken. */
  private admits(left: number, asked: number): boolean {
    const { replica, shared } = this;
    const { reservesPrompt, watermarkBlocks } = this.engine.kvRules;
    const memory = replica.memory!;
    const id = this.firstWaiting;
    const known = shared.sequences.known(id);
    const held = known - left + asked;
    const spared = replica.resident > 0 ? watermarkBlocks : 0;
    if (this.scheduled.preempted > 0 || !memory.fits(id, reservesPrompt ? known : held, spared)) return false;
    const found = shared.sequences.promptLeft[id] - left;
    memory.admit(id, found, held);
    if (this.isPreemptedFirst) replica.recomputedTokens -= found;
    return true;
  }

  /** Takes the blocks of the next chunk of the first partly prefilled prompt, preempting until they fit. */
  private extends(left: number, asked: number): boolean {
    const memory = this.replica.memory!;
    const { prefilling } = this.replica;
    const id = prefilling.ids[this.cursor];
    const cached = this.shared.sequences.known(id) - left;
    const needed = memory.blocksFor(cached + asked) - memory.blocksFor(cached);
    if (needed > memory.free && this.engine.preemptsByClass) serve(this, id);
    while (needed > memory.free) {
      if (!this.preempt()) return false;
      // It may have been this very prompt.
      if (this.cursor >= prefilling.length || prefilling.ids[this.cursor] !== id) return false;
    }
    memory.grow(id, cached, cached + asked);
    return true;
  }

  /** Somebody goes; false if there is nobody. */
  private preempt(): boolean {
    if (this.engine.preemptsByClass) return preemptFor(this);
    return preemptLast(this) >= 0;
  }

  decodeNext(): boolean {
    if (!(this.decodes < this.decodable && this.tokensLeft > 0 && this.slotsLeft > 0))
      refuseDecodes(this, this.decodes + 1);
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
    if (this.isPreemptedFirst) replica.preempted.popFront();
    else {
      replica.waiting.popFront();
      sequences.startedAt[id] = shared.now;
    }
    if (replica.memory) sequences.tickedAt[id] = -1;
    if (this.engine.byAdmission) sequences.admission[id] = replica.admissions++;
    replica.resident++;
    this.scheduled.admitted++;
  }

  /** Drops the prompts that end from the partly prefilled ones and adds the admitted that do not. */
  private settlePrefilling(): void {
    const { prefilling } = this.replica;
    const { promptLeft, admission } = this.shared.sequences;
    let kept = 0;
    for (let i = 0; i < prefilling.length; i++)
      if (i >= this.cursor || promptLeft[prefilling.ids[i]] > 0) prefilling.ids[kept++] = prefilling.ids[i];
    prefilling.length = kept;
    for (let i = 0; i < this.begun.length; i++)
      if (this.engine.byAdmission) prefilling.insertBy(admission, this.begun.ids[i]);
      else prefilling.insertAscending(this.begun.ids[i]);
  }
}
