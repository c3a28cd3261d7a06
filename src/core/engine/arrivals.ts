/** Where requests come from, and what becomes of one that arrives: it joins a queue, or can never fit and is rejected. */
import type { EventSource } from "../state/event-source.js";
import type { IdList } from "../queues/id-list.js";
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { TrialState } from "../state/trial-state.js";
import { cachedTokens } from "./residents.js";
import type { Senders } from "../workload/senders.js";
import { NEVER, UNLIMITED, asInstant, type Instant } from "../numbers/units.js";

/** The requests of an open system: rows that are there from the beginning. */
export class RowsInOrder implements EventSource {
  constructor(private readonly shared: TrialState) {}

  get nextAt(): Instant {
    return nextRowAt(this.shared);
  }

  happen(): true {
    return true;
  }
}

function nextRowAt({ arrived, overhead, sequences }: TrialState): Instant {
  const { arrivedAt, count } = sequences.requests;
  return arrived < count ? ((arrivedAt[arrived] + overhead) as Instant) : NEVER;
}

/** Clients that send a request when they have thought, and think when it is answered: rows come as the trial runs. */
export class FromSenders implements EventSource {
  constructor(
    private readonly shared: TrialState,
    private readonly senders: Senders,
  ) {}

  get nextAt(): Instant {
    return asInstant(this.senders.nextAt + this.shared.overhead);
  }

  happen(): true {
    const { shared, senders } = this;
    const { sequences, arrived } = shared;
    const at = senders.send(sequences.requests);
    sequences.extend();
    sequences.arrive(arrived);
    if (at >= shared.warmup && shared.firstMeasured === UNLIMITED) shared.firstMeasured = arrived;
    shared.measuredFrom = senders.measuredFrom;
    return true;
  }

  answered(id: number, now: Instant): void {
    this.senders.answered(id, now);
    this.shared.measuredFrom = this.senders.measuredFrom;
  }
}

/** From here on events come from these sources. */
export function follow(shared: TrialState, sources: readonly EventSource[]): void {
  shared.sources = sources;
  shared.isOpen = sources.every((source) => source instanceof RowsInOrder);
  lookAhead(shared);
}

/** What is known of events to come. */
export function lookAhead(shared: TrialState): void {
  let next: Instant = NEVER;
  for (const { nextAt } of shared.sources) if (nextAt < next) next = nextAt;
  shared.nextArrivalAt = next;
}

/**
 * The first event that is due happens.
 * @returns the id of the request that arrives; -1 if none does, or it can never fit into the memory and is rejected
 */
export function happenNext(shared: TrialState): number {
  if (shared.isOpen) return arriveNext(shared);
  const source = shared.sources.find(({ nextAt }) => nextAt === shared.nextArrivalAt)!;
  const id = source.happen() ? takeIn(shared, shared.arrived++) : -1;
  lookAhead(shared);
  return id;
}

/** The same where the system is open: the next row arrives, and nothing has to be looked for. */
export function arriveNext(shared: TrialState): number {
  const id = shared.arrived++;
  const { arrivedAt, count } = shared.sequences.requests;
  if (shared.arrived < count) shared.nextArrivalAt = (arrivedAt[shared.arrived] + shared.overhead) as Instant;
  else shared.nextArrivalAt = NEVER;
  return takeIn(shared, id);
}

/** @returns its id, or -1 if it can never fit into the memory and is rejected */
function takeIn(shared: TrialState, id: number): number {
  const { usableBlocks, kvRules } = shared.entry;
  if (usableBlocks === UNLIMITED) return id;
  const { sequences } = shared;
  // The row may still say that it was rejected in an earlier trial.
  sequences.startedAt[id] = 0;
  const blocks = Math.ceil(cachedTokens(shared, id, 0) / kvRules.blockTokens);
  if (blocks <= usableBlocks) return id;
  sequences.startedAt[id] = sequences.firstTokenAt[id] = sequences.finishedAt[id] = NaN;
  shared.rejected++;
  if (id >= shared.firstMeasured) shared.rejectedMeasured++;
  // A rejection is an answer at the instant at which the engine hears of the request: now, as it sees at once.
  if (!shared.isOpen) for (const source of shared.sources) source.answered?.(id, shared.now);
  return -1;
}

/** Those who finish with a batch have their answers now. */
export function answer(shared: TrialState, { finishing, finishingUnseated }: ScheduledBatch): void {
  for (const source of shared.sources) {
    if (source.answered === undefined) continue;
    const tell = ({ ids, length }: IdList): void => {
      for (let i = 0; i < length; i++) source.answered!(ids[i], shared.now);
    };
    tell(finishing);
    tell(finishingUnseated);
    lookAhead(shared);
  }
}
