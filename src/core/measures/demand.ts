/**
 * What the requests of a trial ask for, added up. Of those that are measured it comes with their times
 * (request-times.ts), which looks at their rows anyway.
 */
import type { Sequences } from "../state/sequences.js";

/** What some requests ask for, without those that were rejected. */
export interface Demand {
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** Requests with at least one output token. */
  readonly withOutput: number;
  /** Prompt tokens that the prefix cache held. */
  readonly hitTokens: number;
}

/** The demand of the warm-up: the first rows, each looked at once however many windows a trial has. */
export class WarmUpDemand implements Demand {
  promptTokens = 0;
  outputTokens = 0;
  withOutput = 0;
  hitTokens = 0;
  private rows = 0;

  /** Adds the rows up to `to`. */
  extend({ requests, finishedAt }: Sequences, to: number): void {
    const { promptTokens, outputTokens } = requests;
    for (; this.rows < to; this.rows++) {
      const row = this.rows;
      if (finishedAt[row] !== finishedAt[row]) continue;
      this.hitTokens += requests.hitTokens(row);
      this.promptTokens += promptTokens[row];
      this.outputTokens += outputTokens[row];
      if (outputTokens[row] > 0) this.withOutput++;
    }
  }
}
