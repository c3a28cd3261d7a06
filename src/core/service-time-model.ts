/** The interface of a service-time model: how long the GPU takes for one iteration's batch. */
import type { Definition } from "./definition.js";
import type { Nanoseconds } from "./units.js";

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
   * Whether the price depends on the tokens in the cache (`sumKv`, `chunkCached`), which grow from one iteration
   * to the next while a batch repeats. Left out: it does not, and equal batches take equal time.
   */
  readonly growsWithKv?: boolean;
  /**
   * The iteration time of a batch, rounded to nanoseconds once.
   * @param draw an Exp(1) variate, for random models only (others get 1)
   */
  price(shape: BatchShape, draw: number): Nanoseconds;
}

export type ServiceTimeDefinition = Definition<ServiceTimeModel>;
