/** A law of lengths that are listed one by one, equally likely or with weights: samples, traces, tables of pairs. */
import type { LengthLaw } from "./length-law.js";
import type { Stream } from "../numbers/random.js";
import { firstAtLeast } from "../numbers/sorted.js";

/** How far the weights may sum from 1, for decimals such as 0.1 + 0.2 + 0.7. */
const WEIGHT_TOLERANCE = 1e-9;

/** What is wrong with a list and its weights, for a definition's check. */
export function checkWeights(values: readonly number[], weights: readonly number[] | null): string[] {
  if (values.length === 0) return ["values: empty (at least one length)"];
  if (weights === null) return [];
  if (values.length !== weights.length)
    return [`weights: ${weights.length} of them (as many as values: ${values.length})`];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Math.abs(sum - 1) > WEIGHT_TOLERANCE ? [`weights: sum ${sum} (must sum to 1)`] : [];
}

/** The lengths in the order of their size, and for each P(X >= it); then 0. */
interface Sorted {
  readonly values: Float64Array;
  readonly atLeast: Float64Array;
  readonly mean: number;
}

/** A long list is sorted only when its moments are asked for: a simulation has no need of them. */
export class ListedLengths implements LengthLaw {
  private sorted: Sorted | undefined;
  private readonly cumulative: Float64Array | undefined;
  /** The last row that has any weight: it takes what rounding leaves above the cumulative sum. */
  private readonly last: number;

  /**
   * @param values at least one
   * @param weights as many, summing to 1; all equal unless given
   */
  constructor(
    private readonly values: ArrayLike<number>,
    private readonly weights: readonly number[] | null = null,
  ) {
    let total = 0;
    this.cumulative = weights ? Float64Array.from(weights, (weight) => (total += weight)) : undefined;
    this.last = weights ? weights.findLastIndex((weight) => weight > 0) : values.length - 1;
  }

  get least(): number {
    return this.inOrder().values[0];
  }

  get mean(): number {
    return this.inOrder().mean;
  }

  survival(n: number): number {
    const { values, atLeast } = this.inOrder();
    return atLeast[firstAtLeast(values, n + 1)];
  }

  sample(stream: Stream): number {
    return this.values[this.row(stream)];
  }

  /** A place in the list, by weight. */
  row(stream: Stream): number {
    const u = stream.uniform();
    const { cumulative, last } = this;
    if (cumulative === undefined) return Math.floor(u * this.values.length);
    let i = 0;
    while (i < last && u >= cumulative[i]) i++;
    return i;
  }

  at(row: number): number {
    return this.values[row];
  }

  private inOrder(): Sorted {
    return (this.sorted ??= this.weights ? sortWeighted(this.values, this.weights) : sortEqual(this.values));
  }
}

function sortEqual(listed: ArrayLike<number>): Sorted {
  const values = Float64Array.from(listed).sort();
  const { length } = values;
  const atLeast = Float64Array.from({ length: length + 1 }, (_, i) => (length - i) / length);
  return { values, atLeast, mean: values.reduce((sum, value) => sum + value, 0) / length };
}

function sortWeighted(listed: ArrayLike<number>, weights: readonly number[]): Sorted {
  const rows = weights
    .map((weight, i) => ({ weight, value: listed[i] }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => a.value - b.value);
  const atLeast = new Float64Array(rows.length + 1);
  for (let i = rows.length - 1; i >= 0; i--) atLeast[i] = Math.min(1, atLeast[i + 1] + rows[i].weight);
  return {
    values: Float64Array.from(rows, ({ value }) => value),
    atLeast,
    mean: rows.reduce((sum, { weight, value }) => sum + weight * value, 0),
  };
}
