/**
 * The KV cache of one replica, in blocks of some tokens, as vLLM V1 keeps it: who owns which block does not
 * matter, only how many; and the blocks that were freed stay readable until they are taken again.
 *
 * Freed blocks go to the tail of the free list, a sequence's last block first; allocation takes from its head.
 * So a preempted request that comes back finds its own leading blocks while they survive. Counts are enough: a
 * queue of (owner, blocks left). Source: vLLM 0.19, block pool with prefix caching.
 */

/** What a replica's KV memory goes by. */
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

/** Blocks that were freed by sequences which will not come back. */
const NOBODY = -1;

/** What is known of a preempted request's blocks: their entry in the free list, and how many are its own. */
interface Kept {
  readonly entry: number;
  readonly full: number;
}

export class KvMemory {
  rules!: KvRules;
  usable = 0;
  /** Blocks that no sequence holds, cached blocks of preempted requests among them. */
  free = 0;
  /** The free list: entries `head` to `tail` (exclusive), each at its number modulo the ring's size. */
  private owners = new Int32Array(64);
  private counts = new Int32Array(64);
  private head = 0;
  private tail = 0;
  private readonly kept = new Map<number, Kept>();

  /** Makes all blocks free. */
  reset(usable: number, rules: KvRules): void {
    this.rules = rules;
    this.usable = usable;
    this.free = 0;
    this.head = 0;
    this.tail = 0;
    this.kept.clear();
    this.append(NOBODY, usable);
  }

  /** Blocks in use. */
  get used(): number {
    return this.usable - this.free;
  }

  /** Blocks that hold `tokens` tokens. */
  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.rules.blockTokens);
  }

  /** Takes blocks from the head of the free list; there must be that many. */
  take(blocks: number): void {
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

  /** A sequence is done, `identified` of its tokens being in blocks with identity: its blocks are free. */
  release(blocks: number, identified: number): void {
    const full = this.fullOf(blocks, identified);
    this.appendEmpty(blocks - full);
    this.append(NOBODY, full);
  }

  /** A sequence is preempted; it may come back for its blocks with identity, of `identified` tokens. */
  preempt(id: number, blocks: number, identified: number): void {
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
  cachedBlocks(id: number): number {
    const kept = this.kept.get(id);
    return kept ? Math.min(kept.full, this.counts[kept.entry & (this.owners.length - 1)]) : 0;
  }

  /** Blocks that can be taken before one of a preempted request's cached blocks is; no end of them if it has none. */
  before(id: number): number {
    const kept = this.kept.get(id);
    if (!kept) return Infinity;
    let blocks = -this.cachedBlocks(id);
    for (let entry = this.head; entry <= kept.entry; entry++)
      blocks += this.counts[entry & (this.owners.length - 1)];
    return blocks;
  }

  /** A preempted request comes back and takes up `blocks` of its cached blocks; what else it left is nobody's now. */
  reclaim(id: number, blocks: number): void {
    const kept = this.kept.get(id);
    if (!kept) return;
    const at = kept.entry & (this.owners.length - 1);
    this.counts[at] -= blocks;
    this.free -= blocks;
    this.owners[at] = NOBODY;
    this.kept.delete(id);
  }

  /** Makes `target` equal to this memory. */
  copyInto(target: KvMemory): void {
    target.reset(0, this.rules);
    for (let entry = this.head; entry < this.tail; entry++) {
      const at = entry & (this.owners.length - 1);
      const kept = this.kept.get(this.owners[at]);
      if (kept?.entry === entry) {
        target.kept.set(this.owners[at], { entry: target.tail, full: kept.full });
        target.push(this.owners[at], this.counts[at]);
      } else target.append(NOBODY, this.counts[at]);
    }
    target.usable = this.usable;
    target.free = this.free;
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
    if (this.tail - this.head === this.owners.length) this.grow();
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
    if (this.tail - this.head === this.owners.length) this.grow();
    const at = --this.head & (this.owners.length - 1);
    this.owners[at] = NOBODY;
    this.counts[at] = blocks;
  }

  private grow(): void {
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
