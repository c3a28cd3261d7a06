/**
 * The rows of a trace while it is read: cells are checked, problems counted and the first ones kept, columns grow.
 * At the end they stand in shared memory: every thread reads the same bytes.
 */
import { Issues } from "../core/issues.js";
import type { Trace } from "../core/trace.js";
import { show } from "../config/telling.js";
import type { Instant } from "./instants.js";
import { OPTIONAL_COLUMNS, type TraceFormat } from "./trace-format.js";

const LONGEST = 2_147_483_647;
/** 2^53 ns: the clock counts no further. */
const LAST_NANOSECOND = 9_007_199_254_740_992;
const WHOLE = /^[+-]?\d{1,10}$/;

/** Problems of a file, by line. */
export class Problems {
  private readonly issues: Issues;

  constructor(private readonly file: string) {
    this.issues = new Issues(file);
  }

  get count(): number {
    return this.issues.count;
  }

  add(line: number, message: string): void {
    this.issues.add(() => ({ key: this.file, message: `${this.file}:${line}: ${message}` }));
  }

  /** @throws ConfigError with the first problems, if there is any */
  refuse(): void {
    this.issues.refuse();
  }
}

/** A column that grows; `take` leaves what was written in shared memory. */
class Column<T extends Float64Array | Int32Array> {
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
  take(count: number): T {
    const taken = this.make(count);
    taken.set(this.values.subarray(0, count));
    return taken;
  }
}

const wholes = (): Column<Int32Array> =>
  new Column((length) => new Int32Array(new SharedArrayBuffer(4 * length)));
const doubles = (): Column<Float64Array> =>
  new Column((length) => new Float64Array(new SharedArrayBuffer(8 * length)));

/** Reads a cell's text by the name of its column; undefined when there is none. */
export type CellReader = (column: string) => string | undefined;

export interface RowOptions {
  /** Instants are read and must not go back; without them only lengths are. */
  readonly needsInstants: boolean;
  /** Longer prompts are cut to this many tokens. */
  readonly clipPrompt: number;
  /** Optional columns that the file has. */
  readonly hasPrefixHits: boolean;
  readonly hasPriority: boolean;
}

export class TraceRows {
  count = 0;
  /** Failed requests that were left out. */
  leftOut = 0;
  /** Prompts that were cut. */
  clipped = 0;
  private readonly arrivedAt = doubles();
  private readonly promptTokens = wholes();
  private readonly outputTokens = wholes();
  private readonly prefixHitTokens = wholes();
  private readonly priority = wholes();
  private readonly first: Instant = { seconds: 0, nanos: 0 };
  private readonly now: Instant = { seconds: 0, nanos: 0 };
  /** Instant of the line before, ns from the first request, and as it was written. */
  private before = -Infinity;
  private textBefore = "";
  private hasFirst = false;

  constructor(
    private readonly format: TraceFormat,
    private readonly problems: Problems,
    private readonly options: RowOptions,
  ) {}

  /** Takes a line's cells in, or tells what is wrong with them. */
  add(line: number, cell: CellReader): void {
    const { format, problems, options } = this;
    const problemsBefore = problems.count;
    const output = this.whole(line, cell, format.outputTokens, 0, LONGEST);
    if (format.leavesOutFailed && output === 0) {
      this.leftOut++;
      return;
    }
    const at = options.needsInstants ? this.instant(line, cell) : 0;
    const given = this.whole(line, cell, format.promptTokens, 1, LONGEST);
    const hits = options.hasPrefixHits
      ? this.whole(
          line,
          cell,
          OPTIONAL_COLUMNS.prefixHitTokens,
          0,
          Number.isNaN(given) ? LONGEST : given,
          true,
        )
      : 0;
    const priority = options.hasPriority
      ? this.whole(line, cell, OPTIONAL_COLUMNS.priority, -LONGEST, LONGEST, true)
      : 0;
    if (problems.count > problemsBefore) return;
    const row = this.count++;
    const prompt = Math.min(given, options.clipPrompt);
    if (prompt < given) this.clipped++;
    this.arrivedAt.set(row, at);
    this.promptTokens.set(row, prompt);
    this.outputTokens.set(row, output);
    if (options.hasPrefixHits) this.prefixHitTokens.set(row, Math.min(hits, prompt));
    if (options.hasPriority) this.priority.set(row, priority);
  }

  /** The rows as a trace. */
  take(key: string): Trace {
    const { count, options } = this;
    return {
      key,
      arrivedAt: options.needsInstants ? this.arrivedAt.take(count) : null,
      promptTokens: this.promptTokens.take(count),
      outputTokens: this.outputTokens.take(count),
      ...(options.hasPrefixHits && { prefixHitTokens: this.prefixHitTokens.take(count) }),
      ...(options.hasPriority && { priority: this.priority.take(count) }),
    };
  }

  /** A whole number in its range, or NaN and a problem; an empty cell may be 0. */
  private whole(
    line: number,
    cell: CellReader,
    column: string,
    min: number,
    max: number,
    mayBeEmpty = false,
  ): number {
    const text = cell(column);
    if (mayBeEmpty && (text === undefined || text === "")) return 0;
    const value = text !== undefined && WHOLE.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    this.problems.add(
      line,
      text === undefined
        ? `missing ${column} (an integer at least ${min} and at most ${max})`
        : `invalid ${column}: ${show(text)} (an integer at least ${min} and at most ${max})`,
    );
    return NaN;
  }

  /** ns from the first request, or NaN and a problem. */
  private instant(line: number, cell: CellReader): number {
    const { column, read, allowed } = this.format.arrival!;
    const text = cell(column);
    const { first, now } = this;
    if (text === undefined || !read(text, now)) {
      const what = text === undefined ? `missing ${column}` : `invalid ${column}: ${show(text)}`;
      this.problems.add(line, `${what} (${allowed})`);
      return NaN;
    }
    if (!this.hasFirst) {
      this.hasFirst = true;
      first.seconds = now.seconds;
      first.nanos = now.nanos;
    }
    const at = (now.seconds - first.seconds) * 1e9 + (now.nanos - first.nanos);
    if (at < this.before)
      this.problems.add(
        line,
        `invalid ${column}: ${show(text)} (not before the request above, ${show(this.textBefore)})`,
      );
    else if (at > LAST_NANOSECOND)
      this.problems.add(line, `invalid ${column}: ${show(text)} (at most 104 days after the first request)`);
    this.before = at;
    this.textBefore = text;
    return at;
  }
}
