/** One of the four times of requests as a sample: the order statistics of what stands in its buckets. */
import { percentiles, type Ranked } from "../numbers/order-statistics.js";
import { Selection } from "../numbers/selection.js";

/** Looks at one bucket at a time. */
const selection = new Selection();

/** What it reads of the table that all four samples share (request-times.ts). */
export interface TimesTable {
  /** Buckets of one sample. */
  readonly buckets: number;
  /** By sample and bucket: its last row, and how many it has. */
  readonly table: Int32Array;
  /** By row and sample: the row before, in the same bucket. */
  readonly links: Int32Array;
  /** The sums of the times, by sample. */
  readonly sums: Float64Array;
  /** The bucket above which there is none with a value. */
  readonly lastBucket: number;
  bucketOf(value: number): number;
  /** A time of a row that has one. */
  valueOf(row: number, time: number): number;
}

export class TimeSample implements Ranked {
  /** Which time it is, counted from 0. */
  readonly time: number;
  total = 0;
  private readonly times: TimesTable;
  private markedTotal = 0;
  /** Where `valueAt` has got to: a bucket, and the first rank it holds. */
  private bucket = 0;
  private from = 0;

  constructor(times: TimesTable, time: number) {
    this.times = times;
    this.time = time;
  }

  /** Where its buckets begin in the table. */
  get base(): number {
    return 2 * this.time * this.times.buckets;
  }

  /** The sum of the values, in the order of rows. */
  get sum(): number {
    return this.times.sums[this.time];
  }

  /** NaN for an empty sample. */
  get mean(): number {
    return this.sum / this.total;
  }

  clear(): void {
    const { times, base, total } = this;
    const { table } = times;
    let left = total - table[base + 1];
    table[base + 1] = 0;
    for (let at = base + 2 * times.lastBucket + 1; left > 0; at -= 2) {
      left -= table[at];
      table[at] = 0;
    }
    this.total = this.markedTotal = 0;
  }

  mark(): void {
    this.markedTotal = this.total;
  }

  /** Back to what it was at `mark`; buckets and sum are the caller's. */
  reset(): void {
    this.total = this.markedTotal;
  }

  /** As `percentiles`. */
  percentiles(shares: readonly number[], into: Float64Array, at: number): void {
    const { times } = this;
    this.bucket = times.lastBucket + 1;
    this.from = this.total;
    percentiles(this, shares, into, at);
  }

  /** How many values are above a limit, or at it: whole buckets but for the limit's own. */
  countAbove(limit: number, orEqual: boolean): number {
    const { times, base, time } = this;
    const { table, links } = times;
    const own = times.bucketOf(limit);
    let count = 0;
    for (let bucket = times.lastBucket; bucket > own; bucket--) count += table[base + 2 * bucket + 1];
    const at = base + 2 * own;
    for (let left = table[at + 1], row = table[at]; left > 0; left--, row = links[4 * row + time]) {
      const value = times.valueOf(row, time);
      if (value > limit || (orEqual && value === limit)) count++;
    }
    return count;
  }

  /** Ranks come in descending order. */
  valueAt(rank: number): number {
    if (rank < this.times.table[this.base + 1]) return 0;
    if (rank < this.from) this.goTo(rank);
    return selection.valueAt(rank - this.from);
  }

  /** Goes down to the bucket that holds a rank, and hands its values to the selection. */
  private goTo(rank: number): void {
    const { times, time, base } = this;
    const { table, links } = times;
    let { bucket, from } = this;
    while (from > rank) from -= table[base + 2 * --bucket + 1];
    this.bucket = bucket;
    this.from = from;
    const at = base + 2 * bucket;
    const count = table[at + 1];
    selection.reserve(count);
    const { values, weights } = selection;
    for (let i = 0, row = table[at]; i < count; i++, row = links[4 * row + time]) {
      values[i] = times.valueOf(row, time);
      weights[i] = 1;
    }
    selection.ready(count, count);
  }
}
