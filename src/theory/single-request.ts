/**
 * The latency of a request that has the engine to itself: the limit of every scheduler as the arrival rate
 * goes to 0, and the best that any load can offer. Exact for any prompt and output law (docs/model.md).
 */

import { checkEngine, iterationMs, pieceSize, type AffineEngine, type FirstToken } from "./affine-engine.js";
import { expectation, type LengthLaw } from "./expectation.js";

/** How the time between tokens of a request is counted: `gaps` over B - 1 (B >= 2), `tokens` over B (B >= 1). */
export type TbtConvention = "gaps" | "tokens";

/** Means over requests, each with the engine to itself, in seconds. */
export interface SingleRequest {
  /** E[time to first token] over requests with output; NaN when there are none. */
  readonly ttft: number;
  /** E[time between tokens], the unweighted mean over requests that have one; NaN when none has. */
  readonly tbt: number;
  /** E[response time] over all requests. */
  readonly responseTime: number;
}

/**
 * Mean TTFT, TBT and response time of a lone request with independent prompt (>= 1) and output (>= 0) lengths
 * of the given laws. Under `hybrid` with a ratio of *tokens* a lone prompt has less than the whole budget: give
 * that as maxTokens.
 */
export function singleRequest(
  engine: AffineEngine,
  prompt: LengthLaw,
  output: LengthLaw,
  conventions: { readonly firstToken: FirstToken; readonly tbt: TbtConvention },
): SingleRequest {
  checkEngine(engine);
  const prefill = expectation(prompt, (n) => prefillMs(engine, n)) / 1000;
  const step = iterationMs(engine, 1) / 1000;
  const withOutput = output.survival(0);
  const decodesFirst = conventions.firstToken === "decode";
  const decodes = expectation(output, (n) => (decodesFirst ? n : Math.max(n - 1, 0)));
  return {
    ttft: withOutput > 0 ? prefill + (decodesFirst ? step : 0) : NaN,
    tbt: step * gapsPerToken(output, withOutput, conventions.tbt),
    responseTime: prefill + decodes * step,
  };
}

/** Time from the first to the last token in decode steps, per gap or per token, as a mean over requests. */
function gapsPerToken(output: LengthLaw, withOutput: number, convention: TbtConvention): number {
  if (convention === "gaps") return output.survival(1) > 0 ? 1 : NaN;
  return withOutput > 0 ? expectation(output, (n) => (n < 1 ? 0 : (n - 1) / n)) / withOutput : NaN;
}

/** Iterations of full pieces and one of the rest, ms; 0 for no token. */
export function prefillMs(engine: AffineEngine, tokens: number): number {
  if (tokens === 0) return 0;
  const piece = pieceSize(engine);
  const full = Math.ceil(tokens / piece) - 1;
  return full * iterationMs(engine, piece) + iterationMs(engine, tokens - full * piece);
}
