/**
 * A KV cache without identity, as vLLM V1 keeps it for requests that share nothing: who owns which block does not matter,
 * only how many; and the blocks that were freed stay readable until they are taken again.
 *
 * Freed blocks go to the tail of the free list, a sequence's last block first; allocation takes from its head.
 * So a preempted request that comes back finds its own leading blocks while they survive. Counts are enough: a
 * queue of (owner, blocks left). Source: vLLM 0.19, block pool with prefix caching.
 */

import type { KvCache, KvRules } from "./kv-cache.js";

/** Blocks that were freed by sequences which will not come back. */
const NOBODY = -1;

/** What is known of a preempted request's blocks: their entry in the free list, and how many are its own. */
interface Kept {
  readonly entry: number;
  readonly full: number;
}

export class CountedBlocks implements KvCache {
  readonly countsOnly = true;
  /** Blocks that no sequence holds, cached blocks of preempted requests among them. */
  free = 0;
  /** The free list: entries `head` to `tail` (exclusive), each at its number modulo the ring's size. */
  private owners = new Int32Array(64);
  private counts = new Int32Array(64);
  private head = 0;
  private tail = 0;
  private readonly kept = new Map<number, Kept>();

  /** All blocks are free. */
  constructor(
    readonly usable: number,
    private readonly rules: KvRules,
  ) {
    this.append(NOBODY, usable);
  }

  get used(): number {
    return this.usable - this.free;
  }

  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.rules.blockTokens);
  }

  lookup(id: number, tokens: number): number {
    if (this.kept.size === 0) return 0;
    const { blockTokens } = this.rules;
    return Math.min(this.cachedBlocks(id), Math.floor((tokens - 1) / blockTokens)) * blockTokens;
  }

  fits(_: number, tokens: number, spared: number): boolean {
    return this.blocksFor(tokens) + spared <= this.free;
  }

  admit(id: number, found: number, tokens: number): void {
    const cached = found / this.rules.blockTokens;
    this.reclaim(id, cached);
    this.growAll(this.blocksFor(tokens) - cached);
  }

  grow(_: number, from: number, to: number): void {
    this.growAll(this.blocksFor(to) - this.blocksFor(from));
  }

  /** From the head of the free list. */
  growAll(blocks: number): void {
    this.free -= blocks;
    for (let wanted = blocks; wanted > 0;) {
      const at = this.head & (this.owners.length - 1);
      const some = Math.min(wanted, this.counts[at]);
      this.counts[at] -= some;
      wanted -= some;
      if (this.counts[at] > 0) return;
      if (this.kept.get(this.owners[at])?.entry === this.head) this.kept.delete(this.owners[at]);
      this.head++;
    }
  }

  release(_: number, tokens: number, identified: number): void {
    const blocks = this.blocksFor(tokens);
    const full = this.fullOf(blocks, identified);
    this.appendEmpty(blocks - full);
    this.append(NOBODY, full);
  }

  preempt(id: number, tokens: number, identified: number): void {
    const blocks = this.blocksFor(tokens);
    const full = this.fullOf(blocks, identified);
    this.appendEmpty(blocks - full);
    if (full === 0) return;
    this.kept.set(id, { entry: this.tail, full });
    this.push(id, full);
  }

  private fullOf(blocks: number, identified: number): number {
    return this.rules.finds ? Math.min(blocks, Math.floor(identified / this.rules.blockTokens)) : 0;
  }

  /** Blocks that nobody can find. */
  private appendEmpty(blocks: number): void {
    if (this.rules.emptyFirst) this.prepend(blocks);
    else this.append(NOBODY, blocks);
  }

  /** Leading full blocks of a preempted request that nobody has taken yet. */
  private cachedBlocks(id: number): number {
    const kept = this.kept.get(id);
    return kept ? Math.min(kept.full, this.counts[kept.entry & (this.owners.length - 1)]) : 0;
  }

  before(id: number): number {
    const kept = this.kept.get(id);
    if (!kept) return Infinity;
    let blocks = -this.cachedBlocks(id);
    for (let entry = this.head; entry <= kept.entry; entry++)
      blocks += this.counts[entry & (this.owners.length - 1)];
    return blocks;
  }

  /** A preempted request comes back and takes up `blocks` of its cached blocks; what else it left is nobody's now. */
  private reclaim(id: number, blocks: number): void {
    const kept = this.kept.get(id);
    if (!kept) return;
    const at = kept.entry & (this.owners.length - 1);
    this.counts[at] -= blocks;
    this.free -= blocks;
    this.owners[at] = NOBODY;
    this.kept.delete(id);
  }

  copyInto(target: KvCache | null): CountedBlocks {
    const into = target instanceof CountedBlocks ? target : new CountedBlocks(this.usable, this.rules);
    into.owners = this.owners.slice();
    into.counts = this.counts.slice();
    into.head = this.head;
    into.tail = this.tail;
    into.free = this.free;
    into.kept.clear();
    for (const [id, kept] of this.kept) into.kept.set(id, kept);
    return into;
  }

  /** Blocks of nobody's join the tail; those of one entry are one. */
  private append(owner: typeof NOBODY, blocks: number): void {
    const last = (this.tail - 1) & (this.owners.length - 1);
    if (this.tail > this.head && this.owners[last] === owner) {
      this.free += blocks;
      this.counts[last] += blocks;
    } else if (blocks > 0) this.push(owner, blocks);
  }

  private push(owner: number, blocks: number): void {
    this.free += blocks;
    if (this.tail - this.head === this.owners.length) this.doubleRing();
    const at = this.tail++ & (this.owners.length - 1);
    this.owners[at] = owner;
    this.counts[at] = blocks;
  }

  /** Blocks of nobody's come before all others. */
  private prepend(blocks: number): void {
    if (blocks === 0) return;
    this.free += blocks;
    const first = this.head & (this.owners.length - 1);
    if (this.tail > this.head && this.owners[first] === NOBODY) {
      this.counts[first] += blocks;
      return;
    }
    if (this.tail - this.head === this.owners.length) this.doubleRing();
    const at = --this.head & (this.owners.length - 1);
    this.owners[at] = NOBODY;
    this.counts[at] = blocks;
  }

  private doubleRing(): void {
    const owners = new Int32Array(this.owners.length * 2);
    const counts = new Int32Array(owners.length);
    for (let entry = this.head; entry < this.tail; entry++) {
      owners[entry & (owners.length - 1)] = this.owners[entry & (this.owners.length - 1)];
      counts[entry & (owners.length - 1)] = this.counts[entry & (this.owners.length - 1)];
    }
    this.owners = owners;
    this.counts = counts;
  }
}
