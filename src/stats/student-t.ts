/**
 * Student's t: distribution function and quantile, for honest intervals of few trials.
 *
 * Whole degrees of freedom have an exact finite series (Abramowitz & Stegun 26.7.3 and 26.7.4); it costs
 * df/2 terms, so large df use the expansion of G. W. Hill (Algorithm 395, CACM 13, 1970). The quantile is
 * a bisection on the distribution function: nothing to tune, and never less accurate than that function.
 */

import { atan, log1p, normalCdf } from "../core/numbers/arithmetic.js";
import { invariant } from "../core/errors.js";

/** From here on Hill's expansion is used: its absolute error is below 1e-18 there, the series' 1e-14. */
const LARGE_DF = 400;
/** Beyond this t the square overflows, and the tail is below 1e-150. */
const LARGE_T = 1e150;
const TWO_OVER_PI = 0.6366197723675814;

/**
 * P(T <= t) of Student's t with `df` degrees of freedom (a whole number, 1 or more).
 * Absolute error below 1e-14; NaN for t NaN. Throws an InvariantError for any other df.
 */
export function tCdf(t: number, df: number): number {
  invariant(Number.isInteger(df) && df >= 1, `degrees of freedom are whole and at least 1: ${df}`);
  if (t !== t) return NaN;
  if (Math.abs(t) > LARGE_T) return t > 0 ? 1 : 0;
  if (df > LARGE_DF) return normalCdf(hillDeviate(t, df));
  const within = df % 2 === 1 ? withinOdd(Math.abs(t), df) : withinEven(Math.abs(t), df);
  return t > 0 ? 0.5 + 0.5 * within : 0.5 - 0.5 * within;
}

/** P(|T| <= t) for odd df: 26.7.3, 2/pi (theta + sin(theta) (cos(theta) + 2/3 cos^3(theta) + ...)). */
function withinOdd(t: number, df: number): number {
  const root = Math.sqrt(df);
  const cosSquare = 1 / (1 + (t / root) * (t / root));
  let term = Math.sqrt(cosSquare);
  const sin = (t / root) * term;
  let sum = 0;
  for (let k = 1; k < df; k += 2) {
    sum += term;
    term *= (cosSquare * (k + 1)) / (k + 2);
  }
  return TWO_OVER_PI * (atan(t / root) + sin * sum);
}

/** P(|T| <= t) for even df: 26.7.4, sin(theta) (1 + 1/2 cos^2(theta) + 3/8 cos^4(theta) + ...). */
function withinEven(t: number, df: number): number {
  const root = Math.sqrt(df);
  const cosSquare = 1 / (1 + (t / root) * (t / root));
  let term = 1;
  let sum = 0;
  for (let k = 1; k < df; k += 2) {
    sum += term;
    term *= (cosSquare * k) / (k + 1);
  }
  return (t / root) * Math.sqrt(cosSquare) * sum;
}

/** The normal deviate with the same probability as t, for large df. */
function hillDeviate(t: number, df: number): number {
  const a = df - 0.5;
  const b = 48 * a * a;
  const y = a * log1p((t / df) * t);
  const correction = (((-0.4 * y - 3.3) * y - 24) * y - 85.5) / (0.8 * y * y + 100 + b) + y + 3;
  const z = (correction / b + 1) * Math.sqrt(y);
  return t < 0 ? -z : z;
}

/**
 * The t with tCdf(t, df) = p, by bisection to the last bit; -Infinity at p = 0 and Infinity at p = 1.
 * Relative error about 1e-15/min(p, 1 - p). Throws an InvariantError for p outside [0, 1].
 */
export function tQuantile(p: number, df: number): number {
  invariant(p >= 0 && p <= 1, `a probability lies in [0, 1]: ${p}`);
  if (p === 0.5) return 0;
  if (p < 0.5) return -tQuantile(1 - p, df);
  if (p === 1) return Infinity;
  let ofDf = quantiles.get(df);
  if (!ofDf) quantiles.set(df, (ofDf = new Map<number, number>()));
  let t = ofDf.get(p);
  if (t === undefined) ofDf.set(p, (t = bisected(p, df)));
  return t;
}

/** Quantiles found so far, by df and p: a table's intervals ask for the same one thousands of times. */
const quantiles = new Map<number, Map<number, number>>();

function bisected(p: number, df: number): number {
  let high = 1;
  while (tCdf(high, df) < p) high *= 2;
  let low = high === 1 ? 0 : high / 2;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    if (tCdf(middle, df) < p) low = middle;
    else high = middle;
  }
}
