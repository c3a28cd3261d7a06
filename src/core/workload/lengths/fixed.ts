/** Every length the same. */
import { numberOf } from "../../options/definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";

export const fixed: LengthDefinition = {
  name: "fixed",
  summary: "every length the same",
  source: "degenerate law",
  options: [{ key: "tokens", kind: "integer", min: 0, max: LONGEST, unit: "tokens", summary: "the length" }],
  examples: [{ kind: "fixed", tokens: 128 }],
  create(spec) {
    const length = numberOf(spec, "tokens");
    return { least: length, mean: length, survival: (n) => (n < length ? 1 : 0), sample: () => length };
  },
};
