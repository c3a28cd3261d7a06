/**
 * A KV cache that knows of every block whose it is and what stands in it: slow, and by other means than counts. It finds
 * a request's own blocks, as the counted one does.
 */
import type { KvCache, KvRules } from "../../src/core/state/kv-cache.js";

interface Block {
  /** Whose it was when it was freed, and which of its blocks, from 0; null: nobody can find it. */
  was: { readonly id: number; readonly place: number } | null;
}

export class BlockByBlock implements KvCache {
  readonly countsOnly = false;
  /** First to be taken first. */
  private freeList: Block[];
  private readonly held = new Map<number, Block[]>();

  constructor(
    readonly usable: number,
    private readonly rules: KvRules,
  ) {
    this.freeList = Array.from({ length: usable }, () => ({ was: null }));
  }

  get free(): number {
    return this.freeList.length;
  }

  get used(): number {
    return [...this.held.values()].reduce((sum, blocks) => sum + blocks.length, 0);
  }

  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.rules.blockTokens);
  }

  /** The request's leading blocks that are still there. */
  private own(id: number): Block[] {
    const found: Block[] = [];
    for (;;) {
      const next = this.freeList.find(({ was }) => was?.id === id && was.place === found.length);
      if (next === undefined) return found;
      found.push(next);
    }
  }

  lookup(id: number, tokens: number): number {
    const { blockTokens } = this.rules;
    return Math.min(this.own(id).length, Math.floor((tokens - 1) / blockTokens)) * blockTokens;
  }

  before(id: number): number {
    const own = this.own(id);
    return own.length === 0 ? Infinity : this.freeList.indexOf(own[own.length - 1]);
  }

  fits(_: number, tokens: number, spared: number): boolean {
    return this.blocksFor(tokens) + spared <= this.free;
  }

  admit(id: number, found: number, tokens: number): void {
    if (this.held.has(id)) throw new Error(`${id} is there already`);
    const cached = this.own(id).slice(0, found / this.rules.blockTokens);
    this.freeList = this.freeList.filter((block) => !cached.includes(block));
    // Nobody finds what else it left.
    for (const block of this.freeList) if (block.was?.id === id) block.was = null;
    this.held.set(id, cached);
    this.upTo(id, tokens);
  }

  grow(id: number, from: number, to: number): void {
    if (this.held.get(id)?.length !== this.blocksFor(from)) throw new Error(`${id} has not ${from} tokens`);
    this.upTo(id, to);
  }

  growAll(): never {
    throw new Error("each has its own blocks");
  }

  private upTo(id: number, tokens: number): void {
    const blocks = this.held.get(id)!;
    while (blocks.length < this.blocksFor(tokens)) {
      const block = this.freeList.shift();
      if (block === undefined) throw new Error("no block is free");
      blocks.push(block);
    }
  }

  release(id: number, tokens: number, identified: number): void {
    this.giveBack(id, tokens, identified, false);
  }

  preempt(id: number, tokens: number, identified: number): void {
    this.giveBack(id, tokens, identified, true);
  }

  /** The last block first; what has no identity to the head, where the rules say so. */
  private giveBack(id: number, tokens: number, identified: number, comesBack: boolean): void {
    const { finds, blockTokens, emptyFirst } = this.rules;
    const blocks = this.held.get(id) ?? [];
    if (blocks.length !== this.blocksFor(tokens)) throw new Error(`${id} has not ${tokens} tokens`);
    this.held.delete(id);
    const full = finds ? Math.floor(identified / blockTokens) : 0;
    blocks.forEach((block, place) => (block.was = comesBack && place < full ? { id, place } : null));
    const empty = blocks.slice(full).reverse();
    const found = blocks.slice(0, full).reverse();
    this.freeList = emptyFirst
      ? [...empty, ...this.freeList, ...found]
      : [...this.freeList, ...empty, ...found];
  }

  copyInto(): KvCache {
    const copy = new BlockByBlock(0, this.rules);
    return Object.assign(copy, { usable: this.usable, freeList: this.freeList.map(({ was }) => ({ was })) });
  }
}
