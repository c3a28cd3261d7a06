/**
 * Prompt and output lengths that go together: the i-th value of one side comes with the i-th of the other, so
 * that any correlation can be listed. Both lengths of a request are one draw.
 */
import { numbersOf } from "../../options/definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";
import { checkWeights, ListedLengths } from "../listed-lengths.js";

export const pairs: LengthDefinition = {
  name: "pairs",
  summary: "prompt and output lengths that go together: the i-th of one with the i-th of the other",
  source: "discrete law on listed pairs",
  options: [
    {
      key: "values",
      kind: "integers",
      min: 0,
      max: LONGEST,
      unit: "tokens",
      summary: "this side's lengths, in the order of the pairs",
    },
    {
      key: "weights",
      kind: "numbers",
      min: 0,
      max: 1,
      nullable: true,
      default: null,
      summary: "the pairs' probabilities, the same on both sides; none: equally likely",
    },
  ],
  examples: [
    { kind: "pairs", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
    { kind: "pairs", values: [20, 400] },
  ],
  check: (spec) => checkWeights(numbersOf(spec, "values"), spec.weights as readonly number[] | null),
  create(spec) {
    const values = numbersOf(spec, "values");
    const weights = spec.weights as readonly number[] | null;
    const law = new ListedLengths(values, weights);
    const table = `pairs/${weights === null ? values.length : weights.join()}`;
    const joint = {
      table,
      row: law.row.bind(law),
      rows: values.length,
      weight: (row: number) => (weights === null ? 1 / values.length : weights[row]),
      at: (row: number) => values[row],
      isHalf: true,
    };
    return {
      least: law.least,
      mean: law.mean,
      survival: law.survival.bind(law),
      sample: law.sample.bind(law),
      joint,
    };
  },
};
