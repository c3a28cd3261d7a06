/** Known answers: queues, capacity and lone requests, exact and each with its source; pure. */

export {
  checkEngine,
  iterationMs,
  pieceSize,
  type AffineEngine,
  type FirstToken,
  type MixedBatch,
} from "./affine-engine.js";
export { bulkService, type BulkMeans } from "./bulk-service.js";
export { hybridBoundary, hybridDecodes, requestMeans, upperBound, type RequestMeans } from "./capacity.js";
export { md1, type DeterministicQueue } from "./deterministic-service.js";
export { expectation, type LengthLaw } from "./expectation.js";
export { machineRepairman, type ClosedMeans } from "./machine-repairman.js";
export { cobham, shortestFirst, type PriorityClass } from "./priority-queues.js";
export {
  ekm1,
  erlangMoments,
  gim1,
  mek1,
  mg1,
  mm1,
  mmk,
  type QueueMeans,
  type ResponseQuantile,
  type ServiceMoments,
} from "./single-queues.js";
export { prefillMs, singleRequest, type SingleRequest, type TbtConvention } from "./single-request.js";
