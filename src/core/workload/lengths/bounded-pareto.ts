/**
 * Lengths with a power-law tail between two bounds: ⌊X⌋ of a Pareto law cut off at max + 1, so that max can
 * happen. The heavy tail of job sizes in computing (Harchol-Balter, Performance Modeling and Design of Computer
 * Systems, 2013, ch. 20).
 */
import { exp, log, pow } from "../../numbers/arithmetic.js";
import { numberOf } from "../../options/definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";

/** Terms of the mean summed one by one; beyond, the midpoint rule's error is below 1e-8 of the mean. */
const EXACT_TERMS = 4096;

/** (e^y − 1)/y, also near 0: by its series, whose next term is below y^4/100. */
const relativeGrowth = (y: number): number =>
  Math.abs(y) < 1e-3 ? 1 + (y / 2) * (1 + (y / 3) * (1 + y / 4)) : (exp(y) - 1) / y;

export const boundedPareto: LengthDefinition = {
  name: "bounded-pareto",
  summary: "whole part of a Pareto law from min, cut off at max + 1",
  source: "bounded Pareto law, rounded down",
  options: [
    {
      key: "alpha",
      kind: "number",
      min: 0.01,
      max: 20,
      summary: "tail exponent: the lower, the heavier the tail",
    },
    { key: "min", kind: "integer", min: 1, max: LONGEST - 1, unit: "tokens", summary: "least length" },
    { key: "max", kind: "integer", min: 1, max: LONGEST, unit: "tokens", summary: "greatest length" },
  ],
  examples: [{ kind: "bounded-pareto", alpha: 1.2, min: 16, max: 32768 }],
  check: (spec) =>
    numberOf(spec, "min") > numberOf(spec, "max") ? [`min: ${spec.min} (at most max = ${spec.max})`] : [],
  create(spec) {
    const alpha = numberOf(spec, "alpha");
    const min = numberOf(spec, "min");
    const max = numberOf(spec, "max");
    const end = max + 1;
    /** log of min^α/end^α, made positive: where the exponential of the logarithm is cut off. */
    const span = alpha * log(end / min);
    const cut = exp(-span);
    /** P(X >= x) for min <= x <= end. */
    const atLeast = (x: number): number => (pow(min / x, alpha) - cut) / (1 - cut);
    const survival = (n: number): number => (n < min ? 1 : n >= max ? 0 : atLeast(n + 1));
    /** The integral of `atLeast` from a to b; a form that holds through alpha = 1. */
    const area = (a: number, b: number): number => {
      const ratio = log(b / a);
      const power = a * pow(min / a, alpha) * ratio * relativeGrowth((1 - alpha) * ratio);
      return (power - (b - a) * cut) / (1 - cut);
    };
    // Found when asked for: a simulation has no need of it.
    let mean: number | undefined;
    return {
      least: min,
      get mean() {
        if (mean === undefined) {
          mean = min;
          const last = Math.min(max, min + EXACT_TERMS);
          for (let n = min; n < last; n++) mean += survival(n);
          if (last < max) mean += area(last + 0.5, max + 0.5);
        }
        return mean;
      },
      survival,
      // log(X/min) is an exponential cut off at `span`; as it has no memory, its remainder by `span` is one.
      sample: (stream) =>
        Math.max(min, Math.min(max, Math.floor(min * exp((stream.exponential() % span) / alpha)))),
    };
  },
};
