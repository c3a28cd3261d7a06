/**
 * The loop: the only place that moves the clock.
 *
 * At one instant, in this order: iterations that end are credited, by replica; requests arrive, by id;
 * replicas that may compose decide, by number, each seeing what the one before took (model §1).
 */
import { answer, arriveNext, happenNext } from "./arrivals.js";
import { cutOthers, cutToArrival, shorten } from "./cuts.js";
import { fastForwardDecodes, canFastForward, isProven, prove } from "./fast-forward.js";
import type { WaitingQueue } from "../policies/discipline.js";
import type { EventQueue } from "../queues/event-queue.js";
import type { Inspector } from "./inspector.js";
import { begin, end, settle } from "./iteration.js";
import { Arriving, Replicas } from "./fleet.js";
import { isMeasurementSettled, settleMeasurement } from "./measurement.js";
import type { Plan } from "./plan.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";
import { cachedTokens } from "./residents.js";
import type { Fleet, RoutedRequest } from "../policies/router.js";
import { LAST_INSTANT, NEVER, asInstant, type Instant } from "../numbers/units.js";

/** The state of a simulation: everything that the loop moves. */
export interface State {
  readonly shared: TrialState;
  readonly replicas: readonly Replica[];
  readonly events: EventQueue;
  /** Of each replica. */
  readonly plans: readonly Plan[];
  /** Makes an empty queue of the discipline, which knows this trial's requests. */
  readonly newQueue: () => WaitingQueue;
}

/**
 * Runs until nothing is left to happen, or up to and with the instant `until`. Where somebody is about to see an
 * arrival later than `shared.arrivalsUntil`, it pauses in the middle of that instant (`shared.isPaused`): the
 * next call goes on from there, with that arrival or, in a shorter window, without.
 */
export function advance(state: State, until: Instant, inspector?: Inspector): void {
  const { replicas, shared } = state;
  const isAlone = replicas.length === 1 && shared.router === null && shared.isOpen;
  shared.until = asInstant(Math.min(until, LAST_INSTANT));
  if (isAlone && replicas[0].engine.depth === 1 && !inspector && !shared.isPlain)
    advanceAlone(state, replicas[0]);
  else advanceAll(state, inspector);
}

/**
 * The same for one replica alone that composes a batch when none is under way, with nobody watching, as nearly
 * every study runs: every event is this replica's, so that nothing has to be looked for.
 *
 * A fast path, equal to the plain loop to the bit, as the oracle's properties and `--verify` show. LLMSIM_PLAIN=1 turns
 * it off.
 */
function advanceAlone({ shared, replicas, events, plans }: State, replica: Replica): void {
  const { scheduled, preempted, waiting } = replica;
  const [plan] = plans;
  // It goes on in the middle of an instant, or starts with sequences that stand ready.
  const isResumed = shared.isPaused || replica.resident > 0;
  shared.isPaused = false;
  let isOver = false;
  if (scheduled.endAt !== NEVER) isOver = advanceToBatchEnd(shared, replica, scheduled) === false;
  else if (!isResumed) isOver = advanceToArrival(shared) === false;
  // Without a warm-up nothing measured is left where nothing at all is.
  const hasWarmUp = shared.firstMeasured > 0;
  while (!isOver) {
    if (hasWarmUp && isMeasurementSettled(shared)) settleMeasurement(shared, replicas);
    while (shared.nextArrivalAt <= shared.now && !pauses(shared)) {
      const id = arriveNext(shared);
      if (id >= 0) waiting.pushBack(id);
    }
    if (shared.isPaused) break;
    if (replica.resident > 0 || waiting.length > 0 || preempted.length > 0) {
      const isPromised = canFastForward(shared, replica);
      if (isPromised && isProven(replica)) {
        if (fastForwardDecodes(shared, replica, scheduled) === false) continue;
      } else {
        while (begin(shared, plan, replica, scheduled) === false);
        if (isPromised) prove(replica, scheduled);
      }
      isOver = advanceToBatchEnd(shared, replica, scheduled) === false;
    } else {
      if (isMeasurementSettled(shared)) settleMeasurement(shared, replicas);
      isOver = advanceToArrival(shared) === false;
    }
  }
  replica.decodeTimes.pourInto(shared.gaps);
  replica.isOpen = scheduled.endAt === NEVER;
  replica.wakeAt = scheduled.endAt;
  events.set(0, scheduled.endAt);
}

/** The clock moves to where the batch ends, if that is in time: it is counted. */
function advanceToBatchEnd(shared: TrialState, replica: Replica, scheduled: ScheduledBatch): boolean {
  if (scheduled.endAt > shared.until) return false;
  shared.now = scheduled.endAt;
  settle(shared, replica, scheduled);
  end(shared, replica);
  return true;
}

/** The clock moves to the next arrival, if that is in time. */
function advanceToArrival(shared: TrialState): boolean {
  if (shared.nextArrivalAt > shared.until) return false;
  shared.now = shared.nextArrivalAt;
  return true;
}

