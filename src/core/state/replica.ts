/**
 * The state of one replica, and what all replicas of a trial share.
 *
 * Plain fields that iteration.ts and residents.ts move; nothing here decides anything.
 */
import type { Senders } from "../workload/senders.js";
import { DecodePool } from "./decode-pool.js";
import type { WaitingQueue } from "../policies/discipline.js";
import type { GapLog } from "./gap-log.js";
import { IdDeque } from "../queues/id-deque.js";
import { IdList } from "../queues/id-list.js";
import { KvMemory, type KvRules } from "./kv-memory.js";
import { DecodeTimes } from "./decode-times.js";
import type { Stream } from "../numbers/random.js";
import type { Router } from "../policies/router.js";
import type { Limits, Scheduler } from "../policies/scheduler.js";
import type { Sequences } from "./sequences.js";
import type { ServiceTimeModel } from "../service-times/service-time-model.js";
import { StallLog } from "./stall-log.js";
import { NEVER, ns, UNLIMITED, type Nanoseconds } from "../numbers/units.js";

/** What the replicas of a trial have in common. */
export interface TrialState {
  readonly sequences: Sequences;
  /** Chooses a replica's own queue for each request; null: one central queue (model §1). */
  readonly router: Router | null;
  /** Random numbers for it, if there is one. */
  routing: Stream | null;
  readonly gaps: GapLog;
  readonly scheduler: Scheduler;
  readonly schedulerName: string;
  readonly model: ServiceTimeModel;
  readonly limits: Limits;
  /** Iterations that an engine has composed at once: 1, or 2 with asynchronous scheduling. */
  readonly depth: number;
  /** Decodes and partly prefilled prompts stand in the order of their admission, not of arrival and prefill end. */
  readonly byAdmission: boolean;
  /** No batch repeats unasked: the scheduler wants every iteration, or iteration times are random. */
  readonly asksEveryIteration: boolean;
  /**
   * The iteration time changes along a stretch of equal batches, or KV memory may end it. Only then are cached
   * tokens counted.
   */
  readonly varies: boolean;
  /**
   * The scheduler `decodesAll` of so many decoding sequences; 0 also where what a stretch comes to needs a look at its
   * sequences or iterations.
   */
  readonly decodesAll: number;
  /** And it does so even while prompts wait. */
  readonly decodesFirst: boolean;
  /** One iteration at a time, each composed: what the fast paths are held against (verification.ts). */
  readonly isPlain: boolean;
  /** `firstToken: prefill`: the iteration that ends a prompt's prefill emits output token 1. */
  readonly emitsAtPrefillEnd: boolean;
  /** Time that each request spends before the engine sees it (HTTP, tokenizer). */
  readonly overhead: Nanoseconds;
  /** Blocks of KV memory a replica has; UNLIMITED without that limit. */
  readonly usableBlocks: number;
  /** What such a memory goes by. */
  readonly kvRules: KvRules;
  /** Victims are chosen by class, wherever they run, and wait in their class again (vLLM's policy `priority`). */
  readonly preemptsByClass: boolean;
  /** Who sends the requests of a closed loop; null in an open one, or when nobody sends any more. */
  clients: Senders | null;
  /** Requests that arrive from here on are measured. */
  readonly warmup: Nanoseconds;
  /** The first measured request; ids are in order of arrival. In a closed loop UNLIMITED until it has arrived. */
  firstMeasured: number;
  /**
   * The instant of the first measured arrival: iteration time counts as measured from here on. In a closed loop the
   * earliest that is known: the clock passes none that is not.
   */
  measuredFrom: Nanoseconds;
  /** The last completion after which no measured request that had arrived was left; NaN before any. */
  measuredUntil: Nanoseconds;
  /** How many of them were completed. */
  settledMeasured: number;
  /** Iteration time between these two instants, over all replicas. */
  busyTime: number;
  /** The loop goes up to and with this instant. */
  until: Nanoseconds;
  /** Arrivals after this instant pause the loop. */
  arrivalsUntil: Nanoseconds;
  /** The loop stopped in the middle of an instant, before it took an arrival in. */
  isPaused: boolean;
  /** The clock. */
  now: Nanoseconds;
  /** When the engine sees the first arrival ahead, or NEVER. */
  nextArrivalAt: Nanoseconds;
  /** Requests that have arrived. */
  arrived: number;
  /** Requests completed, and those of them that are measured. */
  completed: number;
  completedMeasured: number;
  /** Requests that can never fit into the KV memory, and those of them that are measured. */
  rejected: number;
  rejectedMeasured: number;
}

