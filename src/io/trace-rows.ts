/**
 * The rows of a trace while it is read: cells are checked, columns grow, and what is wanted of them is taken out: a
 * window, the first so many, in the order of arrival.
 */
import { createHash } from "node:crypto";
import type { Trace } from "../core/workload/trace.js";
import { show } from "../config/telling.js";
import type { Instant, ReadInstant } from "./instants.js";
import { PrefixBlocks } from "./prefix-blocks.js";
import { doubles, wholes } from "./trace-columns.js";
import { type CellReader, OPTIONAL_COLUMNS, type TraceFormat } from "./trace-format.js";
import type { Problems } from "./trace-problems.js";

const LONGEST = 2_147_483_647;
/** 2^53 ns: the clock counts no further. */
const LAST_NANOSECOND = 9_007_199_254_740_992;
/** `5`, and `5.0` as programs write it that keep whole numbers as decimals. */
const WHOLE = /^[+-]?\d{1,10}(?:\.0{0,20})?$/;
/** Hexadecimal digits of a trace's key: 64 bits of a SHA-256. */
const KEY_DIGITS = 16;

/** How instants are read. */
export interface InstantReader {
  readonly read: ReadInstant;
  /** What a cell may be, for errors. */
  readonly allowed: string;
  /** They were taken for whole numbers of ms: a fraction says that they may be seconds. */
  readonly areWhole: boolean;
}

export interface RowOptions {
  /** null: instants are not read. */
  readonly instants: InstantReader | null;
  /** The trace has instants; otherwise they only choose its rows. */
  readonly keepsInstants: boolean;
  /** Rows are put into the order of their instants. */
  readonly sorts: boolean;
  /** Window in ns from the first request on; `to` is outside. */
  readonly from: number;
  readonly to: number;
  /** Requests taken, and those that are too many. */
  readonly limit: number;
  readonly most: number;
  /** Longer prompts are cut to this many tokens. */
  readonly clipPrompt: number;
  /** Optional columns that the file has. */
  readonly hasPrefixHits: boolean;
  readonly priority: string | undefined;
}

/** The rows that were taken, as a trace, and what became of them. */
export interface TakenRows {
  readonly trace: Trace;
  readonly clipped: number;
  /** Whether rows did not stand in the order of their instants. */
  readonly wereSorted: boolean;
}

export class TraceRows {
  count = 0;
  /** Failed requests that were left out. */
  leftOut = 0;
  /** No further row is wanted. */
  isOver = false;
  /** Blocks of the prompts' prefixes, where the format has their hashes. */
  readonly blocks = new PrefixBlocks();
  private readonly arrivedAt = doubles();
  private readonly promptTokens = wholes();
  private readonly outputTokens = wholes();
  private readonly prefixHitTokens = wholes();
  private readonly priority = wholes();
  private readonly first: Instant = { seconds: 0, nanos: 0 };
  private readonly now: Instant = { seconds: 0, nanos: 0 };
  private hasFirst = false;
  /** The latest instant so far, ns from the first request, and as it was written. */
  private latest = -Infinity;
  private latestText = "";
  private isDisordered = false;

  constructor(
    private readonly format: TraceFormat,
    private readonly problems: Problems,
    private readonly options: RowOptions,
  ) {}

  /**
   * Takes a row's cells in, or tells what is wrong with them.
   * @param place where it stands in its line, for errors: empty, or with a colon and a blank behind
   * @param hashes those of the prompt's prefix blocks
   */
  add(line: number, cell: CellReader, place = "", hashes?: unknown): void {
    const { format, problems, options } = this;
    const problemsBefore = problems.count;
    const at = options.instants ? this.instant(options.instants, line, cell, place) : 0;
    if (!options.sorts && at < options.from) return;
    if (!options.sorts && at >= options.to) {
      this.isOver = true;
      return;
    }
    const prompt = this.whole(line, cell, place, format.promptTokens, 1, LONGEST);
    const output = this.whole(line, cell, place, format.outputTokens, 0, LONGEST);
    const most = Number.isNaN(prompt) ? LONGEST : prompt;
    const { prefixHitTokens } = OPTIONAL_COLUMNS;
    const hits = options.hasPrefixHits ? this.whole(line, cell, place, prefixHitTokens, 0, most, true) : 0;
    const priority =
      options.priority === undefined
        ? 0
        : this.whole(line, cell, place, options.priority, -LONGEST, LONGEST, true);
    if (problems.count > problemsBefore) return;
    if (this.count === options.most) {
      problems.add(line, `more than ${options.most} requests (--limit takes the first ones)`);
      this.isOver = true;
      return;
    }
    const row = this.count++;
    this.arrivedAt.set(row, at);
    this.promptTokens.set(row, prompt);
    this.outputTokens.set(row, output);
    if (options.hasPrefixHits) this.prefixHitTokens.set(row, hits);
    if (options.priority !== undefined) this.priority.set(row, priority);
    if (hashes !== undefined) this.blocks.add(hashes, prompt);
    this.isOver = !options.sorts && this.count >= options.limit;
  }

  /** Whether rows are put into the order of their instants. */
  get sorts(): boolean {
    return this.options.sorts;
  }

  /** Leaves a request out that has failed. */
  leaveOut(): void {
    this.leftOut++;
  }