function advanceAll({ shared, replicas, events, plans }: State, inspector?: Inspector): void {
  const fleet = shared.router && new Replicas(shared, replicas);
  const request = new Arriving(shared.sequences.requests);
  // A router decides at the arrival; a rejection is an answer at once, and in a closed loop its client asks again.
  const seesAtOnce = fleet !== null || !shared.isOpen;
  let idle = 0;
  for (const { scheduled } of replicas) if (scheduled.endAt === NEVER) idle++;
  // A run may start from a state in which sequences stand ready: they decide before anything arrives.
  let isResumed =
    shared.isPaused || replicas.some(({ scheduled, resident }) => scheduled.endAt === NEVER && resident > 0);
  shared.isPaused = false;

  for (;;) {
    // An arrival is seen when somebody decides: at once by a router or an idle replica, else when the next
    // iteration ends.
    let now = events.nextAt;
    if ((idle > 0 || seesAtOnce) && shared.nextArrivalAt < now) now = shared.nextArrivalAt;
    if (isResumed) now = shared.now;
    isResumed = false;
    if (now > shared.until) return;
    shared.now = now;
    while (events.nextAt === now) {
      const replica = replicas[events.nextSource];
      if (onWake(shared, replica, inspector)) idle++;
      events.set(replica.index, replica.wakeAt);
    }
    if (isMeasurementSettled(shared)) settleMeasurement(shared, replicas);
    if (!shared.isOpen && !fleet) cutToArrival(shared, replicas, events);
    while (shared.nextArrivalAt <= now) {
      if (pauses(shared)) return;
      const id = happenNext(shared);
      if (id < 0) continue;
      if (fleet) {
        request.id = id;
        route(shared, replicas, fleet, request, events);
      } else replicas[0].waiting.pushBack(id);
    }
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[i];
      // A stretch cut to this instant, by an arrival or by a replica with a lower number.
      if (replica.wakeAt === now) {
        if (onWake(shared, replica, inspector)) idle++;
        events.set(i, replica.wakeAt);
      }
      if (!replica.isOpen || replica.resident + replica.preempted.length + replica.waiting.length === 0)
        continue;
      const wasIdle = replica.scheduled.endAt === NEVER;
      const admitted = decide(shared, plans[i], replica, inspector);
      if (wasIdle) idle--;
      events.set(i, replica.wakeAt);
      if (admitted && replicas.length > 1 && !fleet) cutOthers(shared, replicas, replica, events);
    }
    inspector?.settled?.(replicas, shared);
  }
}

/** Whether the next arrival is one too late to be seen: then the loop pauses. */
function pauses(shared: TrialState): boolean {
  if (shared.nextArrivalAt - shared.overhead <= shared.arrivalsUntil) return false;
  shared.isPaused = true;
  return true;
}

/** A request joins the queue of the replica that the router chooses, whose batch may end for it. */
function route(
  shared: TrialState,
  replicas: readonly Replica[],
  fleet: Fleet,
  request: RoutedRequest,
  events: EventQueue,
): void {
  const replica = replicas[shared.router!.route(fleet, request)];
  const { id } = request;
  replica.waiting.pushBack(id);
  replica.routed++;
  replica.routedTokens += cachedTokens(shared, id, 0) - shared.sequences.requests.hitTokens(id);
  const scheduled = replica.hasNext ? replica.next : replica.scheduled;
  if (replica.scheduled.endAt !== NEVER && scheduled.dependsOnArrivals)
    shorten(shared, replica, scheduled, shared.now, false, events);
}

/**
 * The instant a replica waited for: its stretch ends and the batch behind it starts, or with asynchronous
 * scheduling the stretch's last iteration starts, and it may compose the next.
 * @returns whether it is idle now
 */
function onWake(shared: TrialState, replica: Replica, inspector: Inspector | undefined): boolean {
  const { scheduled } = replica;
  if (!scheduled.isSettled) settle(shared, replica, scheduled);
  if (scheduled.endAt > shared.now) {
    replica.isOpen = true;
    replica.wakeAt = scheduled.endAt;
    return false;
  }
  inspector?.ended?.(replica, shared);
  end(shared, replica);
  if (!shared.isOpen) answer(shared, scheduled);
  if (!replica.hasNext) {
    replica.isOpen = true;
    replica.wakeAt = NEVER;
    return true;
  }
  replica.scheduled = replica.next;
  replica.next = scheduled;
  replica.hasNext = false;
  if (replica.memory) replica.scheduled.usedBlocks = replica.memory.used;
  startBatch(shared, replica);
  return false;
}

/** The replica's batch starts: when the replica looks up again. */
function startBatch(shared: TrialState, replica: Replica): void {
  const { engine, scheduled } = replica;
  if (engine.depth === 1) {
    replica.isOpen = false;
    replica.wakeAt = scheduled.endAt;
  } else if (scheduled.iterations === 1) {
    settle(shared, replica, scheduled);
    replica.isOpen = true;
    replica.wakeAt = scheduled.endAt;
  } else {
    replica.isOpen = false;
    replica.wakeAt = scheduled.endOf(scheduled.iterations - 1, engine.varies);
  }
}

/**
 * A replica composes what it may: its batch, and with asynchronous scheduling the one behind it.
 * @returns whether it has taken prompts from the waiting
 */
function decide(shared: TrialState, plan: Plan, replica: Replica, inspector: Inspector | undefined): boolean {
  let admitted = false;
  if (replica.scheduled.endAt === NEVER) {
    // With no memory left a batch may come to nothing but preemptions; the next one has room.
    while (!begin(shared, plan, replica, replica.scheduled));
    replica.scheduled.leftWaiting = plan.unstarted > 0;
    admitted = replica.scheduled.admitted > 0;
    inspector?.began?.(replica, replica.scheduled, shared);
    startBatch(shared, replica);
    if (!replica.isOpen) return admitted;
  }
  replica.isOpen = false;
  replica.hasNext = begin(shared, plan, replica, replica.next);
  if (!replica.hasNext) return admitted;
  replica.next.leftWaiting = plan.unstarted > 0;
  inspector?.began?.(replica, replica.next, shared);
  return admitted || replica.next.admitted > 0;
}
