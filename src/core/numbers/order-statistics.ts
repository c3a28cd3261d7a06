/** Percentiles of type 7 (Hyndman & Fan 1996; NumPy's default) from order statistics, however these are found. */

/** A sample that knows its order statistics. */
export interface Ranked {
  /** How many values there are: the sum of their weights. */
  readonly total: number;
  /** The value at a rank, counted from 0 in ascending order. Ranks are asked for in descending order. */
  valueAt(rank: number): number;
}

/**
 * Writes the percentiles `shares` (in [0, 1], ascending) to `into` from `at` on, by linear interpolation between
 * the neighbouring order statistics; NaN for an empty sample.
 */
export function percentiles(sample: Ranked, shares: readonly number[], into: Float64Array, at: number): void {
  const last = sample.total - 1;
  // In a small sample one percentile's neighbours may be the next one's as well.
  let low = -1;
  let lowValue = NaN;
  let highValue = NaN;
  for (let i = shares.length - 1; i >= 0; i--) {
    const position = last * shares[i];
    const rank = Math.floor(position);
    if (rank !== low && last >= 0) {
      const high = Math.min(rank + 1, last);
      highValue = high === low ? lowValue : sample.valueAt(high);
      lowValue = high === rank ? highValue : sample.valueAt(rank);
      low = rank;
    }
    into[at + i] = lowValue + (highValue - lowValue) * (position - rank);
  }
}
