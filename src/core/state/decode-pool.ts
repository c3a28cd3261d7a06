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
import { add, drop, dropFirst } from "../queues/finish-heap.js";
import { IdDeque } from "../queues/id-deque.js";

export class DecodePool {
  /** Iterations on this replica that decoded, modulo 2^32: `tick` moves it. */
  clock = 0;
  /** Active sequences: they get a token at every tick of the clock. */
  active = 0;
  /** Active sequences that have had no tick since they became active: `fresh[0 .. freshCount)`. */
  fresh = new Int32Array(64);
  freshCount = 0;
  /** When the fresh ones had their last token: NaN if not all at one instant, or if one had none. */
  freshAt = NaN;
  /** Sequences in decode order behind the active ones. */
  private readonly idle = new IdDeque();
  /** The active ones: the clock's reading at which each finishes, and its id (finish-heap.ts). */
  heap = new Int32Array(128);
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

  /** Those that are not active. */
  get idleCount(): number {
    return this.idle.length;
  }

  /** Ticks until the next active sequence finishes, 0 if it is due; there must be an active one. */
  get ticksLeft(): number {
    return (this.heap[0] - this.clock) | 0;
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

  /** A sequence whose prefill has ended, with nobody idle before it, is active at once and will finish after so many ticks. */
  start(id: number, place: Int32Array, ticks: number): void {
    place[id] = this.nextPlace++;
    this.join(id, ticks);
  }

  /** The first idle sequence becomes active and will finish after `decodeLeft[id]` ticks. Returns its id. */
  activate(decodeLeft: Int32Array): number {
    const id = this.idle.popFront();
    this.join(id, decodeLeft[id]);
    return id;
  }

  private join(id: number, ticks: number): void {
    if (this.active === this.fresh.length) this.grow();
    this.fresh[this.freshCount++] = id;
    add(this.heap, this.active++, (this.clock + ticks) | 0, id);
  }

  /** The active sequence that is last in decode order; there must be one. */
  lastActive(place: Int32Array): number {
    let last = this.idOf(0);
    for (let i = 1; i < this.active; i++) if (place[this.idOf(i)] > place[last]) last = this.idOf(i);
    return last;
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
    let at = 0;
    while (this.idOf(at) !== id) at++;
    decodeLeft[id] = (this.heap[2 * at] - this.clock) | 0;
    drop(this.heap, --this.active, at);
    const fresh = this.fresh.subarray(0, this.freshCount).indexOf(id);
    if (fresh >= 0) this.fresh[fresh] = this.fresh[--this.freshCount];
  }

  /** Whether the sequence is one of the active. */
  isActive(id: number): boolean {
    for (let i = 0; i < this.active; i++) if (this.idOf(i) === id) return true;
    return false;
  }

  /** The idle sequence that is first in decode order, or -1. */
  get firstIdle(): number {
    return this.idle.length > 0 ? this.idle.first : -1;
  }

  /** Takes an idle sequence out. @returns whether it was one */
  dropIdle(id: number): boolean {
    return this.idle.remove(id);
  }

  /** The idle sequence that is last in decode order, or -1. */
  get lastIdle(): number {
    return this.idle.length > 0 ? this.idle.at(this.idle.length - 1) : -1;
  }

  /** Removes the active sequence that finishes next and returns its id; there must be one. */
  finishNext(): number {
    const id = this.idOf(0);
    dropFirst(this.heap, --this.active);
    return id;
  }

  /** Calls `visit` with every decoding sequence. */
  forEach(visit: (id: number) => void): void {
    for (let i = 0; i < this.active; i++) visit(this.idOf(i));
    for (let i = 0; i < this.idle.length; i++) visit(this.idle.at(i));
  }

  /** Calls `visit` with every active sequence and the ticks until it finishes. */
  forEachActive(visit: (id: number, ticksLeft: number) => void): void {
    for (let i = 0; i < this.active; i++) visit(this.idOf(i), (this.heap[2 * i] - this.clock) | 0);
  }

  /** Makes `target` equal to this pool. */
  copyInto(target: DecodePool): void {
    while (target.fresh.length < this.active) target.grow();
    for (let i = 0; i < 2 * this.active; i++) target.heap[i] = this.heap[i];
    for (let i = 0; i < this.freshCount; i++) target.fresh[i] = this.fresh[i];
    target.clock = this.clock;
    target.active = this.active;
    target.freshCount = this.freshCount;
    target.freshAt = this.freshAt;
    target.nextPlace = this.nextPlace;
    target.lastPlace = this.lastPlace;
    this.idle.copyInto(target.idle);
  }

  private idOf(entry: number): number {
    return this.heap[2 * entry + 1];
  }

  private grow(): void {
    const heap = new Int32Array(this.heap.length * 2);
    const fresh = new Int32Array(this.fresh.length * 2);
    heap.set(this.heap);
    fresh.set(this.fresh);
    this.heap = heap;
    this.fresh = fresh;
  }
}
