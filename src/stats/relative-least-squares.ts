/**
 * Least squares of the relative error, Σ ((ŷ − y)/y)², with coefficients that are not negative.
 *
 * Service times span two orders of magnitude and are wanted within per cent everywhere, so each observation counts by
 * its share (Tofallis, Least squares percentage regression, J. Modern Appl. Stat. Methods 7, 2008); and a time that falls with load is not physics. The constrained
 * optimum is the ordinary one on those columns whose coefficients are positive (Lawson & Hanson, Solving Least
 * Squares Problems, ch. 23): with a handful of columns every subset is tried, which cannot stop early.
 */
import { invariant } from "../core/errors.js";

export interface RelativeFit {
  /** One a column; 0 for a column that would be negative or says nothing that others do not. */
  readonly coefficients: readonly number[];
  /** Mean of the squared relative errors. */
  readonly meanSquare: number;
}

const MOST_COLUMNS = 8;
/** A pivot below this share of a column of length 1: it depends on the others. */
const SINGULAR = 1e-12;

/**
 * @param columns what each coefficient multiplies, a value an observation
 * @param observed positive
 */
export function relativeLeastSquares(
  columns: readonly ArrayLike<number>[],
  observed: ArrayLike<number>,
): RelativeFit {
  const n = observed.length;
  const p = columns.length;
  invariant(n > 0 && p > 0 && p <= MOST_COLUMNS, `${n} observations, ${p} columns`);
  // Normal equations of columns divided by y and scaled to length 1, so that their pivots can be judged.
  const gram = columns.map(() => new Float64Array(p));
  const right = new Float64Array(p);
  for (let k = 0; k < n; k++) {
    const y = observed[k];
    for (let i = 0; i < p; i++) {
      const x = columns[i][k] / y;
      right[i] += x;
      for (let j = 0; j <= i; j++) gram[i][j] += x * (columns[j][k] / y);
    }
  }
  const scale = gram.map((row, i) => Math.sqrt(row[i]));
  for (let i = 0; i < p; i++) {
    right[i] /= scale[i] || 1;
    for (let j = 0; j <= i; j++) gram[i][j] /= scale[i] * scale[j] || 1;
  }

  let least = n;
  let coefficients: number[] = new Array<number>(p).fill(0);
  for (let subset = 1; subset < 1 << p; subset++) {
    const chosen = columns.flatMap((_, i) => (subset & (1 << i) && scale[i] > 0 ? [i] : []));
    const solution = solve(chosen, gram, right);
    if (solution === undefined || solution.some((value) => !(value >= 0))) continue;
    // Σ (ŷ/y − 1)² = n − rightᵀ·solution at the optimum of its subset.
    const residual = n - chosen.reduce((sum, i, at) => sum + right[i] * solution[at], 0);
    if (residual >= least) continue;
    least = residual;
    coefficients = new Array<number>(p).fill(0);
    chosen.forEach((i, at) => (coefficients[i] = solution[at] / scale[i]));
  }
  return { coefficients, meanSquare: Math.max(0, least) / n };
}

/** The normal equations of some columns by Cholesky's method; undefined when these columns depend on each other. */
function solve(
  chosen: readonly number[],
  gram: readonly Float64Array[],
  right: Float64Array,
): number[] | undefined {
  const size = chosen.length;
  const factor: number[][] = [];
  const forward: number[] = [];
  for (let i = 0; i < size; i++) {
    const row: number[] = [];
    for (let j = 0; j <= i; j++) {
      let sum = gram[chosen[i]][chosen[j]];
      for (let k = 0; k < j; k++) sum -= row[k] * (j === i ? row[k] : factor[j][k]);
      if (j < i) row.push(sum / factor[j][j]);
      else if (sum > SINGULAR) row.push(Math.sqrt(sum));
      else return undefined;
    }
    factor.push(row);
    forward.push(
      (right[chosen[i]] - row.slice(0, i).reduce((sum, v, k) => sum + v * forward[k], 0)) / row[i],
    );
  }
  const solution = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    let sum = forward[i];
    for (let k = i + 1; k < size; k++) sum -= factor[k][i] * solution[k];
    solution[i] = sum / factor[i][i];
  }
  return solution;
}

/**
 * The whole number in [low, high] at which `f` is least, for an f whose valleys are wider than the steps of a scan of
 * `points` places, which lie closer together at low values; golden sections then find the bottom of the best one.
 */
export function leastAt(f: (value: number) => number, low: number, high: number, points = 48): number {
  const places = new Set<number>([low, high]);
  for (let i = 1; i < points; i++) {
    const share = i / points;
    places.add(Math.round(low + share * share * (high - low)));
  }
  const ordered = [...places].sort((a, b) => a - b);
  const values = ordered.map(f);
  let best = 0;
  values.forEach((value, i) => {
    if (value < values[best]) best = i;
  });
  let from = ordered[Math.max(0, best - 1)];
  let to = ordered[Math.min(ordered.length - 1, best + 1)];
  while (to - from > 3) {
    const left = Math.round(from + 0.381966 * (to - from));
    const right = Math.max(left + 1, Math.round(from + 0.618034 * (to - from)));
    if (f(left) <= f(right)) to = right;
    else from = left;
  }
  let answer = ordered[best];
  let least = values[best];
  for (let value = from; value <= to; value++) {
    const here = f(value);
    if (here < least) [answer, least] = [value, here];
  }
  return answer;
}
