/**
 * The KV cache of one replica, in blocks of some tokens: what requests ask of it, each by its id. Its members differ in
 * what they know of a block: how many there are (counted-blocks.ts), or also what is in them.
 */

/** What a replica's KV cache goes by. */
export interface KvRules {
  /** Tokens in a block, a power of two. */
  readonly blockTokens: number;
  /** What was freed can be found again until it is taken; without it neither own blocks nor prefix hits are. */
  readonly finds: boolean;
  /** A prompt is admitted where all of it fits (vLLM from 0.19 on), else where its chunk does. */
  readonly reservesPrompt: boolean;
  /** Blocks that an admission leaves free while anybody runs (vLLM #44594). */
  readonly watermarkBlocks: number;
  /** Freed blocks without identity (no full one is) go to the head of the free list (vLLM #42656), else to its tail. */
  readonly emptyFirst: boolean;
}

export interface KvCache {
  readonly usable: number;
  /** Blocks that no request holds; what is in them may still be found. */
  readonly free: number;
  /** Blocks in use. */
  readonly used: number;
  /**
   * It knows how many blocks there are, not whose: the decodes of a whole stretch take theirs at once (`growAll`). Else
   * each takes its own, iteration by iteration, in decode order (`grow`).
   */
  readonly countsOnly: boolean;
  /** Blocks that hold `tokens` tokens. */
  blocksFor(tokens: number): number;
  /**
   * Of the next `tokens` tokens of a waiting request those that it finds, in whole blocks: all but one at the most, which
   * is to be computed.
   */
  lookup(id: number, tokens: number): number;
  /** Blocks that can be taken before a request finds less; no end of them if it finds nothing. */
  before(id: number): number;
  /** Whether a waiting request has room for `tokens` tokens in all, with `spared` blocks left. */
  fits(id: number, tokens: number, spared: number): boolean;
  /** A waiting request is let in: it takes up the `found` tokens that `lookup` has told, and blocks up to `tokens` in all. */
  admit(id: number, found: number, tokens: number): void;
  /** A resident's tokens grow: it takes the blocks that it needs for them; there must be that many. */
  grow(id: number, from: number, to: number): void;
  /** Decodes take so many blocks; there must be that many. Asked where it `countsOnly`. */
  growAll(blocks: number): void;
  /** A request is done and gives back the blocks of its `tokens`, of which the first `identified` can be found. */
  release(id: number, tokens: number, identified: number): void;
  /** A request is preempted: the same, and it may come back for them. */
  preempt(id: number, tokens: number, identified: number): void;
  /** A copy of it, made of `target` if that is one of its kind. */
  copyInto(target: KvCache | null): KvCache;
}
