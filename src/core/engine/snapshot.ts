/**
 * The state of a simulation, put aside and taken up again: what lets one pass serve many time windows. The
 * arrivals of a shorter window are a prefix; at its end the state is saved, the run drains without further
 * arrivals, and the state is restored (model §4).
 *
 * Rows of the table are saved only for sequences that live: finished ones no longer change, and a row that has
 * not started is written before it is read.
 */
import type { WaitingQueue } from "../policies/discipline.js";
import type { State } from "./loop.js";
import { EventQueue } from "../queues/event-queue.js";
import { Replica } from "../state/replica.js";
import { copyMoving, type Moving } from "../state/trial-state.js";
import type { Sequences } from "../state/sequences.js";

/** Numbers that are kept of a live row. */
const WIDTH = 10;

export class Snapshot {
  private readonly shared = {} as Moving;
  private readonly replicas: Replica[] = [];
  private readonly events = new EventQueue();
  private readonly waiting: WaitingQueue[] = [];
  private readonly emptyQueue: () => WaitingQueue;
  private requestCount = 0;
  /** Live rows: id, prompt tokens left, decodes left, place, admission; the instant of the last token; gaps; memory. */
  private rows = new Float64Array(64 * WIDTH);
  private rowsEnd = 0;

  /** @param emptyQueue makes an empty queue of the discipline in use */
  constructor(emptyQueue: () => WaitingQueue) {
    this.emptyQueue = emptyQueue;
  }

  save({ shared, replicas, events }: State): void {
    const { sequences, gaps } = shared;
    copyMoving(shared, this.shared);
    this.rowsEnd = 0;
    const keep = (id: number): void => this.keep(sequences, id);
    replicas.forEach((replica, i) => {
      this.replicas[i] ??= new Replica(i);
      replica.copyInto(this.replicas[i]);
      replica.pool.forEach(keep);
      if (i === 0 || shared.router !== null)
        replica.waiting.copyInto((this.waiting[i] ??= this.emptyQueue()));
      for (let k = 0; k < replica.prefilling.length; k++) keep(replica.prefilling.ids[k]);
      for (let k = 0; k < replica.preempted.length; k++) keep(replica.preempted.at(k));
      for (let k = 0; k < replica.skipped.length; k++) keep(replica.skipped.ids[k]);
      for (const { ended } of replica.hasNext ? [replica.scheduled, replica.next] : [replica.scheduled])
        for (let k = 0; k < ended.length; k++) keep(ended.ids[k]);
    });
    events.copyInto(this.events);
    gaps.mark();
    this.requestCount = sequences.requests.count;
  }

  private keep(sequences: Sequences, id: number): void {
    if (this.rowsEnd === this.rows.length) {
      const larger = new Float64Array(2 * this.rowsEnd);
      larger.set(this.rows);
      this.rows = larger;
    }
    const { rows, rowsEnd: at } = this;
    rows[at] = id;
    rows[at + 1] = sequences.promptLeft[id];
    rows[at + 2] = sequences.decodeLeft[id];
    rows[at + 3] = sequences.place[id];
    rows[at + 4] = sequences.admission[id];
    rows[at + 5] = sequences.lastTokenAt[id];
    if (sequences.largestGap !== null) {
      rows[at + 6] = sequences.largestGap[id];
      rows[at + 7] = sequences.firstTick[id];
    }
    if (sequences.preemptions !== null) {
      rows[at + 8] = sequences.preemptions[id];
      rows[at + 9] = sequences.tickedAt[id];
    }
    this.rowsEnd = at + WIDTH;
  }

  /** Puts the saved state back; what happened since is undone. */
  restore({ shared, replicas, events }: State): void {
    const { sequences, gaps } = shared;
    copyMoving(this.shared, shared);
    replicas.forEach((replica, i) => {
      this.replicas[i].copyInto(replica);
      if (i === 0 || shared.router !== null) this.waiting[i].copyInto(replica.waiting);
    });
    this.events.copyInto(events);
    gaps.release();
    sequences.requests.count = this.requestCount;
    for (let i = 0; i < this.rowsEnd; i += WIDTH) {
      const id = this.rows[i];
      sequences.promptLeft[id] = this.rows[i + 1];
      sequences.decodeLeft[id] = this.rows[i + 2];
      sequences.place[id] = this.rows[i + 3];
      sequences.admission[id] = this.rows[i + 4];
      sequences.lastTokenAt[id] = this.rows[i + 5];
      if (sequences.largestGap !== null) {
        sequences.largestGap[id] = this.rows[i + 6];
        sequences.firstTick[id] = this.rows[i + 7];
      }
      if (sequences.preemptions !== null) {
        sequences.preemptions[id] = this.rows[i + 8];
        sequences.tickedAt[id] = this.rows[i + 9];
      }
    }
    for (const { waiting, index } of replicas)
      if (index === 0 || shared.router !== null)
        for (let i = 0; i < waiting.length; i++) sequences.arrive(waiting.at(i));
  }
}
