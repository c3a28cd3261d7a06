/** Every integer between two bounds equally likely. */
import { numberOf } from "../../options/definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";

export const uniform: LengthDefinition = {
  name: "uniform",
  summary: "every integer from min to max equally likely",
  source: "discrete uniform law",
  options: [
    { key: "min", kind: "integer", min: 0, max: LONGEST, unit: "tokens", summary: "the shortest" },
    { key: "max", kind: "integer", min: 0, max: LONGEST, unit: "tokens", summary: "the longest" },
  ],
  examples: [{ kind: "uniform", min: 1, max: 100 }],
  check: (spec) =>
    numberOf(spec, "min") > numberOf(spec, "max") ? [`min: ${spec.min} (at most max = ${spec.max})`] : [],
  create(spec) {
    const min = numberOf(spec, "min");
    const max = numberOf(spec, "max");
    const count = max - min + 1;
    return {
      least: min,
      mean: (min + max) / 2,
      survival: (n) => (n < min ? 1 : n >= max ? 0 : (max - n) / count),
      sample: (stream) => min + Math.floor(stream.uniform() * count),
    };
  },
};
