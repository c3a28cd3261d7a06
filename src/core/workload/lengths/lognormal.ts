/** Prompt lengths of chat traffic: max(1, ⌊LogNormal(μ, σ)⌋), heavy-tailed (model §5, demo3). */
import { exp, log, normalCdf } from "../../numbers/arithmetic.js";
import { numberOf } from "../../options/definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";

/** Terms of the mean summed one by one; beyond, the midpoint rule's error is below 1e-9 of the mean. */
const EXACT_TERMS = 4096;

export const lognormal: LengthDefinition = {
  name: "lognormal",
  summary: "max(min, ⌊exp(mu + sigma·Z)⌋), at most max",
  source: "log-normal law, rounded down",
  options: [
    { key: "mu", kind: "number", min: -20, max: 20, summary: "mean of the logarithm" },
    { key: "sigma", kind: "number", min: 0, max: 5, summary: "standard deviation of the logarithm" },
    {
      key: "min",
      kind: "integer",
      min: 0,
      max: LONGEST,
      default: 1,
      unit: "tokens",
      summary: "least length",
    },
    {
      key: "max",
      kind: "integer",
      min: 1,
      max: LONGEST,
      default: LONGEST,
      unit: "tokens",
      summary: "greatest length",
    },
  ],
  examples: [{ kind: "lognormal", mu: 3.2764, sigma: 1.5201 }],
  check: (spec) =>
    numberOf(spec, "min") > numberOf(spec, "max") ? [`min: ${spec.min} (at most max = ${spec.max})`] : [],
  create(spec) {
    const mu = numberOf(spec, "mu");
    const sigma = numberOf(spec, "sigma");
    const min = numberOf(spec, "min");
    const max = numberOf(spec, "max");
    /** P(exp(mu + sigma·Z) >= x). */
    const atLeast = (x: number): number =>
      sigma === 0 ? (exp(mu) >= x ? 1 : 0) : normalCdf((mu - log(x)) / sigma);
    const survival = (n: number): number => (n < min ? 1 : n >= max ? 0 : atLeast(n + 1));
    /** E[(Y − x)⁺] of the log-normal Y before rounding. */
    const excess = (x: number): number =>
      sigma === 0
        ? Math.max(0, exp(mu) - x)
        : exp(mu + 0.5 * sigma * sigma) * normalCdf((mu + sigma * sigma - log(x)) / sigma) - x * atLeast(x);
    // Found when asked for: a simulation has no need of it.
    let mean: number | undefined;
    return {
      least: min,
      get mean() {
        if (mean === undefined) {
          mean = min;
          const end = Math.min(max, min + EXACT_TERMS);
          for (let n = min; n < end; n++) mean += survival(n);
          if (end < max) mean += excess(end + 0.5) - excess(max + 0.5);
        }
        return mean;
      },
      survival,
      sample: (stream) => Math.min(max, Math.max(min, Math.floor(exp(mu + sigma * stream.normal())))),
    };
  },
};
