/**
 * Inter-token latencies, pooled over requests: values with weights. A stretch of equal iterations in which n
 * sequences decode adds once, not n times an iteration, and equal values are one entry: a trial has few
 * different ones (of as many requests as you like a few hundred), so the log stays small however long it runs.
 *
 * Exact but for this: where iteration times are random, or a pool of decodes overflows, values hardly ever repeat.
 * The first 65,536 different ones are kept as they are; further new ones are kept to 12 significant bits, so that a
 * percentile is off by at most 2^-12 of its value. Number and mean are exact always.
 */
import { percentiles } from "../numbers/order-statistics.js";
import { Selection } from "../numbers/selection.js";

const MOST_EXACT = 65_536;
/** Cuts a double to 12 significant bits, to nearest (Veltkamp 1968): 2^41 + 1. */
const SPLITTER = 2_199_023_255_553;
/** Both parts of the exact sum stay below this: 2^52. */
const CARRY = 4_503_599_627_370_496;
/** The high part of the sum counts units of 2^26. */
const UNIT = 67_108_864;
/** 2^32 over the golden ratio, as a 32-bit integer (Knuth 6.4: multiplicative hashing). */
const GOLDEN = 0x9e3779b1 | 0;

/** 2^-21: what is left of a gap begins where its low half ends, with some bits in common. */
const HIGH_HALF = 1 / 2_097_152;

const selection = new Selection();

/** Adds a whole number of ns times a weight to high · 2^26 + low, exactly: by the halves of both. */
function addProduct(sum: { high: number; low: number }, time: number, weight: number): void {
  const units = Math.floor(time / UNIT);
  const rest = time - units * UNIT;
  const weightUnits = Math.floor(weight / UNIT);
  sum.high += units * weight + rest * weightUnits;
  sum.low += rest * (weight - weightUnits * UNIT);
  if (sum.low < CARRY) return;
  const carried = Math.floor(sum.low / UNIT);
  sum.high += carried;
  sum.low -= carried * UNIT;
}

export class GapLog {
  gap = new Float64Array(512);
  weight = new Float64Array(512);
  /** Entries used, each with a gap of its own. */
  count = 0;
  /** What rounding took from the gaps that were not kept as they are: high · 2^26 + low. */
  private high = 0;
  private low = 0;
  /** Entries by the hash of their gap, −1 where there is none; at most half of the places are taken. */
  private slots = new Int32Array(1024).fill(-1);
  private shift = 22;
  /** The gap that is looked for: put here and not handed over (no double is, docs/design.md, Decisions). */
  sought = NaN;
  /** Its entry; negative where it has none. */
  private entry = -1;
  private readonly marked = { weight: new Float64Array(0), count: 0, high: 0, low: 0 };

  clear(): void {
    this.slots.fill(-1);
    this.count = this.high = this.low = 0;
  }

  /** `weight` gaps of `gap` ns; a weight of 0 adds nothing. */
  add(gap: number, weight: number): void {
    this.sought = gap;
    this.addSought(weight);
  }

  /** A gap that will be added later is a gap from now on. */
  expect(gap: number): void {
    this.sought = gap;
    this.slot();
    if (this.entry < 0) this.enter(0);
  }

  /** The same of the gap that was put into `sought`. */
  addSought(weight: number): void {
    if (weight === 0) return;
    this.slot();
    const { entry } = this;
    if (entry >= 0) this.weight[entry] += weight;
    else this.enter(weight);
  }

  /** Whether every gap is kept as it is. */
  get isExact(): boolean {
    return this.count < MOST_EXACT;
  }

  /** How many gaps there are of each length. */
  byLength(): Map<number, number> {
    const found = new Map<number, number>();
    // An entry without weight was expected and never counted.
    for (let i = 0; i < this.count; i++) if (this.weight[i] > 0) found.set(this.gap[i], this.weight[i]);
    return found;
  }

  /** Sum of the weights: the number of ITLs. */
  get total(): number {
    let total = 0;
    for (let i = 0; i < this.count; i++) total += this.weight[i];
    return total;
  }

