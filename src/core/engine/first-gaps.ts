/**
 * The first gaps of a stretch of decodes. All later gaps are as long as its iterations; the first one is longer for a
 * sequence that has waited: since its prefill ended, or since it last decoded.
 */
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";

/**
 * The gaps that the first iteration of a stretch ends, but for those that are as long as the iteration, like those of
 * its other iterations.
 * @param measured how many of the active ones are measured
 * @returns how many have a first gap of that length: those that decode straight on
 */
export function firstGaps(
  shared: TrialState,
  replica: Replica,
  scheduled: ScheduledBatch,
  measured: number,
): number {
  const { pool, lastTickAt } = replica;
  const { startAt } = scheduled;
  const { freshCount } = pool;
  if (freshCount > 0 && (pool.freshAt !== startAt || replica.activeUnmeasured > 0))
    return gapsOfFresh(shared, replica, scheduled, measured);
  pool.freshCount = 0;
  if (startAt === lastTickAt) return measured;
  shared.gaps.sought = startAt + scheduled.iterationTime - lastTickAt;
  shared.gaps.addSought(measured - freshCount);
  return freshCount;
}

/** The same where those that have just become active have gaps of their own, or their output token 1 only now. */
function gapsOfFresh(
  shared: TrialState,
  replica: Replica,
  scheduled: ScheduledBatch,
  measured: number,
): number {
  const { gaps, firstMeasured } = shared;
  const { firstTokenAt, lastTokenAt } = shared.sequences;
  const { pool, lastTickAt } = replica;
  const { fresh, freshCount } = pool;
  const { startAt } = scheduled;
  const at = startAt + scheduled.iterationTime;
  let ticked = measured;
  let straightOn = 0;
  // Where the prefill of several ended together the gaps are counted together.
  let begin: number = startAt;
  let alike = 0;
  for (let i = 0; i < freshCount; i++) {
    const id = fresh[i];
    const before = lastTokenAt[id];
    if (before !== before) firstTokenAt[id] = at;
    if (id < firstMeasured) continue;
    ticked--;
    if (before === startAt) straightOn++;
    else if (before === before) {
      if (before !== begin) {
        if (alike > 0) gaps.add(at - begin, alike);
        begin = before;
        alike = 0;
      }
      alike++;
    }
  }
  if (alike > 0) gaps.add(at - begin, alike);
  pool.freshCount = 0;
  if (startAt === lastTickAt) return straightOn + ticked;
  gaps.add(at - lastTickAt, ticked);
  return straightOn;
}
