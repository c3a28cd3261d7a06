/**
 * Control variates: what is known to have mean zero explains part of a measurement's noise, and is taken out of
 * it by regression (Lavenberg & Welch, Management Science 27, 1981). The estimate is the intercept.
 */
import { invariant } from "../core/errors.js";

export interface Adjusted {
  /** The mean at controls of zero. */
  readonly mean: number;
  readonly standardError: number;
  /** Degrees of freedom: observations − controls − 1. */
  readonly df: number;
}

/** A pivot below this share of its column's own square sum: the control says nothing that others do not. */
const SINGULAR = 1e-12;

/**
 * The mean of `values`, adjusted for controls that each have mean zero, one value an observation. Controls that
 * do not vary or repeat each other are left out.
 */
export function adjustedMean(values: readonly number[], controls: readonly ArrayLike<number>[]): Adjusted {
  const n = values.length;
  invariant(n > controls.length + 1, `${n} observations cannot carry ${controls.length} controls`);
  const meanOf = (column: ArrayLike<number>): number =>
    Array.from(column).reduce((sum, value) => sum + value, 0) / n;
  const means = controls.map(meanOf);
  const mean = meanOf(values);
  const centred = (column: ArrayLike<number>, at: number): number[] =>
    Array.from(column, (value) => value - at);
  const y = centred(values, mean);

  // Gram–Schmidt: each control's part that the earlier ones do not explain, with its own mean carried along.
  const parts: { readonly column: number[]; readonly mean: number; readonly square: number }[] = [];
  controls.forEach((control, i) => {
    let column = centred(control, means[i]);
    let rest = means[i];
    const whole = dot(column, column);
    for (const part of parts) {
      const share = dot(column, part.column) / part.square;
      column = column.map((value, k) => value - share * part.column[k]);
      rest -= share * part.mean;
    }
    const square = dot(column, column);
    if (square > SINGULAR * whole) parts.push({ column, mean: rest, square });
  });

  let adjusted = mean;
  let residual = dot(y, y);
  let leverage = 1 / n;
  for (const { column, mean: at, square } of parts) {
    const slope = dot(y, column) / square;
    adjusted -= slope * at;
    residual -= slope * slope * square;
    leverage += (at * at) / square;
  }
  const df = n - 1 - parts.length;
  return { mean: adjusted, standardError: Math.sqrt((Math.max(0, residual) / df) * leverage), df };
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);
