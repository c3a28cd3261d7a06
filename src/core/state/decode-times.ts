/** What iterations of decodes alone take: asked of the model once for each number. */
import type { GapLog } from "./gap-log.js";

/**
 * What iterations of decodes alone take, by their number, where that is all there is to it: nothing grows and nothing
 * is random. The model is asked once for each number: until it has answered nobody knows which comes first, a
 * completion or an arrival, and its arithmetic is a long wait. Gaps as long as such an iteration are counted here, which
 * is nearly all of them, until somebody wants the log.
 */
export class DecodeTimes {
  /**
   * At 2n and 2n + 1, for n from 1 to `known`: the time of an iteration of n decodes, and the gaps of that length
   * that are not in the log: below 0 as long as a stretch is under way whose first gaps are counted already.
   */
  table = new Float64Array(128);
  known = 0;

  /** Forgets what it was told, and what was not put into the log. */
  clear(): void {
    this.known = 0;
  }

  /** Keeps what the model has said of a batch of decodes alone: one more than it knows of. */
  keep({ decodes, iterationTime }: { readonly decodes: number; readonly iterationTime: number }): void {
    if (2 * decodes === this.table.length) {
      const larger = new Float64Array(4 * decodes);
      larger.set(this.table);
      this.table = larger;
    }
    this.table[2 * decodes] = iterationTime;
    this.table[2 * decodes + 1] = 0;
    this.known = decodes;
  }

  /** Puts what was counted into the log. */
  pourInto(log: GapLog): void {
    const { table, known } = this;
    for (let at = 2; at <= 2 * known; at += 2) {
      if (table[at + 1] === 0) continue;
      log.add(table[at], table[at + 1]);
      table[at + 1] = 0;
    }
  }
}
