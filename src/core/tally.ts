/**
 * The rows of a trial, counted: what the requests ask for, and their four times (model §4) as samples.
 *
 * The windows of a trial share one tally. What had ended before a fork is the same in every later window, so it
 * is counted once and stays; only the rows from the first that the fork found in the system on are counted for
 * this window and taken back. Everything runs in the order of ids, so that a sum beyond 2^53 ns, which is
 * rounded, has the bits that it has for the window alone.
 */
import { Demand } from "./demand.js";
import { Sample } from "./order-statistics.js";
import type { Outcome } from "./simulate.js";
import type { Nanoseconds } from "./units.js";

export type RequestTime = "ttft" | "tbt" | "rts" | "queueing_delay";

/** Buffers, reused from one tally to the next; a trial of one window uses the first, for one time after another. */
const ttft = new Sample();
const tbt = new Sample();
const rts = new Sample();
const delay = new Sample();

export class Tally {
  /** What the requests before the measured ones ask for, and what the measured ones do. */
  readonly warmUp = new Demand(0);
  readonly measured: Demand;
  private readonly firstMeasured: number;
  private readonly isGrowing: boolean;
  /** The TBT of a request divides by its output tokens less this. */
  private readonly perGap: number;
  /** Rows below this one have ended for good and are counted. */
  private settled = 0;
  /** Rows below this one had left when the measurement began. */
  private left = 0;

  constructor(firstMeasured: number, tbtOf: "gaps" | "tokens", isGrowing: boolean) {
    this.firstMeasured = firstMeasured;
    this.measured = new Demand(firstMeasured);
    this.isGrowing = isGrowing;
    this.perGap = tbtOf === "gaps" ? 1 : 0;
    for (const sample of [ttft, tbt, rts, delay]) {
      sample.clear();
      sample.mark();
    }
  }

  /**
   * Counts a window that has run to its end, instead of the one before it.
   * @param fork the instant at which it took leave of the longer windows; NEVER for the last
   */
  count(outcome: Outcome, fork: Nanoseconds): void {
    const { shared, arrived } = outcome;
    const { requests, finishedAt } = shared.sequences;
    this.warmUp.extend(requests, Math.min(this.firstMeasured, arrived));
    this.measured.extend(requests, arrived);
    if (!this.isGrowing) return;
    let settled = this.settled;
    while (settled < arrived && finishedAt[settled] < fork) settled++;
    ttft.release();
    tbt.release();
    rts.release();
    delay.release();
    this.fillAll(outcome, this.settled, settled);
    ttft.mark();
    tbt.mark();
    rts.mark();
    delay.mark();
    this.fillAll(outcome, settled, arrived);
    this.settled = settled;
  }

  /** A row before the measured ones below which none was in the system while they were measured. */
  spanning({ shared, measuredFrom }: Outcome): number {
    const { finishedAt } = shared.sequences;
    while (this.left < this.firstMeasured && finishedAt[this.left] < measuredFrom) this.left++;
    return this.left;
  }

  /** One time of the measured requests; valid until the next call. */
  sample(time: RequestTime, outcome: Outcome): Sample {
    if (this.isGrowing) return time === "ttft" ? ttft : time === "tbt" ? tbt : time === "rts" ? rts : delay;
    ttft.clear();
    this.fill(time, ttft, outcome, 0, outcome.arrived);
    return ttft;
  }

  private fillAll(outcome: Outcome, from: number, to: number): void {
    this.fill("ttft", ttft, outcome, from, to);
    this.fill("tbt", tbt, outcome, from, to);
    this.fill("rts", rts, outcome, from, to);
    this.fill("queueing_delay", delay, outcome, from, to);
  }

  /** Adds one time of the measured ones of the rows [from, to) to a sample. */
  private fill(time: RequestTime, sample: Sample, outcome: Outcome, from: number, to: number): void {
    const { perGap } = this;
    const { requests, startedAt, firstTokenAt, finishedAt } = outcome.shared.sequences;
    const { arrivedAt, outputTokens } = requests;
    sample.reserve(requests.count - this.firstMeasured);
    const { values } = sample;
    let count = sample.count;
    let row = Math.max(from, this.firstMeasured);
    if (time === "rts") for (; row < to; row++) values[count++] = finishedAt[row] - arrivedAt[row];
    else if (time === "queueing_delay")
      for (; row < to; row++) values[count++] = startedAt[row] - arrivedAt[row];
    else if (time === "ttft") {
      for (; row < to; row++) if (outputTokens[row] > 0) values[count++] = firstTokenAt[row] - arrivedAt[row];
    } else
      for (; row < to; row++)
        if (outputTokens[row] > perGap)
          values[count++] = (finishedAt[row] - firstTokenAt[row]) / (outputTokens[row] - perGap);
    sample.extend(count);
  }
}
