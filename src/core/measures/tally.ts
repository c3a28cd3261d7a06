/**
 * The rows of a trial, counted: what the requests ask for, and their four times (model §4).
 *
 * The windows of a trial share one tally. What had ended before a fork is the same in every later window, so it is
 * counted once and stays; only the rows from the first that the fork found in the system on are counted for this
 * window and taken back.
 */
import { type Demand, WarmUpDemand } from "./demand.js";
import { RequestTimes } from "./request-times.js";
import type { TrialState } from "../state/trial-state.js";
import type { Outcome } from "../engine/outcome.js";
import { NEVER, type Instant } from "../numbers/units.js";

/** Its buffers are reused from one tally to the next: one at a time. */
const times = new RequestTimes();

export class Tally {
  /** What the requests before the measured ones ask for. */
  readonly warmUp = new WarmUpDemand();
  /** Of the measured requests that have arrived. */
  readonly times = times;
  private firstMeasured: number;
  /** Rows below this one have ended for good. */
  private settled = 0;
  /** Rows below this one had left when the measurement began. */
  private left = 0;

  /** @param tbt what the time between tokens is divided by (model §3) */
  constructor({ sequences, firstMeasured }: TrialState, tbt: "gaps" | "tokens") {
    this.firstMeasured = firstMeasured;
    times.begin(sequences, tbt === "gaps" ? 1 : 0);
  }

  /** What the measured requests ask for. */
  get measured(): Demand {
    return times.demand;
  }

  /**
   * Counts a window that has run to its end.
   * @param fork the instant at which it took leave of the longer windows; NEVER for the last
   */
  count({ shared, arrived }: Outcome, fork: Instant): void {
    const { sequences, firstMeasured } = shared;
    const { finishedAt } = sequences;
    // In a closed loop it is known when it has arrived; nothing was measured before.
    this.firstMeasured = firstMeasured;
    this.warmUp.extend(sequences, Math.min(this.firstMeasured, arrived));
    const before = Math.max(this.settled, this.firstMeasured);
    // A rejected request has no end, and has left for good.
    if (fork === NEVER) this.settled = arrived;
    else while (this.settled < arrived && !(finishedAt[this.settled] >= fork)) this.settled++;
    const settled = Math.max(this.settled, this.firstMeasured);
    times.add(before, settled);
    times.mark();
    times.add(settled, arrived);
  }

  /** Takes back what is the window's own, as long as its rows still stand in the table. */
  release({ arrived }: Outcome): void {
    times.remove(Math.max(this.settled, this.firstMeasured), arrived);
  }

  /** A row before the measured ones below which none was in the system while they were measured. */
  spanning({ shared, measuredFrom }: Outcome): number {
    const { finishedAt } = shared.sequences;
    while (this.left < this.firstMeasured && !(finishedAt[this.left] >= measuredFrom)) this.left++;
    return this.left;
  }
}
