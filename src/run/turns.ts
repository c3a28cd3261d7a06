/**
 * Turns at something that a few may do at once: who asks first comes first. Who waits can be sent away, which those
 * who have begun cannot.
 */
export class Turns {
  private readonly waiting: { readonly go: () => void; readonly leave: (reason: unknown) => void }[] = [];
  private taken = 0;
  private most: number;

  /** @param most how many may be at it at once, at least 1 */
  constructor(most: number) {
    this.most = most;
  }

  /** Does `work` when it is its turn; rejects, without having begun, when it is sent away. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.taken >= this.most || this.waiting.length > 0)
      await new Promise<void>((go, leave) => this.waiting.push({ go, leave }));
    else this.taken++;
    try {
      return await work();
    } finally {
      this.taken--;
      this.next();
    }
  }

  /** Sends all away who wait. */
  sendAway(reason: unknown): void {
    for (const { leave } of this.waiting.splice(0)) leave(reason);
  }

  private next(): void {
    while (this.taken < this.most && this.waiting.length > 0) {
      this.taken++;
      this.waiting.shift()!.go();
    }
  }
}
