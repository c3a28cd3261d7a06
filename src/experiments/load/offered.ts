/**
 * What requests ask of an engine on average, as its formulas take it: the prompt tokens that are computed (those that
 * a prefix cache holds are not), and only of requests that can ever fit into the KV memory (the others are rejected).
 */
import type { SimulationConfig } from "../../core/configuration/config.js";
import { usableBlocks } from "../../core/numbers/units.js";
import type { LengthLaw } from "../../core/workload/length-law.js";
import { ListedLengths } from "../../core/workload/listed-lengths.js";
import { pieceSize, requestMeans, type FirstToken, type RequestMeans } from "../../theory/index.js";

type Engine = SimulationConfig["engine"];

export interface Offered {
  /** Of the requests that fit. */
  readonly means: RequestMeans;
  /** The share of requests that fit into the KV memory, alone. */
  readonly admitted: number;
}

/** Tokens that the sequences of a replica can hold; Infinity without a limit. */
export const memoryTokens = ({ kvTokens, blockTokens }: Pick<Engine, "kvTokens" | "blockTokens">): number =>
  kvTokens === null ? Infinity : usableBlocks(kvTokens, blockTokens) * blockTokens;

/** Lengths are looked at one by one up to so many, beyond that in steps. */
const MOST_STEPS = 1_048_576;

/** Lengths less likely than this do not count. */
const NEGLIGIBLE = 1e-12;

/** Tokens of a table's prompt that are not computed, in whole blocks, as the engine counts them. */
function hitsOf(law: LengthLaw, { blockTokens, prefixCaching }: HitRules, row: number): number {
  const listed = prefixCaching === false ? undefined : law.joint?.marks?.prefixHitTokens;
  if (listed === undefined) return 0;
  const hits = Math.min(listed[row], law.joint!.at(row) - 1);
  return hits - (hits % blockTokens);
}

type HitRules = Pick<Engine, "blockTokens" | "prefixCaching">;

/** The law of the prompt tokens that are computed. */
export function computedPrompts(law: LengthLaw, rules: HitRules): Pick<LengthLaw, "survival"> {
  const { joint } = law;
  if (joint?.marks?.prefixHitTokens === undefined || rules.prefixCaching === false) return law;
  const computed = Int32Array.from(
    { length: joint.rows },
    (_, row) => joint.at(row) - hitsOf(law, rules, row),
  );
  return new ListedLengths(computed);
}

export function offered(
  engine: Engine,
  prompt: LengthLaw,
  output: LengthLaw,
  firstToken: FirstToken,
): Offered {
  const most = memoryTokens(engine);
  if (most === Infinity) {
    const computed = computedPrompts(prompt, engine);
    return { means: requestMeans(engine, computed, output, firstToken), admitted: 1 };
  }
  const sums = new Sums(pieceSize(engine));
  const emitted = firstToken === "prefill" ? 1 : 0;
  const isPair = prompt.joint !== undefined && prompt.joint.table === output.joint?.table;
  if (isPair) {
    const { joint } = prompt;
    for (let row = 0; row < joint!.rows; row++) {
      const [tokens, decodes] = [joint!.at(row), Math.max(output.joint.at(row) - emitted, 0)];
      if (tokens + decodes > most) continue;
      const held = decodes * tokens + (decodes * (decodes + 1)) / 2;
      sums.add(joint!.weight(row), tokens, tokens - hitsOf(prompt, engine, row), 1, decodes, held);
    }
    return sums.offered();
  }
  const longest = Math.min(most, reach(prompt) + reach(output));
  const step = Math.ceil(longest / MOST_STEPS);
  const upTo = decodesUpTo(output, emitted, longest, step);
  eachPrompt(prompt, engine, longest, step, (weight, tokens, computed) => {
    const place = Math.floor((longest - tokens) / step);
    const [share, decodes, triangle] = [upTo.share[place], upTo.decodes[place], upTo.triangle[place]];
    sums.add(weight, tokens, computed, share, decodes, decodes * tokens + triangle);
  });
  return sums.offered();
}

/** A length beyond which there is next to nothing. */
function reach(law: LengthLaw): number {
  let tokens = 1;
  while (law.survival(tokens) > NEGLIGIBLE) tokens *= 2;
  return tokens;
}

/** What the requests that fit come to. */
class Sums {
  private admitted = 0;
  private prompt = 0;
  private pieces = 0;
  private decodes = 0;
  private held = 0;

  constructor(private readonly piece: number) {}

  /**
   * Prompts of one length: `share` of them fit, and their decodes and what these hold, as means over all of them,
   * those that do not fit counting 0.
   */
  add(weight: number, tokens: number, computed: number, share: number, decodes: number, held: number): void {
    this.admitted += weight * share;
    this.prompt += weight * share * computed;
    this.pieces += weight * share * Math.ceil(computed / this.piece);
    this.decodes += weight * decodes;
    this.held += weight * (held + share * tokens);
  }

  offered(): Offered {
    const { admitted } = this;
    const of = (sum: number): number => (admitted > 0 ? sum / admitted : 0);
    const means = {
      meanPrompt: of(this.prompt),
      meanDecodes: of(this.decodes),
      meanPieces: of(this.pieces),
      meanHeld: of(this.held),
    };
    return { means, admitted: Math.min(1, admitted) };
  }
}

/** The lengths of a law that fit, with their probabilities: a table's rows, or a length after the other. */
function eachPrompt(
  law: LengthLaw,
  rules: HitRules,
  most: number,
  step: number,
  visit: (weight: number, tokens: number, computed: number) => void,
): void {
  const { joint } = law;
  if (joint)
    for (let row = 0; row < joint.rows; row++) {
      const tokens = joint.at(row);
      if (tokens <= most) visit(joint.weight(row), tokens, tokens - hitsOf(law, rules, row));
    }
  else {
    let beyond = 1;
    for (let tokens = step; tokens <= most && beyond > 0; tokens += step) {
      const next = law.survival(tokens);
      if (next < beyond) visit(beyond - next, tokens, tokens);
      beyond = next;
    }
  }
}

/** Of up to n decodes, by n/step: their probability, E[D; D <= n] and E[D(D + 1)/2; D <= n]. */
function decodesUpTo(
  output: LengthLaw,
  emitted: number,
  most: number,
  step: number,
): Record<"share" | "decodes" | "triangle", Float64Array> {
  const places = Math.floor(most / step) + 1;
  const [share, decodes, triangle] = Array.from({ length: 3 }, () => new Float64Array(places));
  let beyond = 1;
  for (let place = 0; place < places; place++) {
    const n = place * step;
    const next = beyond > 0 ? output.survival(n + emitted) : 0;
    const weight = beyond - next;
    beyond = next;
    const before = Math.max(0, place - 1);
    share[place] = 1 - next;
    decodes[place] = decodes[before] + weight * n;
    triangle[place] = triangle[before] + (weight * n * (n + 1)) / 2;
  }
  return { share, decodes, triangle };
}
