/** From a configuration to the setup of a pool of engines, and the queues that its replicas begin with. */
import type { SimulationConfig } from "../configuration/config.js";
import { member, type Registry } from "../configuration/registry.js";
import { needsLargestGaps } from "../configuration/slo.js";
import { tokens, UNLIMITED, usableBlocks } from "../numbers/units.js";
import type { WaitingQueue } from "../policies/discipline.js";
import { predictionsOf } from "../policies/predictions.js";
import type { Limits, Scheduler } from "../policies/scheduler.js";
import { MaxOfSides } from "../service-times/max-of-sides.js";
import type { ServiceTimeModel } from "../service-times/service-time-model.js";
import type { EngineSetup } from "../state/engine-setup.js";
import { CountedBlocks } from "../state/counted-blocks.js";
import type { KvRules } from "../state/kv-cache.js";
import type { Requests } from "../workload/requests.js";

/** Which trial it is, and how it is run. */
export interface TrialOf {
  readonly requests: Requests;
  /** Seed of the study, with the number of the trial. */
  readonly seed: number;
  readonly trial: number;
  /** Without the fast paths. */
  readonly plain: boolean;
}

/** A pool of engines. */
export interface Pool {
  readonly engine: EngineSetup;
  /** Makes an empty queue of the discipline, which knows this trial's requests. */
  readonly newQueue: () => WaitingQueue;
}

/** @param config complete and checked */
export function setUpPool(config: SimulationConfig, registry: Registry, trialOf: TrialOf): Pool {
  const { conventions, engine: options } = config;
  const definition = member(registry.schedulers, config.scheduler.kind);
  const scheduler = definition.create(config.scheduler);
  const model = modelOf(config, registry);
  const limits = limitsOf(config);
  const blocks = options.kvTokens === null ? UNLIMITED : usableBlocks(options.kvTokens, options.blockTokens);
  const asksEveryIteration = trialOf.plain || model.random || scheduler.everyIteration === true;
  const varies = blocks < UNLIMITED || model.growsWithKv === true;
  const isLookedAt = asksEveryIteration || varies || needsLargestGaps(config);
  const discipline = member(registry.disciplines, options.discipline.kind);
  const emitsAtPrefillEnd = conventions.firstToken === "prefill";
  const alone = { model, ...limits, emitsAtPrefillEnd };
  const known = predictionsOf(trialOf.requests, alone, trialOf.seed, trialOf.trial);
  const newQueue = (): WaitingQueue => discipline.create(options.discipline, known);
  const kvRules = kvRulesOf(config, scheduler);
  const engine: EngineSetup = {
    scheduler,
    schedulerName: config.scheduler.kind,
    model,
    limits,
    depth: (options.async ?? definition.async ?? false) ? 2 : 1,
    byAdmission: scheduler.decodeOrder === "admission",
    asksEveryIteration,
    varies,
    decodesAll: isLookedAt ? 0 : (scheduler.decodesAll?.(limits) ?? 0),
    decodesFirst: scheduler.decodesFirst === true,
    usableBlocks: blocks,
    kvRules,
    newKvCache: blocks === UNLIMITED ? null : () => new CountedBlocks(blocks, kvRules),
    preemptsByClass:
      scheduler.preemptsByClass === true && blocks < UNLIMITED && newQueue().classOf !== undefined,
  };
  return { engine, newQueue };
}

function modelOf({ service, conventions }: SimulationConfig, registry: Registry): ServiceTimeModel {
  const ofBatch = member(registry.serviceTimes, service.kind).create(service);
  return conventions.mixedBatch === "max" ? new MaxOfSides(ofBatch) : ofBatch;
}

const limitsOf = ({ engine, conventions }: SimulationConfig): Limits => ({
  maxTokens: tokens(engine.maxTokens),
  maxSequences: engine.maxSequences,
  residentCap: conventions.sequenceCap === "resident" ? engine.maxSequences : UNLIMITED,
  chunk: tokens(engine.chunkSize ?? UNLIMITED),
});

const kvRulesOf = ({ engine }: SimulationConfig, scheduler: Scheduler): KvRules => ({
  blockTokens: engine.blockTokens,
  finds: engine.prefixCaching !== false,
  reservesPrompt: engine.reservePrompt ?? scheduler.reservesPrompt ?? true,
  watermarkBlocks: Math.floor((engine.watermark * (engine.kvTokens ?? 0)) / engine.blockTokens),
  emptyFirst: scheduler.emptyBlocksFirst === true,
});
