/** A trace file while it is read: from its first record, which tells the format, to the last one that is wanted. */
import type { Unit } from "./instants.js";
import { formatOf } from "./trace-detection.js";
import { type CellReader, type JsonObject, OPTIONAL_COLUMNS, type TraceFormat } from "./trace-format.js";
import { valuesOf } from "./trace-lines.js";
import { type Problems, refuse } from "./trace-problems.js";
import type { TraceOptions } from "./trace-options.js";
import {
  cellsIn,
  CsvRecords,
  type Cutter,
  cutterFor,
  headerOf,
  keysOf,
  type Piecemeal,
} from "./trace-records.js";
import { TraceRows } from "./trace-rows.js";
import { Runs } from "./trace-runs.js";
import type { Limits, Piece } from "./trace-source.js";
import { instantsIn, isOpen, ROWS_AHEAD, unitOf } from "./trace-unit.js";

/** What the first record told. */
interface Opened {
  readonly format: TraceFormat;
  readonly columns: readonly string[];
  /** Rows of CSV; undefined of JSON. */
  readonly csv: CsvRecords | undefined;
  readonly runs: Runs;
  readonly readsInstants: boolean;
}

/** What a file came to. */
export interface ReadFile {
  readonly format: TraceFormat;
  readonly unit: Unit | undefined;
  readonly rows: TraceRows;
  readonly notes: readonly string[];
}

export class Reading {
  private cutter: Cutter | undefined;
  private opened: Opened | undefined;
  private rows: TraceRows | undefined;
  private unit: Unit | undefined;
  /** Nothing behind what was read can be. */
  private isBroken = false;
  /** Records that wait until the unit of their instants is known. */
  private held: Piecemeal[] = [];

  constructor(
    private readonly file: string,
    private readonly options: TraceOptions,
    private readonly limits: Limits,
    private readonly problems: Problems,
  ) {}

  /** Reads a piece of the file; returns whether more is wanted. */
  take(piece: Piece): boolean {
    this.cutter ??= cutterFor(piece, this.limits);
    for (const record of this.cutter.cut(piece)) if (!this.record(record, piece.kind)) return false;
    return true;
  }

  /** What was read. @throws ConfigError when it is no trace at all */
  end(): ReadFile {
    const { problems } = this;
    if (this.opened && !this.rows) this.settle();
    if (!this.isBroken && this.rows?.isOver !== true)
      for (const { number, problem } of this.cutter?.end() ?? []) problems.add(number, problem!);
    if (!this.opened) {
      problems.refuse();
      return refuse(this.file, `${this.file}: empty (a header and rows, or JSON)`);
    }
    const { format, runs } = this.opened;
    const rows = this.rows!;
    runs.check(problems);
    return { format, unit: this.unit, rows, notes: [...this.hashNotes(rows), ...this.runNotes()] };
  }

  /** Why there is no request. */
  whyEmpty(): string {
    const { from = 0, to } = this.options;
    const { count, leftOut, span } = this.rows!;
    if (leftOut > 0 && count === 0) return `no request: all ${leftOut} of them failed`;
    if (span < 0 || (from === 0 && to === undefined)) return "no request (at least one row)";
    const until = to === undefined ? "" : ` to ${to} s`;
    return `no request from ${from} s${until} (those read span ${Number((span / 1e9).toPrecision(6))} s)`;
  }

  private record(record: Piecemeal, kind: Piece["kind"]): boolean {
    const { problems } = this;
    if (this.opened) this.hold(record);
    else if (record.problem === undefined) this.open(record, kind);
    else problems.add(record.number, record.problem);
    this.isBroken = record.isLast === true || problems.isEnough;
    return !this.isBroken && (this.rows?.isOver !== true || this.countsRuns);
  }

  /** Whether the rest of the file is read to see how many runs it holds, though no row of it is wanted. */
  private get countsRuns(): boolean {
    return this.opened?.format.runsOf !== undefined;
  }

  /** Takes the header, or the first JSON object, and with it the format. */
  private open(record: Piecemeal, kind: Piece["kind"]): void {
    const { file } = this;
    const { text, number: line } = record;
    if (kind === "csv") {
      const { names, problem } = headerOf(text);
      if (!names) return refuse(file, `${file}:${line}: ${problem}`);
      this.known(names, line, new CsvRecords(names));
      return;
    }
    const { values, problem } = valuesOf(text, Infinity);
    if (!values) return refuse(file, `${file}:${line}: ${problem}`);
    this.known(keysOf(values), line, undefined);
    this.hold(record);
  }

  private known(columns: readonly string[], line: number, csv: CsvRecords | undefined): void {
    const { file, options } = this;
    const { use, from, to, sort } = options;
    const format = formatOf(columns, { file, line, use, asked: options.format });
    const { arrival } = format;
    const hasInstants = arrival !== null && (arrival.mayLack !== true || columns.includes(arrival.column));
    if (use === "replay" && !hasInstants)
      return refuse(
        file,
        `${file}: no instants${arrival ? ` (${arrival.column})` : ""}: it lists lengths alone (--lengths-from takes them, with arrivals by --lam)`,
      );
    const chooses = from !== undefined || to !== undefined || sort === true;
    if (chooses && !hasInstants)
      return refuse(file, `${file}: no instants, so there is nothing to choose by --from, --to or --sort`);
    if (options.unit !== undefined && arrival?.unit === "clock")
      return refuse("--trace-unit", `--trace-unit: the instants of ${format.name} files are times of day`);
    const readsInstants = use === "replay" || chooses;
    const runs = new Runs(options.run, format.runColumn !== undefined);
    this.opened = { format, columns, csv, runs, readsInstants };
    if (!(readsInstants && isOpen(arrival!, options.unit))) this.start(options.unit ?? arrival?.unit);
  }

