/**
 * The four times of each request (model §4): their sums and their order statistics, of rows that are added, and may
 * be taken back, without a copy of the values and without sorting them.
 *
 * Values stand in buckets of equal relative width, read off the bits of the double (as HdrHistogram does), so that
 * no bucket ever has to be rebuilt. A bucket counts its rows and chains them; for a percentile the sizes are added
 * up to the bucket that holds the rank, and only its values are looked at. One loop does all four times, because
 * reading a column costs more than anything done with it.
 *
 * Rows come in the order of ids: a sum beyond 2^53 ns is rounded, and in one order it has the same bits in every
 * window.
 */
import type { Demand } from "./demand.js";
import type { Sequences } from "../state/sequences.js";
import { TimeSample } from "./time-sample.js";

/** Bits of the mantissa that tell buckets apart: with many rows more, so that a bucket holds some hundreds at most. */
const BITS = 7;
const BITS_OF_MANY = 10;
const MANY_ROWS = 200_000;
/** Bits of the mantissa in the high word of a double, below the exponent. */
const MANTISSA = 20;
/** Rows that one call adds or takes back. */
const BLOCK = 256;
/** The high word of 2^54: the clock ends before. */
const END_WORD = 0x43500000;

/** The times of one row, each seen as two words; which of these is the high one depends on the machine. */
const VALUES = new Float64Array(4);
const WORDS = new Int32Array(VALUES.buffer);
VALUES[0] = 1;
const HIGH = Number(WORDS[1] === 0x3ff00000);

const TTFT = 0;
const TBT = 1;
const RTS = 2;
const DELAY = 3;
/** A bucket has two places in the table: the even one is its first. */
const EVEN = ~1;
/** Behind the four sums. */
const PROMPT_TOKENS = 4;
const OUTPUT_TOKENS = 5;
const HIT_TOKENS = 6;
const LONGEST = 7;

export class RequestTimes {
  readonly ttft = new TimeSample(this, TTFT);
  readonly tbt = new TimeSample(this, TBT);
  readonly rts = new TimeSample(this, RTS);
  readonly delay = new TimeSample(this, DELAY);
  private readonly samples = [this.ttft, this.tbt, this.rts, this.delay] as const;
  sequences!: Sequences;
  /** The TBT of a request divides by its output tokens less this. */
  perGap = 0;
  /** A bucket is the high word of its values, shifted. */
  shift = 0;
  /** Buckets of one sample. */
  buckets = 0;
  /**
   * The sums of the four times, in the order of rows, and of what the rows ask for; last the longest response time
   * since the beginning.
   */
  readonly sums = new Float64Array(8);
  private readonly marked = new Float64Array(LONGEST);
  /** By sample and bucket: its last row, and how many it has. What is never touched costs no memory. */
  table = new Int32Array(0);
  /** By row and sample: the row before, in the same bucket. */
  links = new Int32Array(0);

  /** Empties the samples, for rows of these sequences; `perGap`: see above. */
  begin(sequences: Sequences, perGap: number): void {
    const rows = sequences.requests.count;
    for (const sample of this.samples) sample.clear();
    this.sums.fill(0);
    this.marked.fill(0);
    this.sequences = sequences;
    this.perGap = perGap;
    const shift = MANTISSA - (rows < MANY_ROWS ? BITS : BITS_OF_MANY);
    if (shift !== this.shift) {
      this.shift = shift;
      this.buckets = END_WORD >>> shift;
      this.table = new Int32Array(2 * this.samples.length * this.buckets);
    }
    if (this.links.length < 4 * rows) this.links = new Int32Array(4 * rows);
  }

  /** Adds the rows [from, to), which follow those that are there. */
  add(from: number, to: number): void {
    if (to <= from) return;
    if (this.links.length < 4 * to) {
      // Rows of a closed loop come while the trial runs.
      const links = new Int32Array(8 * to);
      links.set(this.links);
      this.links = links;
    }
    for (let row = from; row < to; row += BLOCK) this.addBlock(row, Math.min(row + BLOCK, to));
  }

