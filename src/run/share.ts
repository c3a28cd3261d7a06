/**
 * `--shard i/n`: the i-th of n shares of a command's tasks, for batch schedulers that start n processes which know
 * nothing of each other. Tasks are dealt like cards, in the order in which the command asks for them (dearest first
 * within a request): every task is in one share, and shares are about equally dear.
 */

/** One share of all tasks, and what has been dealt so far. */
export class Share {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  private dealt = 0;

  constructor(index: number, count: number) {
    this.index = index;
    this.count = count;
  }

  /** Whether the next task is in this share. */
  takes(): boolean {
    return this.dealt++ % this.count === this.index - 1;
  }

  /** Tasks of all shares, once the command is through. */
  get total(): number {
    return this.dealt;
  }

  toString(): string {
    return `${this.index}/${this.count}`;
  }
}

/** The share that a text like `2/8` names; undefined: none. */
export function shareOf(text: string): Share | undefined {
  const [, index, count] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  return Number(index) <= Number(count) ? new Share(Number(index), Number(count)) : undefined;
}
