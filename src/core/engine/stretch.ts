/**
 * How long a batch runs. One that admits nothing and ends no prompt repeats until something happens that could change
 * it, so equal iterations are one stretch; a stretch under way is cut where something does.
 */
import { ConfigError } from "../errors.js";
import type { EngineSetup } from "../state/engine-setup.js";
import type { Replica } from "../state/replica.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { TrialState } from "../state/trial-state.js";
import { price } from "./pricing.js";
import { blocksNeeded } from "./residents.js";
import { LAST_INSTANT, NEVER, UNLIMITED, asInstant, type Instant } from "../numbers/units.js";

/** What the batch just composed costs, and for how many iterations it runs. */
export function schedule(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { engine } = replica;
  const isAhead = engine.depth > 1 && scheduled !== replica.scheduled;
  if (isAhead) scheduled.startAt = replica.scheduled.endAt;
  else scheduled.startAt = shared.now;
  scheduled.isSettled = false;
  if (engine.varies) scheduled.sumKv = scheduled.decodes > 0 ? replica.sumKv : 0;
  price(replica, scheduled);
  scheduled.iterations = 1;
  if (repeats(engine, scheduled)) repeat(shared, replica, scheduled, isAhead);
  if (engine.varies) priceStretch(shared, replica, scheduled);
  else last(shared, engine, scheduled);
  if (scheduled.endAt > LAST_INSTANT) refuseDrain();
}

/** What decodes, as priced, decodes on until one finishes or an arrival, like a batch just composed. */
export function runOn(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  scheduled.startAt = shared.now;
  scheduled.isSettled = false;
  scheduled.iterations = replica.pool.ticksLeft;
  last(shared, replica.engine, scheduled);
  if (scheduled.endAt > LAST_INSTANT) refuseDrain();
}

/** How long the stretch lasts, where all its iterations take the same time. */
function last(shared: TrialState, engine: EngineSetup, scheduled: ScheduledBatch): void {
  if (scheduled.iterations > 1) repeatUntilArrival(shared, engine.depth, scheduled);
  scheduled.endAt = (scheduled.startAt + scheduled.iterations * scheduled.iterationTime) as Instant;
}

function refuseDrain(): never {
  throw new ConfigError([
    { key: "horizon.tmaxSeconds", message: "the drain would pass 2^53 ns (the clock counts 104 days)" },
  ]);
}

/** Whether the batch just composed runs unchanged until something happens: it admits nothing and ends no prompt. */
const repeats = (
  { asksEveryIteration }: EngineSetup,
  { admitted, ended, preempted }: ScheduledBatch,
): boolean => admitted + ended.length + preempted === 0 && !asksEveryIteration;

/** For how many iterations it does, whatever arrives. */
function repeat(shared: TrialState, replica: Replica, scheduled: ScheduledBatch, isAhead: boolean): void {
  // What the iteration under way gives back when it ends may change the batch after this one.
  if (isAhead && replica.scheduled.finishing.length + replica.scheduled.finishingUnseated.length > 0) return;
  // Up to the next completion.
  const { pool } = replica;
  scheduled.iterations = scheduled.decodes > 0 ? pool.ticksLeft : UNLIMITED;
  if (scheduled.chunkCount > 0)
    scheduled.iterations = Math.min(scheduled.iterations, repeatsOfChunks(shared, replica, scheduled));
}

/** For how many iterations the chunks just composed repeat: the last whole one must not end its prompt. */
function repeatsOfChunks(
  shared: TrialState,
  { engine }: Replica,
  { chunkCount, chunkId, chunkTokens }: ScheduledBatch,
): number {
  // They move on in their prompts: with memory or context to count, one at a time.
  if (engine.varies) return 1;
  const { promptLeft } = shared.sequences;
  let most = UNLIMITED;
  for (let i = 0; i < chunkCount; i++)
    most = Math.min(most, Math.ceil(promptLeft[chunkId[i]] / chunkTokens[i]));
  return most;
}

