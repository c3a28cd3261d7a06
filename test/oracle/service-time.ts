/** How long an iteration takes: model §1 and §3, and the terms that real engines add. */
import type { OracleInput, OracleShape } from "./interface.js";
import type { Batch } from "./sequence.js";

/** What the service-time model sees of a batch. */
export function shapeOf(batch: Batch): OracleShape {
  return {
    decodes: batch.decode.length,
    sumKv: batch.decode.reduce((sum, { cached }) => sum + cached, 0),
    chunks: batch.prefill.map(({ tokens, cached }) => ({ tokens, cached })),
  };
}

/** Whole nanoseconds, rounded once, when priced. */
export function iterationTime(shape: OracleShape, replica: number, input: OracleInput): number {
  if (input.price) {
    const price = input.price;
    return costliest(shape, input, (side) => price(side));
  }
  const costMs = costliest(shape, input, (side) => serviceTimeMs(side, input.service));
  // model §1, exponential: one draw an iteration, with its cost as mean, from a stream of the replica's own.
  return input.service.exponential
    ? Math.round(input.draw(replica) * (costMs * 1e6))
    : Math.round(costMs * 1e6);
}

/**
 * model §3, mixedBatch. sum: S(prefill + decode tokens). max: max(S(prefill tokens), S(decode tokens)), which is
 * about mixed batches: an absent side costs nothing, not even c.
 */
function costliest(shape: OracleShape, input: OracleInput, cost: (side: OracleShape) => number): number {
  const isMixed = shape.decodes > 0 && shape.chunks.length > 0;
  if (!isMixed || input.conventions.mixedBatch === "sum") return cost(shape);
  return Math.max(cost({ ...shape, decodes: 0, sumKv: 0 }), cost({ ...shape, chunks: [] }));
}

/**
 * model §1: S(b) = c + a * max(0, b - b0), in ms. Beyond it h, overhead of the host; a1, of a token up to b0; and
 * the reading of ΣKV cached tokens by the decodes, slower by km where the batch holds any prefill, f times for
 * its imbalance.
 */
function serviceTimeMs(shape: OracleShape, service: OracleInput["service"]): number {
  const { cMs, aMs, b0, hMs = 0, a1Ms = 0, f = 1, kMs = 0, kmMs = 0 } = service;
  const b = shape.decodes + shape.chunks.reduce((sum, { tokens }) => sum + tokens, 0);
  const perCached = kMs + (shape.chunks.length > 0 ? kmMs : 0);
  return hMs + cMs + a1Ms * Math.min(b, b0) + aMs * Math.max(0, b - b0) + f * perCached * shape.sumKv;
}
