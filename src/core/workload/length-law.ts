/** The interface of a length law: how many tokens a prompt or an output has. */
import type { Definition } from "../options/definition.js";
import type { Stream } from "../numbers/random.js";

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
  /**
   * For a law that makes a length of one uniform number: writes the lengths of `uniforms` to the rows [from, to).
   * The same lengths as `sample` gives, many at a time.
   */
  fromUniforms?(uniforms: Float64Array, into: Int32Array, from: number, to: number): void;
  /** The table it is a column of, if it is: laws of one table are drawn by row, together. */
  readonly joint?: JointColumn;
}

/** A column of a table of requests. */
export interface JointColumn {
  /** The table's name: columns of the same one belong together. */
  readonly table: string;
  /** A row, by the rows' weights. */
  row(stream: Stream): number;
  /** How many rows there are. */
  readonly rows: number;
  /** The probability of a row. */
  weight(row: number): number;
  /** The length in that row. */
  at(row: number): number;
  /** Means nothing alone: the other length must be of the same table. */
  readonly isHalf?: boolean;
  /** What the table has beside lengths. */
  readonly marks?: Marks;
}

/** Columns of a table beside its lengths, by row. */
export interface Marks {
  /** Prompt tokens that a prefix cache held. */
  readonly prefixHitTokens?: ArrayLike<number>;
  /** Priority, the lower the sooner. */
  readonly priority?: ArrayLike<number>;
}

export type LengthDefinition = Definition<LengthLaw>;
