/**
 * One batch being composed: the engine's side of it. A scheduler asks, for one sequence after the other, for a
 * decode or a chunk; here the token is granted if memory allows, by preemption if need be, and the counts move.
 */
import { inOrder } from "./discipline.js";
import type { OracleInput, OracleOutput } from "./interface.js";
import {
  emitsAtPrefillEnd,
  isLastInFlight,
  isWaiting,
  type Batch,
  type Chunk,
  type Replica,
  type Sequence,
} from "./sequence.js";

/** A running sequence was preempted: its place in running order, and the tokens that the batch held of it. */
export type Lost = (place: number, tokens: number) => void;

/** model §2: requests that preempt each other for ever, as vLLM's own would. */
export class Endless extends Error {}

export class Composition {
  readonly batch: Batch = { prefill: [], decode: [] };
  /** Who was preempted for it. */
  readonly preempted: number[] = [];

  constructor(
    readonly replica: Replica,
    /** model §1: unstarted prompts stand in one central queue */
    readonly central: Sequence[],
    readonly now: number,
    readonly input: OracleInput,
    private readonly output: OracleOutput,
  ) {}

  /**
   * Prompts that wait for admission: the replica's preempted ones, then the central queue in its order. vLLM's
   * priorities have one queue for both.
   */
  get waiting(): Sequence[] {
    const { preempted } = this.replica;
    if (this.byPriority) return inOrder([...preempted, ...this.central], this.input);
    return [...preempted, ...inOrder(this.central, this.input)];
  }

  /** vLLM's policy `priority`, whose victims are chosen by class. */
  private get byPriority(): boolean {
    const { scheduler, discipline } = this.input;
    return scheduler.kind === "vllm" && discipline?.kind === "priority";
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

  /** One decode token. False if the sequence itself had to be preempted. `lost` hears of each victim. */
  decode(sequence: Sequence, lost?: Lost): boolean {
    if (!this.secure(sequence, 1, lost)) return false;
    this.batch.decode.push({ sequence, cached: sequence.computed });
    sequence.computed += 1;
    sequence.inFlight += 1;
    sequence.decodesInFlight += 1;
    return true;
  }

  /** A chunk. False if a resident prompt itself had to be preempted, or one that waits cannot be admitted. */
  chunk(sequence: Sequence, tokens: number, lost?: Lost): boolean {
    if (!(isWaiting(sequence) ? this.admit(sequence, tokens) : this.secure(sequence, tokens, lost)))
      return false;
    const cached = sequence.computed;
    sequence.computed += tokens;
    const isLast = sequence.computed === sequence.toPrefill;
    this.batch.prefill.push({ sequence, tokens, cached, isLast });
    if (!isLast) return true;
    sequence.state = "decoding";
    if (emitsAtPrefillEnd(sequence, this.input)) sequence.inFlight += 1;
    return true;
  }

  /** Blocks for so many tokens more; while too few are free, somebody is preempted. */
  private secure(sequence: Sequence, tokens: number, lost?: Lost): boolean {
    const { memory, resident } = this.replica;
    while (!memory.fits(sequence.id, sequence.computed + tokens)) {
      const victim = this.victim;
      const at = resident.indexOf(victim);
      const taken = this.takeBack(victim);
      this.preempt(victim, taken);
      if (victim === sequence) return false;
      lost?.(at, taken);
    }
    memory.grow(sequence.id, sequence.computed + tokens);
    return true;
  }

  /**
   * The last running sequence; under vLLM's priorities the one with the largest (class, arrival), the first of those
   * in running order, even one that the batch holds already.
   */
  private get victim(): Sequence {
    const { discipline } = this.input;
    if (!this.byPriority || discipline?.kind !== "priority") return this.running.at(-1)!;
    const { classes } = discipline;
    const isWorse = (a: Sequence, b: Sequence): boolean =>
      classes[a.id]! > classes[b.id]! || (classes[a.id] === classes[b.id] && a.arrivedAt > b.arrivedAt);
    return this.running.reduce((worst, one) => (isWorse(one, worst) ? one : worst));
  }

  /** What the batch holds of a victim is taken out of it. Returns the tokens. */
  private takeBack(victim: Sequence): number {
    const { batch } = this;
    const decodes = batch.decode.findIndex(({ sequence }) => sequence === victim);
    if (decodes >= 0) {
      batch.decode.splice(decodes, 1);
      victim.inFlight -= 1;
      victim.decodesInFlight -= 1;
      return 1;
    }
    const chunk = batch.prefill.findIndex(({ sequence }) => sequence === victim);
    if (chunk < 0) return 0;
    const [{ tokens, isLast }] = batch.prefill.splice(chunk, 1) as [Chunk];
    if (isLast && emitsAtPrefillEnd(victim, this.input)) victim.inFlight -= 1;
    return tokens;
  }

  private preempt(victim: Sequence, taken: number): void {
    const { replica, output } = this;
    this.preempted.push(victim.id);
    output.preemptions += 1;
    replica.vain += 1;
    const { usable, rules } = replica.memory;
    if (replica.vain > 1000 + 10 * usable * rules.block) throw new Endless();
    output.lostTokens += victim.computed - taken;
    // A block has its identity once its tokens are known and scheduled; a decode in flight registers nothing.
    const scheduled = Math.min(victim.computed, knownTokens(victim));
    const registered = taken > 0 ? scheduled : victim.computed - Math.min(victim.decodesInFlight, 1);
    replica.memory.preempt(victim.id, registered);
    replica.resident.splice(replica.resident.indexOf(victim), 1);
    replica.preempted.unshift(victim);
    victim.state = "preempted";
    victim.computed = 0;
    victim.preemptedAt.push(this.now);
  }

  /** Tokens that need not be computed on admission, in whole blocks; at least one token always is. */
  private hit(prompt: Sequence): number {
    const { memory } = this.replica;
    const { block, finds } = memory.rules;
    const most = Math.floor((knownTokens(prompt) - 1) / block);
    const blocks =
      prompt.state === "preempted"
        ? memory.survivors(prompt.id)
        : Math.floor((finds ? prompt.prefixHitTokens : 0) / block);
    return Math.min(blocks, most) * block;
  }

  /**
   * The whole prompt (with the outputs so far), or without reservation its chunk, must fit into the free blocks, though
   * only the chunk gets some; while anybody runs the watermark stays free besides.
   */
  private admit(sequence: Sequence, tokens: number): boolean {
    const { replica, central, output } = this;
    const { memory } = replica;
    const { reserves, watermark, block } = memory.rules;
    const known = knownTokens(sequence);
    const hit = this.hit(sequence);
    const left = replica.resident.length > 0 ? watermark * block : 0;
    const needed = memory.blocksFor(reserves ? known : hit + tokens) * block;
    if (this.preempted.length > 0 || !memory.fits(sequence.id, needed + left)) return false;
    if (sequence.inFlight > 0) throw new Error(`oracle: ${sequence.id} is resumed with a token in flight`);
    const from = sequence.state === "preempted" ? replica.preempted : central;
    from.splice(from.indexOf(sequence), 1);
    if (sequence.state === "preempted") {
      output.survivorTokens += hit;
      memory.reclaim(sequence.id, hit / block);
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
    memory.grow(sequence.id, hit + tokens);
    replica.resident.push(sequence);
    return true;
  }
}

/** A waiting prompt's tokens: the prompt and the outputs so far. */
const knownTokens = ({ promptTokens, tokenAt }: Sequence): number => promptTokens + tokenAt.length;
