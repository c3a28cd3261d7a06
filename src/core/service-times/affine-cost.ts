/**
 * The cost that is affine in the tokens above the roofline knee, S(b) = c + a·max(0, b − b0) (Li, Dai & Peng, arXiv
 * 2504.07347; model §1): what the affine model takes, and what the exponential one takes on average.
 */
import { numberOf, type OptionSpec, type Spec } from "../options/definition.js";
import type { AffineTerms, BatchShape } from "./service-time-model.js";

/** The options of a model with that cost. */
export const AFFINE_OPTIONS: readonly OptionSpec[] = [
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

/** The least cost of an iteration of one token: the clock counts nanoseconds. */
const LEAST_MS = 5e-7;

/** The one problem that no single range can state: an iteration that would take no time. */
export const checkAffine = (spec: Spec): string[] =>
  new AffineCost(spec).ms(1) >= LEAST_MS
    ? []
    : [`cMs: ${spec.cMs} (above 0, or an iteration of one token would take no time)`];

/** The terms of a model with that cost. */
export const affineTerms = (spec: Spec): AffineTerms => ({
  cMs: numberOf(spec, "cMs"),
  aMs: numberOf(spec, "aMs"),
  b0: numberOf(spec, "b0"),
});

export class AffineCost {
  private readonly c: number;
  private readonly a: number;
  private readonly b0: number;

  constructor(spec: Spec) {
    this.c = numberOf(spec, "cMs");
    this.a = numberOf(spec, "aMs");
    this.b0 = numberOf(spec, "b0");
  }

  /** S(b) in ms for b tokens. */
  ms(tokens: number): number {
    return this.c + this.a * Math.max(0, tokens - this.b0);
  }

  /** S of a batch, whatever its tokens are, in ms. */
  of(shape: BatchShape): number {
    return this.ms(shape.decodes + shape.prefillTokens);
  }
}
