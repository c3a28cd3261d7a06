/**
 * The loop: the only place that moves the clock.
 *
 * At one instant, in this order: iterations that end are credited, by replica; requests arrive, by id;
 * replicas without an iteration decide, by number, each seeing what the one before took (model §1).
 */
import type { EventQueue } from "./event-queue.js";
import { begin, credit, cut } from "./iteration.js";
import type { Observer } from "./observer.js";
import type { Plan } from "./plan.js";
import type { Replica, Shared } from "./replica.js";
import { NEVER, ns, type Nanoseconds } from "./units.js";

/** The state of a simulation: everything that the loop moves. */
export interface State {
  readonly shared: Shared;
  readonly replicas: readonly Replica[];
  readonly events: EventQueue;
  readonly plan: Plan;
}

/**
 * Runs until nothing is left to happen, or up to and with the instant `until`. Where somebody is about to see an
 * arrival later than `shared.arrivalsUntil`, it pauses in the middle of that instant (`shared.isPaused`): the
 * next call goes on from there, with that arrival or, in a shorter window, without.
 */
export function advance(
  { shared, replicas, events, plan }: State,
  until: Nanoseconds,
  observer?: Observer,
): void {
  const { waiting, sequences, firstMeasured } = shared;
  const { arrivedAt, count } = sequences.requests;
  let idle = 0;
  for (const { flight } of replicas) if (flight.endAt === NEVER) idle++;
  // A run may start from a state in which sequences stand ready: they decide before anything arrives.
  let isFirst = replicas.some(({ flight, resident }) => flight.endAt === NEVER && resident > 0);

  for (;;) {
    // An arrival is seen when somebody decides: at once by an idle replica, else when the next iteration ends.
    const next = ns(idle > 0 ? Math.min(events.nextAt, shared.nextArrivalAt) : events.nextAt);
    const now = isFirst || shared.isPaused ? shared.now : next;
    isFirst = false;
    if (now === NEVER || now > until) return;
    shared.now = now;
    while (events.nextAt === now) {
      const replica = replicas[events.nextSource];
      observer?.ended?.(replica, shared);
      credit(shared, replica);
      events.set(replica.index, NEVER);
      idle++;
    }
    const done = shared.completedMeasured;
    if (done > shared.settledMeasured && done === shared.arrived - firstMeasured)
      settleMeasurement(shared, replicas);
    shared.isPaused = false;
    while (shared.nextArrivalAt <= now) {
      if (shared.nextArrivalAt > shared.arrivalsUntil) {
        shared.isPaused = true;
        return;
      }
      sequences.arrive(shared.arrived);
      waiting.pushBack(shared.arrived++);
      shared.nextArrivalAt = ns(shared.arrived < count ? arrivedAt[shared.arrived] : NEVER);
    }
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[i];
      // A stretch cut to this instant by a replica with a lower number.
      if (replica.flight.endAt === now && i > 0) {
        observer?.ended?.(replica, shared);
        credit(shared, replica);
        idle++;
      }
      if (replica.flight.endAt !== NEVER || (replica.resident === 0 && waiting.length === 0)) continue;
      begin(shared, plan, replica);
      events.set(i, replica.flight.endAt);
      idle--;
      observer?.began?.(replica, shared);
      if (replica.flight.admitted > 0 && replicas.length > 1) cutOthers(shared, replicas, replica, events);
    }
    observer?.settled?.(replicas, shared);
  }
}

/**
 * The central queue has lost prompts to `taker`: a stretch that repeats on another replica because of what
 * stood there ends with the iteration it is in. At this very instant, higher numbers still decide after it.
 */
function cutOthers(shared: Shared, replicas: readonly Replica[], taker: Replica, events: EventQueue): void {
  for (const replica of replicas) {
    const { flight, index } = replica;
    if (replica === taker || flight.endAt === NEVER || flight.iterations === 1) continue;
    if (!flight.leftWaiting || !flight.dependsOnArrivals) continue;
    cut(flight, shared.now, index < taker.index);
    events.set(index, flight.endAt > shared.now ? flight.endAt : NEVER);
  }
}

/**
 * Every measured request that has arrived is completed. If none follows, this instant ends the makespan: what
 * counts as iteration time ends here, stretches in flight included.
 */
function settleMeasurement(shared: Shared, replicas: readonly Replica[]): void {
  shared.settledMeasured = shared.completedMeasured;
  shared.measuredUntil = shared.now;
  shared.busyTime = 0;
  for (const { busyTime, flight } of replicas) {
    shared.busyTime += busyTime;
    if (flight.endAt !== NEVER) shared.busyTime += shared.now - Math.max(flight.startAt, shared.measuredFrom);
  }
}
