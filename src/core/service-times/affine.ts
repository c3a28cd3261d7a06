/** The affine model: an iteration takes exactly its affine cost (model §1). */
import { AFFINE_OPTIONS, AffineCost, affineTerms, checkAffine } from "./affine-cost.js";
import type { Spec } from "../options/definition.js";
import type { BatchShape, ServiceTimeDefinition, ServiceTimeModel } from "./service-time-model.js";
import { fromMilliseconds, type Duration } from "../numbers/units.js";

class Affine implements ServiceTimeModel {
  readonly random = false;
  private readonly cost: AffineCost;

  constructor(spec: Spec) {
    this.cost = new AffineCost(spec);
  }

  price(shape: BatchShape): Duration {
    return fromMilliseconds(this.cost.of(shape));
  }
}

export const affine: ServiceTimeDefinition = {
  name: "affine",
  summary: "c + a·max(0, b − b0) for a batch of b tokens",
  source: "Li, Dai & Peng, arXiv 2504.07347",
  options: AFFINE_OPTIONS,
  examples: [{ kind: "affine", cMs: 45.5, aMs: 0.3, b0: 64 }],
  check: checkAffine,
  affine: affineTerms,
  create: (spec) => new Affine(spec),
};
