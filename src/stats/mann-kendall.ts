/**
 * The Mann-Kendall trend test (Mann, Econometrica 13, 1945; Kendall, Rank Correlation Methods, 1948).
 *
 * It is kept to show what it does not answer: a system that starts empty trends upward while it fills, so
 * on short runs this test calls most stable systems unstable. The stability verdict uses the drift test.
 */

import { normalCdf } from "../core/numbers/arithmetic.js";

/** Outcome of the test against "no trend". */
export interface Trend {
  /** Pairs that rise minus pairs that fall. */
  readonly s: number;
  /** Standard normal score of s with the continuity correction; 0 for fewer than two values. */
  readonly z: number;
  /** One-sided p value: the chance of such a rise when there is no trend. */
  readonly pUp: number;
}

/**
 * Tests a series for a monotone rise: z = (s - sign(s))/sqrt(n(n - 1)(2n + 5)/18). Ties count 0 in s (the
 * variance is not corrected for them: conservative). Values that are not finite are left out. O(n^2).
 */
export function mannKendall(series: readonly number[]): Trend {
  const values = series.filter(Number.isFinite);
  const n = values.length;
  let s = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) s += Number(values[j] > values[i]) - Number(values[j] < values[i]);
  }
  const sign = Number(s > 0) - Number(s < 0);
  const z = s === 0 ? 0 : (s - sign) / Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18);
  return { s, z, pUp: normalCdf(-z) };
}
