/**
 * One batch being composed: the engine's side of it. A scheduler asks, for one sequence after the other, for a
 * decode or a chunk; here the token is granted if memory allows, by preemption if need be, and the counts move.
 */
import { inOrder } from "./discipline.js";
import type { OracleInput, OracleOutput } from "./interface.js";
import { BLOCK } from "./memory.js";
import {
  emitsAtPrefillEnd,
  isLastInFlight,
  isWaiting,
  type Batch,
  type Replica,
  type Sequence,
} from "./sequence.js";

export class Composition {
  readonly batch: Batch = { prefill: [], decode: [] };
  private hasPreempted = false;

  constructor(
    readonly replica: Replica,
    /** model §1: unstarted prompts stand in one central queue */
    readonly central: Sequence[],
    readonly now: number,
    readonly input: OracleInput,
    private readonly output: OracleOutput,
  ) {}

  /** Prompts that wait for admission: the replica's preempted ones, then the central queue in its order. */
  get waiting(): Sequence[] {
    return [...this.replica.preempted, ...inOrder(this.central, this.input)];
  }

  /** model §2: decoding sequences by the instant their prefill ended (in flight: later than any), ties by id. */
  get decodeOrder(): Sequence[] {
    const key = ({ prefillEndedAt }: Sequence): number =>
      Number.isNaN(prefillEndedAt) ? Number.MAX_VALUE : prefillEndedAt;
    return this.replica.resident
      .filter(({ state }) => state === "decoding")
      .sort((a, b) => key(a) - key(b) || a.id - b.id);
  }

  /** Those of them that have a token to decode which is not in flight. */
  get decodable(): Sequence[] {
    return this.decodeOrder.filter((sequence) => !isLastInFlight(sequence));
  }

  /** model §2: partly prefilled prompts by arrival, ties by id. */
  get partlyPrefilled(): Sequence[] {
    return this.replica.resident
      .filter(({ state }) => state === "prefilling")
      .sort((a, b) => a.arrivedAt - b.arrivedAt || a.id - b.id);
  }

  /** Running sequences in the order in which the scheduler serves them. */
  private get running(): Sequence[] {
    return this.input.scheduler.kind === "vllm"
      ? this.replica.resident
      : [...this.decodeOrder, ...this.partlyPrefilled];
  }

  /** Prompt tokens it would still have to compute if it were taken now. */
  tokensLeft(prompt: Sequence): number {
    if (!isWaiting(prompt)) return prompt.toPrefill - prompt.computed;
    return knownTokens(prompt) - this.hit(prompt);
  }

  /** One decode token. False if the sequence itself had to be preempted. */
  decode(sequence: Sequence): boolean {
    if (!this.secure(sequence, 1)) return false;
    this.batch.decode.push({ sequence, cached: sequence.computed });
    sequence.computed += 1;
    sequence.inFlight += 1;
    return true;
  }

  /** A chunk. False if a resident prompt itself had to be preempted, or one that waits cannot be admitted. */
  chunk(sequence: Sequence, tokens: number): boolean {
    if (!(isWaiting(sequence) ? this.admit(sequence, tokens) : this.secure(sequence, tokens))) return false;
    const cached = sequence.computed;
    sequence.computed += tokens;
    const isLast = sequence.computed === sequence.toPrefill;
    this.batch.prefill.push({ sequence, tokens, cached, isLast });
    if (!isLast) return true;
    sequence.state = "decoding";
    if (emitsAtPrefillEnd(sequence, this.input)) sequence.inFlight += 1;
    return true;
  }

  /** Blocks for so many tokens more; while too few are free, the last running sequence is preempted. */
  private secure(sequence: Sequence, tokens: number): boolean {
    const { memory } = this.replica;
    while (!memory.fits(sequence.id, sequence.computed + tokens)) {
      const victim = this.running.at(-1)!;
      this.preempt(victim);
      if (victim === sequence) return false;
    }
    memory.grow(sequence.id, sequence.computed + tokens);
    return true;
  }

  private preempt(victim: Sequence): void {
    const { replica, output } = this;
    this.hasPreempted = true;
    output.preemptions += 1;
    output.lostTokens += victim.computed;
    replica.memory.preempt(victim.id, victim.computed);
    replica.resident.splice(replica.resident.indexOf(victim), 1);
    replica.preempted.unshift(victim);
    victim.state = "preempted";
    victim.computed = 0;
    victim.preemptedAt.push(this.now);
  }

  /** Tokens that need not be computed on admission, in whole blocks; at least one token always is. */
  private hit(prompt: Sequence): number {
    const most = Math.floor((knownTokens(prompt) - 1) / BLOCK);
    const blocks =
      prompt.state === "preempted"
        ? this.replica.memory.survivors(prompt.id)
        : Math.floor(prompt.prefixHitTokens / BLOCK);
    return Math.min(blocks, most) * BLOCK;
  }

  /** The whole prompt (with the outputs so far) must fit into the free blocks, though only the chunk gets some. */
  private admit(sequence: Sequence, tokens: number): boolean {
    const { replica, central, output } = this;
    const known = knownTokens(sequence);
    if (this.hasPreempted || !replica.memory.fits(sequence.id, known)) return false;
    if (sequence.inFlight > 0) throw new Error(`oracle: ${sequence.id} is resumed with a token in flight`);
    const hit = this.hit(sequence);
    const from = sequence.state === "preempted" ? replica.preempted : central;
    from.splice(from.indexOf(sequence), 1);
    if (sequence.state === "preempted") {
      output.survivorTokens += hit;
      replica.memory.reclaim(sequence.id, hit / BLOCK);
    } else {
      output.prefixHitTokens += hit;
      // model §4: the queueing delay ends at the composition of the first batch that holds a request.
      sequence.startedAt = this.now;
      sequence.replica = replica.number;
    }
    sequence.state = "prefilling";
    sequence.prefillEndedAt = NaN;
    sequence.toPrefill = known;
    sequence.computed = hit;
    replica.memory.grow(sequence.id, hit + tokens);
    replica.resident.push(sequence);
    return true;
  }
}

/** A waiting prompt's tokens: the prompt and the outputs so far. */
const knownTokens = ({ promptTokens, tokenAt }: Sequence): number => promptTokens + tokenAt.length;
