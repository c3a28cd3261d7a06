/** Stretches that end early, because what they counted on has changed: somebody arrives, or prompts are gone. */
import type { EventQueue } from "../queues/event-queue.js";
import type { Replica } from "../state/replica.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { TrialState } from "../state/trial-state.js";
import { cut } from "./stretch.js";
import { NEVER, type Instant } from "../numbers/units.js";

/**
 * The central queue has lost prompts to `taker`: a stretch that repeats on another replica because of what
 * stood there ends with the iteration it is in. At this very instant, higher numbers still decide after it.
 */
export function cutOthers(
  shared: TrialState,
  replicas: readonly Replica[],
  taker: Replica,
  events: EventQueue,
): void {
  for (const replica of replicas) {
    if (replica === taker || replica.scheduled.endAt === NEVER) continue;
    const scheduled = replica.hasNext ? replica.next : replica.scheduled;
    if (scheduled.leftWaiting && scheduled.dependsOnArrivals)
      shorten(shared, replica, scheduled, shared.now, replica.index < taker.index, events);
  }
}

/**
 * In a closed loop an answer to one replica's request may bring an arrival that the stretches of others did not know
 * of when they were composed: they end where they would have, had they known.
 */
export function cutToArrival(shared: TrialState, replicas: readonly Replica[], events: EventQueue): void {
  const { nextArrivalAt } = shared;
  for (const replica of replicas) {
    if (replica.scheduled.endAt === NEVER) continue;
    const scheduled = replica.hasNext ? replica.next : replica.scheduled;
    if (scheduled.endAt > nextArrivalAt && scheduled.dependsOnArrivals)
      shorten(shared, replica, scheduled, nextArrivalAt, false, events);
  }
}

/**
 * The batch that a replica runs, or has composed to run next, may change at `instant`: its stretch ends with the
 * iteration that is under way then (`after`: it has decided at that instant already).
 */
export function shorten(
  shared: TrialState,
  replica: Replica,
  scheduled: ScheduledBatch,
  instant: Instant,
  after: boolean,
  events: EventQueue,
): void {
  if (scheduled.isSettled || scheduled.iterations === 1) return;
  const { engine } = replica;
  cut(engine, scheduled, instant, after);
  if (scheduled !== replica.scheduled) return;
  replica.wakeAt =
    engine.depth === 1 ? scheduled.endAt : scheduled.endOf(scheduled.iterations - 1, engine.varies);
  events.set(replica.index, replica.wakeAt > shared.now ? replica.wakeAt : NEVER);
}
