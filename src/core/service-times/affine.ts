/**
 * The affine model S(b) = c + a·max(0, b − b0): c reads the weights, b0 is the roofline knee below which
 * tokens ride for free (Li, Dai & Peng, arXiv 2504.07347; model §1).
 */
import { numberOf, type OptionSpec, type Spec } from "../definition.js";
import type { BatchShape, ServiceTimeDefinition, ServiceTimeModel } from "../service-time-model.js";
import { fromMilliseconds, type Nanoseconds } from "../units.js";

const options: readonly OptionSpec[] = [
  { key: "cMs", kind: "number", min: 0, max: 1e6, unit: "ms", summary: "time to read the weights, c" },
  { key: "aMs", kind: "number", min: 0, max: 1e6, default: 0, unit: "ms", summary: "time a token, a" },
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

/** S(b) in ms. */
const cost = (spec: Spec, tokens: number): number =>
  numberOf(spec, "cMs") + numberOf(spec, "aMs") * Math.max(0, tokens - numberOf(spec, "b0"));

const check = (spec: Spec): string[] =>
  fromMilliseconds(cost(spec, 1)) >= 1
    ? []
    : [`cMs: ${spec.cMs} (above 0, or an iteration of one token would take no time)`];

class Affine implements ServiceTimeModel {
  readonly random = false;
  private readonly c: number;
  private readonly a: number;
  private readonly b0: number;

  constructor(spec: Spec) {
    this.c = numberOf(spec, "cMs");
    this.a = numberOf(spec, "aMs");
    this.b0 = numberOf(spec, "b0");
  }

  price(shape: BatchShape): Nanoseconds {
    const tokens = shape.decodes + shape.prefillTokens;
    return fromMilliseconds(this.c + this.a * Math.max(0, tokens - this.b0));
  }
}

export const affine: ServiceTimeDefinition = {
  name: "affine",
  summary: "c + a·max(0, b − b0) for a batch of b tokens",
  source: "Li, Dai & Peng, arXiv 2504.07347",
  options,
  examples: [{ kind: "affine", cMs: 45.5, aMs: 0.3, b0: 64 }],
  check,
  create: (spec) => new Affine(spec),
};
