/**
 * The state of every sequence as a table of typed arrays, one row a request, and what each came to.
 * No objects per request: a row is reused from trial to trial.
 */
import type { Requests } from "./requests.js";

export class Sequences {
  requests: Requests;
  /** Prompt tokens that no composed batch has taken yet. */
  promptLeft = new Int32Array(0);
  /** Tokens left to decode when the sequence last joined the active decodes of its replica. */
  decodeLeft = new Int32Array(0);
  /** Composition of the first batch that held the request; NaN before. */
  startedAt = new Float64Array(0);
  /** Instant of output token 1; NaN when there is none (yet). */
  firstTokenAt = new Float64Array(0);
  /** Instant of the last token before the sequence joined the active decodes; NaN when it had none. */
  lastTokenAt = new Float64Array(0);
  /** Instant of completion; NaN before. */
  finishedAt = new Float64Array(0);

  constructor(requests: Requests) {
    this.requests = requests;
  }

  /** Puts every request at its beginning. */
  reset(requests: Requests): void {
    this.requests = requests;
    const { count } = requests;
    if (this.promptLeft.length < count) {
      const rows = requests.arrivedAt.length;
      this.promptLeft = new Int32Array(rows);
      this.decodeLeft = new Int32Array(rows);
      this.startedAt = new Float64Array(rows);
      this.firstTokenAt = new Float64Array(rows);
      this.lastTokenAt = new Float64Array(rows);
      this.finishedAt = new Float64Array(rows);
    }
    this.promptLeft.set(requests.promptTokens.subarray(0, count));
    this.startedAt.fill(NaN, 0, count);
    this.firstTokenAt.fill(NaN, 0, count);
    this.lastTokenAt.fill(NaN, 0, count);
    this.finishedAt.fill(NaN, 0, count);
  }
}
