/**
 * The decoding sequences of one replica, and its decode clock.
 *
 * The clock counts the iterations that decode. Sequences stand in decode order (by the end of their prefill, or
 * by admission); the first n are active and each active one knows the clock's reading at which it finishes, in
 * a heap. So an iteration costs one addition, not one per sequence, and the next completion is the heap's top.
 *
 * The clock has 32 bits and goes round, so that it stays integer arithmetic: nobody finishes 2^31 ticks ahead, and
 * of two readings the earlier is told by the sign of their difference.
 */
import { IdDeque } from "./id-deque.js";

export class DecodePool {
  /** Iterations on this replica that decoded, modulo 2^32: `tick` moves it. */
  clock = 0;
  /** Active sequences: they get a token at every tick of the clock. */
  active = 0;
  /** Active sequences that have had no tick since they became active: `fresh[0 .. freshCount)`. */
  fresh = new Int32Array(64);
  freshCount = 0;
  /** Sequences in decode order behind the active ones. */
  private readonly idle = new IdDeque();
  /** The heap of the active ones: the clock's reading at which each finishes, and its id. */
  finishAt = new Int32Array(64);
  ids = new Int32Array(64);
  private nextPlace = 0;
  /** No sequence has had a later place. */
  private lastPlace = -1;

  clear(): void {
    this.clock = 0;
    this.active = 0;
    this.freshCount = 0;
    this.nextPlace = 0;
    this.lastPlace = -1;
    this.idle.clear();
  }

  /** All decoding sequences. */
  get size(): number {
    return this.active + this.idle.length;
  }

  /** Ticks until the next active sequence finishes, 0 if it is due; there must be an active one. */
  get ticksLeft(): number {
    return (this.finishAt[0] - this.clock) | 0;
  }

  /** Moves the clock; nobody may be passed by. */
  tick(ticks: number): void {
    this.clock = (this.clock + ticks) | 0;
  }

  /** A sequence whose prefill has ended takes its place at the end of the order. */
  append(id: number, place: Int32Array): void {
    place[id] = this.nextPlace++;
    this.idle.pushBack(id);
  }

  /** A sequence whose prefill has ended, with nothing to decode, has its place in the order all the same. */
  pass(id: number, place: Int32Array): void {
    place[id] = this.nextPlace++;
  }

  /** Whether a place lies behind all that there have been: nobody steps back for it. */
  isLast(place: number): boolean {
    return place > this.lastPlace;
  }

  /** A sequence whose prefill has ended takes the place that `place[id]` says, behind the active ones. */
  insert(id: number, place: Int32Array): void {
    this.idle.insertBy(place, id);
    if (place[id] > this.lastPlace) this.lastPlace = place[id];
  }

  /** How many stand before `place` in the order. */
  ahead(before: number, place: Int32Array): number {
    if (before > this.lastPlace) return this.size;
    let count = 0;
    this.forEach((id) => {
      if (place[id] < before) count++;
    });
    return count;
  }

  /** The same with nobody idle before it: it is active at once, and will finish after `decodeLeft[id]` ticks. */
  start(id: number, place: Int32Array, decodeLeft: Int32Array): void {
    place[id] = this.nextPlace++;
    this.join(id, decodeLeft);
  }

  /** The first idle sequence becomes active and will finish after `decodeLeft[id]` ticks. Returns its id. */
  activate(decodeLeft: Int32Array): number {
    const id = this.idle.popFront();
    this.join(id, decodeLeft);
    return id;
  }

