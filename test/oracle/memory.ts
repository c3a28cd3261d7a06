/**
 * The KV cache of one replica (vLLM V1): blocks of some tokens, one of which is the null block and never used.
 * Free blocks stand in one list: allocation takes from its head, freed blocks go to its tail, a request's last
 * block first; from 2026-08 on those without identity go to its head instead. So the leading blocks of a preempted
 * request survive longest, and it finds them when resumed. Which block is which does not matter, only whose it was:
 * the list holds (owner, blocks left).
 */
import type { OracleInput } from "./interface.js";

/** What the settings make of the memory's rules. */
export interface MemoryRules {
  /** tokens of a block */
  block: number;
  /** whether blocks have identity: what was freed can be found again until it is taken */
  finds: boolean;
  /** whether the whole prompt must fit to be admitted */
  reserves: boolean;
  /** blocks that an admission leaves free while anybody runs */
  watermark: number;
  /** where freed blocks without identity go */
  emptyTo: "head" | "tail";
}

export function rulesOf({ engine, scheduler }: OracleInput): MemoryRules {
  const version = scheduler.kind === "vllm" ? (scheduler.version ?? "0.19") : "0.19";
  const { blockTokens: block = 16, prefixCaching, reservePrompt, watermark = 0, kvTokens } = engine;
  return {
    block,
    finds: prefixCaching !== false,
    reserves: reservePrompt ?? version !== "0.16",
    watermark: Math.floor((watermark * (kvTokens ?? 0)) / block),
    emptyTo: version === "2026-08" ? "head" : "tail",
  };
}

export class Memory {
  readonly usable: number;
  /** Head first. `owner`: whose leading full blocks these are; null: worthless to everyone. */
  private readonly freeList: { owner: number | null; blocks: number }[];
  private readonly owned = new Map<number, number>();

  constructor(
    kvTokens: number | null,
    readonly rules: MemoryRules,
  ) {
    this.usable = kvTokens === null ? Infinity : Math.max(0, Math.floor(kvTokens / rules.block) - 1);
    this.freeList = [{ owner: null, blocks: this.usable }];
  }

  blocksFor(tokens: number): number {
    return Math.ceil(tokens / this.rules.block);
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
    return this.blocksFor(tokens) - (this.owned.get(id) ?? 0) <= this.free;
  }

  /** Gives `id` the blocks it lacks for so many tokens, from the head of the list. */
  grow(id: number, tokens: number): void {
    const had = this.owned.get(id) ?? 0;
    let lacks = Math.max(0, this.blocksFor(tokens) - had);
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

  /** A finished request's blocks: nobody will look for them, though the full ones have identity. */
  release(id: number, registeredTokens: number): void {
    this.giveBack(id, null, registeredTokens);
  }

  /** A preempted request's blocks: the ones without identity first (worthless), then its own, last first. */
  preempt(id: number, registeredTokens: number): void {
    this.giveBack(id, id, registeredTokens);
  }

  private giveBack(id: number, owner: number | null, registeredTokens: number): void {
    const owned = this.owned.get(id) ?? 0;
    const full = this.rules.finds ? Math.min(owned, Math.floor(registeredTokens / this.rules.block)) : 0;
    if (owned > full) {
      const empty = { owner: null, blocks: owned - full };
      if (this.rules.emptyTo === "head") this.freeList.unshift(empty);
      else this.freeList.push(empty);
    }
    if (full > 0) this.freeList.push({ owner, blocks: full });
    this.owned.delete(id);
  }
}
