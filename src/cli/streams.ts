/** What a command line talks to: everything of the process that `main` may touch, so that tests can stand in for it. */
import type { FileSystem } from "../io/files.js";

export interface Output {
  write(text: string): unknown;
  /** Replaces the line that the cursor of a terminal stands in. */
  redraw?(text: string): unknown;
  /** What was written has been taken. Rejects with a FileError where it could not be: a disk that is full. */
  taken?(): Promise<void>;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface Streams {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Opens what is piped in; undefined at a terminal. Nothing is opened that is not read: the process would wait for it. */
  readonly stdin?: () => AsyncIterable<Uint8Array> | undefined;
  readonly cwd: string;
  readonly fs: FileSystem;
  /** Aborted when the user asks to stop; its reason is an Interrupted. */
  readonly signal?: AbortSignal;
}