  private join(id: number, decodeLeft: Int32Array): void {
    if (this.active === this.ids.length) this.grow();
    this.fresh[this.freshCount++] = id;
    const finish = (this.clock + decodeLeft[id]) | 0;
    let hole = this.active++;
    const { finishAt, ids } = this;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (((finishAt[parent] - finish) | 0) <= 0) break;
      finishAt[hole] = finishAt[parent];
      ids[hole] = ids[parent];
      hole = parent;
    }
    finishAt[hole] = finish;
    ids[hole] = id;
  }

  /** The active sequence that is last in decode order; there must be one. */
  lastActive(place: Int32Array): number {
    let last = 0;
    for (let i = 1; i < this.active; i++) if (place[this.ids[i]] > place[this.ids[last]]) last = i;
    return this.ids[last];
  }

  /** An active sequence, last in decode order, becomes the first idle one. */
  deactivate(id: number, decodeLeft: Int32Array): void {
    this.dropActive(id, decodeLeft);
    this.idle.pushFront(id);
  }

  /** Whether the sequence is active and has had no tick yet. */
  isFresh(id: number): boolean {
    return this.fresh.subarray(0, this.freshCount).includes(id);
  }

  /** Takes an active sequence out; `decodeLeft[id]` becomes its ticks left. */
  dropActive(id: number, decodeLeft: Int32Array): void {
    const at = this.ids.indexOf(id);
    decodeLeft[id] = (this.finishAt[at] - this.clock) | 0;
    // The last leaf takes the hole: down first, then up if it was smaller than the hole's parent.
    const leaf = --this.active;
    if (at < leaf) {
      const hole = this.settle(at, this.finishAt[leaf]);
      this.put(hole, this.finishAt[leaf], this.ids[leaf]);
    }
    const fresh = this.fresh.subarray(0, this.freshCount).indexOf(id);
    if (fresh >= 0) this.fresh[fresh] = this.fresh[--this.freshCount];
  }

  /** The idle sequence that is last in decode order, or -1. */
  get lastIdle(): number {
    return this.idle.length > 0 ? this.idle.at(this.idle.length - 1) : -1;
  }

  /** Takes the last idle sequence out. */
  dropLastIdle(): void {
    this.idle.length--;
  }

  /** Removes the active sequence that finishes next and returns its id; there must be one. */
  finishNext(): number {
    const id = this.ids[0];
    dropFirst(this.finishAt, this.ids, --this.active);
    return id;
  }

  /** Calls `visit` with every decoding sequence. */
  forEach(visit: (id: number) => void): void {
    for (let i = 0; i < this.active; i++) visit(this.ids[i]);
    for (let i = 0; i < this.idle.length; i++) visit(this.idle.at(i));
  }

  /** Makes `target` equal to this pool. */
  copyInto(target: DecodePool): void {
    while (target.ids.length < this.active) target.grow();
    for (let i = 0; i < this.active; i++) {
      target.ids[i] = this.ids[i];
      target.finishAt[i] = this.finishAt[i];
    }
    for (let i = 0; i < this.freshCount; i++) target.fresh[i] = this.fresh[i];
    target.clock = this.clock;
    target.active = this.active;
    target.freshCount = this.freshCount;
    target.nextPlace = this.nextPlace;
    target.lastPlace = this.lastPlace;
    this.idle.copyInto(target.idle);
  }

  /** Moves the hole to where `finish` belongs, above or below it. */
  private settle(hole: number, finish: number): number {
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (((this.finishAt[parent] - finish) | 0) <= 0) break;
      this.put(hole, this.finishAt[parent], this.ids[parent]);
      hole = parent;
    }
    return sink(this.finishAt, this.ids, this.active, hole, finish);
  }

  private put(at: number, finish: number, id: number): void {
    this.finishAt[at] = finish;
    this.ids[at] = id;
  }

  private grow(): void {
    const capacity = this.ids.length * 2;
    const finishAt = new Int32Array(capacity);
    const ids = new Int32Array(capacity);
    const fresh = new Int32Array(capacity);
    finishAt.set(this.finishAt);
    ids.set(this.ids);
    fresh.set(this.fresh);
    this.finishAt = finishAt;
    this.ids = ids;
    this.fresh = fresh;
  }
}

/** Takes the first out of a heap, which then has `size` left: its last leaf goes where it belongs below the root. */
export function dropFirst(finishAt: Int32Array, ids: Int32Array, size: number): void {
  if (size === 0) return;
  const finish = finishAt[size];
  const hole = sink(finishAt, ids, size, 0, finish);
  finishAt[hole] = finish;
  ids[hole] = ids[size];
}

/** Moves the hole at `hole` to where `finish` belongs below it. */
function sink(finishAt: Int32Array, ids: Int32Array, size: number, hole: number, finish: number): number {
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= size) return hole;
    // The sign bit is the choice: a branch on it would be guessed wrong half the time.
    if (child + 1 < size) child += (finishAt[child + 1] - finishAt[child]) >>> 31;
    if (((finishAt[child] - finish) | 0) >= 0) return hole;
    finishAt[hole] = finishAt[child];
    ids[hole] = ids[child];
    hole = child;
  }
}
