/** Exponential iteration times whose mean is the affine cost: for checks against queueing theory (model §1). */
import { AFFINE_OPTIONS, AffineCost, affineTerms, checkAffine } from "./affine-cost.js";
import type { Spec } from "../options/definition.js";
import type { BatchShape, ServiceTimeDefinition, ServiceTimeModel } from "./service-time-model.js";
import { asDuration, type Duration } from "../numbers/units.js";

class Exponential implements ServiceTimeModel {
  readonly random = true;
  private readonly cost: AffineCost;

  constructor(spec: Spec) {
    this.cost = new AffineCost(spec);
  }

  price(shape: BatchShape, draw: number): Duration {
    return asDuration(Math.round(draw * (this.cost.of(shape) * 1e6)));
  }
}

export const exponential: ServiceTimeDefinition = {
  name: "exponential",
  summary: "exponential, with mean c + a·max(0, b − b0)",
  source: "M in Kendall's notation",
  options: AFFINE_OPTIONS,
  examples: [{ kind: "exponential", cMs: 10 }],
  check: checkAffine,
  affine: affineTerms,
  create: (spec) => new Exponential(spec),
};
