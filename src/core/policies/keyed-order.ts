/** A queue of unstarted prompts by a key of each request, FCFS among equals: what ordered disciplines share. */
import type { WaitingQueue } from "./discipline.js";
import { IdHeap } from "../queues/id-heap.js";

export class KeyedOrder implements WaitingQueue {
  readonly classOf?: (id: number) => number;
  private readonly heap = new IdHeap();

  /**
   * @param keyOf what the queue is ordered by, the least first; the same whenever it is asked
   * @param classOf the class of a request, where the discipline has classes
   */
  constructor(
    private readonly keyOf: (id: number) => number,
    classOf?: (id: number) => number,
  ) {
    if (classOf) this.classOf = classOf;
  }

  get length(): number {
    return this.heap.length;
  }

  get first(): number {
    return this.heap.first;
  }

  pushBack(id: number): void {
    this.heap.push(id, this.keyOf(id));
  }

  popFront(): number {
    return this.heap.pop();
  }

  clear(): void {
    this.heap.clear();
  }

  at(i: number): number {
    return this.heap.at(i);
  }

  copyInto(target: WaitingQueue): void {
    target.clear();
    // In the order of places every parent is there before its children: nothing moves.
    for (let i = 0; i < this.length; i++) target.pushBack(this.at(i));
  }
}
