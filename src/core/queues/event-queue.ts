/**
 * The future: at which instant each source's next event happens, and the one tie rule of the simulation.
 *
 * A source (a replica) has at most one event ahead, so the queue is a tournament tree over sources: its root
 * is the earliest instant, and an event that moves (a stretch cut short) is one more update, with nothing
 * stale left behind. Among events of one instant the source with the lowest number comes first (model §1).
 */
import { NEVER, asInstant, type Instant } from "../numbers/units.js";

export class EventQueue {
  /** Leaves from `leaves` on; a node holds the earlier of its two children; unused leaves hold NEVER. */
  private tree = new Float64Array([NEVER, NEVER]);
  private leaves = 1;
  /** The earliest instant, once more, where it is at hand. */
  private root = NEVER;

  /** Forgets all events and makes room for `sources` sources. */
  reset(sources: number): void {
    let leaves = 1;
    while (leaves < sources) leaves *= 2;
    if (leaves !== this.leaves) {
      this.leaves = leaves;
      this.tree = new Float64Array(2 * leaves);
    }
    this.tree.fill(NEVER);
    this.root = NEVER;
  }

  /** Instant of the next event, or NEVER. */
  get nextAt(): Instant {
    return this.root;
  }

  /** The source of the next event: of those at `nextAt`, the one with the lowest number. */
  get nextSource(): number {
    return this.leaves === 1 ? 0 : this.earliest();
  }

  /** Sets the instant of a source's event; NEVER: it has none. */
  set(source: number, instant: Instant): void {
    if (this.leaves === 1) this.root = instant;
    else this.replay(source, instant);
  }

  /** Makes `target` equal to this queue. */
  copyInto(target: EventQueue): void {
    if (target.leaves !== this.leaves) target.reset(this.leaves);
    target.tree.set(this.tree);
    target.root = this.root;
  }

  private earliest(): number {
    const { tree, leaves } = this;
    let node = 1;
    while (node < leaves) {
      node *= 2;
      if (tree[node + 1] < tree[node]) node++;
    }
    return node - leaves;
  }

  /** Sets a leaf and plays its matches again. */
  private replay(source: number, instant: Instant): void {
    const { tree } = this;
    let node = this.leaves + source;
    tree[node] = instant;
    while (node > 1) {
      node >>= 1;
      tree[node] = Math.min(tree[2 * node], tree[2 * node + 1]);
    }
    this.root = asInstant(tree[1]);
  }
}
