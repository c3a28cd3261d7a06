/**
 * Mixed iterations with a fixed split: a share `ratio` of the sequence places (or of the token budget) is for
 * decodes, the rest for prompts; places unused on one side are not lent to the other (model §2).
 */
import { numberOf, type Spec, textOf } from "../../options/definition.js";
import { asManyAsFit } from "../packing.js";
import type { Batch, Limits, Scheduler, SchedulerDefinition, View } from "../scheduler.js";
import { UNLIMITED } from "../../numbers/units.js";

/** Keeps ⌊r·n⌋ right where r·n falls a rounding error short of a whole number. */
const ROUNDING = 1e-9;

/** The decodes' part of `whole`, at least 1 and leaving at least 1. */
const share = (ratio: number, whole: number): number =>
  Math.min(Math.max(Math.floor(ratio * whole + ROUNDING), 1), whole - 1);

/** A limit of one place or token cannot be split: decode if a sequence decodes, else prefill. */
function alternate(view: View, batch: Batch): void {
  if (view.decodable > 0) batch.decode(1);
  else batch.pack(1);
}

class Hybrid implements Scheduler {
  private readonly ratio: number;
  private readonly ofTokens: boolean;
  /** What was split last, and the decodes' share of it: an engine's limits stay the same. */
  private whole = 0;
  private decodes = 0;

  constructor(spec: Spec) {
    this.ratio = numberOf(spec, "ratio");
    this.ofTokens = spec.ratioOf === "tokens";
  }

  /** What the ratio divides. */
  private dividedOf({ maxTokens, maxSequences }: Limits): number {
    return this.ofTokens ? maxTokens : maxSequences;
  }

  readonly decodesAll = (limits: Limits): number => {
    const whole = this.dividedOf(limits);
    return whole === 1 ? 1 : Math.min(share(this.ratio, whole), asManyAsFit(limits));
  };

  compose(view: View, batch: Batch): void {
    const whole = this.dividedOf(view.limits);
    if (whole === 1) {
      alternate(view, batch);
      return;
    }
    if (whole !== this.whole) {
      this.whole = whole;
      this.decodes = share(this.ratio, whole);
    }
    const { decodes } = this;
    if (decodes < view.decodable && decodes < batch.slotsLeft && decodes < batch.tokensLeft)
      batch.limited("decode");
    batch.decode(Math.min(decodes, view.decodable, batch.slotsLeft, batch.tokensLeft));
    const rest = whole - decodes;
    const isLimited = this.ofTokens ? batch.pack(UNLIMITED, rest) : batch.pack(rest);
    if (isLimited) batch.limited("prefill");
  }
}

export const hybrid: SchedulerDefinition = {
  name: "hybrid",
  short: "hybrid",
  order: 3,
  summary: "decodes and prompts together, each side with a fixed share",
  source: "mixed batching with decode_seq_ratio; Li, Dai & Peng, arXiv 2504.07347",
  backlog: "decoding",
  decodeShare: (spec) => (textOf(spec, "ratioOf") === "sequences" ? numberOf(spec, "ratio") : undefined),
  options: [
    {
      key: "ratio",
      kind: "number",
      min: 0,
      above: true,
      max: 1,
      below: true,
      default: 0.5,
      summary: "the decodes' share",
    },
    {
      key: "ratioOf",
      kind: "choice",
      choices: ["sequences", "tokens"],
      default: "sequences",
      summary: "what the ratio divides: maxSequences or maxTokens",
    },
  ],
  examples: [
    { kind: "hybrid", ratio: 0.5, ratioOf: "sequences" },
    { kind: "hybrid", ratio: 0.7, ratioOf: "tokens" },
  ],
  create: (spec) => new Hybrid(spec),
};
