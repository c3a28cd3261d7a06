/**
 * The KV cache of one replica, in blocks of 16 tokens, as vLLM V1 keeps it: who owns which block does not
 * matter, only how many; and the blocks that were freed stay readable until they are taken again.
 *
 * Freed blocks go to the tail of the free list, a sequence's last block first; allocation takes from its head.
 * So a preempted request that comes back finds its own leading blocks while they survive. Counts are enough: a
 * queue of (owner, blocks left). Source: vLLM 0.19, block pool with prefix caching.
 */

/** Tokens in a block. */
export const BLOCK_TOKENS = 16;

/** Blocks that hold `tokens` tokens. */
export const blocksFor = (tokens: number): number => Math.ceil(tokens / BLOCK_TOKENS);

/** Blocks that a cache of `kvTokens` tokens has for sequences: one is the null block. */
export const usableBlocks = (kvTokens: number): number => Math.floor(kvTokens / BLOCK_TOKENS) - 1;

/** Blocks that were freed by sequences which will not come back. */
const NOBODY = -1;

/** What is known of a preempted request's blocks: their entry in the free list, and how many were full. */
interface Kept {
  readonly entry: number;
  readonly full: number;
}

export class KvMemory {
  usable = 0;
  /** Blocks that no sequence holds, the survivors among them. */
  free = 0;
  /** The free list: entries `head` to `tail` (exclusive), each at its number modulo the ring's size. */
  private owners = new Int32Array(64);
  private counts = new Int32Array(64);
  private head = 0;
  private tail = 0;
  private readonly kept = new Map<number, Kept>();

  /** Makes all blocks free. */
  reset(usable: number): void {
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

  /** A sequence is done: its blocks are free. */
  release(blocks: number): void {
    this.append(NOBODY, blocks);
  }

  /** A sequence is preempted; it may come back for the `full` leading blocks of its `blocks`. */
  preempt(id: number, blocks: number, full: number): void {
    this.kept.set(id, { entry: this.tail, full });
    this.append(id, blocks);
  }

  /** Leading full blocks of a preempted request that nobody has taken yet. */
  survivors(id: number): number {
    const kept = this.kept.get(id);
    return kept ? Math.min(kept.full, this.counts[kept.entry & (this.owners.length - 1)]) : 0;
  }

  /** A preempted request comes back and takes up `blocks` of its survivors; what else it left is nobody's now. */
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
    target.reset(0);
    for (let entry = this.head; entry < this.tail; entry++) {
      const at = entry & (this.owners.length - 1);
      const kept = this.kept.get(this.owners[at]);
      if (kept?.entry === entry) target.preempt(this.owners[at], this.counts[at], kept.full);
      else target.append(NOBODY, this.counts[at]);
    }
    target.usable = this.usable;
    target.free = this.free;
  }

  private append(owner: number, blocks: number): void {
    this.free += blocks;
    const last = (this.tail - 1) & (this.owners.length - 1);
    if (owner === NOBODY && this.tail > this.head && this.owners[last] === NOBODY) {
      this.counts[last] += blocks;
      return;
    }
    if (this.tail - this.head === this.owners.length) this.grow();
    const at = this.tail++ & (this.owners.length - 1);
    this.owners[at] = owner;
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