  /**
   * The sum of all ITLs, exact up to 2^79 ns and rounded once: it does not depend on the order in which gaps come,
   * nor on how a stretch of equal ones is cut.
   */
  get sum(): number {
    const { gap, weight, count } = this;
    const sum = { high: this.high, low: this.low };
    for (let i = 0; i < count; i++) addProduct(sum, gap[i], weight[i]);
    return sum.high * UNIT + sum.low;
  }

  /** The mean ITL; NaN without one. */
  get mean(): number {
    return this.sum / this.total;
  }

  /** As `percentiles` in order-statistics.ts. */
  percentiles(shares: readonly number[], into: Float64Array, at: number): void {
    const { count, gap, weight } = this;
    selection.reserve(count);
    const { values, weights } = selection;
    for (let i = 0; i < count; i++) {
      values[i] = gap[i];
      weights[i] = weight[i];
    }
    selection.ready(count, this.total);
    percentiles(selection, shares, into, at);
  }

  /** How many gaps are above a limit in ns, or at it. */
  countAbove(limit: number, orEqual: boolean): number {
    let count = 0;
    for (let i = 0; i < this.count; i++)
      if (this.gap[i] > limit || (orEqual && this.gap[i] === limit)) count += this.weight[i];
    return count;
  }

  /** Keeps the log as it is now, for `release`. */
  mark(): void {
    const { marked, count } = this;
    if (marked.weight.length < count) marked.weight = new Float64Array(this.weight.length);
    for (let i = 0; i < count; i++) marked.weight[i] = this.weight[i];
    marked.count = count;
    marked.high = this.high;
    marked.low = this.low;
  }

  /** Forgets what was added since `mark`. */
  release(): void {
    const { marked } = this;
    // The last one in leaves first: what it was put behind in the table is still there.
    while (this.count > marked.count) this.slots[this.slotOf(this.gap[--this.count])] = -1;
    for (let i = 0; i < this.count; i++) this.weight[i] = marked.weight[i];
    this.high = marked.high;
    this.low = marked.low;
  }

  /** Where the entry of a gap stands, or would. */
  private slotOf(gap: number): number {
    this.sought = gap;
    return this.slot();
  }

  /** The same of the gap sought, and its entry. */
  private slot(): number {
    const { slots, gap: gaps, sought: gap } = this;
    const mask = slots.length - 1;
    // Both halves count: long gaps cut to 12 bits end in zeros.
    let slot = (Math.imul((gap | 0) ^ ((gap * HIGH_HALF) | 0), GOLDEN) >>> this.shift) & mask;
    let entry = slots[slot];
    while (entry >= 0 && gaps[entry] !== gap) {
      slot = (slot + 1) & mask;
      entry = slots[slot];
    }
    this.entry = entry;
    return slot;
  }

  private enter(weight: number): void {
    const gap = this.sought;
    let kept = gap;
    if (this.count >= MOST_EXACT) {
      const scaled = gap * SPLITTER;
      kept = scaled - (scaled - gap);
      this.keepRest(gap - kept, weight);
      this.slotOf(kept);
      if (this.entry >= 0) {
        this.weight[this.entry] += weight;
        return;
      }
    }
    if (this.count === this.gap.length) this.grow();
    this.slots[this.slotOf(kept)] = this.count;
    this.gap[this.count] = kept;
    this.weight[this.count++] = weight;
  }

  private keepRest(rest: number, weight: number): void {
    const sum = { high: this.high, low: this.low };
    addProduct(sum, rest, weight);
    this.high = sum.high;
    this.low = sum.low;
  }

  private grow(): void {
    const gap = new Float64Array(this.count * 2);
    const weight = new Float64Array(this.count * 2);
    gap.set(this.gap);
    weight.set(this.weight);
    this.gap = gap;
    this.weight = weight;
    this.slots = new Int32Array(this.slots.length * 2).fill(-1);
    this.shift--;
    for (let i = 0; i < this.count; i++) this.slots[this.slotOf(gap[i])] = i;
  }
}
