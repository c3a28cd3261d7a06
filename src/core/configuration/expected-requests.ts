/**
 * About how many requests a configuration's trial will see: for limits, and to cut work into tasks. In an open loop
 * they come at λ. In a closed loop it follows from the engine: no client is faster than its think time and a
 * lone request's iterations, and no engine faster than its full iterations (the asymptotic bounds of Denning & Buzen,
 * ACM Computing Surveys 10, 1978). An estimate from means, not a bound.
 */
import type { SimulationConfig } from "./config.js";
import { member, type Registry } from "./registry.js";
import { toSeconds } from "../numbers/units.js";

/** So many requests in so many seconds; requests of a trace that all arrive at one instant are what they are. */
export function expectedRequests(
  config: Pick<SimulationConfig, "workload" | "service" | "engine">,
  seconds: number,
  registry: Registry,
): number {
  const { arrivals } = config.workload;
  const { clients, ratePerSecond, requests } = member(registry.arrivals, arrivals.kind).create(arrivals);
  const hasNoRate = clients === undefined && Number.isNaN(ratePerSecond);
  return hasNoRate ? (requests ?? 0) : expectedRate(config, registry) * seconds;
}

export function expectedRate(
  { workload, service, engine }: Pick<SimulationConfig, "workload" | "service" | "engine">,
  registry: Registry,
): number {
  const { clients, ratePerSecond } = member(registry.arrivals, workload.arrivals.kind).create(
    workload.arrivals,
  );
  if (clients === undefined) return ratePerSecond;
  const mean = (spec: SimulationConfig["service"]): number =>
    member(registry.lengths, spec.kind).create(spec).mean;
  const [prompt, output] = [mean(workload.promptTokens), mean(workload.outputTokens)];
  const model = member(registry.serviceTimes, service.kind).create(service);
  const seconds = (tokens: number): number => {
    const chunk = { chunkCount: 1, chunkTokens: Int32Array.of(tokens), chunkCached: new Int32Array(1) };
    return toSeconds(model.price({ decodes: 0, sumKv: 0, prefillTokens: tokens, ...chunk }, 1));
  };
  const { maxTokens, maxSequences, chunkSize, replicas } = engine;
  const pieces = Math.ceil(prompt / Math.min(maxTokens, chunkSize ?? maxTokens));
  const alone = seconds(1) * (pieces + Math.max(0, output - 1));
  return Math.min(
    clients.count / (clients.thinkSeconds + alone),
    (replicas * maxSequences) / alone,
    (replicas * maxTokens) / seconds(maxTokens) / (prompt + output),
  );
}
