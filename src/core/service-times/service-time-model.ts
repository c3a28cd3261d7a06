/** The interface of a service-time model: how long the GPU takes for one iteration's batch. */
import type { Definition, Spec } from "../options/definition.js";
import type { Duration } from "../numbers/units.js";

/** What a batch holds, as counts: all that a model may price. */
export interface BatchShape {
  /** Sequences that get one token each. */
  readonly decodes: number;
  /** Tokens in the KV cache, before the iteration, of every sequence that gets one token. */
  readonly sumKv: number;
  /** Prompt tokens of all chunks together. */
  readonly prefillTokens: number;
  /** Number of chunks; the first `chunkCount` entries of the two columns below are theirs. */
  readonly chunkCount: number;
  /** Tokens of each chunk. */
  readonly chunkTokens: Int32Array;
  /** Prompt tokens that each chunk's sequence had in the cache before. */
  readonly chunkCached: Int32Array;
}

export interface ServiceTimeModel {
  /** Whether `price` uses its draw; such iterations are priced one by one. */
  readonly random: boolean;
  /**
   * Whether `price` reads `sumKv` or `chunkCached`: then the time grows along a stretch of equal batches, and each
   * of its iterations is priced.
   */
  readonly growsWithKv?: boolean;
  /**
   * The iteration time of a batch, rounded to nanoseconds once. One that is neither random nor grows is the same for
   * the same counts: the engine need not ask again, and may ask for fewer decodes alone than a batch holds, in advance.
   * @param draw an Exp(1) variate, for random models only (others get 1)
   */
  price(shape: BatchShape, draw: number): Duration;
}

/** S(b) = c + a·max(0, b − b0) for a batch of b tokens. */
export interface AffineTerms {
  readonly cMs: number;
  readonly aMs: number;
  readonly b0: number;
}

export interface ServiceTimeDefinition extends Definition<ServiceTimeModel> {
  /** What an iteration takes, or a random one on average, where that is affine: what theory's formulas cover. */
  readonly affine?: (spec: Spec) => AffineTerms;
}
