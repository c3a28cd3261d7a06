/** Why a run stopped before its end. It stands alone, so that who only tells of it loads no simulator. */

/** The user asked to stop. */
export class Interrupted extends Error {
  readonly signal: "SIGINT" | "SIGTERM";
  /** What is kept of the run, if anything. */
  readonly kept: string | undefined;
  constructor(signal: "SIGINT" | "SIGTERM", kept?: string) {
    super("interrupted");
    this.kept = kept;
    this.name = "Interrupted";
    this.signal = signal;
  }
}
