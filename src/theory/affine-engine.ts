/**
 * The engine of docs/model.md as plain numbers, for the formulas that know it: iteration time
 * S(b) = c + a max(0, b - b0) of Li, Dai & Peng (arXiv 2504.07347), token budget, sequence cap, chunks.
 */

import { invariant } from "../core/errors.js";

/** Where output token 1 comes from: the iteration that ends the prefill, or the first decode iteration. */
export type FirstToken = "prefill" | "decode";
/** What a batch of p prefill and d decode tokens costs: S(p + d), or max(S(p), S(d)). */
export type MixedBatch = "sum" | "max";

/** One replica. */
export interface AffineEngine {
  /** c: the cost of an iteration that reads the weights, ms. */
  readonly cMs: number;
  /** a: the cost of a token above the knee, ms. */
  readonly aMs: number;
  /** Tokens that ride for free (the roofline knee). */
  readonly b0: number;
  /** Token budget of an iteration. */
  readonly maxTokens: number;
  /** Sequences of an iteration; Infinity: no cap. */
  readonly maxSequences: number;
  /** Tokens that a prompt advances at most in an iteration; null: chunking off. */
  readonly chunkSize: number | null;
  /** Tokens that the KV memory holds at once; undefined: no end of them. */
  readonly memoryTokens?: number;
}

/** Mean (of exponential variants too) time of an iteration of `batch` tokens, ms. */
export function iterationMs(engine: AffineEngine, batch: number): number {
  return engine.cMs + engine.aMs * Math.max(0, batch - engine.b0);
}

/** The longest piece in which a prompt alone advances: the chunk or the whole budget, tokens. */
export function pieceSize(engine: Pick<AffineEngine, "maxTokens" | "chunkSize">): number {
  return Math.min(engine.chunkSize ?? Infinity, engine.maxTokens);
}

/** Throws an InvariantError for an engine that cannot run. */
export function checkEngine(engine: AffineEngine): void {
  invariant(engine.cMs >= 0 && engine.aMs >= 0 && engine.b0 >= 0, "c, a and b0 are not negative");
  invariant(engine.cMs + engine.aMs > 0, "iterations take time");
  invariant(
    pieceSize(engine) >= 1 && engine.maxSequences >= 1,
    "budget, chunk and sequence cap are at least 1",
  );
}
