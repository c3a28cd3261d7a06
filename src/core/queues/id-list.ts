/** A list of request ids that keeps its buffer when emptied: a JavaScript array would give it to the collector. */
export class IdList {
  ids = new Int32Array(64);
  length = 0;

  push(id: number): void {
    if (this.length === this.ids.length) {
      const larger = new Int32Array(this.length * 2);
      larger.set(this.ids);
      this.ids = larger;
    }
    this.ids[this.length++] = id;
  }

  /** Adds an id where ascending order demands; nearly always at the end. */
  insertAscending(id: number): void {
    const last = this.length - 1;
    const isLast = last < 0 || this.ids[last] < id;
    this.push(id);
    if (isLast) return;
    let hole = last + 1;
    for (; hole > 0 && this.ids[hole - 1] > id; hole--) this.ids[hole] = this.ids[hole - 1];
    this.ids[hole] = id;
  }

  /** Adds an id where the ascending order of `key[id]` demands; nearly always at the end. */
  insertBy(key: Int32Array, id: number): void {
    this.push(id);
    let hole = this.length - 1;
    for (; hole > 0 && key[this.ids[hole - 1]] > key[id]; hole--) this.ids[hole] = this.ids[hole - 1];
    this.ids[hole] = id;
  }

  /** Where an id stands; -1 if it does not. */
  indexOf(id: number): number {
    const at = this.ids.indexOf(id);
    return at < this.length ? at : -1;
  }

  includes(id: number): boolean {
    return this.indexOf(id) >= 0;
  }

  /** Takes an id out, wherever it stands. */
  remove(id: number): void {
    const at = this.ids.indexOf(id);
    this.ids.copyWithin(at, at + 1, this.length--);
  }

  /** Makes `target` equal to this list. */
  copyInto(target: IdList): void {
    target.length = 0;
    for (let i = 0; i < this.length; i++) target.push(this.ids[i]);
  }
}
