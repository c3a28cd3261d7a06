/**
 * What a timeline shows of one policy: its iterations, one after the other, and the requests they serve. Plain
 * columns in seconds, so that they cross threads and are drawn alike by a browser and by `llmsim animate`.
 */

/** One policy's recorded iterations, in order of time. */
export interface Lane {
  readonly label: string;
  /** Iterations recorded. */
  readonly count: number;
  /** By iteration, in seconds. */
  readonly startAt: Float64Array;
  readonly endAt: Float64Array;
  /** By iteration: sequences that got a token, prompt tokens computed. */
  readonly decodes: Int32Array;
  readonly prefill: Int32Array;
  /** By iteration, when it began: sequences that could have decoded and were left out. */
  readonly leftOut: Int32Array;
  /** By iteration, when it began: prompts that had arrived and had not started; sequences started and not done. */
  readonly waiting: Int32Array;
  readonly resident: Int32Array;
  /** Iteration i's chunks are chunkFrom[i] .. chunkFrom[i + 1] of chunkId and chunkTokens. */
  readonly chunkFrom: Int32Array;
  readonly chunkId: Int32Array;
  readonly chunkTokens: Int32Array;
  /** The sequences that iteration i decodes: decodeId from decodeFrom[i], decodes[i] of them. */
  readonly decodeFrom: Int32Array;
  readonly decodeId: Int32Array;
  /** By request, in seconds; NaN where it never happened. */
  readonly arrivedAt: Float64Array;
  readonly startedAt: Float64Array;
  readonly firstTokenAt: Float64Array;
  readonly finishedAt: Float64Array;
  readonly promptTokens: Int32Array;
  readonly outputTokens: Int32Array;
  /** Every iteration of the trial is here. */
  readonly isWhole: boolean;
}

/** The first iteration that ends after `at` seconds; `count` when there is none. */
export function iterationAt({ endAt, count }: Lane, at: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endAt[middle] <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The seconds that all lanes cover: up to the end of the recording that stopped first. */
export function commonEnd(lanes: readonly Lane[]): number {
  const last = (lane: Lane): number => (lane.count > 0 ? lane.endAt[lane.count - 1] : 0);
  const cut = lanes.filter((lane) => !lane.isWhole).map(last);
  return cut.length > 0 ? Math.min(...cut) : Math.max(0, ...lanes.map(last));
}

/** Whether iteration i holds a request, and how. */
export function holds(lane: Lane, i: number, id: number): "prefill" | "decode" | undefined {
  for (let c = lane.chunkFrom[i]; c < lane.chunkFrom[i + 1]; c++)
    if (lane.chunkId[c] === id) return "prefill";
  const from = lane.decodeFrom[i];
  for (let d = from; d < from + lane.decodes[i]; d++) if (lane.decodeId[d] === id) return "decode";
  return undefined;
}
