/** Lengths as they were observed: a listed sample, each value equally likely. */
import { numbersOf } from "../../options/definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";
import { checkWeights, ListedLengths } from "../listed-lengths.js";

export const empirical: LengthDefinition = {
  name: "empirical",
  summary: "observed lengths, each equally likely",
  source: "empirical distribution of a sample",
  options: [
    { key: "values", kind: "integers", min: 0, max: LONGEST, unit: "tokens", summary: "the lengths" },
  ],
  examples: [{ kind: "empirical", values: [17, 32, 32, 45, 128, 901] }],
  check: (spec) => checkWeights(numbersOf(spec, "values"), null),
  create: (spec) => new ListedLengths(numbersOf(spec, "values")),
};
