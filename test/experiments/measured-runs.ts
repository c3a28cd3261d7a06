/** Measured runs for tests: what the simulator itself would measure, in the files of a real engine. */
import type { InstantRecord, Observer } from "../../src/core/engine/observer.js";
import { prepare } from "../../src/core/configuration/check-config.js";
import type { SimulationConfig } from "../../src/core/configuration/config.js";
import { stream } from "../../src/core/numbers/random.js";
import { Requests } from "../../src/core/workload/requests.js";
import { Simulator } from "../../src/core/trial/simulate.js";
import type { Spec } from "../../src/core/options/definition.js";

export const GPU: Spec = {
  kind: "gpu",
  hMs: 0,
  cMs: 11,
  a1Ms: 0.016,
  aMs: 0.037,
  b0: 215,
  kMs: 9e-5,
  kmMs: 6e-5,
  f: 1,
};

export interface Engine {
  readonly maxTokens: number;
  readonly maxSequences: number;
  readonly kvTokens?: number;
  readonly async?: boolean;
}

/** A vLLM engine with these service times; its workload stands for none. */
export const engineWith = (service: Spec, engine: Engine): SimulationConfig =>
  prepare({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 1 },
      promptTokens: { kind: "fixed", tokens: 1 },
      outputTokens: { kind: "fixed", tokens: 1 },
    },
    service,
    engine,
    scheduler: { kind: "vllm" },
    horizon: { tmaxSeconds: 1 },
  });

/** A hardware file with these service times and no overheads. */
export const hardwareFile = (spec: Spec): string =>
  JSON.stringify({
    version: 1,
    name: "mine",
    gpu: "g",
    model: "m",
    source: "s",
    licence: "MIT",
    date: "2026-01-01",
    service: Object.fromEntries(Object.entries(spec).filter(([key]) => key !== "hMs" && key !== "f")),
    overheads: { h: 0, f: 1, fittedOn: "nothing" },
  });

/** When the loop takes each arrival in. */
class Seen implements Observer {
  readonly times: number[] = [];
  settled({ at, arrived }: InstantRecord): void {
    while (this.times.length < arrived) this.times.push(at);
  }
}

/** Epoch of the run: arrivals are whole 1024ths of a second, which a double holds exactly at this size. */
const EPOCH = 1_777_142_838;
const CLOCK = 479_748;

/** The files of a run of `count` requests at about `rate` a second. */
export function measuredRun(
  service: Spec,
  engine: Engine,
  { count = 120, rate = 8, seed = 3 } = {},
): Readonly<Record<"requests.jsonl" | "meta.json" | "prefix_hits.csv", string>> {
  const draws = stream(seed, 1, "measured");
  const between = (least: number, most: number): number =>
    least + Math.floor(draws.uniform() * (most - least + 1));
  let at = 0;
  const rows = Array.from({ length: count }, (_, i) => {
    at += i === 0 ? 0 : between(1, (2 * 1024) / rate) / 1024;
    return { arrivedAt: Math.round(at * 1e9), promptTokens: between(1, 900), outputTokens: between(1, 200) };
  });
  const requests = Requests.of(rows);
  const hits = rows.map(({ promptTokens }, i) =>
    i % 4 === 0 ? 16 * between(0, Math.floor(promptTokens / 16)) : 0,
  );
  requests.prefixHitTokens = Int32Array.from(hits);
  const seen = new Seen();
  const config = engineWith(service, engine);
  const { shared } = new Simulator().run(config, requests, { seed: 1, trial: 1, observer: seen });
  const { startedAt, firstTokenAt, finishedAt } = shared.sequences;
  const clock = (ns: number): number => CLOCK + ns / 1e9;
  const lines = rows.map(({ arrivedAt, promptTokens, outputTokens }, i) =>
    JSON.stringify({
      request_id: `r-${i}`,
      input_toks: promptTokens,
      output_toks: outputTokens,
      arrival_time: EPOCH + arrivedAt / 1e9,
      queued_ts: clock(seen.times[i]!),
      scheduled_ts: clock(startedAt[i]!),
      first_token_ts: clock(firstTokenAt[i]!),
      last_token_ts: clock(finishedAt[i]!),
    }),
  );
  const { maxTokens, maxSequences, kvTokens, async } = engine;
  const kwargs = {
    max_num_seqs: maxSequences,
    max_num_batched_tokens: maxTokens,
    ...(kvTokens !== undefined && { num_gpu_blocks: kvTokens / 16 }),
    ...(async !== undefined && { async_scheduling: async }),
  };
  return {
    "requests.jsonl": `${lines.join("\n")}\n`,
    "meta.json": JSON.stringify({ vllm_version: "0", engine_kwargs: kwargs }, null, 2),
    "prefix_hits.csv": `request_id,prefix_hit_tokens\n${hits.map((tokens, i) => `r-${i},${tokens}\n`).join("")}`,
  };
}