  private hold(record: Piecemeal): void {
    if (this.rows) return this.read(record);
    this.held.push(record);
    if (this.held.length === ROWS_AHEAD) this.settle();
  }

  /** Finds the unit from the records held, and reads them. */
  private settle(): void {
    const { held } = this;
    const { format, csv } = this.opened!;
    const texts = held.map((record) => {
      const cell = csv ? (csv.read(record) === undefined ? csv.cell : undefined) : jsonCell(record);
      return cell?.(format.arrival!.column);
    });
    const unit = unitOf(texts);
    this.start(unit, unit === "ms");
    this.held = [];
    for (const record of held) if (!this.rows!.isOver) this.read(record);
  }

  private start(unit: Unit | "clock" | "s or ms" | undefined, areWhole = false): void {
    const { options, problems } = this;
    const { format, columns, readsInstants } = this.opened!;
    const known = unit === "s or ms" ? "ms" : unit;
    this.unit = known === "clock" ? undefined : known;
    const priority = format.priority ?? OPTIONAL_COLUMNS.priority;
    this.rows = new TraceRows(format, problems, {
      instants: readsInstants ? instantsIn(known!, areWhole) : null,
      keepsInstants: options.use === "replay",
      sorts: readsInstants && (options.sort === true || format.isUnordered === true),
      from: Math.round((options.from ?? 0) * 1e9),
      to: options.to === undefined ? Infinity : Math.round(options.to * 1e9),
      limit: options.limit ?? Infinity,
      most: this.limits.requests,
      clipPrompt: options.clipPrompt ?? Infinity,
      hasPrefixHits: columns.includes(OPTIONAL_COLUMNS.prefixHitTokens),
      priority: columns.includes(priority) ? priority : undefined,
    });
  }

  private read(record: Piecemeal): void {
    const { number, isOpen: isCut, problem: uncut } = record;
    const { csv } = this.opened!;
    if (uncut !== undefined) return this.problems.add(number, uncut);
    if (csv) {
      const problem = csv.read(record);
      if (problem === undefined) this.accept(number, csv.cell);
      else this.problems.add(number, problem);
      return;
    }
    const { values, problem } = valuesOf(record.text, Infinity);
    if (values) this.readValue(record, values);
    else this.problems.add(number, `${problem}${isCut ? ": the last line is cut off" : ""}`);
  }

  private readValue({ number: line, text }: Piecemeal, value: JsonObject): void {
    const { format, runs } = this.opened!;
    if (!format.runsOf) return this.accept(line, cellsIn(value, text), value);
    const { problems, options } = this;
    try {
      for (const { rows, place, total = 0 } of format.runsOf(value)) {
        if (!runs.begin()) continue;
        if (options.use === "replay" && total > rows.length)
          problems.add(
            line,
            `holds ${rows.length} of its run's ${total} requests (--lengths-from takes their lengths)`,
          );
        rows.forEach((row, i) => {
          if (this.rows!.isOver) return;
          if (row) this.rows!.add(line, cellsIn(row), `${place(i)}: `);
          else this.rows!.leaveOut();
        });
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.add(line, error.message);
    }
  }

  /** Takes a row in, if it is of the run that is read and has not failed. */
  private accept(line: number, cell: CellReader, value?: JsonObject): void {
    const { format, runs } = this.opened!;
    const rows = this.rows!;
    if (format.runColumn !== undefined) {
      const takes = runs.takes(cell(format.runColumn) ?? "");
      if (takes !== "yes") {
        rows.isOver = takes === "never";
        return;
      }
    }
    const own = format.rowOf ? format.rowOf(cell) : cell;
    if (own) rows.add(line, own, "", this.countsBlocks && !rows.sorts ? value?.[format.hashes!] : undefined);
    else if (own === null) rows.leaveOut();
  }

  /** Whether hits are counted that an unlimited cache would have: in the order of arrival, which the file must have. */
  private get countsBlocks(): boolean {
    const { format, columns } = this.opened!;
    const { hashes } = format;
    return (
      hashes !== undefined &&
      columns.includes(hashes) &&
      !columns.includes(OPTIONAL_COLUMNS.prefixHitTokens) &&
      this.options.use === "replay"
    );
  }

  private hashNotes({ blocks }: TraceRows): string[] {
    if (!this.countsBlocks) return [];
    const { share } = blocks;
    const ideal = Number.isNaN(share)
      ? ""
      : `; a cache that forgets nothing would hit ${(100 * share).toFixed(1)} % of the prompt tokens`;
    return [
      `prefix hits are not derived from ${this.opened!.format.hashes}: every prompt is computed whole${ideal}`,
    ];
  }

  private runNotes(): string[] {
    const { runs, format } = this.opened!;
    const note = runs.note(format.runColumn);
    return note === undefined ? [] : [note];
  }
}

const jsonCell = ({ text, problem }: Piecemeal): CellReader | undefined => {
  const { values } = problem === undefined ? valuesOf(text, Infinity) : {};
  return values && cellsIn(values, text);
};
