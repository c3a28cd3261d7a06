/** What `instructions` counts: the study's policies on demo2, and what a capacity engineer runs. */
import { readFileSync } from "node:fs";
import { demo2, SCHEDULERS } from "./demo2.js";

const { service, overheads } = JSON.parse(
  readFileSync(new URL("../../data/hardware/h100_llama-3.1-8b.json", import.meta.url), "utf8"),
);

/** Conversations on an H100, at 10 requests per s. */
const served = (scheduler, engine) => ({
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 10 },
    promptTokens: { kind: "lognormal", mu: 6.5, sigma: 0.9 },
    outputTokens: { kind: "geometric", p: 1 / 211, max: 2048 },
  },
  service: { ...service, hMs: overheads.h, f: overheads.f },
  engine: { maxTokens: 2048, maxSequences: 256, ...engine },
  scheduler: { kind: scheduler },
  horizon: { tmaxSeconds: 9e6, maxRequests: 1000 },
});

/** Whose requests are drawn anew in each trial and measured, as `simulate` does; of the others the loop alone is counted. */
export const WHOLE = "hybrid, a whole trial";

/** By name; each runs a thousand requests and more. */
export const COUNTED = {
  ...Object.fromEntries(SCHEDULERS.map(({ kind }) => [kind, demo2(kind, { tmaxSeconds: 5000 })])),
  [WHOLE]: demo2("hybrid", { tmaxSeconds: 5000 }),
  "sarathi, gpu times": served("sarathi", { async: false }),
  "vllm, gpu times": served("vllm", { async: false }),
  "vllm, gpu times, asynchronous, KV memory": served("vllm", { async: true, kvTokens: 430_000 }),
};
