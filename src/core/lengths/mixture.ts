/** A few lengths with given weights, as in the earlier study's demo2. */
import { numbersOf, type Spec } from "../definition.js";
import { LONGEST, type LengthDefinition, type LengthLaw } from "../length-law.js";
import type { Stream } from "../random.js";

/** How far the weights may sum from 1, for decimals such as 0.1 + 0.2 + 0.7. */
const WEIGHT_TOLERANCE = 1e-9;

const GUIDES = 256;

function check(spec: Spec): string[] {
  const values = numbersOf(spec, "values");
  const weights = numbersOf(spec, "weights");
  if (values.length === 0) return ["values: empty (at least one length)"];
  if (values.length !== weights.length)
    return [`weights: ${weights.length} of them (as many as values: ${values.length})`];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Math.abs(sum - 1) > WEIGHT_TOLERANCE ? [`weights: sum ${sum} (must sum to 1)`] : [];
}

class Mixture implements LengthLaw {
  readonly least: number;
  readonly mean: number;
  private readonly values: readonly number[];
  private readonly weights: readonly number[];
  /** Up to the last length that has any weight, which takes what rounding leaves above the cumulative sum. */
  private readonly cumulative: Float64Array;
  /**
   * By the first bits of the uniform number (Chen & Asau 1974): the length, where they decide it, as they nearly always
   * do; else ~i, where the search begins at the i-th.
   */
  private readonly guide: Int32Array;

  constructor(spec: Spec) {
    const values = (this.values = numbersOf(spec, "values"));
    const weights = (this.weights = numbersOf(spec, "weights"));
    this.least = Math.min(...values.filter((_, i) => weights[i] > 0));
    this.mean = values.reduce((sum, value, i) => sum + value * weights[i], 0);
    let total = 0;
    this.cumulative = Float64Array.from(weights, (weight) => (total += weight));
    this.cumulative[weights.findLastIndex((weight) => weight > 0)] = Infinity;
    this.guide = new Int32Array(GUIDES);
    for (let at = 0, from = 0; from < GUIDES; at++) {
      const end = Math.min(this.cumulative[at] * GUIDES, GUIDES);
      const to = Math.ceil(end);
      this.guide.fill(values[at], from, to);
      if (from < to && to > end) this.guide[to - 1] = ~at;
      from = to;
    }
  }

  survival(n: number): number {
    return this.values.reduce((sum, value, i) => (value > n ? sum + this.weights[i] : sum), 0);
  }

  sample(stream: Stream): number {
    return this.at(stream.uniform());
  }

  fromUniforms(uniforms: Float64Array, into: Int32Array, from: number, to: number): void {
    for (let row = from; row < to; row++) into[row] = this.at(uniforms[row - from]);
  }

  /** The length at a share of the law. */
  private at(u: number): number {
    const found = this.guide[(u * GUIDES) | 0];
    if (found >= 0) return found;
    let i = ~found;
    while (u >= this.cumulative[i]) i++;
    return this.values[i];
  }
}

export const mixture: LengthDefinition = {
  name: "mixture",
  summary: "a few lengths with given weights",
  source: "discrete law on listed values",
  options: [
    { key: "values", kind: "integers", min: 0, max: LONGEST, unit: "tokens", summary: "the lengths" },
    { key: "weights", kind: "numbers", min: 0, max: 1, summary: "their probabilities, summing to 1" },
  ],
  examples: [{ kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] }],
  check,
  create: (spec) => new Mixture(spec),
};
