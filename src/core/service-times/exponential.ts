/** Exponential iteration times whose mean is the affine cost: for checks against queueing theory (model §1). */
import { numberOf, type OptionSpec } from "../definition.js";
import type { ServiceTimeDefinition } from "../service-time-model.js";
import { ns } from "../units.js";

const options: readonly OptionSpec[] = [
  {
    key: "cMs",
    kind: "number",
    min: 0,
    above: true,
    max: 1e6,
    unit: "ms",
    summary: "mean time at b ≤ b0, c",
  },
  { key: "aMs", kind: "number", min: 0, max: 1e6, default: 0, unit: "ms", summary: "mean time a token, a" },
  {
    key: "b0",
    kind: "integer",
    min: 0,
    max: 2_147_483_647,
    default: 0,
    unit: "tokens",
    summary: "tokens that ride for free",
  },
];

export const exponential: ServiceTimeDefinition = {
  name: "exponential",
  summary: "exponential, with mean c + a·max(0, b − b0)",
  source: "M in Kendall's notation",
  options,
  examples: [{ kind: "exponential", cMs: 10 }],
  create(spec) {
    const c = numberOf(spec, "cMs");
    const a = numberOf(spec, "aMs");
    const b0 = numberOf(spec, "b0");
    return {
      random: true,
      price(shape, draw) {
        const mean = c + a * Math.max(0, shape.decodes + shape.prefillTokens - b0);
        return ns(Math.round(draw * (mean * 1e6)));
      },
    };
  },
};
