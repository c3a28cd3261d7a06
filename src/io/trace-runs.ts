/**
 * Which rows of a file are read where it holds several runs: those of one. Runs lie apart in time, at loads of their
 * own, so together they are no trace.
 */
import { show } from "../config/telling.js";
import type { Problems } from "./trace-problems.js";

export class Runs {
  /** How many were met. */
  count = 0;
  /** What tells the one that is read from the others, where a column does. */
  name: string | undefined;
  private current: string | undefined;

  /** @param wanted its number, from 1; undefined: the only one, or where all hold the same requests the first */
  constructor(
    private readonly wanted: number | undefined,
    private readonly areAlike: boolean,
  ) {}

  /** Whether the run that begins now is read. */
  begin(): boolean {
    return ++this.count === (this.wanted ?? 1);
  }

  /** Whether a row is read, and whether any after it will be. */
  takes(value: string): "yes" | "no" | "never" {
    if (value !== this.current || this.count === 0) {
      this.current = value;
      if (this.begin()) this.name = value;
    }
    const wanted = this.wanted ?? 1;
    return this.count === wanted ? "yes" : this.count < wanted ? "no" : "never";
  }

  /** Tells that the one that was asked for is not there, or that one must be chosen. */
  check(problems: Problems): void {
    const { count, wanted, areAlike } = this;
    const runs = `${count} run${count === 1 ? "" : "s"}`;
    if (wanted !== undefined && count > 0 && wanted > count)
      problems.add(0, `no run ${wanted} (the file holds ${runs})`);
    if (wanted === undefined && count > 1 && !areAlike)
      problems.add(0, `${runs}, each at a load of its own (--trace-run 1 reads the first of them)`);
  }

  /** What a reader must know of the rows that were not read. */
  note(column: string | undefined): string | undefined {
    if (this.name === undefined) return undefined;
    return `requests of ${column} ${show(this.name)} alone are read: the file repeats them for each (--trace-run)`;
  }
}
