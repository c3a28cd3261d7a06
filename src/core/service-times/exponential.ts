/** Exponential iteration times whose mean is the affine cost: for checks against queueing theory (model §1). */
import { numberOf, type OptionSpec, type Spec } from "../definition.js";
import type { BatchShape, ServiceTimeDefinition, ServiceTimeModel } from "../service-time-model.js";
import { ns, type Nanoseconds } from "../units.js";

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

class Exponential implements ServiceTimeModel {
  readonly random = true;
  private readonly c: number;
  private readonly a: number;
  private readonly b0: number;

  constructor(spec: Spec) {
    this.c = numberOf(spec, "cMs");
    this.a = numberOf(spec, "aMs");
    this.b0 = numberOf(spec, "b0");
  }

  price(shape: BatchShape, draw: number): Nanoseconds {
    const tokens = shape.decodes + shape.prefillTokens;
    const mean = this.c + this.a * Math.max(0, tokens - this.b0);
    return ns(Math.round(draw * (mean * 1e6)));
  }
}

export const exponential: ServiceTimeDefinition = {
  name: "exponential",
  summary: "exponential, with mean c + a·max(0, b − b0)",
  source: "M in Kendall's notation",
  options,
  examples: [{ kind: "exponential", cMs: 10 }],
  create: (spec) => new Exponential(spec),
};
