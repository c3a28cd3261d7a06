/** Where a trial is: its clock, its requests and what they have come to, over all replicas. */
import type { Senders } from "../workload/senders.js";
import type { EngineSetup } from "./engine-setup.js";
import type { EventSource } from "./event-source.js";
import type { GapLog } from "./gap-log.js";
import type { Stream } from "../numbers/random.js";
import type { Router } from "../policies/router.js";
import type { Sequences } from "./sequences.js";
import { NEVER, UNLIMITED, asInstant, type Instant, type Duration } from "../numbers/units.js";

/** What a trial begins with. */
interface Start {
  readonly sequences: Sequences;
  readonly gaps: GapLog;
  /** The pool that requests arrive at. */
  readonly entry: EngineSetup;
  /** Chooses a replica's own queue for each request; null: one central queue (model §1). */
  readonly router: Router | null;
  /** Random numbers for it, if there is one. */
  readonly routing: Stream | null;
  /** Who sends the requests of a closed loop; null in an open one. */
  readonly clients: Senders | null;
  /** One iteration at a time, each composed: what the fast paths are held against (verification.ts). */
  readonly isPlain: boolean;
  /** `firstToken: prefill`: the iteration that ends a prompt's prefill emits output token 1. */
  readonly emitsAtPrefillEnd: boolean;
  /** Time that each request spends before the engine sees it (HTTP, tokenizer). */
  readonly overhead: Duration;
  /** Requests that arrive from here on are measured. */
  readonly warmup: Instant;
}

/**
 * What the loop moves, besides replicas and rows, and a window that takes leave keeps (snapshot.ts). Each is named here
 * once, beside its field: one that were forgotten would be a wrong window.
 */
const MOVING = [
  ...["now", "nextArrivalAt", "arrivalsUntil", "isPaused", "sources", "isOpen"],
  ...["arrived", "completed", "completedMeasured", "rejected", "rejectedMeasured"],
  ...["measuredUntil", "settledMeasured", "busyTime"],
] as const;

/** What of it a snapshot keeps; the stream for routing as well. */
export type Moving = Pick<TrialState, (typeof MOVING)[number] | "routing">;

/** Makes `to` stand where `from` does. */
export function copyMoving(from: Moving, to: Moving): void {
  const copy = <F extends keyof Moving>(field: F): void => {
    to[field] = from[field];
  };
  MOVING.forEach(copy);
  to.routing = from.routing && from.routing.copy();
}

export class TrialState {
  readonly sequences: Sequences;
  readonly gaps: GapLog;
  readonly entry: EngineSetup;
  readonly router: Router | null;
  readonly isPlain: boolean;
  readonly emitsAtPrefillEnd: boolean;
  readonly overhead: Duration;
  readonly warmup: Instant;
  routing: Stream | null;
  /** What happens besides the ends of batches; none when nobody comes any more. */
  sources: readonly EventSource[] = [];
  /** Nothing comes but rows that are there: nobody waits for an answer, and no other event is to be seen. */
  isOpen = true;
  /** The first measured request; ids are in order of arrival. In a closed loop UNLIMITED until it has arrived. */
  firstMeasured: number;
  /**
   * The instant of the first measured arrival: iteration time counts as measured from here on. In a closed loop the
   * earliest that is known: the clock passes none that is not.
   */
  measuredFrom: Instant;
  /** The last completion after which no measured request that had arrived was left; NaN before any. */
  measuredUntil: Instant = asInstant(NaN);
  /** How many of them were completed. */
  settledMeasured = 0;
  /** Iteration time between these two instants, over all replicas. */
  busyTime = 0;
  /** The loop goes up to and with this instant. */
  until: Instant = NEVER;
  /** Arrivals after this instant pause the loop. */
  arrivalsUntil: Instant = NEVER;
  /** The loop stopped in the middle of an instant, before it took an arrival in. */
  isPaused = false;
  /** The clock. */
  now: Instant = asInstant(0);
  /** When the engine sees the first event of a source ahead, or NEVER. */
  nextArrivalAt: Instant = NEVER;
  /** Requests that have arrived. */
  arrived = 0;
  /** Requests completed, and those of them that are measured. */
  completed = 0;
  completedMeasured = 0;
  /** Requests that can never fit into the KV memory, and those of them that are measured. */
  rejected = 0;
  rejectedMeasured = 0;

  constructor(start: Start) {
    this.sequences = start.sequences;
    this.gaps = start.gaps;
    this.entry = start.entry;
    this.router = start.router;
    this.isPlain = start.isPlain;
    this.emitsAtPrefillEnd = start.emitsAtPrefillEnd;
    this.overhead = start.overhead;
    this.warmup = start.warmup;
    this.routing = start.routing;
    const { clients, warmup } = start;
    const { requests } = start.sequences;
    if (clients !== null) {
      this.firstMeasured = UNLIMITED;
      this.measuredFrom = clients.measuredFrom;
    } else {
      const { count, arrivedAt } = requests;
      this.firstMeasured = requests.firstAt(warmup);
      this.measuredFrom = asInstant(this.firstMeasured < count ? arrivedAt[this.firstMeasured] : NaN);
    }
  }
}
