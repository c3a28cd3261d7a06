/**
 * The KV cache of one replica (vLLM V1): blocks of 16 tokens, one of which is the null block and never used.
 * Free blocks stand in one list: allocation takes from its head, freed blocks go to its tail, a request's last
 * block first. So the leading blocks of a preempted request survive longest, and it finds them when resumed.
 * Which block is which does not matter, only whose it was: the list holds (owner, blocks left).
 */

export const BLOCK = 16;
export const blocksFor = (tokens: number): number => Math.ceil(tokens / BLOCK);

export class Memory {
  readonly usable: number;
  /** Head first. `owner`: whose leading full blocks these are; null: worthless to everyone. */
  private readonly freeList: { owner: number | null; blocks: number }[];
  private readonly owned = new Map<number, number>();

  constructor(kvTokens: number | null) {
    this.usable = kvTokens === null ? Infinity : Math.max(0, Math.floor(kvTokens / BLOCK) - 1);
    this.freeList = [{ owner: null, blocks: this.usable }];
  }

  /** Free blocks, the survivors of preempted requests among them. */
  get free(): number {
    return this.freeList.reduce((sum, { blocks }) => sum + blocks, 0);
  }

  get used(): number {
    return [...this.owned.values()].reduce((sum, blocks) => sum + blocks, 0);
  }

  /** Whether the blocks that `id` lacks for so many tokens are free. */
  fits(id: number, tokens: number): boolean {
    return blocksFor(tokens) - (this.owned.get(id) ?? 0) <= this.free;
  }

  /** Gives `id` the blocks it lacks for so many tokens, from the head of the list. */
  grow(id: number, tokens: number): void {
    const had = this.owned.get(id) ?? 0;
    let lacks = Math.max(0, blocksFor(tokens) - had);
    this.owned.set(id, had + lacks);
    while (lacks > 0) {
      const head = this.freeList[0];
      if (head === undefined) throw new Error("oracle: no block is free");
      const taken = Math.min(lacks, head.blocks);
      head.blocks -= taken;
      lacks -= taken;
      if (head.blocks === 0) this.freeList.shift();
    }
  }

  /** Blocks of its own that a preempted request would find again. */
  survivors(id: number): number {
    return this.freeList.find(({ owner }) => owner === id)?.blocks ?? 0;
  }

  /** The first `blocks` survivors of `id`, wherever they stand, are its own again; any more are worthless. */
  reclaim(id: number, blocks: number): void {
    const entry = this.freeList.find(({ owner }) => owner === id);
    if (entry === undefined) return;
    this.owned.set(id, blocks);
    entry.blocks -= blocks;
    entry.owner = null;
    if (entry.blocks === 0) this.freeList.splice(this.freeList.indexOf(entry), 1);
  }

  /** A finished request's blocks: nobody will look for them. */
  release(id: number): void {
    this.push(null, this.owned.get(id) ?? 0);
    this.owned.delete(id);
  }

  /** A preempted request's blocks: the one that is not full first (worthless), then the full ones, last first. */
  preempt(id: number, computedTokens: number): void {
    const owned = this.owned.get(id) ?? 0;
    const full = Math.min(owned, Math.floor(computedTokens / BLOCK));
    this.push(null, owned - full);
    this.push(id, full);
    this.owned.delete(id);
  }

  private push(owner: number | null, blocks: number): void {
    if (blocks > 0) this.freeList.push({ owner, blocks });
  }
}
