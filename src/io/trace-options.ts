/** What of a trace file is read, and how. */
import type { Unit } from "./instants.js";

/** How a file is used: replayed with its instants, or for its lengths alone. */
export type Use = "replay" | "lengths";

export interface TraceOptions {
  /** Replayed with its instants, or lengths alone. */
  readonly use: Use;
  /** Name of the format; found from the columns unless given. */
  readonly format?: string | undefined;
  /** Unit of decimal instants; the format's unless given. */
  readonly unit?: Unit | undefined;
  /** Number of the run that is read, from 1, of a file that holds several. */
  readonly run?: number | undefined;
  /** Rows are put into the order of their instants. */
  readonly sort?: boolean | undefined;
  /** Seconds of the trace, from its first request on: requests from the one on, before the other. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Requests taken, from the beginning or from `from` on. */
  readonly limit?: number | undefined;
  /** Longer prompts are cut to this many tokens. */
  readonly clipPrompt?: number | undefined;
}