/** A composed batch: what it holds, and the stretch of equal iterations it runs for. */
export class ScheduledBatch {
  startAt: Nanoseconds = ns(0);
  /** End of the stretch; NEVER while there is none. */
  endAt: Nanoseconds = NEVER;
  /** Time of the first iteration, and of all unless times vary; NaN before the first is priced. */
  iterationTime: Nanoseconds = ns(NaN);
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
  endOf(i: number, varies: boolean): Nanoseconds {
    return ns(varies && i > 0 ? this.ends[i - 1] : this.startAt + i * this.iterationTime);
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

export class Replica {
  readonly index: number;
  readonly pool = new DecodePool();
  /** Unstarted prompts: its own, or the central queue, which is the same for all. */
  waiting!: WaitingQueue;
  /** Requests that were routed here, and the tokens they ask to compute; not counted with a central queue. */
  routed = 0;
  routedTokens = 0;
  /** Requests routed here that have left, answered or not; of no meaning with a central queue, either. */
  answered = 0;
  /** The batch under way, and with asynchronous scheduling the one behind it. */
  scheduled = new ScheduledBatch();
  next = new ScheduledBatch();
  hasNext = false;
  /** It may compose a batch at this instant. */
  isOpen = true;
  /** When it has to look up again: an iteration ends after which it composes, or its batch ends. */
  wakeAt: Nanoseconds = NEVER;
  /** Partly prefilled prompts, by arrival or by admission. */
  readonly prefilling = new IdList();
  /** Preempted requests: they come before all that never started, or where victims are chosen by class in their class. */
  readonly preempted = new IdDeque();
  /** Decoding sequences that the last batch passed over, out of their order: they stand in the pool for the next one. */
  readonly skipped = new IdList();
  /** Sequences prefilling or decoding here. */
  resident = 0;
  /** Admissions so far. */
  admissions = 0;
  /** Active sequences that are not measured: their ITLs are not pooled. */
  activeUnmeasured = 0;
  /** End of the last settled iteration that decodes. */
  lastTickAt: Nanoseconds = ns(0);
  /** Gaps of the decode clock, where each request's largest is wanted. */
  readonly stalls = new StallLog();
  /** Tokens in the KV cache of the active sequences. */
  sumKv = 0;
  /** KV blocks, if they are limited. */
  memory: KvMemory | null = null;
  /** Active sequences by (cached tokens − decode clock) modulo the block size: who needs a block when. */
  phases = new Int32Array(0);
  readonly decodeTimes = new DecodeTimes();
  /** The most decodes of which this trial has seen the scheduler's promise kept (fast-forward.ts); and so beside prompts. */
  proven = 0;
  provenBeside = 0;
  /** Draws of random iteration times. */
  service: Stream | undefined;

  iterations = 0;
  /** Iterations in which a limit of the policy's own decided that side. */
  decodeLimited = 0;
  prefillLimited = 0;
  prefillTokens = 0;
  decodeTokens = 0;
  preemptions = 0;
  /** What its requests had come to when one was last preempted, and the preemptions until then (preemption.ts). */
  progress = 0;
  preemptionsAtProgress = 0;
  /** Prompt tokens that preemptions have caused to be computed again. */
  recomputedTokens = 0;
  /** Output tokens that such a prefill emitted at its end. */
  resumedTokens = 0;
  /** Iteration time since the measurement began. */
  busyTime = 0;
  /** KV blocks in use, times time, since the measurement began. */
  blockTime = 0;

  constructor(index: number) {
    this.index = index;
  }

  /** @param usableBlocks blocks of its KV memory, or UNLIMITED */
  reset(waiting: WaitingQueue, service: Stream | undefined, usableBlocks: number, rules: KvRules): void {
    this.waiting = waiting;
    this.routed = 0;
    this.routedTokens = 0;
    this.answered = 0;
    this.pool.clear();
    this.decodeTimes.clear();
    this.proven = 0;
    this.provenBeside = 0;
    this.stalls.clear();
    this.scheduled.endAt = NEVER;
    this.scheduled.blockTime = this.next.blockTime = 0;
    this.hasNext = false;
    this.isOpen = true;
    this.wakeAt = NEVER;
    this.prefilling.length = 0;
    this.preempted.clear();
    this.skipped.length = 0;
    this.resident = 0;
    this.admissions = 0;
    this.activeUnmeasured = 0;
    this.lastTickAt = ns(0);
    this.sumKv = 0;
    this.memory = usableBlocks === UNLIMITED ? null : (this.memory ?? new KvMemory());
    this.memory?.reset(usableBlocks, rules);
    if (this.phases.length === rules.blockTokens) this.phases.fill(0);
    else this.phases = new Int32Array(rules.blockTokens);
    this.service = service;
    this.iterations = 0;
    this.decodeLimited = 0;
    this.prefillLimited = 0;
    this.prefillTokens = 0;
    this.decodeTokens = 0;
    this.preemptions = 0;
    this.progress = 0;
    this.preemptionsAtProgress = 0;
    this.recomputedTokens = 0;
    this.resumedTokens = 0;
    this.busyTime = 0;
    this.blockTime = 0;
  }

  /** Makes `target` equal to this replica, but for the waiting prompts, which several may share. */
  copyInto(target: Replica): void {
    this.pool.copyInto(target.pool);
    this.stalls.copyInto(target.stalls);
    this.scheduled.copyInto(target.scheduled);
    if (this.hasNext) this.next.copyInto(target.next);
    this.prefilling.copyInto(target.prefilling);
    this.preempted.copyInto(target.preempted);
    this.skipped.copyInto(target.skipped);
    if (this.memory) this.memory.copyInto((target.memory ??= new KvMemory()));
    else target.memory = null;
    target.phases = this.phases.slice();
    // The log forgets a gap of the target's that was expected since.
    target.decodeTimes.clear();
    target.proven = this.proven;
    target.provenBeside = this.provenBeside;
    target.routed = this.routed;
    target.routedTokens = this.routedTokens;
    target.answered = this.answered;
    target.hasNext = this.hasNext;
    target.isOpen = this.isOpen;
    target.wakeAt = this.wakeAt;
    target.resident = this.resident;
    target.admissions = this.admissions;
    target.activeUnmeasured = this.activeUnmeasured;
    target.lastTickAt = this.lastTickAt;
    target.sumKv = this.sumKv;
    target.service = this.service?.copy();
    target.iterations = this.iterations;
    target.decodeLimited = this.decodeLimited;
    target.prefillLimited = this.prefillLimited;
    target.prefillTokens = this.prefillTokens;
    target.decodeTokens = this.decodeTokens;
    target.preemptions = this.preemptions;
    target.progress = this.progress;
    target.preemptionsAtProgress = this.preemptionsAtProgress;
    target.recomputedTokens = this.recomputedTokens;
    target.resumedTokens = this.resumedTokens;
    target.busyTime = this.busyTime;
    target.blockTime = this.blockTime;
  }
}
