/**
 * How many requests per second an engine can serve: a bound for every policy, and the exact boundary of
 * `hybrid`. Both follow from counting what a request needs of an iteration: tokens, places, and its share
 * of the cost of starting one (Li, Dai & Peng, arXiv 2504.07347, for the token-budget case; docs/model.md).
 */

import { invariant } from "../core/errors.js";
import {
  checkEngine,
  iterationMs,
  pieceSize,
  type AffineEngine,
  type FirstToken,
  type MixedBatch,
} from "./affine-engine.js";
import { expectation, type LengthLaw } from "./expectation.js";

/** What a request asks of the engine on average. */
export interface RequestMeans {
  /** E[L], tokens of the prompt. */
  readonly meanPrompt: number;
  /** E[decode iterations]: max(B - 1, 0) when prefill emits the first token, B when decode does. */
  readonly meanDecodes: number;
  /** E[prefill iterations] = E[ceil(L/min(chunk, budget))], at least 1. */
  readonly meanPieces: number;
  /** E[sum over its iterations of the tokens it holds in memory]; needed only where the engine has such a limit. */
  readonly meanHeld?: number;
}

/** The means of requests with independent prompt and output lengths of the given laws. */
export function requestMeans(
  engine: Pick<AffineEngine, "maxTokens" | "chunkSize">,
  prompt: LengthLaw,
  output: LengthLaw,
  firstToken: FirstToken,
): RequestMeans {
  const piece = pieceSize(engine);
  const emitted = firstToken === "prefill" ? 1 : 0;
  return {
    meanPrompt: expectation(prompt, (n) => n),
    meanDecodes: expectation(output, (n) => Math.max(n - emitted, 0)),
    meanPieces: expectation(prompt, (n) => Math.ceil(n / piece)),
  };
}

/**
 * No policy serves more requests per second than this on one replica.
 *
 * A request takes part in nu iterations' worth of places and tokens: nu = max(tok/maxTokens, (decodes +
 * pieces)/maxSequences), tok = prompt + decodes; with a limit of memory also nu >= held/memoryTokens, as an iteration
 * holds no more than that. As S(b) >= c' + a b with c' = c - a b0, it costs at least
 * c' nu + a tok ms. When c' < 0 (the knee pays more than the start) the cheapest tokens are those of a batch
 * at the knee: tok min S(b)/b. Under `max` an iteration costs at least S of the larger side, so the tokens
 * that count are max(prompt, decodes).
 */
export function upperBound(engine: AffineEngine, request: RequestMeans, mixedBatch: MixedBatch): number {
  checkEngine(engine);
  checkRequest(request);
  const { meanPrompt, meanDecodes, meanPieces } = request;
  const tokens = meanPrompt + meanDecodes;
  const priced = mixedBatch === "sum" ? tokens : Math.max(meanPrompt, meanDecodes);
  const start = engine.cMs - engine.aMs * engine.b0;
  if (start < 0) return 1000 / (priced * cheapestTokenMs(engine));
  const { meanHeld = 0 } = request;
  const { memoryTokens = Infinity } = engine;
  const iterations = Math.max(
    tokens / engine.maxTokens,
    (meanDecodes + meanPieces) / engine.maxSequences,
    meanHeld / memoryTokens,
  );
  return 1000 / (start * iterations + engine.aMs * priced);
}

/** min over whole b of S(b)/b when c < a b0: the ratio falls up to the knee and rises after it. */
function cheapestTokenMs(engine: AffineEngine): number {
  const below = Math.min(Math.max(Math.floor(engine.b0), 1), engine.maxTokens);
  const above = Math.min(Math.ceil(engine.b0), engine.maxTokens);
  return Math.min(iterationMs(engine, below) / below, iterationMs(engine, above) / above);
}

/** The decode places of `hybrid`: floor(ratio maxSequences + 1e-9), within [1, maxSequences - 1]. */
export function hybridDecodes(ratio: number, maxSequences: number): number {
  return Math.min(Math.max(Math.floor(ratio * maxSequences + 1e-9), 1), maxSequences - 1);
}

/**
 * The arrival rate per second at which `hybrid` (ratio of sequences) stops being stable: exact for `sum` and
 * any chunk size. In overload every iteration decodes D sequences and costs c' + a (D + its prompt tokens),
 * and a request needs decodes/D iterations: 1000/(c' decodes/D + a tok), c' = c - a b0.
 *
 * NaN where that is not so: `max` (no closed form), no decodes, D < b0, maxSequences 1 or infinite, or prompts
 * that do not fit into the places and tokens left beside D decodes: then the prompts are the bottleneck.
 */
export function hybridBoundary(
  engine: AffineEngine,
  request: RequestMeans,
  mixedBatch: MixedBatch,
  ratio: number,
): number {
  checkEngine(engine);
  checkRequest(request);
  invariant(ratio > 0 && ratio < 1, `the decode ratio lies in (0, 1): ${ratio}`);
  const { meanPrompt, meanDecodes, meanPieces } = request;
  const { cMs, aMs, b0, maxTokens, maxSequences } = engine;
  const decodes = hybridDecodes(ratio, maxSequences);
  if (mixedBatch === "max" || meanDecodes === 0 || decodes < b0 || decodes < 1 || decodes === Infinity)
    return NaN;
  const perIteration = decodes / meanDecodes; // requests served by an iteration
  const fits =
    meanPrompt * perIteration < maxTokens - decodes && meanPieces * perIteration < maxSequences - decodes;
  if (!fits) return NaN;
  return 1000 / ((cMs - aMs * b0) / perIteration + aMs * (meanPrompt + meanDecodes));
}

/** Means come from sums: 1 may be a rounding error short of 1. */
const ONE = 1 - 1e-9;

function checkRequest({ meanPrompt, meanDecodes, meanPieces }: RequestMeans): void {
  invariant(
    meanPrompt >= ONE && meanPieces >= ONE && meanDecodes >= 0,
    `a request has at least one prompt token and piece: ${meanPrompt}, ${meanPieces}, ${meanDecodes} decodes`,
  );
}
