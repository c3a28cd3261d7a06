/**
 * The largest gap between two tokens of each request, where an SLO asks for it. A sequence sees the ticks of its
 * replica's decode clock while it is active, so its largest gap is that of an interval of the clock (stall-log.ts);
 * the gaps that are its own (to its first tick, and round a preemption) are looked at one by one. Ticks are numbered
 * by the replica's iterations, which, unlike the clock, do not go round.
 */
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";

/** A gap of its own, which ends with the token at `tokenAt`; nothing when there was no token before. */
export function ownGap(shared: TrialState, id: number, tokenAt: number): void {
  const { largestGap, lastTokenAt } = shared.sequences;
  // NaN (no earlier token) is not larger.
  if (largestGap !== null && tokenAt - lastTokenAt[id] > largestGap[id])
    largestGap[id] = tokenAt - lastTokenAt[id];
}

/** The gaps of a stretch of decodes, before the clock moves; fresh sequences still have their earlier token. */
export function stretchGaps(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { sequences } = shared;
  if (sequences.largestGap === null) return;
  const { pool, stalls, iterations: before } = replica;
  const firstTickAt = scheduled.startAt + scheduled.iterationTime;
  for (let i = 0; i < pool.freshCount; i++) {
    ownGap(shared, pool.fresh[i], firstTickAt);
    sequences.firstTick[pool.fresh[i]] = before + 1;
  }
  // Only those that had ticks before have this gap.
  if (pool.active > pool.freshCount) stalls.push(before + 1, firstTickAt - replica.lastTickAt);
  else stalls.clear();
  if (scheduled.iterations === 1) return;
  let largest: number = scheduled.iterationTime;
  if (replica.engine.varies) {
    largest = 0;
    for (let i = 1; i < scheduled.iterations; i++)
      largest = Math.max(largest, scheduled.ends[i] - scheduled.ends[i - 1]);
  }
  stalls.push(before + scheduled.iterations, largest);
}

/** A sequence that has had ticks since it became active leaves the active ones. */
export function leavesWithGaps(shared: TrialState, replica: Replica, id: number): void {
  const { largestGap, firstTick } = shared.sequences;
  if (largestGap === null) return;
  largestGap[id] = Math.max(largestGap[id], replica.stalls.largestSince(firstTick[id]));
}
