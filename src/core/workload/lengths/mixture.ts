/** A few lengths with given weights, as in the earlier study's demo2. */
import { numbersOf, type Spec } from "../../options/definition.js";
import { LONGEST, type LengthDefinition, type LengthLaw } from "../length-law.js";
import type { Stream } from "../../numbers/random.js";

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
  private readonly values: readonly number[];
  private readonly weights: readonly number[];
  /** Up to the last length that has any weight, which takes what rounding leaves above the cumulative sum. */
  private cumulative = new Float64Array(0);
  /**
   * By the first bits of the uniform number (Chen & Asau 1974): the length, where they decide it, as they nearly always
   * do; else ~i, where the search begins at the i-th. Empty until something is drawn: a law may only be asked about.
   */
  private guide = new Int32Array(0);

  constructor(spec: Spec) {
    this.values = numbersOf(spec, "values");
    this.weights = numbersOf(spec, "weights");
  }

  get least(): number {
    const { values, weights } = this;
    return values.reduce((least, value, i) => (weights[i] > 0 ? Math.min(least, value) : least), Infinity);
  }

  get mean(): number {
    return this.values.reduce((sum, value, i) => sum + value * this.weights[i], 0);
  }

  survival(n: number): number {
    return this.values.reduce((sum, value, i) => (value > n ? sum + this.weights[i] : sum), 0);
  }

  sample(stream: Stream): number {
    if (this.guide.length === 0) this.prepare();
    return this.at(stream.uniform());
  }

  fromUniforms(uniforms: Float64Array, into: Int32Array, from: number, to: number): void {
    if (this.guide.length === 0) this.prepare();
    for (let row = from; row < to; row++) into[row] = this.at(uniforms[row - from]);
  }

  private prepare(): void {
    const { values, weights } = this;
    const cumulative = (this.cumulative = new Float64Array(weights.length));
    let total = 0;
    for (let i = 0; i < weights.length; i++) cumulative[i] = total += weights[i];
    cumulative[weights.findLastIndex((weight) => weight > 0)] = Infinity;
    this.guide = new Int32Array(GUIDES);
    for (let at = 0, from = 0; from < GUIDES; at++) {
      const end = Math.min(cumulative[at] * GUIDES, GUIDES);
      const to = Math.ceil(end);
      this.guide.fill(values[at], from, to);
      if (from < to && to > end) this.guide[to - 1] = ~at;
      from = to;
    }
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
