/**
 * What a prefix cache could hit, from the hashes of the prompts' blocks that a trace lists: with room for everything, a
 * prompt hits as many of its leading blocks as earlier prompts had.
 */

/** More blocks than a set can hold are not counted. */
const MOST_BLOCKS = 16_000_000;

export class PrefixBlocks {
  private readonly seen = new Set<unknown>();
  private isLost = false;
  /** Prompt tokens of all requests, and of those whose blocks were all there. */
  private tokens = 0;
  private wholeTokens = 0;
  /** Leading blocks that were there, of the other requests. */
  private blocks = 0;
  /** Between these the tokens of a block lie: enough for every prompt, and for none without its last block. */
  private leastBlock = 0;
  private mostBlock = Infinity;

  /** A request's blocks, in the order of arrival; what is no list has none. */
  add(hashes: unknown, promptTokens: number): void {
    const list: readonly unknown[] = Array.isArray(hashes) ? hashes : [];
    const { length } = list;
    const { seen } = this;
    this.tokens += promptTokens;
    if (length === 0) return;
    let hits = 0;
    while (hits < length && seen.has(list[hits])) hits++;
    if (hits === length) this.wholeTokens += promptTokens;
    else this.blocks += hits;
    this.leastBlock = Math.max(this.leastBlock, Math.ceil(promptTokens / length));
    if (length > 1) this.mostBlock = Math.min(this.mostBlock, Math.floor((promptTokens - 1) / (length - 1)));
    this.isLost ||= seen.size + length > MOST_BLOCKS;
    if (!this.isLost) for (let i = hits; i < length; i++) seen.add(list[i]);
  }

  /** Tokens of a block: a power of two, else the least that it can be; NaN where blocks are not of one size. */
  get blockTokens(): number {
    const { leastBlock, mostBlock } = this;
    if (leastBlock === 0 || leastBlock > mostBlock) return NaN;
    let power = 1;
    while (power < leastBlock) power *= 2;
    return power <= mostBlock ? power : leastBlock;
  }

  /** The share of all prompt tokens that an unlimited cache hits; NaN where it cannot be told. */
  get share(): number {
    return this.isLost ? NaN : (this.blocks * this.blockTokens + this.wholeTokens) / this.tokens;
  }
}
