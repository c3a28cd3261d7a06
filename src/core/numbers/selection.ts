/**
 * Order statistics of some weighted values, without sorting them all: a counting pass into equal buckets between
 * the least and the largest, then only the bucket that holds the rank is kept, and so on until few values are
 * left, which are sorted by insertion (Hoare's FIND with many pivots instead of one).
 */
import type { Ranked } from "./order-statistics.js";

/** So many values or fewer are sorted by insertion. */
const FEW = 16;
const BUCKETS = 128;

/** The weight of some values by equal buckets between the least and the largest. */
class Spread {
  readonly heaps = new Float64Array(BUCKETS);
  /** All values are the same: there is nothing to spread. */
  isFlat = false;
  private min = 0;
  private scale = 0;

  count(values: Float64Array, weights: Float64Array, count: number): void {
    const { heaps } = this;
    let min = values[0];
    let max = min;
    for (let i = 1; i < count; i++) {
      const value = values[i];
      if (value < min) min = value;
      else if (value > max) max = value;
    }
    this.isFlat = min === max;
    if (this.isFlat) return;
    // Any map that does not decrease is right; this one sends max to the last bucket.
    const scale = (BUCKETS - 0.5) / (max - min);
    heaps.fill(0);
    for (let i = 0; i < count; i++) heaps[((values[i] - min) * scale) | 0] += weights[i];
    this.min = min;
    this.scale = scale;
  }

  bucketOf(value: number): number {
    return ((value - this.min) * this.scale) | 0;
  }
}

export class Selection implements Ranked {
  total = 0;
  /** What is selected from: the caller makes room, writes the rows [0, count), and says so by `ready`. */
  values = new Float64Array(0);
  weights = new Float64Array(0);
  private count = 0;
  private readonly outer = new Spread();
  private readonly inner = new Spread();
  /** The values around the rank asked for last, sorted; their ranks are [from, to). */
  private near = new Float64Array(0);
  private nearWeights = new Float64Array(0);
  private from = 0;
  private to = 0;

  /** Makes room for `count` values. */
  reserve(count: number): void {
    if (this.values.length >= count) return;
    const capacity = Math.max(256, count * 2);
    this.values = new Float64Array(capacity);
    this.weights = new Float64Array(capacity);
    this.near = new Float64Array(capacity);
    this.nearWeights = new Float64Array(capacity);
  }

  /** The values stand there, each with a whole number as its weight; `total` is the sum of these. */
  ready(count: number, total: number): void {
    this.count = count;
    this.total = total;
    this.from = this.to = 0;
    if (count > FEW) this.outer.count(this.values, this.weights, count);
  }

  valueAt(rank: number): number {
    if (rank < this.from || rank >= this.to) this.narrow(rank);
    const { near, nearWeights } = this;
    let i = 0;
    for (let reached = this.from + nearWeights[0]; reached <= rank; reached += nearWeights[i]) i++;
    return near[i];
  }

  /** Finds the values around a rank. */
  private narrow(rank: number): void {
    const { near, nearWeights } = this;
    let { values, weights, count, total: weight } = this;
    let spread = this.outer;
    let below = 0;
    while (count > FEW && !spread.isFlat) {
      const { heaps } = spread;
      let wanted = 0;
      for (; below + heaps[wanted] <= rank; wanted++) below += heaps[wanted];
      weight = heaps[wanted];
      let kept = 0;
      for (let i = 0; i < count; i++) {
        if (spread.bucketOf(values[i]) !== wanted) continue;
        near[kept] = values[i];
        nearWeights[kept++] = weights[i];
      }
      values = near;
      weights = nearWeights;
      // Too close together for the arithmetic to tell them apart.
      if (kept === count) break;
      count = kept;
      spread = this.inner;
      if (count > FEW) spread.count(near, nearWeights, count);
    }
    if (count > FEW && spread.isFlat) {
      near[0] = values[0];
      nearWeights[0] = weight;
    } else this.sort(values, weights, count);
    this.from = below;
    this.to = below + weight;
  }

  /** Sorts `count` values into `near`, which may be where they stand. */
  private sort(values: Float64Array, weights: Float64Array, count: number): void {
    const { near, nearWeights } = this;
    for (let i = 0; i < count; i++) {
      const value = values[i];
      const weight = weights[i];
      let hole = i;
      for (; hole > 0 && near[hole - 1] > value; hole--) {
        near[hole] = near[hole - 1]!;
        nearWeights[hole] = nearWeights[hole - 1]!;
      }
      near[hole] = value;
      nearWeights[hole] = weight;
    }
  }
}
