/** The interface of a length law: how many tokens a prompt or an output has. */
import type { Definition } from "./definition.js";
import type { Stream } from "./random.js";

/** The longest length any law may give: rows hold lengths in 32 bits. */
export const LONGEST = 2_147_483_647;

/** A law of integer lengths X >= 0. Exact moments stand beside the sampler, so that theory and samples can be compared. */
export interface LengthLaw {
  /** The least length possible. */
  readonly least: number;
  /** E[X]. */
  readonly mean: number;
  /** P(X > n) for an integer n >= 0. */
  survival(n: number): number;
  /** One length, from the purpose's own stream. */
  sample(stream: Stream): number;
}

export type LengthDefinition = Definition<LengthLaw>;
