/** A few lengths with given weights, as in the earlier study's demo2. */
import { numbersOf, type Spec } from "../definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";

/** How far the weights may sum from 1, for decimals such as 0.1 + 0.2 + 0.7. */
const WEIGHT_TOLERANCE = 1e-9;

function check(spec: Spec): string[] {
  const values = numbersOf(spec, "values");
  const weights = numbersOf(spec, "weights");
  if (values.length === 0) return ["values: empty (at least one length)"];
  if (values.length !== weights.length)
    return [`weights: ${weights.length} of them (as many as values: ${values.length})`];
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return Math.abs(sum - 1) > WEIGHT_TOLERANCE ? [`weights: sum ${sum} (must sum to 1)`] : [];
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
  create(spec) {
    const values = numbersOf(spec, "values");
    const weights = numbersOf(spec, "weights");
    const cumulative: number[] = [];
    let total = 0;
    for (const weight of weights) cumulative.push((total += weight));
    // The last length that has any weight takes whatever rounding leaves above the cumulative sum.
    const last = weights.findLastIndex((weight) => weight > 0);
    return {
      least: Math.min(...values.filter((_, i) => weights[i] > 0)),
      mean: values.reduce((sum, value, i) => sum + value * weights[i], 0),
      survival: (n) => values.reduce((sum, value, i) => (value > n ? sum + weights[i] : sum), 0),
      sample(stream) {
        const u = stream.uniform();
        let i = 0;
        while (i < last && u >= cumulative[i]) i++;
        return values[i];
      },
    };
  },
};
