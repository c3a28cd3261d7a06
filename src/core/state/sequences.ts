/**
 * The state of every sequence as a table of typed arrays, one row a request, and what each came to.
 * No objects per request: a row is reused from trial to trial.
 */
import type { Requests } from "../workload/requests.js";

/** A longer column that begins as the given one. */
function longer<C extends Int32Array | Float64Array>(column: C, larger: C): C {
  larger.set(column);
  return larger;
}

export class Sequences {
  requests: Requests;
  /**
   * Prompt tokens that no composed batch has taken yet; for a preempted request all that is to be recomputed,
   * its outputs so far included.
   */
  promptLeft = new Int32Array(0);
  /** Output tokens still to come, counted when the sequence last joined or left the active decodes. */
  decodeLeft = new Int32Array(0);
  /** Place in its replica's decode order, once its prefill has ended. */
  place = new Int32Array(0);
  /** Rank of its latest admission on its replica; later is larger. */
  admission = new Int32Array(0);
  /** Composition of the first batch that held the request. */
  startedAt = new Float64Array(0);
  /** Instant of output token 1; NaN when there is no output. */
  firstTokenAt = new Float64Array(0);
  /** Instant of completion; in a sequence's life, of its last token so far (`lastTokenAt`). */
  finishedAt = new Float64Array(0);
  /** Largest gap so far between two of its tokens, in ns; null unless somebody asks for it (`trackGaps`). */
  largestGap: Float64Array | null = null;
  /** How often each was preempted; null unless memory is limited (`trackMemory`). */
  preemptions: Int32Array | null = null;
  /** Where memory is limited: the decode clock when the sequence last left the active decodes. */
  tickedAt = new Int32Array(0);
  /** Where that is tracked: which of its replica's iterations was its first tick since it became active. */
  firstTick = new Float64Array(0);

  constructor(requests: Requests) {
    this.requests = requests;
  }

  /**
   * Makes room for the requests, and puts all that are there as they will arrive: at once, as a copy of a column costs
   * nothing. The rest of a row is written when its request starts, emits and ends, so nothing has to be cleared: what
   * stands there before its time is of no meaning.
   */
  reset(requests: Requests): void {
    this.requests = requests;
    const { count, promptTokens, outputTokens } = requests;
    if (this.promptLeft.length < count) {
      const rows = requests.arrivedAt.length;
      this.promptLeft = new Int32Array(rows);
      this.decodeLeft = new Int32Array(rows);
      this.place = new Int32Array(rows);
      this.admission = new Int32Array(rows);
      this.startedAt = new Float64Array(rows);
      this.firstTokenAt = new Float64Array(rows);
      this.finishedAt = new Float64Array(rows);
    }
    this.promptLeft.set(promptTokens.subarray(0, count));
    this.decodeLeft.set(outputTokens.subarray(0, count));
    if (requests.prefixHitTokens)
      for (let id = 0; id < count; id++) this.promptLeft[id] -= requests.hitTokens(id);
  }

  /**
   * Instant of the last token before the sequence joined the active decodes; NaN when it had none. A sequence
   * completes with its last token, so that one column holds both: a tenth of a trial's memory.
   */
  get lastTokenAt(): Float64Array {
    return this.finishedAt;
  }

  /** Makes room for a request more, of a closed loop, and keeps the rows that are there. */
  extend(): void {
    const rows = this.requests.arrivedAt.length;
    if (this.promptLeft.length >= this.requests.count) return;
    this.promptLeft = longer(this.promptLeft, new Int32Array(rows));
    this.decodeLeft = longer(this.decodeLeft, new Int32Array(rows));
    this.place = longer(this.place, new Int32Array(rows));
    this.admission = longer(this.admission, new Int32Array(rows));
    this.startedAt = longer(this.startedAt, new Float64Array(rows));
    this.firstTokenAt = longer(this.firstTokenAt, new Float64Array(rows));
    this.finishedAt = longer(this.finishedAt, new Float64Array(rows));
    this.firstTick = longer(this.firstTick, new Float64Array(rows));
    if (this.largestGap !== null) this.largestGap = longer(this.largestGap, new Float64Array(rows));
    if (this.preemptions === null) return;
    this.preemptions = longer(this.preemptions, new Int32Array(rows));
    this.tickedAt = longer(this.tickedAt, new Int32Array(rows));
  }

  /** Whether the largest gap of each request is wanted; to be said after `reset`. */
  trackGaps(wanted: boolean): void {
    const rows = this.promptLeft.length;
    if (!wanted) this.largestGap = null;
    else if (this.largestGap === null || this.largestGap.length < rows) {
      this.largestGap = new Float64Array(rows);
      this.firstTick = new Float64Array(rows);
    } else this.largestGap.fill(0);
  }

  /** Whether a KV memory is limited, so that sequences may be preempted; to be said after `reset`. */
  trackMemory(isLimited: boolean): void {
    if (!isLimited) this.preemptions = null;
    else if (this.preemptions === null || this.preemptions.length < this.promptLeft.length) {
      this.preemptions = new Int32Array(this.promptLeft.length);
      this.tickedAt = new Int32Array(this.promptLeft.length);
    } else this.preemptions.fill(0);
  }

  /** A request is as it arrives (again): all of its prompt is to be computed, and all of its output. */
  arrive(id: number): void {
    this.promptLeft[id] = this.requests.promptTokens[id] - this.requests.hitTokens(id);
    this.decodeLeft[id] = this.requests.outputTokens[id];
    if (this.largestGap !== null) this.largestGap[id] = 0;
    if (this.preemptions !== null) this.preemptions[id] = 0;
  }

  /** Prompt tokens and outputs so far: what a prefill of this request computes in all. */
  known(id: number): number {
    const { promptTokens, outputTokens } = this.requests;
    return promptTokens[id] + outputTokens[id] - this.decodeLeft[id];
  }
}
