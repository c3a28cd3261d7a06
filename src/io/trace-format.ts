/** The interface of a trace format: which columns of a file say when a request arrived and how long it was. */
import type { ReadInstant } from "./instants.js";

/** A column of instants. */
export interface ArrivalColumn {
  readonly column: string;
  readonly read: ReadInstant;
  /** What a cell may be, for errors. */
  readonly allowed: string;
}

/**
 * A format is these facts; reading is the same for all (trace-reader.ts). A file is CSV with a header or JSON
 * lines, whatever its format; either may also have the columns of OPTIONAL_COLUMNS.
 */
export interface TraceFormat {
  readonly name: string;
  readonly summary: string;
  /** Who publishes such files. */
  readonly source: string;
  /** null: the files list lengths and no instants. */
  readonly arrival: ArrivalColumn | null;
  /** Names of the columns (of the keys, in JSON). */
  readonly promptTokens: string;
  readonly outputTokens: string;
  /** A request without output has failed: it is left out and counted. */
  readonly leavesOutFailed?: boolean;
}

/** Columns that a file of any format may have: prompt tokens that a prefix cache held, and a priority. */
export const OPTIONAL_COLUMNS = { prefixHitTokens: "prefix_hit_tokens", priority: "priority" } as const;
