/**
 * Exact order statistics and type-7 percentiles (Hyndman & Fan 1996; NumPy's default) of a sample that may
 * grow, without sorting it. Values stand in buckets of equal relative width, read off the bits of the double
 * (as HdrHistogram does), so that no bucket ever has to be rebuilt; each bucket counts and chains its values,
 * and only those in a bucket that holds a wanted rank are looked at.
 */
import { Selection } from "./selection.js";

/** Bits of the mantissa that tell buckets apart: 2^8 buckets for each doubling of the value. */
const MANTISSA_BITS = 8;
const SHIFT = 20 - MANTISSA_BITS;
/** Values below 1 share bucket 0, values from 2^54 on the last one. */
const FIRST = (0x3ff << MANTISSA_BITS) - 1;
const BUCKETS = (54 << MANTISSA_BITS) + 2;
/** Which of the two words of a double holds its exponent depends on the machine. */
const HIGH = Number(new Int32Array(Float64Array.of(1).buffer)[1] === 0x3ff00000);

/** Values in bucket and rank order are looked at by one selection at a time. */
const selection = new Selection();

export class Sample {
  /** Rows [0, count) are counted; the caller writes the next ones, makes room by `reserve`, then calls `extend`. */
  values = new Float64Array(0);
  /** Whole-number weights of the rows, where values have one; without them each counts once. */
  weights: Float64Array;
  count = 0;
  /** Sum of the weights. */
  total = 0;
  /** Sum of the values, each once, in the order of the rows. */
  sum = 0;
  private words = new Int32Array(0);
  /** The row before, in the same bucket. */
  private next = new Int32Array(0);
  /** Of each bucket the number of its rows and the last of them. */
  private readonly buckets = new Int32Array(2 * BUCKETS);
  /** Of each bucket the weight; without weights the numbers say it. */
  private readonly heaps: Float64Array;
  /** Every bucket in use is one of these. */
  private lowest = BUCKETS;
  private highest = 0;
  private readonly isWeighted: boolean;
  private markedCount = 0;
  private markedSum = 0;
  /** Where `percentiles` has got to: a bucket, and the ranks it holds. */
  private bucket = 0;
  private from = 0;
  private to = 0;

  constructor(options: { readonly weighted: boolean } = { weighted: false }) {
    this.isWeighted = options.weighted;
    this.weights = new Float64Array(0);
    this.heaps = new Float64Array(options.weighted ? BUCKETS : 0);
  }

  clear(): void {
    if (this.highest >= this.lowest) {
      this.buckets.fill(0, 2 * this.lowest, 2 * this.highest + 2);
      if (this.isWeighted) this.heaps.fill(0, this.lowest, this.highest + 1);
    }
    this.lowest = BUCKETS;
    this.highest = 0;
    this.count = this.total = this.sum = 0;
  }

  /** The mean of the values, each once; NaN for an empty sample. */
  get mean(): number {
    return this.sum / this.count;
  }

  /** Makes room for `rows` rows and keeps those that are there. */
  reserve(rows: number): void {
    if (this.values.length >= rows) return;
    const values = new Float64Array(rows);
    const next = new Int32Array(rows);
    values.set(this.values);
    next.set(this.next);
    this.values = values;
    this.next = next;
    this.words = new Int32Array(values.buffer);
    if (!this.isWeighted) return;
    const weights = new Float64Array(rows);
    weights.set(this.weights);
    this.weights = weights;
  }

  /** Counts the rows up to `count`, which have been written. */
  extend(count: number): void {
    const { values, words, next, buckets } = this;
    let { sum, lowest, highest } = this;
    for (let row = this.count; row < count; row++) {
      sum += values[row];
      const bucket = bucketAt(words, row);
      if (bucket < lowest) lowest = bucket;
      if (bucket > highest) highest = bucket;
      const at = 2 * bucket;
      next[row] = buckets[at + 1];
      buckets[at + 1] = row;
      buckets[at]++;
    }
    this.sum = sum;
    this.lowest = lowest;
    this.highest = highest;
    if (this.isWeighted) this.weigh(count);
    else this.total = count;
    this.count = count;
  }

  private weigh(count: number): void {
    const { words, weights, heaps } = this;
    for (let row = this.count; row < count; row++) {
      heaps[bucketAt(words, row)] += weights[row];
      this.total += weights[row];
    }
  }

  /** Everything counted so far stays; what is counted from here on goes with `release`. Without weights only. */
  mark(): void {
    this.markedCount = this.count;
    this.markedSum = this.sum;
  }

  /** Forgets what was counted since `mark`. */
  release(): void {
    const { words, next, buckets, markedCount } = this;
    for (let row = this.count - 1; row >= markedCount; row--) {
      const at = 2 * bucketAt(words, row);
      buckets[at + 1] = next[row];
      buckets[at]--;
    }
    this.count = this.total = markedCount;
    this.sum = this.markedSum;
  }

  /**
   * Writes the percentiles `shares` (in [0, 1], ascending) to `into` from `at` on, by linear interpolation
   * between the neighbouring order statistics; NaN for an empty sample.
   */
  percentiles(shares: readonly number[], into: Float64Array, at: number): void {
    const last = this.total - 1;
    this.bucket = this.lowest - 1;
    this.to = 0;
    let low = -1;
    let high = -1;
    let lowValue = NaN;
    let highValue = NaN;
    for (let i = 0; i < shares.length; i++) {
      const position = last * shares[i];
      const rank = Math.floor(position);
      // In a small sample one percentile's neighbours may be the next one's as well.
      if (rank !== low && last >= 0) {
        lowValue = rank === high ? highValue : this.valueAt(rank);
        low = rank;
        high = Math.min(rank + 1, last);
        highValue = high === low ? lowValue : this.valueAt(high);
      }
      into[at + i] = lowValue + (highValue - lowValue) * (position - rank);
    }
  }

  /** The value at a rank that is not below the one asked for before. */
  private valueAt(rank: number): number {
    const { buckets, heaps, isWeighted } = this;
    if (rank >= this.to) {
      let { bucket, to } = this;
      let from = to;
      while (to <= rank) {
        from = to;
        bucket++;
        to += isWeighted ? heaps[bucket] : buckets[2 * bucket];
      }
      this.bucket = bucket;
      this.from = from;
      this.to = to;
      this.select(bucket);
    }
    return selection.valueAt(rank - this.from);
  }

  /** Hands the rows of a bucket to the selection. */
  private select(bucket: number): void {
    const { values, weights, next, isWeighted } = this;
    const count = this.buckets[2 * bucket];
    selection.begin(count);
    let row = this.buckets[2 * bucket + 1];
    for (let i = 0; i < count; i++) {
      selection.values[i] = values[row];
      selection.weights[i] = isWeighted ? weights[row] : 1;
      row = next[row];
    }
  }
}

function bucketAt(words: Int32Array, row: number): number {
  const bucket = (words[2 * row + HIGH] >> SHIFT) - FIRST;
  return bucket < 0 ? 0 : bucket >= BUCKETS ? BUCKETS - 1 : bucket;
}