/** Up to the first iteration that ends at or after the next arrival, and those composed by then. */
function repeatUntilArrival(shared: TrialState, depth: number, scheduled: ScheduledBatch): void {
  // A router decides at the arrival whom it concerns: that replica's stretch is cut then.
  if (scheduled.dependsOnArrivals === false || shared.router !== null) return;
  const ahead = shared.nextArrivalAt - scheduled.startAt;
  // Told by a product: a division takes ten times as long, and every other stretch is over before.
  if ((scheduled.iterations - depth + 1) * scheduled.iterationTime <= ahead) return;
  // At most as many as there were, so it fits into 32 bits.
  const most = Math.ceil(ahead / scheduled.iterationTime) + depth - 1;
  scheduled.iterations = most > 1 ? most | 0 : 1;
}

/**
 * A stretch of decodes whose iterations differ in time, because the context grows, or that memory may end: one
 * by one, each rounded as it is priced.
 */
function priceStretch(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): void {
  const { memory, preempted } = replica;
  const { depth } = replica.engine;
  const { iterations: most, iterationTime: first } = scheduled;
  if (memory !== null && scheduled === replica.scheduled) scheduled.usedBlocks = memory.used;
  const seenAt = scheduled.dependsOnArrivals && shared.router === null ? shared.nextArrivalAt : NEVER;
  const sumKv = scheduled.sumKv;
  let free = memory ? memory.free : 0;
  // A survivor taken leaves the first preempted request more to compute: the scheduler sees another head of the queue.
  const least = memory && preempted.length > 0 ? Math.max(0, free - memory.before(preempted.first)) : 0;
  let time: number = first;
  let at: number = scheduled.startAt;
  // Iterations composed by the instant at which the arrival is seen still belong to the stretch.
  let after = at >= seenAt ? depth - 1 : NEVER;
  let n = 0;
  for (;;) {
    if (n === scheduled.ends.length) {
      const ends = new Float64Array(2 * n);
      ends.set(scheduled.ends);
      scheduled.ends = ends;
    }
    at += time;
    scheduled.ends[n++] = at;
    if (at >= seenAt) after = Math.min(after - 1, depth - 1);
    if (n >= most || after <= 0) break;
    if (memory) {
      free -= blocksNeeded(replica, n);
      if (free < least) break;
    }
    scheduled.sumKv = sumKv + n * scheduled.decodes;
    price(replica, scheduled);
    time = scheduled.iterationTime;
  }
  scheduled.iterationTime = first;
  scheduled.sumKv = sumKv;
  scheduled.iterations = n;
  scheduled.endAt = asInstant(at);
}

/** How many of a stretch's iterations have ended by an instant. */
export function endedBy(scheduled: ScheduledBatch, instant: number, varies: boolean): number {
  const { iterations, startAt, ends } = scheduled;
  if (!varies)
    return Math.max(0, Math.min(iterations, Math.floor((instant - startAt) / scheduled.iterationTime)));
  let ended = 0;
  while (ended < iterations && ends[ended] <= instant) ended++;
  return ended;
}

/** Ends a stretch early, at its first iteration that ends at `instant` or later (`after`: strictly later). */
export function cut(
  { varies, depth }: EngineSetup,
  scheduled: ScheduledBatch,
  instant: Instant,
  after: boolean,
): void {
  let iterations;
  if (varies) {
    const { ends } = scheduled;
    let ended = 0;
    if (instant > scheduled.startAt || (after && instant === scheduled.startAt))
      while (ended < scheduled.iterations && (after ? ends[ended] <= instant : ends[ended] < instant))
        ended++;
    else ended = -1;
    iterations = ended + 1;
  } else {
    const elapsed = (instant - scheduled.startAt) / scheduled.iterationTime;
    iterations = after ? Math.floor(elapsed) + 1 : Math.ceil(elapsed);
  }
  iterations = Math.max(1, iterations + depth - 1);
  if (iterations >= scheduled.iterations) return;
  scheduled.iterations = iterations;
  scheduled.endAt = scheduled.endOf(iterations, varies);
}
