/**
 * The batch as a scheduler composes it: enforces budget, cap and chunk size, and moves the counts at once, so
 * that a bad plan is found where it is made.
 */
import { PlanError } from "./errors.js";
import { IdList } from "./id-list.js";
import type { Replica, Shared } from "./replica.js";
import type { Batch, Head, PromptQueue, View } from "./scheduler.js";
import { tokens, type Nanoseconds, type Tokens } from "./units.js";

class QueueHead implements Head {
  exists = false;
  left: Tokens = tokens(0);
}

export class Plan implements View, Batch {
  readonly limits;
  decodable = 0;
  resident = 0;
  readonly partial = new QueueHead();
  readonly waiting = new QueueHead();
  tokensLeft: Tokens = tokens(0);
  slotsLeft = 0;
  private readonly shared: Shared;
  private replica!: Replica;
  /** Next entry of the replica's partly prefilled prompts. */
  private cursor = 0;
  /** Prompts taken from the central queue; they may stand anywhere among the chunks. */
  private readonly admitted = new IdList();
  private hasDecoded = false;

  constructor(shared: Shared) {
    this.shared = shared;
    this.limits = shared.limits;
  }

  get now(): Nanoseconds {
    return this.shared.now;
  }

  /** Asks the scheduler for one iteration of `replica`, into its flight. */
  compose(replica: Replica): void {
    const { flight } = replica;
    this.replica = replica;
    this.decodable = replica.pool.size;
    this.resident = replica.resident;
    this.tokensLeft = this.limits.maxTokens;
    this.slotsLeft = this.limits.maxSequences;
    this.cursor = 0;
    this.admitted.length = 0;
    this.hasDecoded = false;
    flight.decodes = 0;
    flight.prefillTokens = 0;
    flight.chunkCount = 0;
    flight.admitted = 0;
    flight.ended.length = 0;
    flight.dependsOnArrivals = true;
    flight.limitsDecode = false;
    flight.limitsPrefill = false;
    this.showPartial();
    this.showWaiting();
    this.shared.scheduler.compose(this, this);
    if (flight.decodes + flight.chunkCount === 0) this.refuse("placed nothing while work waits");
    flight.leftWaiting = this.waiting.exists;
    if (flight.chunkCount > 0) this.settlePartial();
    replica.resident = this.resident;
  }

  decode(n: number): number {
    if (this.hasDecoded) this.refuse("decoded twice in one iteration");
    if (!(Number.isInteger(n) && n >= 0)) this.refuse(`decodes must be a whole number: asked ${n}`);
    if (n > this.decodable)
      this.refuse(`more decodes than sequences: asked ${n}, decodable ${this.decodable}`);
    if (n > this.slotsLeft) this.refuse(`over the sequence cap: asked ${n}, left ${this.slotsLeft}`);
    if (n > this.tokensLeft) this.refuse(`over the token budget: asked ${n}, left ${this.tokensLeft}`);
    if (n === 0) return 0;
    this.hasDecoded = true;
    this.replica.flight.decodes = n;
    this.tokensLeft = tokens(this.tokensLeft - n);
    this.slotsLeft -= n;
    const { pool } = this.replica;
    while (pool.active < n) this.activate();
    while (pool.active > n) this.deactivate();
    return n;
  }

