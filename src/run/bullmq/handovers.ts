/**
 * Results on their way to Redis. A worker that lost its lock (it was frozen, or Redis forgot the job) finishes a shard
 * that another finishes, too; Redis takes one result and refuses the other. The one that was refused is kept a while and
 * compared with the one that was taken: both must be the same.
 */
import type { Job } from "bullmq";
import { fingerprint, type Result, sourceOf } from "./result.js";

/** More than these are not kept: the oldest goes. */
const MOST_KEPT = 64;

interface Handover {
  readonly job: Job;
  readonly result: Result;
  readonly since: number;
}

export interface Handovers {
  /** A result is about to be handed over. */
  begin(job: Job, result: Result): void;
  /** Redis has taken it. */
  taken(id: string | undefined): void;
  /** Compares those that were not taken with what was, where there is one by now. */
  compare(): Promise<void>;
}

/**
 * @param patienceMs how long a handover may take
 * @param finished what a job has come to: [1, its result as JSON] when it is completed
 * @param disagree hears of a result that is not the one that was taken
 */
export function handovers(
  patienceMs: number,
  finished: (id: string) => Promise<[state: number, result?: string]>,
  disagree: (job: Job, first: string, second: string) => Promise<void>,
): Handovers {
  const open = new Map<string, Handover>();
  return {
    begin(job, result) {
      open.delete(job.id!);
      open.set(job.id!, { job, result, since: performance.now() });
      if (open.size > MOST_KEPT) open.delete(open.keys().next().value!);
    },
    taken: (id) => void open.delete(String(id)),
    async compare() {
      for (const [id, { job, result, since }] of [...open]) {
        if (performance.now() - since < patienceMs) continue;
        const [state, text] = await finished(id);
        if (state === 0) continue; // somebody is at it
        if (!open.delete(id)) continue;
        const other = state === 1 ? (JSON.parse(text ?? "null") as unknown) : undefined;
        const [theirs, ours] = [fingerprint(other), fingerprint(result)];
        if (theirs === undefined || ours === undefined || theirs === ours) continue;
        await disagree(job, sourceOf(other), sourceOf(result));
      }
    },
  };
}
