/** The interface of a trace format: what tells its files, and where a request's instant and lengths stand in them. */
import type { Unit } from "./instants.js";

/** Where instants stand. */
export interface ArrivalColumn {
  readonly column: string;
  /** Of decimals. `clock`: times of day. `s or ms`: s where any has a fraction, ms where all are whole. */
  readonly unit: Unit | "clock" | "s or ms";
  /** Some files lack it: they list lengths alone. */
  readonly mayLack?: boolean;
}

/** Reads a cell by the name of its column (in JSON, of its keys, joined by dots); undefined when there is none. */
export type CellReader = (column: string) => string | undefined;

export type JsonObject = Readonly<Record<string, unknown>>;

/** The requests of a benchmark's run, as a JSON document lists them. */
export interface RecordedRun {
  /** Cells by column; null: a request that has failed. */
  readonly rows: readonly (JsonObject | null)[];
  /** Where a row stands in the document, for errors. */
  readonly place: (row: number) => string;
  /** How many requests it had, where the document may hold fewer. */
  readonly total?: number | undefined;
}

/**
 * A format is these facts; reading is the same for all (trace-reader.ts). A file is CSV with a header, JSON lines, or
 * JSON (objects in an array, or a document), whatever its format; any may also have the columns of OPTIONAL_COLUMNS.
 */
export interface TraceFormat {
  readonly name: string;
  readonly summary: string;
  /** Who writes such files. */
  readonly source: string;
  /** Columns or keys that a file of the format has, whatever it is read for. */
  readonly marks: readonly string[];
  /** Those of other formats, which it does not have. */
  readonly lacks?: readonly string[];
  /** null: its files list lengths and no instants. */
  readonly arrival: ArrivalColumn | null;
  readonly promptTokens: string;
  readonly outputTokens: string;
  /** The column of priorities, where it is not `priority`. */
  readonly priority?: string;
  /** The key of the hashes of a prompt's prefix blocks, a list. */
  readonly hashes?: string;
  /** Rows do not stand in the order of their arrival; they are put into it. */
  readonly isUnordered?: boolean;
  /**
   * The row's own cells as those of the columns above; null when the request has failed: it is left out and counted;
   * undefined when it belongs to no trace, as what warms an engine up.
   */
  readonly rowOf?: (cell: CellReader) => CellReader | null | undefined;
  /** The runs that a JSON value holds, where it is no row itself. @throws RangeError with what is wrong */
  readonly runsOf?: (value: JsonObject) => readonly RecordedRun[];
  /** A column whose value is the same all over a run: the file holds the same requests once a run. */
  readonly runColumn?: string;
  /** Files of the same program that hold no requests: what tells them, and what to do. */
  readonly without?: { readonly marks: readonly string[]; readonly instead: string };
}

/** Columns that a file of any format may have: prompt tokens that a prefix cache held, and a priority. */
export const OPTIONAL_COLUMNS = { prefixHitTokens: "prefix_hit_tokens", priority: "priority" } as const;