  chunk(from: PromptQueue, asked: Tokens): Tokens {
    const { flight } = this.replica;
    const isWaiting = from === "waiting";
    const head = isWaiting ? this.waiting : this.partial;
    if (!head.exists) this.refuse(`no ${from} prompt to take a chunk of`);
    if (!(Number.isInteger(asked) && asked >= 1)) this.refuse(`a chunk has at least 1 token: asked ${asked}`);
    if (asked > head.left) this.refuse(`longer than the prompt: asked ${asked}, left ${head.left}`);
    if (asked > this.limits.chunk) this.refuse(`over the chunk size: asked ${asked} of ${this.limits.chunk}`);
    if (asked > this.tokensLeft)
      this.refuse(`over the token budget: asked ${asked}, left ${this.tokensLeft}`);
    if (this.slotsLeft < 1) this.refuse("over the sequence cap: no place left");
    if (isWaiting && this.resident >= this.limits.residentCap)
      this.refuse(`over the resident cap: ${this.resident} of ${this.limits.residentCap}`);

    const { sequences, waiting } = this.shared;
    const id = isWaiting ? waiting.popFront() : this.replica.partial.ids[this.cursor++];
    if (isWaiting) {
      sequences.startedAt[id] = this.shared.now;
      this.resident++;
      flight.admitted++;
      this.admitted.push(id);
    }
    if (flight.chunkCount === flight.chunkId.length) flight.growChunks();
    flight.chunkId[flight.chunkCount] = id;
    flight.chunkTokens[flight.chunkCount] = asked;
    flight.chunkCached[flight.chunkCount++] = sequences.requests.promptTokens[id] - head.left;
    flight.prefillTokens += asked;
    this.tokensLeft = tokens(this.tokensLeft - asked);
    this.slotsLeft--;
    sequences.promptLeft[id] = head.left - asked;
    if (asked === head.left) flight.ended.insertAscending(id);
    if (isWaiting) this.showWaiting();
    else this.showPartial();
    return asked;
  }

  dependsOn(what: "arrivals" | "nothing"): void {
    this.replica.flight.dependsOnArrivals = what === "arrivals";
  }

  limited(side: "decode" | "prefill"): void {
    if (side === "decode") this.replica.flight.limitsDecode = true;
    else this.replica.flight.limitsPrefill = true;
  }

  private activate(): void {
    const { replica, shared } = this;
    const { sequences } = shared;
    const id = replica.pool.activate(sequences.decodeLeft);
    replica.sumKv += cachedTokens(shared, id, sequences.decodeLeft[id]);
    if (id < shared.firstMeasured) replica.activeUnmeasured++;
  }

  private deactivate(): void {
    const { replica, shared } = this;
    const { sequences } = shared;
    const id = replica.pool.deactivate(sequences.decodeLeft, sequences.place);
    sequences.lastTokenAt[id] = replica.lastTickAt;
    replica.sumKv -= cachedTokens(shared, id, sequences.decodeLeft[id]);
    if (id < shared.firstMeasured) replica.activeUnmeasured--;
  }

  private showPartial(): void {
    const { partial } = this.replica;
    this.partial.exists = this.cursor < partial.length;
    if (this.partial.exists)
      this.partial.left = tokens(this.shared.sequences.promptLeft[partial.ids[this.cursor]]);
  }

  private showWaiting(): void {
    const { waiting, sequences } = this.shared;
    this.waiting.exists = waiting.length > 0;
    if (this.waiting.exists) this.waiting.left = tokens(sequences.promptLeft[waiting.first]);
  }

  /** Drops the prompts that end from the partly prefilled ones and adds the admitted that do not. */
  private settlePartial(): void {
    const { partial } = this.replica;
    const { promptLeft } = this.shared.sequences;
    let kept = 0;
    for (let i = 0; i < partial.length; i++)
      if (i >= this.cursor || promptLeft[partial.ids[i]] > 0) partial.ids[kept++] = partial.ids[i]!;
    partial.length = kept;
    for (let i = 0; i < this.admitted.length; i++) {
      const id = this.admitted.ids[i];
      if (promptLeft[id] > 0) partial.insertAscending(id);
    }
  }

  private refuse(rule: string): never {
    throw new PlanError(this.shared.schedulerName, this.replica.iterations + 1, rule);
  }
}

/** Tokens that a decoding sequence has in the KV cache when `decodeLeft` are still to decode. */
export function cachedTokens(shared: Shared, id: number, decodeLeft: number): number {
  const { promptTokens, outputTokens } = shared.sequences.requests;
  return promptTokens[id] + outputTokens[id] - (shared.emitsAtPrefillEnd ? 1 : 0) - decodeLeft;
}