  // One loop for all four times: reading a column costs more than what is done with it (see above).
  // eslint-disable-next-line max-lines-per-function
  private addBlock(from: number, to: number): void {
    const { table, links, shift, perGap, sums, ttft, tbt, rts, delay } = this;
    const { startedAt, firstTokenAt, finishedAt, requests } = this.sequences;
    const { arrivedAt, promptTokens, outputTokens, prefixHitTokens } = requests;
    const tbtBase = tbt.base;
    const rtsBase = rts.base;
    const delayBase = delay.base;
    let ttftSum = sums[TTFT];
    let tbtSum = sums[TBT];
    let rtsSum = sums[RTS];
    let delaySum = sums[DELAY];
    let longest = sums[LONGEST];
    let prompts = 0;
    let outputs = 0;
    let withToken = 0;
    let withGap = 0;
    let turnedAway = 0;
    const half = shift - 1;
    for (let row = from; row < to; row++) {
      const arrival = arrivedAt[row];
      const finish = finishedAt[row];
      const output = outputTokens[row];
      const link = 4 * row;
      if (finish !== finish) {
        turnedAway++;
        continue;
      }
      prompts += promptTokens[row];
      outputs += output;
      if (prefixHitTokens !== undefined) sums[HIT_TOKENS] += requests.hitTokens(row);

      const response = finish - arrival;
      VALUES[RTS] = response;
      rtsSum += response;
      if (response > longest) longest = response;
      let word = WORDS[2 * RTS + HIGH];
      let at = rtsBase + ((word >> half) & EVEN);
      links[link + RTS] = table[at];
      table[at] = row;
      table[at + 1]++;

      const wait = startedAt[row] - arrival;
      VALUES[DELAY] = wait;
      delaySum += wait;
      word = WORDS[2 * DELAY + HIGH];
      at = delayBase + ((word >> half) & EVEN);
      links[link + DELAY] = table[at];
      table[at] = row;
      table[at + 1]++;

      if (output === 0) continue;
      withToken++;
      const first = firstTokenAt[row];
      const toFirst = first - arrival;
      VALUES[TTFT] = toFirst;
      ttftSum += toFirst;
      word = WORDS[2 * TTFT + HIGH];
      at = (word >> half) & EVEN;
      links[link + TTFT] = table[at];
      table[at] = row;
      table[at + 1]++;

      if (output <= perGap) continue;
      withGap++;
      const between = (finish - first) / (output - perGap);
      VALUES[TBT] = between;
      tbtSum += between;
      word = WORDS[2 * TBT + HIGH];
      at = tbtBase + ((word >> half) & EVEN);
      links[link + TBT] = table[at];
      table[at] = row;
      table[at + 1]++;
    }
    sums[TTFT] = ttftSum;
    sums[TBT] = tbtSum;
    sums[RTS] = rtsSum;
    sums[DELAY] = delaySum;
    sums[LONGEST] = longest;
    sums[PROMPT_TOKENS] += prompts;
    sums[OUTPUT_TOKENS] += outputs;
    ttft.total += withToken;
    tbt.total += withGap;
    rts.total += to - from - turnedAway;
    delay.total += to - from - turnedAway;
  }

  /** Keeps sums and totals as they are, for `remove`. */
  mark(): void {
    for (const sample of this.samples) sample.mark();
    for (let i = 0; i < LONGEST; i++) this.marked[i] = this.sums[i];
  }

  /** Takes back the rows [from, to), which were added last, after `mark`; their times are still what they were. */
  remove(from: number, to: number): void {
    for (let end = to; end > from; end -= BLOCK) this.removeBlock(Math.max(end - BLOCK, from), end);
    for (const sample of this.samples) sample.reset();
    this.sums.set(this.marked);
  }

  /** What the rows ask for. All sums are whole numbers, far below 2^53: they do not depend on an order. */
  get demand(): Demand {
    const { sums, ttft } = this;
    return {
      promptTokens: sums[PROMPT_TOKENS],
      outputTokens: sums[OUTPUT_TOKENS],
      withOutput: ttft.total,
      hitTokens: sums[HIT_TOKENS],
    };
  }

  /** The last row goes first: what it was chained to is the bucket's last again. */
  private removeBlock(from: number, to: number): void {
    const { table, links, shift, perGap, tbt, rts, delay } = this;
    const { startedAt, firstTokenAt, finishedAt, requests } = this.sequences;
    const { arrivedAt, outputTokens } = requests;
    const tbtBase = tbt.base;
    const rtsBase = rts.base;
    const delayBase = delay.base;
    for (let row = to - 1; row >= from; row--) {
      const arrival = arrivedAt[row];
      const finish = finishedAt[row];
      const output = outputTokens[row];
      const link = 4 * row;
      if (finish !== finish) continue;

      VALUES[RTS] = finish - arrival;
      let at = rtsBase + 2 * (WORDS[2 * RTS + HIGH] >>> shift);
      table[at] = links[link + RTS];
      table[at + 1]--;

      VALUES[DELAY] = startedAt[row] - arrival;
      at = delayBase + 2 * (WORDS[2 * DELAY + HIGH] >>> shift);
      table[at] = links[link + DELAY];
      table[at + 1]--;

      if (output === 0) continue;
      VALUES[TTFT] = firstTokenAt[row] - arrival;
      at = 2 * (WORDS[2 * TTFT + HIGH] >>> shift);
      table[at] = links[link + TTFT];
      table[at + 1]--;

      if (output <= perGap) continue;
      VALUES[TBT] = (finish - firstTokenAt[row]) / (output - perGap);
      at = tbtBase + 2 * (WORDS[2 * TBT + HIGH] >>> shift);
      table[at] = links[link + TBT];
      table[at + 1]--;
    }
  }

  /** The bucket above which there is none with a value. */
  get lastBucket(): number {
    return this.bucketOf(this.sums[LONGEST]);
  }

  /** The bucket of a value. */
  bucketOf(value: number): number {
    VALUES[0] = value;
    return WORDS[HIGH] >>> this.shift;
  }

  /** A time of a row that has one. */
  valueOf(row: number, time: number): number {
    const { startedAt, firstTokenAt, finishedAt, requests } = this.sequences;
    if (time === RTS) return finishedAt[row] - requests.arrivedAt[row];
    if (time === DELAY) return startedAt[row] - requests.arrivedAt[row];
    if (time === TTFT) return firstTokenAt[row] - requests.arrivedAt[row];
    return (finishedAt[row] - firstTokenAt[row]) / (requests.outputTokens[row] - this.perGap);
  }
}
