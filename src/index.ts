/**
 * The library: simulate a serving engine's scheduling of prefill and decode, and judge the results.
 *
 * ```ts
 * import { simulate } from "llmsim";
 *
 * const { metrics } = simulate({
 *   workload: {
 *     arrivals: { kind: "poisson", ratePerSecond: 2 },
 *     promptTokens: { kind: "fixed", tokens: 128 },
 *     outputTokens: { kind: "geometric", p: 0.01 },
 *   },
 *   service: { kind: "affine", cMs: 10, aMs: 0.5 },
 *   scheduler: { kind: "hybrid", ratio: 0.5 },
 * });
 * console.log(metrics.ttft_mean_s, metrics.rts_p95_s);
 * ```
 *
 * Everything here is pure: the same configuration, seed and trial give the same bits on every machine.
 * What is simulated is specified in docs/model.md.
 */

// Simulation
export { simulate, Simulator, runTrial } from "./core/trial/simulate.js";
export type { Outcome } from "./core/engine/outcome.js";
export type { RunOptions, SimulateOptions, Simulation } from "./core/trial/simulate.js";
export { Requests } from "./core/workload/requests.js";
export { METRICS, metricIndex, type MetricDefinition, type Metrics } from "./core/measures/metrics.js";

// Watching a run
export {
  type ChunkRecord,
  endOfIteration,
  type InstantRecord,
  type Observer,
  type ReplicaRecord,
  type StretchRecord,
} from "./core/engine/observer.js";

// Configuration
export { check, prepare } from "./core/configuration/check-config.js";
export { complete, REFERENCE, STANDARD } from "./core/configuration/config.js";
export type {
  Conventions,
  EngineConfig,
  HorizonConfig,
  PartialConfig,
  SimulationConfig,
  WorkloadConfig,
} from "./core/configuration/config.js";
export { ConfigError, InvariantError, PlanError, type Issue } from "./core/errors.js";

// Families: what a configuration's `kind`s name, and how to add a member
export { builtIn, type Registry } from "./core/configuration/registry.js";
export type { Definition, Described, OptionSpec, OptionValue, Spec } from "./core/options/definition.js";
export type {
  Batch,
  Head,
  Limits,
  PromptQueue,
  Scheduler,
  SchedulerDefinition,
  View,
} from "./core/policies/scheduler.js";
export { nextPiece, nextPrompt } from "./core/policies/packing.js";
export type { JointColumn, LengthDefinition, LengthLaw, Marks } from "./core/workload/length-law.js";
export type {
  ArrivalDefinition,
  ArrivalProcess,
  Arrivals,
  ClientLaw,
} from "./core/workload/arrival-process.js";
export type {
  BatchShape,
  ServiceTimeDefinition,
  ServiceTimeModel,
} from "./core/service-times/service-time-model.js";
export type {
  DisciplineDefinition,
  Predictions,
  WaitingQueue,
  // As they were called before.
  Predictions as Foreknowledge,
  WaitingQueue as PromptOrder,
} from "./core/policies/discipline.js";
export type { Trace } from "./core/workload/trace.js";
export { withTraces } from "./core/configuration/trace-registry.js";
export { stream, type Stream } from "./core/numbers/random.js";

// Units
export {
  fromMilliseconds,
  fromSeconds,
  tokens,
  toMilliseconds,
  toSeconds,
  UNLIMITED,
} from "./core/numbers/units.js";
export type { Duration, Instant, Nanoseconds, PerSecond, Ratio, Tokens } from "./core/numbers/units.js";

// Statistics over trials
export * from "./stats/index.js";
// Queueing theory and capacity bounds
export * from "./theory/index.js";
