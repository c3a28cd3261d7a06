/**
 * The k-th smallest of a few hundred weighted values, without sorting them all: a counting pass into equal
 * buckets between the least and the largest, then only the bucket that holds the rank is kept, until few
 * values are left and insertion sorts those (Hoare's FIND with many pivots instead of one).
 */

/** So many values or fewer are sorted by insertion. */
const FEW = 24;
const BUCKETS = 128;

export class Selection {
  /** What is selected from, as it was given: rows [0, count). */
  values = new Float64Array(256);
  weights = new Float64Array(256);
  private count = 0;
  /** The values around the rank asked for last, sorted; their weights reach from `from` to `to`. */
  private near = new Float64Array(256);
  private nearWeights = new Float64Array(256);
  private from = 0;
  private to = 0;
  private readonly heaps = new Float64Array(BUCKETS);

  /** Makes room for `count` values with their weights, which the caller then writes. */
  begin(count: number): void {
    if (this.values.length < count) {
      const capacity = count * 2;
      this.values = new Float64Array(capacity);
      this.weights = new Float64Array(capacity);
      this.near = new Float64Array(capacity);
      this.nearWeights = new Float64Array(capacity);
    }
    this.count = count;
    this.from = this.to = 0;
  }

  /** The value at `rank`: of each value as many copies as it weighs, in ascending order, counted from 0. */
  valueAt(rank: number): number {
    if (rank < this.from || rank >= this.to) this.narrow(rank);
    const { near, nearWeights } = this;
    let i = 0;
    for (let reached = this.from + nearWeights[0]; reached <= rank; reached += nearWeights[i]) i++;
    return near[i];
  }

  private narrow(rank: number): void {
    const { near, nearWeights, heaps } = this;
    let { values, weights, count } = this;
    let below = 0;
    while (count > FEW) {
      let min = values[0];
      let max = min;
      for (let i = 1; i < count; i++) {
        const value = values[i];
        if (value < min) min = value;
        else if (value > max) max = value;
      }
      if (min === max) break;
      heaps.fill(0);
      // Any increasing map of values to buckets is right; this one sends max to the last.
      const scale = (BUCKETS - 0.5) / (max - min);
      for (let i = 0; i < count; i++) heaps[((values[i] - min) * scale) | 0] += weights[i];
      let wanted = 0;
      for (; below + heaps[wanted] <= rank; wanted++) below += heaps[wanted];
      let kept = 0;
      for (let i = 0; i < count; i++) {
        if ((((values[i] - min) * scale) | 0) !== wanted) continue;
        near[kept] = values[i];
        nearWeights[kept++] = weights[i];
      }
      const isStuck = kept === count;
      count = kept;
      values = near;
      weights = nearWeights;
      if (isStuck) break;
    }
    this.sort(values, weights, count);
    this.from = this.to = below;
    for (let i = 0; i < count; i++) this.to += nearWeights[i];
  }

  /** Sorts the first `count` values into `near`, which may be where they stand. */
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
