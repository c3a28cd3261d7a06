/**
 * Gamma gaps: burstier than Poisson arrivals for CV > 1, more regular below. The law that fits the gaps of
 * serving traces (BurstGPT, arXiv 2401.17644; Splitwise, ISCA 2024). The sample is never rescaled to hit the
 * rate: that would break the law.
 *
 * Sampler: Marsaglia & Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000); below
 * shape 1 a Gamma(k) is a Gamma(k + 1) times U^(1/k), here e^(−E/k).
 */
import { exp, log } from "../../numbers/arithmetic.js";
import {
  type ArrivalDefinition,
  CV_OPTION,
  RATE_LOAD,
  RATE_OPTION,
  RenewalArrivals,
} from "../arrival-process.js";
import { numberOf } from "../../options/definition.js";
import type { Stream } from "../../numbers/random.js";

class GammaArrivals extends RenewalArrivals {
  private readonly d: number;
  private readonly c: number;

  constructor(
    stream: Stream,
    ratePerSecond: number,
    private readonly shape: number,
  ) {
    super(stream, ratePerSecond);
    this.d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
    this.c = 1 / Math.sqrt(9 * this.d);
  }

  protected gap(): number {
    const { shape, stream } = this;
    const boost = shape < 1 ? exp(-stream.exponential() / shape) : 1;
    return (boost * this.boosted()) / shape;
  }

  /** A gamma variate of scale 1 whose shape, d + 1/3, is at least 1. */
  private boosted(): number {
    const { stream, c, d } = this;
    for (;;) {
      const x = stream.normal();
      const root = 1 + c * x;
      if (root <= 0) continue;
      const v = root * root * root;
      const u = stream.uniform();
      const square = x * x;
      if (u < 1 - 0.0331 * square * square) return d * v;
      if (log(u) < 0.5 * square + d * (1 - v + log(v))) return d * v;
    }
  }
}

export const gamma: ArrivalDefinition = {
  name: "gamma",
  summary: "independent gamma gaps with a given coefficient of variation",
  source: "gamma renewal process; shape 1/cv²",
  loadOption: RATE_LOAD,
  options: [RATE_OPTION, CV_OPTION],
  examples: [
    { kind: "gamma", ratePerSecond: 2, cv: 2 },
    { kind: "gamma", ratePerSecond: 2, cv: 0.5 },
  ],
  create(spec) {
    const ratePerSecond = numberOf(spec, "ratePerSecond");
    const gapCv = numberOf(spec, "cv");
    return {
      ratePerSecond,
      gapCv,
      open: (stream) => new GammaArrivals(stream, ratePerSecond, 1 / (gapCv * gapCv)),
    };
  },
};
