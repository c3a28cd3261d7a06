/** A double-ended queue of request ids: a ring buffer that doubles, so that every end operation is O(1). */
export class IdDeque {
  private ring = new Int32Array(64);
  private mask = 63;
  private head = 0;
  /** How many ids stand in the queue. */
  length = 0;

  clear(): void {
    this.head = 0;
    this.length = 0;
  }

  /** The id at the front; the queue must not be empty. */
  get first(): number {
    return this.ring[this.head];
  }

  /** The i-th id from the front, 0 <= i < length. */
  at(i: number): number {
    return this.ring[(this.head + i) & this.mask];
  }

  pushBack(id: number): void {
    if (this.length > this.mask) this.grow();
    this.ring[(this.head + this.length++) & this.mask] = id;
  }

  pushFront(id: number): void {
    if (this.length > this.mask) this.grow();
    this.head = (this.head - 1) & this.mask;
    this.ring[this.head] = id;
    this.length++;
  }

  /** Adds an id where the ascending order of `key[id]` demands; nearly always at the end. */
  insertBy(key: Int32Array, id: number): void {
    this.insertWhere(id, (a, b) => key[a] < key[b]);
  }

  /** Adds an id behind all that do not come after it in an order that the queue is in. */
  insertWhere(id: number, comesBefore: (a: number, b: number) => boolean): void {
    this.pushBack(id);
    let hole = this.length - 1;
    for (; hole > 0 && comesBefore(id, this.at(hole - 1)); hole--) this.put(hole, this.at(hole - 1));
    this.put(hole, id);
  }

  /** Takes an id out, wherever it stands. @returns whether it stood there */
  remove(id: number): boolean {
    let at = 0;
    while (at < this.length && this.at(at) !== id) at++;
    if (at === this.length) return false;
    for (this.length--; at < this.length; at++) this.put(at, this.at(at + 1));
    return true;
  }

  /** Removes the id at the front and returns it; the queue must not be empty. */
  popFront(): number {
    const id = this.ring[this.head];
    this.head = (this.head + 1) & this.mask;
    this.length--;
    return id;
  }

  /** Makes `target` equal to this queue. */
  copyInto(target: Pick<IdDeque, "clear" | "pushBack">): void {
    target.clear();
    for (let i = 0; i < this.length; i++) target.pushBack(this.at(i));
  }

  private put(i: number, id: number): void {
    this.ring[(this.head + i) & this.mask] = id;
  }

  private grow(): void {
    const ring = new Int32Array(this.ring.length * 2);
    for (let i = 0; i < this.length; i++) ring[i] = this.at(i);
    this.ring = ring;
    this.mask = ring.length - 1;
    this.head = 0;
  }
}
