/**
 * The state of one replica. Plain fields that the engine's files move; nothing here decides anything.
 */
import type { WaitingQueue } from "../policies/discipline.js";
import { IdDeque } from "../queues/id-deque.js";
import { IdList } from "../queues/id-list.js";
import type { Stream } from "../numbers/random.js";
import { NEVER, asInstant, type Instant } from "../numbers/units.js";
import { DecodePool } from "./decode-pool.js";
import { DecodeTimes } from "./decode-times.js";
import type { EngineSetup } from "./engine-setup.js";
import type { KvCache } from "./kv-cache.js";
import { ScheduledBatch } from "./scheduled-batch.js";
import { StallLog } from "./stall-log.js";

/**
 * What a replica counts: 0 when a trial begins, and the same in a copy. Each is named here once, beside its field: one
 * that were forgotten in a copy would be a wrong window.
 */
const COUNTERS = [
  ...["routed", "routedTokens", "answered", "proven", "provenBeside"],
  ...["resident", "admissions", "activeUnmeasured", "sumKv"],
  ...["iterations", "decodeLimited", "prefillLimited", "prefillTokens", "decodeTokens"],
  ...["preemptions", "progress", "preemptionsAtProgress", "recomputedTokens", "resumedTokens"],
  ...["busyTime", "blockTime"],
] as const;

export class Replica {
  readonly index: number;
  /** The setup of its pool. */
  engine!: EngineSetup;
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
  wakeAt: Instant = NEVER;
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
  lastTickAt: Instant = asInstant(0);
  /** Gaps of the decode clock, where each request's largest is wanted. */
  readonly stalls = new StallLog();
  /** Tokens in the KV cache of the active sequences. */
  sumKv = 0;
  /** KV blocks, if they are limited. */
  memory: KvCache | null = null;
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

  reset(engine: EngineSetup, waiting: WaitingQueue, service: Stream | undefined): void {
    const { kvRules } = engine;
    this.engine = engine;
    this.waiting = waiting;
    for (const counter of COUNTERS) this[counter] = 0;
    this.pool.clear();
    this.decodeTimes.clear();
    this.stalls.clear();
    this.scheduled.endAt = NEVER;
    this.scheduled.blockTime = this.next.blockTime = 0;
    this.hasNext = false;
    this.isOpen = true;
    this.wakeAt = NEVER;
    this.prefilling.length = 0;
    this.preempted.clear();
    this.skipped.length = 0;
    this.lastTickAt = asInstant(0);
    this.memory = engine.newKvCache?.() ?? null;
    if (this.phases.length === kvRules.blockTokens) this.phases.fill(0);
    else this.phases = new Int32Array(kvRules.blockTokens);
    this.service = service;
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
    target.memory = this.memory && this.memory.copyInto(target.memory);
    target.phases = this.phases.slice();
    // The log forgets a gap of the target's that was expected since.
    target.decodeTimes.clear();
    for (const counter of COUNTERS) target[counter] = this[counter];
    target.hasNext = this.hasNext;
    target.isOpen = this.isOpen;
    target.wakeAt = this.wakeAt;
    target.lastTickAt = this.lastTickAt;
    target.engine = this.engine;
    target.service = this.service?.copy();
  }
}
