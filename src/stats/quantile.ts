/**
 * Quantiles by linear interpolation of order statistics: type 7 of Hyndman & Fan (The American
 * Statistician 50, 1996), the default of NumPy and R, so that others get the same numbers from our data.
 */

/**
 * The p-quantile (p in [0, 1], clamped) of values already in ascending order, in their unit; NaN of none.
 * Interpolates at position (n - 1)p between the two nearest values and never leaves their range.
 */
export function quantileSorted(sorted: ArrayLike<number>, p: number): number {
  const last = sorted.length - 1;
  if (last < 0) return NaN;
  const position = Math.min(Math.max(p, 0), 1) * last;
  const index = Math.floor(position);
  const below = sorted[index];
  const above = sorted[Math.min(index + 1, last)];
  const share = position - index;
  return share === 0 ? below : Math.min(below + (above - below) * share, above);
}
