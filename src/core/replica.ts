/**
 * The state of one replica, and what all replicas of a trial share.
 *
 * Plain fields that iteration.ts moves; nothing here decides anything.
 */
import { DecodePool } from "./decode-pool.js";
import type { PromptOrder } from "./discipline.js";
import type { GapLog } from "./gap-log.js";
import { IdList } from "./id-list.js";
import type { Stream } from "./random.js";
import type { Limits, Scheduler } from "./scheduler.js";
import type { Sequences } from "./sequences.js";
import type { ServiceTimeModel } from "./service-time-model.js";
import { NEVER, ns, type Nanoseconds } from "./units.js";

/** What the replicas of a trial have in common. */
export interface Shared {
  readonly sequences: Sequences;
  /** Unstarted prompts: one central queue (model §1). */
  readonly waiting: PromptOrder;
  readonly gaps: GapLog;
  readonly scheduler: Scheduler;
  readonly schedulerName: string;
  readonly model: ServiceTimeModel;
  readonly limits: Limits;
  /** `firstToken: prefill`: the iteration that ends a prompt's prefill emits output token 1. */
  readonly emitsAtPrefillEnd: boolean;
  /** `mixedBatch: max`: a mixed batch costs as much as its dearer side. */
  readonly pricesDearerSide: boolean;
  /** The first measured request; ids are in order of arrival. */
  readonly firstMeasured: number;
  /** The instant of the first measured arrival: iteration time counts as measured from here on. */
  readonly measuredFrom: Nanoseconds;
  /** The last instant at which every measured request that had arrived was completed; NaN before any. */
  measuredUntil: Nanoseconds;
  /** How many these were. */
  settledMeasured: number;
  /** Iteration time between these two instants, over all replicas. */
  busyTime: number;
  /** Arrivals after this instant pause the loop. */
  arrivalsUntil: Nanoseconds;
  /** The loop stopped in the middle of an instant, before it took an arrival in. */
  isPaused: boolean;
  /** The clock. */
  now: Nanoseconds;
  /** The first arrival ahead, or NEVER. */
  nextArrivalAt: Nanoseconds;
  /** Requests that have arrived. */
  arrived: number;
  /** Requests completed, and those of them that are measured. */
  completed: number;
  completedMeasured: number;
}

/** The batch in flight on a replica: what was composed, and the stretch of equal iterations it runs for. */
export class Flight {
  startAt: Nanoseconds = ns(0);
  /** End of the stretch; NEVER while the replica is idle. */
  endAt: Nanoseconds = NEVER;
  iterationTime: Nanoseconds = ns(0);
  iterations = 0;
  decodes = 0;
  prefillTokens = 0;
  sumKv = 0;
  chunkCount = 0;
  chunkId = new Int32Array(64);
  chunkTokens = new Int32Array(64);
  chunkCached = new Int32Array(64);
  /** Prompts taken from the central queue. */
  admitted = 0;
  /** Prompts whose prefill ends with this iteration. */
  readonly ended = new IdList();
  dependsOnArrivals = true;
  /** A limit of the policy's own decided how many sequences decode, or how much is prefilled. */
  limitsDecode = false;
  limitsPrefill = false;
  /** Whether unstarted prompts stood in the queue when the batch was done: another replica may take them. */
  leftWaiting = false;

  copyInto(target: Flight): void {
    while (target.chunkId.length < this.chunkCount) target.growChunks();
    for (let i = 0; i < this.chunkCount; i++) {
      target.chunkId[i] = this.chunkId[i];
      target.chunkTokens[i] = this.chunkTokens[i];
      target.chunkCached[i] = this.chunkCached[i];
    }
    this.ended.copyInto(target.ended);
    target.startAt = this.startAt;
    target.endAt = this.endAt;
    target.iterationTime = this.iterationTime;
    target.iterations = this.iterations;
    target.decodes = this.decodes;
    target.prefillTokens = this.prefillTokens;
    target.sumKv = this.sumKv;
    target.chunkCount = this.chunkCount;
    target.admitted = this.admitted;
    target.dependsOnArrivals = this.dependsOnArrivals;
    target.limitsDecode = this.limitsDecode;
    target.limitsPrefill = this.limitsPrefill;
    target.leftWaiting = this.leftWaiting;
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

export class Replica {
  readonly index: number;
  readonly pool = new DecodePool();
  readonly flight = new Flight();
  /** Partly prefilled prompts, by arrival. */
  readonly partial = new IdList();
  /** Sequences prefilling or decoding here. */
  resident = 0;
  /** Active sequences that are not measured: their ITLs are not pooled. */
  activeUnmeasured = 0;
  /** End of the last iteration that decoded. */
  lastTickAt: Nanoseconds = ns(0);
  /** Tokens in the KV cache of the active sequences. */
  sumKv = 0;
  /** Draws of random iteration times. */
  service: Stream | undefined;

  iterations = 0;
  /** Iterations in which a limit of the policy's own decided that side. */
  decodeLimited = 0;
  prefillLimited = 0;
  prefillTokens = 0;
  decodeTokens = 0;
  /** Iteration time since the measurement began. */
  busyTime = 0;

  constructor(index: number) {
    this.index = index;
  }

  reset(service: Stream | undefined): void {
    this.pool.clear();
    this.flight.endAt = NEVER;
    this.partial.length = 0;
    this.resident = 0;
    this.activeUnmeasured = 0;
    this.lastTickAt = ns(0);
    this.sumKv = 0;
    this.service = service;
    this.iterations = 0;
    this.decodeLimited = 0;
    this.prefillLimited = 0;
    this.prefillTokens = 0;
    this.decodeTokens = 0;
    this.busyTime = 0;
  }

  /** Makes `target` equal to this replica. */
  copyInto(target: Replica): void {
    this.pool.copyInto(target.pool);
    this.flight.copyInto(target.flight);
    this.partial.copyInto(target.partial);
    target.resident = this.resident;
    target.activeUnmeasured = this.activeUnmeasured;
    target.lastTickAt = this.lastTickAt;
    target.sumKv = this.sumKv;
    target.service = this.service?.copy();
    target.iterations = this.iterations;
    target.decodeLimited = this.decodeLimited;
    target.prefillLimited = this.prefillLimited;
    target.prefillTokens = this.prefillTokens;
    target.decodeTokens = this.decodeTokens;
    target.busyTime = this.busyTime;
  }
}
