/**
 * The one place that makes plain records of the engine's insides, for those who watch a run. It exists only where somebody
 * does. Who decodes, and who was preempted, is noted when a batch is composed: when it ends the replica has moved on.
 */
import type { IdList } from "../queues/id-list.js";
import { asInstant } from "../numbers/units.js";
import type { Replica } from "../state/replica.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { TrialState } from "../state/trial-state.js";
import type { Inspector } from "./inspector.js";
import type { ChunkRecord, Observer, StretchRecord } from "./observer.js";

/** There is one pool. */
const POOL = 0;

/** What is known of a batch when it is composed, and not any more when it ends. */
type Composed = Pick<StretchRecord, "decodeIds" | "decodable" | "preempted">;

/** Tells an observer of one trial, from its start. */
export class Recorder implements Inspector {
  /** By replica: of the batch under way, and with asynchronous scheduling of the one behind it. */
  private readonly composed: Composed[][] = [];
  /** By replica: the preemptions that have been told, or will be with a batch composed. */
  private readonly preemptions: number[] = [];

  constructor(private readonly observer: Observer) {}

  began(replica: Replica, { decodes }: ScheduledBatch): void {
    if (!this.observer.ended) return;
    const { index, preemptions, pool } = replica;
    const preempted = preemptions - (this.preemptions[index] ?? 0);
    this.preemptions[index] = preemptions;
    const decodeIds = activeIn(replica, decodes);
    (this.composed[index] ??= []).push({ decodeIds, decodable: pool.size, preempted });
  }

  ended(replica: Replica): void {
    if (!this.observer.ended) return;
    const { scheduled, index, engine } = replica;
    const { decodeIds, decodable, preempted } = this.composed[index].shift()!;
    const { startAt, endAt, iterations, decodes, prefillTokens } = scheduled;
    this.observer.ended({
      replica: index,
      pool: POOL,
      startAt,
      endAt,
      iterations,
      iterationEnds:
        engine.varies && iterations > 1
          ? Array.from(scheduled.ends.subarray(0, iterations), asInstant)
          : null,
      decodes,
      decodeIds,
      decodable,
      prefillTokens,
      chunks: chunksOf(scheduled),
      prefilled: idsOf(scheduled.ended),
      finished: idsOf(scheduled.finishing, scheduled.finishingUnseated),
      preempted,
      kvTokens: engine.varies ? scheduled.sumKv : null,
    });
  }

  settled(replicas: readonly Replica[], { now, arrived, completed, rejected }: TrialState): void {
    this.observer.settled?.({
      at: now,
      arrived,
      completed,
      rejected,
      replicas: replicas.map(({ index, resident, memory }) => ({
        replica: index,
        pool: POOL,
        residents: resident,
        blocks: memory && memory.used,
      })),
    });
  }
}

/** By hand: with `Array.from`, which goes through an iterator, a watched run took 1.4 to 3.2 times as long. */
function idsOf(...lists: readonly IdList[]): number[] {
  const all: number[] = [];
  for (const { ids, length } of lists) for (let i = 0; i < length; i++) all.push(ids[i]);
  return all;
}

/** The pool names its active sequences first. */
function activeIn({ pool }: Replica, count: number): number[] {
  const ids: number[] = [];
  if (count > 0)
    pool.forEach((id) => {
      if (ids.length < count) ids.push(id);
    });
  return ids;
}

function chunksOf({ chunkCount, chunkId, chunkTokens }: ScheduledBatch): ChunkRecord[] {
  const chunks: ChunkRecord[] = [];
  for (let i = 0; i < chunkCount; i++) chunks.push({ id: chunkId[i], tokens: chunkTokens[i] });
  return chunks;
}
