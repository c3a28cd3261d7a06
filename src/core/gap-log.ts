/**
 * Inter-token latencies, pooled over requests: values with weights. A stretch of equal iterations in which n
 * sequences decode adds one entry, not n entries an iteration; the log is a multiset, so merging equal values
 * changes nothing.
 */
export class GapLog {
  gap = new Float64Array(1024);
  weight = new Float64Array(1024);
  /** Entries used. */
  count = 0;
  /** Sum of the weights: the number of ITLs. */
  total = 0;

  clear(): void {
    this.count = 0;
    this.total = 0;
  }

  /** `weight` gaps of `gap` ns; a weight of 0 adds nothing. */
  add(gap: number, weight: number): void {
    if (weight === 0) return;
    if (this.count === this.gap.length) this.grow();
    this.gap[this.count] = gap;
    this.weight[this.count++] = weight;
    this.total += weight;
  }

  /** Forgets everything after the first `count` entries, which weigh `total`. */
  truncate(count: number, total: number): void {
    this.count = count;
    this.total = total;
  }

  private grow(): void {
    const gap = new Float64Array(this.count * 2);
    const weight = new Float64Array(this.count * 2);
    gap.set(this.gap);
    weight.set(this.weight);
    this.gap = gap;
    this.weight = weight;
  }
}
