/**
 * The λ → 0 limits of model §6: requests so far apart that each has the engine to itself, in every scenario
 * and under both sets of conventions. Here the service-time model shows: c, a, b0, chunks and the budget.
 */
import { complete, REFERENCE, STANDARD, type Conventions } from "../../core/configuration/config.js";
import { singleRequest } from "../../theory/index.js";
import { lengthLaw } from "../load/capacity.js";
import type { Anchor } from "./anchors.js";

const demo3 = {
  workload: {
    promptTokens: { kind: "lognormal", mu: 3.2764, sigma: 1.5201 },
    outputTokens: { kind: "geometric", p: 0.0056, max: 1024 },
  },
  service: { kind: "affine", cMs: 45.5, aMs: 0.3 },
};

const SCENARIOS = [
  {
    name: "demo2",
    workload: {
      promptTokens: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
      outputTokens: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
    chunkSize: null,
  },
  { name: "demo3_b0_64", ...demo3, service: { ...demo3.service, b0: 64 }, chunkSize: 64 },
  { name: "demo3_b0_0", ...demo3, service: { ...demo3.service, b0: 0 }, chunkSize: null },
] as const;

/** Far apart enough that even demo3's longest output has long ended. */
const GAP_SECONDS = 90;
const REQUESTS = 1.2e6;

function limit(scenario: (typeof SCENARIOS)[number], conventions: Conventions, convention: string): Anchor {
  const { workload, service, chunkSize } = scenario;
  const config = complete({
    workload: { arrivals: { kind: "deterministic", ratePerSecond: 1 / GAP_SECONDS }, ...workload },
    service,
    engine: { maxTokens: 2048, maxSequences: 1000, chunkSize },
    scheduler: { kind: "prefill-prioritizing" },
    conventions,
  });
  const alone = singleRequest(
    { ...service, maxTokens: 2048, maxSequences: 1000, chunkSize },
    lengthLaw(config.workload.promptTokens),
    lengthLaw(config.workload.outputTokens),
    conventions,
  );
  return {
    name: `${scenario.name} ${convention}`,
    config,
    offeredLoad: 0,
    requests: REQUESTS,
    expected: [
      { metric: "ttft_mean_s", theory: alone.ttft },
      { metric: "tbt_mean_s", theory: alone.tbt },
      { metric: "rts_mean_s", theory: alone.responseTime },
    ],
  };
}

export const limitAnchors = (): Anchor[] =>
  SCENARIOS.flatMap((scenario) => [
    limit(scenario, STANDARD, "standard"),
    limit(scenario, REFERENCE, "reference"),
  ]);
