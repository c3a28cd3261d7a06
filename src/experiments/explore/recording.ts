/** The iterations of a trial as a timeline's lane. */
import type { Lane } from "../../charts/index.js";
import { endOfIteration, type Observer, type StretchRecord } from "../../core/engine/observer.js";
import type { Outcome } from "../../core/engine/outcome.js";
import { toSeconds } from "../../core/numbers/units.js";

/** Entries of decoding sequences that a recording may hold: with thousands in a batch, it ends earlier. */
const MOST_DECODES = 2_000_000;

/** Records the first `most` iterations of replica 0. */
export class LaneRecorder implements Observer {
  private readonly most: number;
  private readonly startAt: number[] = [];
  private readonly endAt: number[] = [];
  private readonly decodes: number[] = [];
  private readonly prefill: number[] = [];
  private readonly leftOut: number[] = [];
  private readonly chunkFrom: number[] = [0];
  private readonly chunkId: number[] = [];
  private readonly chunkTokens: number[] = [];
  private readonly decodeFrom: number[] = [];
  private readonly decodeId: number[] = [];
  private isFull = false;

  constructor(most: number) {
    this.most = most;
  }

  ended(stretch: StretchRecord): void {
    if (stretch.replica !== 0 || this.isFull) return;
    const from = this.decodeId.length;
    for (const id of stretch.decodeIds) this.decodeId.push(id);
    for (let i = 1; i <= stretch.iterations && this.startAt.length < this.most; i++) {
      this.startAt.push(toSeconds(endOfIteration(stretch, i - 1)));
      this.endAt.push(toSeconds(endOfIteration(stretch, i)));
      this.decodes.push(stretch.decodes);
      this.prefill.push(stretch.prefillTokens);
      this.leftOut.push(stretch.decodable - stretch.decodes);
      this.decodeFrom.push(from);
      for (const { id, tokens } of stretch.chunks) {
        this.chunkId.push(id);
        this.chunkTokens.push(tokens);
      }
      this.chunkFrom.push(this.chunkId.length);
    }
    this.isFull = this.startAt.length >= this.most || this.decodeId.length > MOST_DECODES;
  }

  /** The lane, once the trial has run to its end. */
  lane(label: string, outcome: Outcome): Lane {
    const { sequences } = outcome.shared;
    const count = this.startAt.length;
    const until = count > 0 ? this.endAt[count - 1] : 0;
    const { requests } = sequences;
    let arrived = 0;
    while (arrived < outcome.arrived && toSeconds(requests.arrivedAt[arrived]) <= until) arrived++;
    const seconds = (column: Float64Array): Float64Array<ArrayBuffer> =>
      Float64Array.from(column.subarray(0, arrived), toSeconds);
    const arrivedAt = seconds(requests.arrivedAt);
    const startedAt = seconds(sequences.startedAt);
    const finishedAt = seconds(sequences.finishedAt);
    const startAt = Float64Array.from(this.startAt);
    // A rejected request never waits.
    const came = seen(
      arrivedAt.map((at, id) => (Number.isNaN(finishedAt[id]) ? NaN : at)),
      startAt,
    );
    const began = seen(startedAt, startAt);
    const gone = seen(finishedAt, startAt);
    return {
      label,
      count,
      startAt,
      endAt: Float64Array.from(this.endAt),
      decodes: Int32Array.from(this.decodes),
      prefill: Int32Array.from(this.prefill),
      leftOut: Int32Array.from(this.leftOut),
      waiting: came.map((value, i) => value - began[i]),
      resident: began.map((value, i) => value - gone[i]),
      chunkFrom: Int32Array.from(this.chunkFrom),
      chunkId: Int32Array.from(this.chunkId),
      chunkTokens: Int32Array.from(this.chunkTokens),
      decodeFrom: Int32Array.from(this.decodeFrom),
      decodeId: Int32Array.from(this.decodeId),
      arrivedAt,
      startedAt,
      firstTokenAt: seconds(sequences.firstTokenAt),
      finishedAt,
      promptTokens: Int32Array.from(requests.promptTokens.subarray(0, arrived)),
      outputTokens: Int32Array.from(requests.outputTokens.subarray(0, arrived)),
      isWhole: !this.isFull,
    };
  }
}

/** How many of the instants (in any order, NaN: never) lie at or before each of `grid`, ascending. */
function seen(instants: Float64Array, grid: Float64Array): Int32Array<ArrayBuffer> {
  const sorted = instants.filter((instant) => instant === instant).sort();
  const counts = new Int32Array(grid.length);
  let at = 0;
  for (let i = 0; i < grid.length; i++) {
    while (at < sorted.length && sorted[at] <= grid[i]) at++;
    counts[i] = at;
  }
  return counts;
}
