/** A composed batch. Plain fields that the engine's files move; nothing here decides anything. */
import { IdList } from "../queues/id-list.js";
import { NEVER, asInstant, asDuration, type Instant, type Duration } from "../numbers/units.js";

/** A composed batch: what it holds, and the stretch of equal iterations it runs for. */
export class ScheduledBatch {
  startAt: Instant = asInstant(0);
  /** End of the stretch; NEVER while there is none. */
  endAt: Instant = NEVER;
  /** Time of the first iteration, and of all unless times vary; NaN before the first is priced. */
  iterationTime: Duration = asDuration(NaN);
  iterations = 0;
  /** Where times vary: the end of each iteration. */
  ends = new Float64Array(16);
  /** The last iteration is under way or over: nothing can cut the stretch, and its tokens are counted. */
  isSettled = false;
  decodes = 0;
  prefillTokens = 0;
  sumKv = 0;
  chunkCount = 0;
  chunkId = new Int32Array(64);
  chunkTokens = new Int32Array(64);
  chunkCached = new Int32Array(64);
  /** Prompts admitted. */
  admitted = 0;
  /** Sequences preempted to make room for this batch. */
  preempted = 0;
  /** Prompts whose prefill ends with this iteration. */
  readonly ended = new IdList();
  /** Sequences whose last token comes with the stretch's last iteration. */
  readonly finishing = new IdList();
  /** Those of them that were preempted meanwhile: they finish, but hold nothing any more. */
  readonly finishingUnseated = new IdList();
  dependsOnArrivals = true;
  /** A limit of the policy's own decided how many sequences decode, or how much is prefilled. */
  limitsDecode = false;
  limitsPrefill = false;
  /** Whether unstarted prompts stood in the queue when the batch was done: another replica may take them, if there is one. */
  leftWaiting = false;
  /** KV blocks in use when the first iteration began. */
  usedBlocks = 0;
  /** KV blocks in use, times time, over the whole stretch. */
  blockTime = 0;
  /** The blocks in use in each iteration, where the measurement may begin within the stretch; else empty. */
  readonly blocksIn: number[] = [];

  /** Holds nothing again. */
  clear(): void {
    this.decodes = 0;
    this.prefillTokens = 0;
    this.chunkCount = 0;
    this.admitted = 0;
    this.preempted = 0;
    this.ended.length = 0;
    this.finishing.length = 0;
    this.finishingUnseated.length = 0;
    this.dependsOnArrivals = true;
    this.limitsDecode = false;
    this.limitsPrefill = false;
  }

  /** End of the stretch's i-th iteration, 1 <= i <= iterations; its start for i = 0. */
  endOf(i: number, varies: boolean): Instant {
    return asInstant(varies && i > 0 ? this.ends[i - 1] : this.startAt + i * this.iterationTime);
  }

  copyInto(target: ScheduledBatch): void {
    while (target.chunkId.length < this.chunkCount) target.growChunks();
    for (let i = 0; i < this.chunkCount; i++) {
      target.chunkId[i] = this.chunkId[i];
      target.chunkTokens[i] = this.chunkTokens[i];
      target.chunkCached[i] = this.chunkCached[i];
    }
    this.ended.copyInto(target.ended);
    this.finishing.copyInto(target.finishing);
    this.finishingUnseated.copyInto(target.finishingUnseated);
    if (target.ends.length < this.ends.length) target.ends = new Float64Array(this.ends.length);
    target.ends.set(this.ends);
    target.startAt = this.startAt;
    target.endAt = this.endAt;
    target.iterationTime = this.iterationTime;
    target.iterations = this.iterations;
    target.isSettled = this.isSettled;
    target.decodes = this.decodes;
    target.prefillTokens = this.prefillTokens;
    target.sumKv = this.sumKv;
    target.chunkCount = this.chunkCount;
    target.admitted = this.admitted;
    target.preempted = this.preempted;
    target.dependsOnArrivals = this.dependsOnArrivals;
    target.limitsDecode = this.limitsDecode;
    target.limitsPrefill = this.limitsPrefill;
    target.leftWaiting = this.leftWaiting;
    target.usedBlocks = this.usedBlocks;
    target.blockTime = this.blockTime;
    target.blocksIn.splice(0, target.blocksIn.length, ...this.blocksIn);
  }

  /** Takes a chunk out of the batch again. */
  dropChunk(at: number): void {
    this.prefillTokens -= this.chunkTokens[at];
    for (const column of [this.chunkId, this.chunkTokens, this.chunkCached])
      column.copyWithin(at, at + 1, this.chunkCount);
    this.chunkCount--;
  }

  growChunks(): void {
    const double = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const larger = new Int32Array(column.length * 2);
      larger.set(column);
      return larger;
    };
    this.chunkId = double(this.chunkId);
    this.chunkTokens = double(this.chunkTokens);
    this.chunkCached = double(this.chunkCached);
  }
}
