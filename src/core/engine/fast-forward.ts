/**
 * Decoding without asking. Where a replica has decoding sequences and nothing to prefill, and its scheduler
 * `decodesAll`, they decode on, all of them: down from completion to completion, until something arrives or the last
 * one is done. On the way no batch is composed.
 *
 * A fast path, equal to the plain loop to the bit: fast-forward.test.ts shows it, the oracle's properties and `--verify`
 * too. LLMSIM_PLAIN=1 turns it off.
 *
 * What a stretch on the way adds up to is what iteration.ts counts, in the plain case: every sequence is measured, and
 * all iterations of a stretch take the same time.
 */
import { PlanError } from "../errors.js";
import { dropFirst } from "../queues/finish-heap.js";
import { firstGaps } from "./first-gaps.js";
import { runOn } from "./stretch.js";
import { price } from "./pricing.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { activateFirst } from "./residents.js";
import { NEVER, type Instant, type Duration } from "../numbers/units.js";

/** Whether the batch that a replica would compose is all its decoding sequences and nothing else; they are active then. */
export function canFastForward(shared: TrialState, replica: Replica): boolean {
  const { decodesFirst, decodesAll } = replica.engine;
  if (decodesFirst === false && replica.waiting.length + replica.prefilling.length > 0) return false;
  const { size } = replica.pool;
  if (size === 0 || size > decodesAll) return false;
  if (replica.pool.active < size) activateFirst(shared, replica, size);
  // Where they are measured the measurement has begun.
  return replica.activeUnmeasured === 0;
}

/** Whether that many decodes have been composed in this trial, as the scheduler promises, and so beside prompts. */
export const isProven = ({ pool, waiting, prefilling, proven, provenBeside }: Replica): boolean =>
  pool.active <= provenBeside || (pool.active <= proven && waiting.length + prefilling.length === 0);

/**
 * A batch that was promised to be all decoding sequences has been composed: it is held to that.
 * @throws PlanError if it is anything else
 */
export function prove(replica: Replica, scheduled: ScheduledBatch): void {
  const { pool, waiting, prefilling } = replica;
  const { decodes, chunkCount, limitsDecode, limitsPrefill } = scheduled;
  const isKept = decodes === pool.size && chunkCount === 0 && !limitsDecode && !limitsPrefill;
  if (!isKept) refusePromise(replica, scheduled);
  replica.proven = Math.max(replica.proven, decodes);
  if (waiting.length + prefilling.length > 0) replica.provenBeside = decodes;
}

function refusePromise(replica: Replica, scheduled: ScheduledBatch): never {
  const { engine, pool, waiting, prefilling } = replica;
  const isBeside = waiting.length + prefilling.length + scheduled.chunkCount > 0;
  const promise = isBeside ? "decodesFirst" : `decodesAll: ${engine.decodesAll}`;
  const limits = scheduled.limitsDecode || scheduled.limitsPrefill ? ", and a limit of its own decided" : "";
  throw new PlanError(
    engine.schedulerName,
    replica.iterations + 1,
    `the promise ${promise} does not hold: of ${pool.size} decoding sequences the batch has ${scheduled.decodes}, and ${scheduled.chunkCount} prompts${limits}`,
  );
}

/**
 * Goes down from `shared.now`, and moves it: to where the last one is done, or to the end of the iteration that sees
 * an arrival. No stretch that ends after `shared.until` is counted.
 *
 * All mutable state is in locals and nothing is called, so that the compiler keeps it in registers: with its like it took
 * the loop from 1,170 to 930 instructions a request (docs/design.md, `npm run bench -- instructions`).
 * @returns whether a stretch is under way that ends after `shared.until`
 */
export function fastForwardDecodes(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): boolean {
  const { engine, pool, decodeTimes } = replica;
  let { active } = pool;
  if (active > decodeTimes.known) ask(shared, replica, scheduled);
  const { table } = decodeTimes;
  const { nextArrivalAt, until } = shared;
  let now: number = shared.now;
  // From here on all go straight on, the later stretches too; so they do where even the first one ends too late.
  scheduled.startAt = shared.now;
  scheduled.iterationTime = table[2 * active] as Duration;
  table[2 * active + 1] -= active - firstGaps(shared, replica, scheduled, active);

  const { finishedAt } = shared.sequences;
  const { heap } = pool;
  // An arrival ends a stretch with the iteration that is under way; or else it is taken in between stretches.
  const seenAt = engine.decodesFirst === false ? nextArrivalAt : NEVER;
  let { clock } = pool;
  let decodeTokens = 0;
  let isUnderWay = false;
  do {
    const iterationTime = table[2 * active];
    let ticks = (heap[0] - clock) | 0;
    let endAt = now + ticks * iterationTime;
    if (endAt > seenAt) {
      ticks = Math.ceil((seenAt - now) / iterationTime) | 0;
      endAt = now + ticks * iterationTime;
    }
    if (endAt > until) {
      isUnderWay = true;
      break;
    }
    const tokens = ticks * active;
    table[2 * active + 1] += tokens;
    decodeTokens += tokens;
    clock = (clock + ticks) | 0;
    now = endAt;
    while (active > 0 && heap[0] === clock) {
      finishedAt[heap[1]] = now;
      dropFirst(heap, --active);
    }
  } while (active > 0 && now < nextArrivalAt);

  const done = pool.active - active;
  replica.resident -= done;
  shared.completed += done;
  shared.completedMeasured += done;
  replica.iterations += (clock - pool.clock) | 0;
  replica.decodeTokens += decodeTokens;
  replica.busyTime += now - shared.now;
  shared.now = replica.lastTickAt = now as Instant;
  pool.active = active;
  pool.clock = clock;
  if (isUnderWay) startStretch(shared, replica, scheduled);
  return isUnderWay;
}

/** Asks the model what so many and fewer take as are active, as far as it was not asked, and keeps its answers. */
function ask(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { decodeTimes, pool } = replica;
  scheduled.clear();
  for (let decodes = decodeTimes.known + 1; decodes <= pool.active; decodes++) {
    scheduled.decodes = decodes;
    price(replica, scheduled);
    decodeTimes.keep(scheduled);
    // In the log it stands from now on: which gaps it keeps as they are must not depend on when it gets those counted.
    shared.gaps.expect(scheduled.iterationTime);
  }
}

/** All that are active decode on until one finishes or an arrival, like a batch just composed of them. */
function startStretch(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { engine, pool, decodeTimes } = replica;
  scheduled.clear();
  scheduled.dependsOnArrivals = engine.decodesFirst === false;
  scheduled.decodes = pool.active;
  scheduled.iterationTime = decodeTimes.table[2 * pool.active] as Duration;
  runOn(shared, replica, scheduled);
}
