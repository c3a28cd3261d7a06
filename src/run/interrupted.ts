/** Why a run stopped before its end. It stands alone, so that who only tells of it loads no simulator. */

/** The user asked to stop. */
export class Interrupted extends Error {
  readonly signal: "SIGINT" | "SIGTERM";
  constructor(signal: "SIGINT" | "SIGTERM") {
    super("interrupted");
    this.name = "Interrupted";
    this.signal = signal;
  }
}
