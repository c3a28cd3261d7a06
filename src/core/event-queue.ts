/**
 * The future: what happens at which instant, and the one tie rule of the simulation.
 *
 * A binary heap keyed by (instant, rank, id). At one instant iterations end first, by replica, then
 * requests arrive, by id (model §1); `order` packs rank and id into one exactly representable number.
 */
import { NEVER, type Nanoseconds } from "./units.js";

/** What kind of event it is; lower ranks happen first at the same instant. */
export const Rank = { iterationEnd: 0, arrival: 1 } as const;

const RANK_STRIDE = 4_294_967_296; // 2^32: ids stay below it

/** Events in order of (instant, rank, id). Ids are integers in [0, 2^32). */
export class EventQueue {
  private at = new Float64Array(16);
  private order = new Float64Array(16);
  private size = 0;

  /** Instant of the next event, or NEVER. */
  get nextAt(): Nanoseconds {
    return this.size > 0 ? (this.at[0] as Nanoseconds) : NEVER;
  }

  /** Rank of the next event; the queue must not be empty. */
  get nextRank(): number {
    return Math.floor(this.order[0]! / RANK_STRIDE);
  }

  get length(): number {
    return this.size;
  }

  clear(): void {
    this.size = 0;
  }

  push(instant: Nanoseconds, rank: number, id: number): void {
    if (this.size === this.at.length) this.grow();
    const order = rank * RANK_STRIDE + id;
    let hole = this.size++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.later(parent, instant, order)) break;
      this.move(parent, hole);
      hole = parent;
    }
    this.at[hole] = instant;
    this.order[hole] = order;
  }

  /** Removes the next event and returns its id; the queue must not be empty. */
  pop(): number {
    const id = this.order[0]! % RANK_STRIDE;
    const last = --this.size;
    if (last > 0) {
      const instant = this.at[last]!;
      const order = this.order[last]!;
      let hole = 0;
      for (;;) {
        let child = 2 * hole + 1;
        if (child >= last) break;
        if (child + 1 < last && this.later(child, this.at[child + 1]!, this.order[child + 1]!)) child++;
        if (this.later(child, instant, order)) break;
        this.move(child, hole);
        hole = child;
      }
      this.at[hole] = instant;
      this.order[hole] = order;
    }
    return id;
  }

  /** Makes `target` equal to this queue. */
  copyInto(target: EventQueue): void {
    while (target.at.length < this.size) target.grow();
    for (let i = 0; i < this.size; i++) {
      target.at[i] = this.at[i]!;
      target.order[i] = this.order[i]!;
    }
    target.size = this.size;
  }

  /** Whether the event at `index` comes after (instant, order). */
  private later(index: number, instant: number, order: number): boolean {
    const at = this.at[index]!;
    return at > instant || (at === instant && this.order[index]! > order);
  }

  private move(from: number, to: number): void {
    this.at[to] = this.at[from]!;
    this.order[to] = this.order[from]!;
  }

  private grow(): void {
    const at = new Float64Array(this.at.length * 2);
    const order = new Float64Array(this.at.length * 2);
    at.set(this.at);
    order.set(this.order);
    this.at = at;
    this.order = order;
  }
}
