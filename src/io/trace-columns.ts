/** Columns of numbers that grow while a trace is read, and end in memory that threads share. */

/** A column that grows; `take` leaves what was written in shared memory: every thread reads the same bytes. */
export class Column<T extends Float64Array | Int32Array> {
  private values: T;
  constructor(private readonly make: (length: number) => T) {
    this.values = make(1024);
  }

  set(row: number, value: number): void {
    if (row === this.values.length) {
      const grown = this.make(2 * row);
      grown.set(this.values);
      this.values = grown;
    }
    this.values[row] = value;
  }

  at(row: number): number {
    return this.values[row];
  }

  /** The values of these rows, in their order. */
  take(rows: Int32Array): T {
    const { values } = this;
    const taken = this.make(rows.length);
    for (let i = 0; i < rows.length; i++) taken[i] = values[rows[i]];
    return taken;
  }
}

export const wholes = (): Column<Int32Array> =>
  new Column((length) => new Int32Array(new SharedArrayBuffer(4 * length)));
export const doubles = (): Column<Float64Array> =>
  new Column((length) => new Float64Array(new SharedArrayBuffer(8 * length)));
