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
export { simulate, Simulator, runTrial } from "./core/simulate.js";
export type { Outcome } from "./core/outcome.js";
export type { RunOptions, SimulateOptions, Simulation } from "./core/simulate.js";
export { Requests } from "./core/requests.js";
export { METRICS, metricIndex, type MetricDefinition, type Metrics } from "./core/metrics.js";
export type { Observer } from "./core/observer.js";

// Configuration
export { check, prepare } from "./core/check-config.js";
export { complete, REFERENCE, STANDARD } from "./core/config.js";
export type {
  Conventions,
  EngineConfig,
  HorizonConfig,
  PartialConfig,
  SimulationConfig,
  WorkloadConfig,
} from "./core/config.js";
export { ConfigError, InvariantError, PlanError, type Issue } from "./core/errors.js";

// Families: what a configuration's `kind`s name, and how to add a member
export { builtIn, type Registry } from "./core/registry.js";
export type { Definition, Described, OptionSpec, OptionValue, Spec } from "./core/definition.js";
export type {
  Batch,
  Head,
  Limits,
  PromptQueue,
  Scheduler,
  SchedulerDefinition,
  View,
} from "./core/scheduler.js";
export { nextPiece, nextPrompt } from "./core/packing.js";
export type { JointColumn, LengthDefinition, LengthLaw, Marks } from "./core/length-law.js";
export type { ArrivalDefinition, ArrivalProcess, Arrivals, ClientLaw } from "./core/arrival-process.js";
export type { BatchShape, ServiceTimeDefinition, ServiceTimeModel } from "./core/service-time-model.js";
export type { DisciplineDefinition, Foreknowledge, PromptOrder } from "./core/discipline.js";
export type { Trace } from "./core/trace.js";
export { withTraces } from "./core/trace-registry.js";
export { stream, type Stream } from "./core/random.js";

// Units
export { fromMilliseconds, fromSeconds, tokens, toMilliseconds, toSeconds, UNLIMITED } from "./core/units.js";
export type { Nanoseconds, PerSecond, Ratio, Tokens } from "./core/units.js";

// Statistics over trials
export * from "./stats/index.js";
// Queueing theory and capacity bounds
export * from "./theory/index.js";
