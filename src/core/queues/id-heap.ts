/** A binary heap of request ids: the least key comes first, of equal keys the least id. */
export class IdHeap {
  private ids = new Int32Array(64);
  private keys = new Float64Array(64);
  length = 0;

  /** The id with the least key; the heap must not be empty. */
  get first(): number {
    return this.ids[0];
  }

  clear(): void {
    this.length = 0;
  }

  /** The id at place i of the heap's storage, 0 <= i < length. */
  at(i: number): number {
    return this.ids[i];
  }

  push(id: number, key: number): void {
    if (this.length === this.ids.length) this.grow();
    let hole = this.length++;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.isBefore(key, id, parent)) break;
      this.move(parent, hole);
      hole = parent;
    }
    this.ids[hole] = id;
    this.keys[hole] = key;
  }

  /** Removes the first id and returns it; the heap must not be empty. */
  pop(): number {
    const { ids, keys } = this;
    const first = ids[0];
    const last = --this.length;
    const id = ids[last];
    const key = keys[last];
    let hole = 0;
    for (let child = 1; child < last; child = 2 * hole + 1) {
      if (child + 1 < last && this.isBefore(keys[child + 1], ids[child + 1], child)) child++;
      if (this.isBefore(key, id, child)) break;
      this.move(child, hole);
      hole = child;
    }
    ids[hole] = id;
    keys[hole] = key;
    return first;
  }

  /** Whether (key, id) comes before the entry at a place. */
  private isBefore(key: number, id: number, place: number): boolean {
    const other = this.keys[place];
    return key < other || (key === other && id < this.ids[place]);
  }

  private move(from: number, to: number): void {
    this.ids[to] = this.ids[from];
    this.keys[to] = this.keys[from];
  }

  private grow(): void {
    const ids = new Int32Array(this.length * 2);
    const keys = new Float64Array(this.length * 2);
    ids.set(this.ids);
    keys.set(this.keys);
    this.ids = ids;
    this.keys = keys;
  }
}
