/**
 * The accounting identities of theory §1, in runs that check every law: tokens, gaps, busy time, work
 * conservation, and the area under N(t) against the sum of the response times (Little's law, sample path form).
 */
import { complete, REFERENCE, STANDARD, type SimulationConfig } from "../../core/configuration/config.js";
import { InvariantError } from "../../core/errors.js";
import { builtIn } from "../../core/configuration/registry.js";
import type { Trials } from "../interface/trials.js";

export interface Identity {
  readonly name: string;
  readonly config: SimulationConfig;
  /** Requests whose every law was checked. */
  readonly requests: number;
  /** What failed; undefined when all laws hold. */
  readonly failure: string | undefined;
}

const TRIALS = 5;

/** A load that mixes everything: chunks, two replicas, a cap that binds. */
const busy = (scheduler: SimulationConfig["scheduler"], isReference: boolean): SimulationConfig =>
  complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 6 },
      promptTokens: { kind: "lognormal", mu: 3.2764, sigma: 1.5201 },
      outputTokens: { kind: "geometric", p: 0.0056, max: 1024 },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
    engine: { maxTokens: 512, maxSequences: 48, chunkSize: 64, replicas: 2 },
    scheduler,
    conventions: isReference ? REFERENCE : STANDARD,
    horizon: { tmaxSeconds: 500, warmupSeconds: 50 },
  });

export async function identities(trials: Trials, seed: number): Promise<Identity[]> {
  const found: Identity[] = [];
  for (const definition of builtIn.schedulers)
    for (const [convention, isReference] of [
      ["standard", false],
      ["reference", true],
    ] as const) {
      const config = busy(definition.examples[0], isReference);
      const name = `laws: ${definition.short ?? definition.name} ${convention}`;
      try {
        const records = await trials.run({
          label: name,
          configs: [config],
          seed,
          trials: TRIALS,
          verify: true,
        });
        const requests = records.metric(0, "n_arrived").reduce((sum, count) => sum + count, 0);
        found.push({ name, config, requests, failure: undefined });
      } catch (error) {
        if (!(error instanceof InvariantError)) throw error;
        found.push({ name, config, requests: 0, failure: error.message });
      }
    }
  return found;
}
