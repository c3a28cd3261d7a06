/**
 * What the requests of a trial ask for, added up: the rows that have arrived, once each, so that a trial with
 * many windows goes over its requests once.
 */
import type { Sequences } from "./sequences.js";

/** Rows at a time: short loops that are called often are compiled once (request-times.ts). */
const BLOCK = 256;

/** What some rows ask for. All sums are whole numbers, far below 2^53: they do not depend on an order. */
export class Demand {
  promptTokens = 0;
  outputTokens = 0;
  /** Requests with at least one output token. */
  withOutput = 0;
  /** Prompt tokens that the prefix cache held. */
  hitTokens = 0;
  private rows: number;

  /** @param from the first row that counts */
  constructor(from: number) {
    this.rows = from;
  }

  /** Adds the rows up to `to`, but for requests that were turned away. */
  extend(sequences: Sequences, to: number): void {
    while (this.rows < to) this.extendBlock(sequences, Math.min(this.rows + BLOCK, to));
  }

  private extendBlock({ requests, finishedAt }: Sequences, to: number): void {
    const { promptTokens, outputTokens, prefixHitTokens } = requests;
    let prompt = 0;
    let output = 0;
    let withOutput = 0;
    let row = this.rows;
    for (; row < to; row++) {
      if (finishedAt[row] !== finishedAt[row]) continue;
      if (prefixHitTokens !== undefined) this.hitTokens += requests.hitTokens(row);
      prompt += promptTokens[row];
      output += outputTokens[row];
      if (outputTokens[row] > 0) withOutput++;
    }
    this.promptTokens += prompt;
    this.outputTokens += output;
    this.withOutput += withOutput;
    this.rows = row;
  }
}
