/** Output lengths that end with a constant chance at each token: Geometric(p) on 1, 2, …, at most max. */
import { exp, log1p } from "../../numbers/arithmetic.js";
import { numberOf } from "../../options/definition.js";
import { LONGEST, type LengthDefinition } from "../length-law.js";

/** 1 − e^(−x) for x >= 0, also where e^(−x) rounds to 1: by its series, whose next term is below x^5/720. */
const shortfall = (x: number): number =>
  x < 1e-3 ? x * (1 - (x / 2) * (1 - (x / 3) * (1 - (x / 4) * (1 - x / 5)))) : 1 - exp(-x);

export const geometric: LengthDefinition = {
  name: "geometric",
  summary: "Geometric(p) on 1, 2, …, at most max",
  source: "geometric law, censored at max",
  options: [
    {
      key: "p",
      kind: "number",
      min: 0,
      above: true,
      max: 1,
      summary: "chance that a token is the last",
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
  examples: [{ kind: "geometric", p: 0.0056, max: 1024 }],
  create(spec) {
    const p = numberOf(spec, "p");
    const max = numberOf(spec, "max");
    const rate = -log1p(-p); // Infinity at p = 1: every length is 1
    const survival = (n: number): number => (n >= max ? 0 : n === 0 ? 1 : exp(-rate * n));
    return {
      least: 1,
      mean: p === 1 ? 1 : shortfall(rate * max) / p,
      survival,
      // The whole part of an exponential is geometric.
      sample: (stream) => Math.min(max, 1 + Math.floor(stream.exponential() / rate)),
    };
  },
};
