/**
 * Arrivals of a recorded trace. A trace is one sample of its traffic: trial 1 replays it as it is, and further
 * trials resample it, each request with its lengths, by the moving-block bootstrap (Künsch, Ann. Statist. 17,
 * 1989): blocks of the trace's own time, at starts chosen at random, one after another until the trace's length
 * is reached. Within a block the order, the gaps and the bursts are the trace's. Blocks lie on a circle (Politis
 * & Romano 1992), so that every request is as likely to be drawn as any other and λ stays what it is.
 */
import type { ArrivalDefinition, Arrivals } from "./arrival-process.js";
import { numberOf } from "../options/definition.js";
import type { Stream } from "../numbers/random.js";
import { firstAtLeast } from "../numbers/sorted.js";
import { checkTrace, DATA_OPTION, lastInstant, type Trace, traceOf } from "./trace.js";
import { fromSeconds, NEVER, toSeconds, asInstant, type Instant } from "../numbers/units.js";

/** The usual length of a block, at most: the minutes of a long trace stay as they were. */
const MOST_BLOCK_SECONDS = 60;
const LEAST_BLOCK_SECONDS = 0.001;
/** Usual blocks of a trace, at least: they leave 0.95 of the standard deviation of fresh traces. */
const LEAST_BLOCKS = 10;

/** The length of blocks where none is given, in s (whole ns), of a trace that spans `seconds`. */
export const usualBlockSeconds = (seconds: number): number =>
  toSeconds(fromSeconds(Math.max(LEAST_BLOCK_SECONDS, Math.min(MOST_BLOCK_SECONDS, seconds / LEAST_BLOCKS))));

class Replay implements Arrivals {
  row = -1;
  constructor(
    private readonly arrivedAt: Float64Array,
    private readonly speedup: number,
  ) {}

  next(): Instant {
    if (this.row + 1 >= this.arrivedAt.length) return NEVER;
    return asInstant(Math.round(this.arrivedAt[++this.row] / this.speedup));
  }
}

class Resampled implements Arrivals {
  row = -1;
  /** Blocks begun, where the present one starts in the trace, and its next row: past the end, once around. */
  private blocks = 0;
  private start = 0;
  private place = 0;
  private readonly last: number;
  /** Length of the circle: after the last request one mean gap passes before the first comes again. */
  private readonly circle: number;
  private readonly block: number;

  constructor(
    private readonly arrivedAt: Float64Array,
    private readonly speedup: number,
    blockLength: number,
    private readonly stream: Stream,
  ) {
    const { length } = arrivedAt;
    this.last = arrivedAt[length - 1];
    this.circle = this.last + Math.max(1, Math.round(this.last / (length - 1)));
    this.block = Math.min(blockLength, this.circle);
    this.begin();
  }

  next(): Instant {
    const { arrivedAt, circle, block } = this;
    const { length } = arrivedAt;
    for (;;) {
      const row = this.place < length ? this.place : this.place - length;
      const passed = arrivedAt[row] + (this.place < length ? 0 : circle) - this.start;
      if (this.place < 2 * length && passed < block) {
        const at = (this.blocks - 1) * block + passed;
        if (at > this.last) return NEVER;
        this.place++;
        this.row = row;
        return asInstant(Math.round(at / this.speedup));
      }
      if (this.blocks * block > this.last) return NEVER;
      this.begin();
    }
  }

  /** The next block starts anywhere on the circle. */
  private begin(): void {
    this.blocks++;
    this.start = Math.floor(this.stream.uniform() * this.circle);
    this.place = firstAtLeast(this.arrivedAt, this.start);
  }
}

/** The arrival process `trace` over these traces. */
export const traceArrivals = (traces: readonly Trace[]): ArrivalDefinition => ({
  name: "trace",
  summary: "a recorded trace: trial 1 replays it, further trials resample blocks of it",
  source: "replay; moving-block bootstrap (Künsch 1989) on a circle (Politis & Romano 1992)",
  loadOption: { key: "speedup", sense: "more" },
  replays: true,
  options: [
    DATA_OPTION,
    {
      key: "speedup",
      kind: "number",
      min: 0,
      above: true,
      max: 1e6,
      default: 1,
      summary: "how much faster than recorded: instants are divided by it",
    },
    {
      key: "blockSeconds",
      kind: "number",
      min: LEAST_BLOCK_SECONDS,
      max: 1e7,
      nullable: true,
      default: null,
      unit: "s",
      summary: "length of the blocks that further trials resample, in the trace's time",
    },
  ],
  examples: [{ kind: "trace", data: "example" }],
  check: (spec) => checkTrace(traces, spec, true),
  create(spec) {
    const trace = traceOf(traces, spec);
    const arrivedAt = trace.arrivedAt!;
    const speedup = numberOf(spec, "speedup");
    const last = lastInstant(trace);
    const blockSeconds = (spec.blockSeconds as number | null) ?? usualBlockSeconds(toSeconds(last));
    const block = fromSeconds(blockSeconds);
    return {
      // What arrives at one instant has no rate.
      ratePerSecond: last > 0 ? (arrivedAt.length * speedup) / toSeconds(last) : NaN,
      table: trace.key,
      requests: arrivedAt.length,
      open: (stream, trial) =>
        trial === 1 || last === 0
          ? new Replay(arrivedAt, speedup)
          : new Resampled(arrivedAt, speedup, block, stream),
    };
  },
});