  /** From the first request to the last that was read, ns. */
  get span(): number {
    return this.latest;
  }

  /** The rows that are wanted; none: undefined. */
  take(): TakenRows | undefined {
    const { options, arrivedAt } = this;
    const rows = this.wanted();
    if (rows.length === 0) return undefined;
    const start = arrivedAt.at(rows[0]);
    const promptTokens = this.promptTokens.take(rows);
    const prefixHitTokens = options.hasPrefixHits ? this.prefixHitTokens.take(rows) : undefined;
    let clipped = 0;
    for (let i = 0; i < rows.length; i++) {
      if (promptTokens[i] <= options.clipPrompt) continue;
      clipped++;
      promptTokens[i] = options.clipPrompt;
      if (prefixHitTokens) prefixHitTokens[i] = Math.min(prefixHitTokens[i], options.clipPrompt);
    }
    const instants = options.keepsInstants ? arrivedAt.take(rows) : null;
    if (instants) for (let i = 0; i < rows.length; i++) instants[i] -= start;
    const columns = {
      arrivedAt: instants,
      promptTokens,
      outputTokens: this.outputTokens.take(rows),
      ...(prefixHitTokens && { prefixHitTokens }),
      ...(options.priority !== undefined && { priority: this.priority.take(rows) }),
    };
    return { trace: { key: keyOf(columns), ...columns }, clipped, wereSorted: this.isDisordered };
  }

  /** The rows of the window, at most so many, as they shall stand. */
  private wanted(): Int32Array {
    const { options, arrivedAt, count } = this;
    const all = Int32Array.from({ length: count }, (_, row) => row);
    if (!options.sorts) return all.subarray(0, Math.min(count, options.limit));
    if (this.isDisordered) all.sort((a, b) => arrivedAt.at(a) - arrivedAt.at(b) || a - b);
    const start = count > 0 ? arrivedAt.at(all[0]) : 0;
    if (count > 0 && arrivedAt.at(all[count - 1]) - start > LAST_NANOSECOND)
      this.problems.add(0, `${this.format.arrival!.column}: at most 104 days from the first to the last`);
    const isIn = (row: number): boolean => {
      const at = arrivedAt.at(row) - start;
      return at >= options.from && at < options.to;
    };
    return all.filter(isIn).subarray(0, options.limit);
  }

  /** A whole number in its range, or NaN and a problem; an empty cell may be 0. */
  private whole(
    line: number,
    cell: CellReader,
    place: string,
    column: string,
    min: number,
    max: number,
    mayBeEmpty = false,
  ): number {
    const text = cell(column);
    if (mayBeEmpty && (text === undefined || text === "" || text === "null")) return 0;
    const value = text !== undefined && WHOLE.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value + 0;
    const what = text === undefined ? `missing ${column}` : `invalid ${column}: ${show(text)}`;
    this.problems.add(line, `${place}${what} (an integer at least ${min} and at most ${max})`);
    return NaN;
  }

  /** ns from the first request, or NaN and a problem. */
  private instant(
    { read, allowed, areWhole }: InstantReader,
    line: number,
    cell: CellReader,
    place: string,
  ): number {
    const { column } = this.format.arrival!;
    const text = cell(column);
    const { first, now, problems } = this;
    const tell = (what: string): number => {
      problems.add(line, `${place}${what}`);
      return NaN;
    };
    if (text === undefined) return tell(`missing ${column} (${allowed})`);
    if (!read(text, now)) return tell(`invalid ${column}: ${show(text)} (${allowed})`);
    if (areWhole && hasFraction(text))
      return tell(
        `ambiguous ${column}: ${show(text)} (a fraction, which means seconds, below many whole numbers, which mean ms; --trace-unit s or ms)`,
      );
    if (!this.hasFirst) {
      this.hasFirst = true;
      first.seconds = now.seconds;
      first.nanos = now.nanos;
    }
    const at = (now.seconds - first.seconds) * 1e9 + (now.nanos - first.nanos);
    const { latest, latestText } = this;
    if (at >= latest) {
      this.latest = at;
      this.latestText = text;
    } else {
      const isFirst = !this.isDisordered;
      this.isDisordered = true;
      if (!this.options.sorts && isFirst)
        return tell(
          `invalid ${column}: ${show(text)} (not before the request above, ${show(latestText)}; --sort puts rows in order)`,
        );
    }
    if (at > LAST_NANOSECOND)
      return tell(`invalid ${column}: ${show(text)} (at most 104 days after the first request)`);
    return at;
  }
}

/** Whether a decimal has a fraction that is not 0: `61.114`, not `61.0`. */
export function hasFraction(text: string): boolean {
  const point = text.indexOf(".");
  if (point < 0) return false;
  for (let i = point + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return false;
    if (digit > 0) return true;
  }
  return false;
}

/** Names the data: the same rows, the same key, whatever file they came from. */
function keyOf(columns: Omit<Trace, "key">): string {
  const hash = createHash("sha256");
  for (const [name, values] of Object.entries<Float64Array | Int32Array | null>(columns)) {
    hash.update(`${name} ${values?.length ?? 0}\n`);
    if (values) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex").slice(0, KEY_DIGITS);
}
