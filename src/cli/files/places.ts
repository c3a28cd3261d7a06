/** Where a command writes. */
import type { Planned } from "./outputs.js";

export interface Places {
  readonly cwd: string;
  /** Folders as the user gave them, relative to the current one. */
  readonly data: string;
  readonly figs: string;
  /** The files that the user named, for what is told of them. */
  readonly named?: readonly Planned[];
}
