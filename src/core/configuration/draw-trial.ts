/** A configured workload as requests: its members make the laws, and workload/drawing.ts draws from them. */
import { capOf, type HorizonConfig, type WorkloadConfig } from "./config.js";
import { drawRequests, type WorkloadLaws } from "../workload/drawing.js";
import { ConfigError } from "../errors.js";
import { member, type Registry } from "./registry.js";
import type { Requests } from "../workload/requests.js";

/** What the members named make of their options. */
export function lawsOf(workload: WorkloadConfig, registry: Registry): WorkloadLaws {
  const { arrivals, promptTokens, outputTokens } = workload;
  return {
    arrivals: member(registry.arrivals, arrivals.kind).create(arrivals),
    promptTokens: member(registry.lengths, promptTokens.kind).create(promptTokens),
    outputTokens: member(registry.lengths, outputTokens.kind).create(outputTokens),
    maxConcurrency: capOf(workload),
  };
}

/** Which trial is drawn, and what stands there when it begins. */
export interface Drawn {
  readonly seed: number;
  readonly trial: number;
  /** So many requests more stand there at instant 0, from a stream of their own; 0 unless given. */
  readonly backlog?: number;
}

/**
 * Replaces the rows of `requests` by those of a trial.
 * @throws ConfigError for a backlog of a closed loop or of a capped stream: nobody who waits for answers leaves one
 */
export function drawTrial(
  requests: Requests,
  workload: WorkloadConfig,
  { tmaxSeconds, maxRequests }: Pick<HorizonConfig, "tmaxSeconds" | "maxRequests">,
  { seed, trial, backlog = 0 }: Drawn,
  registry: Registry,
): void {
  const laws = lawsOf(workload, registry);
  const invalid = (key: string, value: unknown, reason: string): ConfigError =>
    new ConfigError([{ key, message: `invalid ${key}: ${String(value)} (${reason})` }]);
  if (backlog > 0 && laws.maxConcurrency !== null)
    throw invalid(
      "workload.maxConcurrency",
      laws.maxConcurrency,
      "nobody whose requests are capped leaves a backlog",
    );
  if (backlog > 0 && laws.arrivals.clients)
    throw invalid(
      "workload.arrivals.kind",
      workload.arrivals.kind,
      "a closed loop starts without a backlog: its clients wait for answers",
    );
  drawRequests(requests, laws, { tmaxSeconds, maxRequests, seed, trial, backlog });
}
