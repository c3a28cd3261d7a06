/**
 * Known answers that the engine must reach by configuration alone (theory §1, model §6): each is a queue with
 * a formula, the configuration that makes the engine be that queue, and the effort that its precision takes.
 */
import {
  complete,
  type PartialConfig,
  type SimulationConfig,
  STANDARD,
} from "../../core/configuration/config.js";
import { bulkService, md1, mek1, mg1, mm1, mmk, prefillMs } from "../../theory/index.js";

export interface Expected {
  readonly metric: string;
  /** Seconds. */
  readonly theory: number;
}

export interface Anchor {
  /** The queue in Kendall's notation, or what else the check is. */
  readonly name: string;
  readonly config: SimulationConfig;
  /** Offered load per replica; NaN where it has no meaning. */
  readonly offeredLoad: number;
  readonly expected: readonly Expected[];
  /** Requests to measure, over all trials: enough for a standard error well below 1 %. */
  readonly requests: number;
}

const SERVICE_MS = 10;
const SERVICE = SERVICE_MS / 1000;
const one = { kind: "fixed", tokens: 1 };
const none = { kind: "fixed", tokens: 0 };

interface Queue {
  readonly rate: number;
  readonly service?: PartialConfig["service"];
  readonly output?: PartialConfig["workload"]["outputTokens"];
  readonly prompt?: PartialConfig["workload"]["promptTokens"];
  readonly engine?: PartialConfig["engine"];
  readonly conventions?: PartialConfig["conventions"];
}

/** A queue as a configuration of the engine: one sequence at a time unless said otherwise. */
const queue = ({ rate, service, output, prompt, engine, conventions }: Queue): SimulationConfig =>
  complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: rate },
      promptTokens: prompt ?? one,
      outputTokens: output ?? none,
    },
    service: service ?? { kind: "exponential", cMs: SERVICE_MS },
    engine: { maxTokens: 2048, maxSequences: 1, ...engine },
    scheduler: { kind: "decode-prioritizing" },
    conventions: { ...STANDARD, ...conventions },
  });

/** demo2's requests, all (prompt, output) pairs with their probabilities (model §5). */
const DEMO2_PROMPTS = [
  [32, 0.6],
  [128, 0.3],
  [512, 0.1],
] as const;
const DEMO2_OUTPUTS = [
  [64, 0.5],
  [256, 0.5],
] as const;
const DEMO2 = {
  prompt: {
    kind: "mixture",
    values: DEMO2_PROMPTS.map(([l]) => l),
    weights: DEMO2_PROMPTS.map(([, p]) => p),
  },
  output: {
    kind: "mixture",
    values: DEMO2_OUTPUTS.map(([b]) => b),
    weights: DEMO2_OUTPUTS.map(([, p]) => p),
  },
  service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
} as const;

/** Moments of demo2's service time one request at a time: its prefill and then its decodes, each alone. */
function demo2Moments(firstToken: "prefill" | "decode"): { m1: number; m2: number } {
  const engine = { cMs: 10, aMs: 0.5, b0: 0, maxTokens: 2048, maxSequences: 1, chunkSize: null };
  let m1 = 0;
  let m2 = 0;
  for (const [prompt, p] of DEMO2_PROMPTS)
    for (const [output, q] of DEMO2_OUTPUTS) {
      const decodes = firstToken === "prefill" ? output - 1 : output;
      const seconds = (prefillMs(engine, prompt) + decodes * (engine.cMs + engine.aMs)) / 1000;
      m1 += p * q * seconds;
      m2 += p * q * seconds * seconds;
    }
  return { m1, m2 };
}

const MILLION = 1e6;

function mm1Anchor(rate: number, requests: number): Anchor {
  const { responseTime, responseP, offeredLoad } = mm1(rate, 1 / SERVICE);
  return {
    name: "M/M/1",
    config: queue({ rate }),
    offeredLoad,
    requests,
    expected: [
      { metric: "rts_mean_s", theory: responseTime },
      { metric: "rts_p95_s", theory: responseP(0.95) },
    ],
  };
}

function md1Anchor(rate: number, requests: number): Anchor {
  const { responseTime, responseP, offeredLoad } = md1(rate, SERVICE);
  return {
    name: "M/D/1",
    config: queue({ rate, service: { kind: "affine", cMs: SERVICE_MS } }),
    offeredLoad,
    requests,
    expected: [
      { metric: "rts_mean_s", theory: responseTime },
      { metric: "rts_p95_s", theory: responseP(0.95) },
    ],
  };
}

function mg1Anchor(rate: number, firstToken: "prefill" | "decode", requests: number): Anchor {
  const { responseTime, waitingTime, offeredLoad } = mg1(rate, demo2Moments(firstToken));
  return {
    name: `M/G/1 ${firstToken}`,
    config: queue({ ...DEMO2, rate, conventions: { firstToken } }),
    offeredLoad,
    requests,
    expected: [
      { metric: "rts_mean_s", theory: responseTime },
      { metric: "queueing_delay_mean_s", theory: waitingTime },
    ],
  };
}

function mmkAnchor(rate: number, replicas: number, requests: number): Anchor {
  const { responseTime, offeredLoad } = mmk(rate, 1 / SERVICE, replicas);
  return {
    name: `M/M/${replicas}`,
    config: queue({ rate, engine: { replicas } }),
    offeredLoad,
    requests,
    expected: [{ metric: "rts_mean_s", theory: responseTime }],
  };
}

function bulkAnchor(rate: number, places: number, requests: number): Anchor {
  return {
    name: `M/D^(1,${places})/1`,
    config: queue({
      rate,
      service: { kind: "affine", cMs: SERVICE_MS },
      engine: { maxSequences: places },
    }),
    offeredLoad: (rate * SERVICE) / places,
    requests,
    expected: [{ metric: "rts_mean_s", theory: bulkService(rate, SERVICE, places).responseTime }],
  };
}

/** Two exponential phases of half the time each: one prefill iteration and one decode. */
function erlangAnchor(rate: number, requests: number): Anchor {
  const { responseTime, offeredLoad } = mek1(rate, 2, SERVICE);
  return {
    name: "M/E2/1",
    config: queue({
      rate,
      service: { kind: "exponential", cMs: SERVICE_MS / 2 },
      output: { kind: "fixed", tokens: 2 },
    }),
    offeredLoad,
    requests,
    expected: [{ metric: "rts_mean_s", theory: responseTime }],
  };
}

/** The queues of theory §1, from almost empty to ρ = .9. */
export const QUEUE_ANCHORS: readonly Anchor[] = [
  mm1Anchor(1, 0.4 * MILLION),
  mm1Anchor(50, MILLION),
  mm1Anchor(80, 3 * MILLION),
  mm1Anchor(90, 14 * MILLION),
  md1Anchor(80, 2.5 * MILLION),
  md1Anchor(90, 6 * MILLION),
  erlangAnchor(80, 2 * MILLION),
  mg1Anchor(0.4, "prefill", MILLION),
  mg1Anchor(0.4, "decode", MILLION),
  mmkAnchor(180, 2, 6 * MILLION),
  mmkAnchor(320, 4, 2 * MILLION),
  bulkAnchor(100, 2, MILLION),
  bulkAnchor(320, 4, MILLION),
];
