/**
 * Weibull gaps: for CV > 1 short gaps in clusters and a few long ones, with a tail between the exponential and
 * the power law (ServeGen, arXiv 2505.09999, fits them to serving traffic). A gap is scale·E^(1/k) with E
 * exponential; the shape k that has the asked CV is found by bisection.
 */
import { exp, log, log1p } from "../../numbers/arithmetic.js";
import {
  type ArrivalDefinition,
  CV_OPTION,
  RATE_LOAD,
  RATE_OPTION,
  RenewalArrivals,
} from "../arrival-process.js";
import { numberOf } from "../../options/definition.js";
import { logGamma } from "../../numbers/gamma-function.js";
import type { Stream } from "../../numbers/random.js";

/** Every CV that is allowed has its 1/k between these: they give 0.0013 and 2·10⁴. */
const LEAST_INVERSE = 0.001;
const GREATEST_INVERSE = 16;

/** 1/k of the Weibull law with that CV: Γ(1 + 2/k)/Γ(1 + 1/k)² = 1 + CV². */
function inverseShape(cv: number): number {
  const wanted = log1p(cv * cv);
  let low = LEAST_INVERSE;
  let high = GREATEST_INVERSE;
  for (let middle = 1; low < middle && middle < high; middle = low + (high - low) / 2) {
    if (logGamma(1 + 2 * middle) - 2 * logGamma(1 + middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

class WeibullArrivals extends RenewalArrivals {
  private readonly scale: number;

  constructor(
    stream: Stream,
    ratePerSecond: number,
    private readonly inverse: number,
  ) {
    super(stream, ratePerSecond);
    this.scale = exp(-logGamma(1 + inverse));
  }

  protected gap(): number {
    return this.scale * exp(log(this.stream.exponential()) * this.inverse);
  }
}

export const weibull: ArrivalDefinition = {
  name: "weibull",
  summary: "independent Weibull gaps with a given coefficient of variation",
  source: "Weibull renewal process",
  loadOption: RATE_LOAD,
  options: [RATE_OPTION, CV_OPTION],
  examples: [
    { kind: "weibull", ratePerSecond: 2, cv: 2 },
    { kind: "weibull", ratePerSecond: 2, cv: 0.5 },
  ],
  create(spec) {
    const ratePerSecond = numberOf(spec, "ratePerSecond");
    const gapCv = numberOf(spec, "cv");
    const inverse = inverseShape(gapCv);
    return { ratePerSecond, gapCv, open: (stream) => new WeibullArrivals(stream, ratePerSecond, inverse) };
  },
};
