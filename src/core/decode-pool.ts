/**
 * The decoding sequences of one replica, and its decode clock.
 *
 * The clock counts the iterations that decode. Sequences stand in decode order (the end of their prefill);
 * the first n are active and each active one knows the clock's reading at which it finishes, in a heap. So an
 * iteration costs one addition, not one per sequence, and the next completion is the heap's top.
 */
import { IdDeque } from "./id-deque.js";

export class DecodePool {
  /** Iterations on this replica that decoded. */
  clock = 0;
  /** Active sequences: they get a token at every tick of the clock. */
  active = 0;
  /** Active sequences that have had no tick since they became active: `fresh[0 .. freshCount)`. */
  fresh = new Int32Array(64);
  freshCount = 0;
  /** Sequences in decode order behind the active ones. */
  private readonly idle = new IdDeque();
  private finishAt = new Float64Array(64);
  private ids = new Int32Array(64);
  private nextPlace = 0;

  clear(): void {
    this.clock = 0;
    this.active = 0;
    this.freshCount = 0;
    this.nextPlace = 0;
    this.idle.clear();
  }

  /** All decoding sequences. */
  get size(): number {
    return this.active + this.idle.length;
  }

  /** The clock's reading at which the next active sequence finishes; there must be an active one. */
  get nextFinish(): number {
    return this.finishAt[0];
  }

  /** A sequence whose prefill has ended takes its place at the end of the order. */
  append(id: number, place: Int32Array): void {
    place[id] = this.nextPlace++;
    this.idle.pushBack(id);
  }

  /** The first idle sequence becomes active and will finish after `decodeLeft[id]` ticks. Returns its id. */
  activate(decodeLeft: Int32Array): number {
    const id = this.idle.popFront();
    if (this.active === this.ids.length) this.grow();
    this.fresh[this.freshCount++] = id;
    const finish = this.clock + decodeLeft[id];
    let hole = this.active++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.finishAt[parent] <= finish) break;
      this.move(parent, hole);
      hole = parent;
    }
    this.put(hole, finish, id);
    return id;
  }

  /** The active sequence that is last in decode order becomes the first idle one. Returns its id, with its ticks left in `decodeLeft`. */
  deactivate(decodeLeft: Int32Array, place: Int32Array): number {
    let last = 0;
    for (let i = 1; i < this.active; i++) if (place[this.ids[i]] > place[this.ids[last]]) last = i;
    const id = this.ids[last];
    decodeLeft[id] = this.finishAt[last] - this.clock;
    this.idle.pushFront(id);
    // The last leaf takes the hole: down first, then up if it was smaller than the hole's parent.
    const leaf = --this.active;
    if (last < leaf) {
      const hole = this.settle(last, this.finishAt[leaf]);
      this.put(hole, this.finishAt[leaf], this.ids[leaf]);
    }
    return id;
  }

  /** Removes the active sequence that finishes next and returns its id; there must be one. */
  finishNext(): number {
    const id = this.ids[0];
    const leaf = --this.active;
    if (leaf > 0) {
      const finish = this.finishAt[leaf];
      const hole = this.sink(0, finish);
      this.put(hole, finish, this.ids[leaf]);
    }
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
    this.idle.copyInto(target.idle);
  }

  /** Moves the hole at `hole` to where `finish` belongs below it. */
  private sink(hole: number, finish: number): number {
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.active) return hole;
      if (child + 1 < this.active && this.finishAt[child + 1] < this.finishAt[child]) child++;
      if (this.finishAt[child] >= finish) return hole;
      this.move(child, hole);
      hole = child;
    }
  }

  /** Moves the hole to where `finish` belongs, above or below it. */
  private settle(hole: number, finish: number): number {
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (this.finishAt[parent] <= finish) break;
      this.move(parent, hole);
      hole = parent;
    }
    return this.sink(hole, finish);
  }

  private move(from: number, to: number): void {
    this.put(to, this.finishAt[from], this.ids[from]);
  }

  private put(at: number, finish: number, id: number): void {
    this.finishAt[at] = finish;
    this.ids[at] = id;
  }

  private grow(): void {
    const capacity = this.ids.length * 2;
    const finishAt = new Float64Array(capacity);
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
