/**
 * Who finishes next: a binary heap of (reading of the decode clock, id), two numbers an entry in one array, so that
 * one look at it serves both.
 *
 * The clock goes round: of two readings the earlier is told by the sign of their difference (decode-pool.ts).
 */

/** Adds an entry to a heap of `size`. */
export function add(heap: Int32Array, size: number, finish: number, id: number): void {
  const hole = rise(heap, 2 * size, finish);
  heap[hole] = finish;
  heap[hole + 1] = id;
}

/** Takes the first entry out of a heap, which then has `size` left. */
export function dropFirst(heap: Int32Array, size: number): void {
  // The last leaf goes where it belongs below the root.
  const leaf = 2 * size;
  const finish = heap[leaf];
  const hole = sink(heap, leaf, 0, finish);
  heap[hole] = finish;
  heap[hole + 1] = heap[leaf + 1];
}

/** Takes entry `i` out of a heap, which then has `size` left. */
export function drop(heap: Int32Array, size: number, i: number): void {
  const leaf = 2 * size;
  const finish = heap[leaf];
  const id = heap[leaf + 1];
  // Down, or up if the leaf was smaller than the hole's parent.
  const hole = sink(heap, leaf, rise(heap, 2 * i, finish), finish);
  heap[hole] = finish;
  heap[hole + 1] = id;
}

/** Moves a hole up to where `finish` belongs. Holes and entries are told by their first number's place. */
function rise(heap: Int32Array, from: number, finish: number): number {
  let hole = from;
  while (hole > 0) {
    const parent = ((hole - 2) >> 2) << 1;
    if (((heap[parent] - finish) | 0) <= 0) break;
    heap[hole] = heap[parent];
    heap[hole + 1] = heap[parent + 1];
    hole = parent;
  }
  return hole;
}

/** Moves a hole down to where `finish` belongs, in a heap that ends at `end`. */
function sink(heap: Int32Array, end: number, from: number, finish: number): number {
  let hole = from;
  for (;;) {
    let child = 2 * hole + 2;
    if (child >= end) return hole;
    // The sign bit is the choice: a branch on it would be guessed wrong half the time.
    if (child + 2 < end) child += ((heap[child + 2] - heap[child]) >> 31) & 2;
    if (((heap[child] - finish) | 0) >= 0) return hole;
    heap[hole] = heap[child];
    heap[hole + 1] = heap[child + 1];
    hole = child;
  }
}
