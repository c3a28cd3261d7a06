/**
 * A measured GPU in a formula: host overhead, the weights, two slopes around the roofline knee, and the KV cache that
 * decoding sequences read, which mixed batches read more slowly (model §1; docs/hardware.md tells how it is fitted).
 *
 * Affine in tokens is Li, Dai & Peng's form (arXiv 2504.07347); without the KV term decode times are 20 to 60 % wrong
 * as contexts grow. Counts are enough to price a batch, so the engine needs nothing per sequence.
 */
import { AFFINE_OPTIONS } from "./affine-cost.js";
import { numberOf, type OptionSpec, type Spec } from "../options/definition.js";
import type { BatchShape, ServiceTimeDefinition, ServiceTimeModel } from "./service-time-model.js";
import { fromMilliseconds, type Duration } from "../numbers/units.js";

const cost = (key: string, unit: string, summary: string): OptionSpec => ({
  key,
  kind: "number",
  min: 0,
  max: 1e6,
  default: 0,
  unit,
  summary,
});

const OPTIONS: readonly OptionSpec[] = [
  cost("hMs", "ms", "host overhead of an iteration, h"),
  ...AFFINE_OPTIONS,
  cost("a1Ms", "ms", "time a token up to b0, a1"),
  cost("kMs", "ms", "time a cached token of a decoding sequence, k"),
  cost("kmMs", "ms", "time a cached token more when the batch holds prefill, km"),
  {
    key: "f",
    kind: "number",
    min: 1,
    max: 100,
    default: 1,
    summary: "factor on KV time: sequences of a batch have unequal contexts",
  },
];

/** The clock counts nanoseconds: a price below half of one would be no time at all. */
const LEAST_MS = 5e-7;

class Gpu implements ServiceTimeModel {
  readonly random = false;
  readonly growsWithKv: boolean;
  private readonly fixed: number;
  private readonly knee: number;
  private readonly below: number;
  private readonly above: number;
  private readonly decodeKv: number;
  private readonly mixedKv: number;

  constructor(spec: Spec) {
    this.fixed = numberOf(spec, "hMs") + numberOf(spec, "cMs");
    this.knee = numberOf(spec, "b0");
    this.below = numberOf(spec, "a1Ms");
    this.above = numberOf(spec, "aMs");
    const f = numberOf(spec, "f");
    this.decodeKv = f * numberOf(spec, "kMs");
    this.mixedKv = f * (numberOf(spec, "kMs") + numberOf(spec, "kmMs"));
    this.growsWithKv = this.mixedKv > 0;
  }

  price({ decodes, prefillTokens, sumKv }: BatchShape): Duration {
    const tokens = decodes + prefillTokens;
    return fromMilliseconds(
      this.fixed +
        this.below * Math.min(tokens, this.knee) +
        this.above * Math.max(0, tokens - this.knee) +
        (prefillTokens > 0 ? this.mixedKv : this.decodeKv) * sumKv,
    );
  }
}

function check(spec: Spec): string[] {
  const slope = numberOf(spec, numberOf(spec, "b0") >= 1 ? "a1Ms" : "aMs");
  return numberOf(spec, "hMs") + numberOf(spec, "cMs") + slope >= LEAST_MS
    ? []
    : [`cMs: ${spec.cMs} (above 0, or an iteration of one token would take no time)`];
}

export const gpu: ServiceTimeDefinition = {
  name: "gpu",
  summary: "h + c + a1·min(b, b0) + a·max(0, b − b0) + f·(k + km·[prefill])·ΣKV, fitted to a GPU",
  source: "Li, Dai & Peng, arXiv 2504.07347, with the KV terms of docs/hardware.md",
  options: OPTIONS,
  examples: [
    {
      kind: "gpu",
      hMs: 0.5,
      cMs: 11.2,
      a1Ms: 0.016,
      aMs: 0.037,
      b0: 216,
      kMs: 9.2e-5,
      kmMs: 6.2e-5,
      f: 1.05,
    },
  ],
  check,
  create: (spec) => new Gpu(spec),
};
