/**
 * A table of measured times over a grid, read by linear interpolation along each axis and by the line through the
 * last two points outside it. Kernel times step (tiles, waves of thread blocks) and have no better law between two
 * measured points than the straight line.
 */

/** A place on an axis: between entry `at` and the next, at `share` of the way (outside: below 0 or above 1). */
interface Place {
  at: number;
  share: number;
}

/** What is wrong with an axis, in an error's words; undefined for a right one. */
export const axisProblem = (values: readonly number[]): string | undefined => {
  const rises = values.every((value, i) => i === 0 || value > values[i - 1]);
  return values.length >= 2 && rises ? undefined : "at least two values, each above the one before";
};

/** A table over up to four axes; the last axis varies fastest in `values`. */
export class KernelTable {
  private readonly axes: readonly Float64Array[];
  private readonly values: Float64Array;
  private readonly places: Place[];
  private readonly strides: number[];

  /** Each axis rises and has at least two entries; `values` holds one for each cell. */
  constructor(axes: readonly (readonly number[])[], values: readonly number[]) {
    this.axes = axes.map((axis) => Float64Array.from(axis));
    this.values = Float64Array.from(values);
    this.places = axes.map(() => ({ at: 0, share: 0 }));
    this.strides = axes.map((_, i) => axes.slice(i + 1).reduce((cells, axis) => cells * axis.length, 1));
  }

  /** The value at a point, one coordinate an axis. */
  at(...point: readonly number[]): number {
    for (let i = 0; i < this.axes.length; i++) locate(this.axes[i], point[i], this.places[i]);
    return this.blend(0, 0);
  }

  private blend(axis: number, offset: number): number {
    if (axis === this.axes.length) return this.values[offset];
    const { at, share } = this.places[axis];
    const from = offset + at * this.strides[axis];
    const low = this.blend(axis + 1, from);
    return share === 0 ? low : low + share * (this.blend(axis + 1, from + this.strides[axis]) - low);
  }
}

function locate(axis: Float64Array, value: number, into: Place): void {
  let low = 0;
  let high = axis.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (axis[middle] <= value) low = middle;
    else high = middle;
  }
  into.at = low;
  into.share = (value - axis[low]) / (axis[low + 1] - axis[low]);
}
