/**
 * Means and 95 % half-widths of the curves, point by point, kept up as trials come (Welford 1962): a trial costs one
 * pass over its points, and nothing is summed again.
 */
import { tQuantile } from "../stats/index.js";

const CENTRAL = 0.975;

export class Moments {
  /** The first trial taken, by which a study is known. */
  first: readonly Float64Array[] | undefined;
  private taken = 0;
  private counts: Int32Array[] = [];
  private means: Float64Array[] = [];
  private squares: Float64Array[] = [];

  /** Takes the trials that are new; those that were there before come first, as before. */
  take(trials: readonly (readonly Float64Array[])[]): void {
    this.first ??= trials[0];
    for (; this.taken < trials.length; this.taken++)
      trials[this.taken].forEach((values, config) => this.add(values, config));
  }

  private add(values: Float64Array, config: number): void {
    const counts = (this.counts[config] ??= new Int32Array(values.length));
    const means = (this.means[config] ??= new Float64Array(values.length));
    const squares = (this.squares[config] ??= new Float64Array(values.length));
    for (let p = 0; p < values.length; p++) {
      const value = values[p];
      if (!Number.isFinite(value)) continue;
      const away = value - means[p];
      means[p] += away / ++counts[p];
      squares[p] += away * (value - means[p]);
    }
  }

  /** Mean and half-width of a point; NaN where no trial had a value, or only one. */
  at(config: number, point: number): { readonly mean: number; readonly half: number } {
    const n = this.counts[config]?.[point] ?? 0;
    if (n === 0) return { mean: NaN, half: NaN };
    const mean = this.means[config][point];
    if (n === 1) return { mean, half: NaN };
    const factor = tQuantile(CENTRAL, n - 1) / Math.sqrt(n);
    return { mean, half: factor * Math.sqrt(this.squares[config][point] / (n - 1)) };
  }
}
