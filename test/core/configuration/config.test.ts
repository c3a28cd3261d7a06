/** Configurations: defaults are filled in, and everything wrong is found at once, by key, value and what is allowed. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check, MOST_REQUESTS, prepare } from "../../../src/core/configuration/check-config.js";
import {
  complete,
  type Conventions,
  LONGEST_WINDOW_SECONDS,
  type PartialConfig,
  REFERENCE,
  STANDARD,
} from "../../../src/core/configuration/config.js";
import { ConfigError } from "../../../src/core/errors.js";
import { builtIn } from "../../../src/core/configuration/registry.js";
import { simulate } from "../../../src/core/trial/simulate.js";

const minimal: PartialConfig = {
  workload: {
    arrivals: { kind: "poisson", ratePerSecond: 2 },
    promptTokens: { kind: "fixed", tokens: 100 },
    outputTokens: { kind: "geometric", p: 0.01 },
  },
  service: { kind: "affine", cMs: 10 },
  scheduler: { kind: "hybrid" },
};

/** `minimal` with something else at a dotted path. */
function withAt(path: string, value: unknown): PartialConfig {
  const copy = structuredClone(minimal) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  let at = copy;
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
  at[keys.at(-1)!] = value;
  return copy as unknown as PartialConfig;
}
const problems = (given: PartialConfig, limits = {}): string[] =>
  check(complete(given), undefined, limits).map(({ key, message }) => `${key} | ${message}`);

describe("defaults", () => {
  test("are those of the page (model §3, §5): vLLM's conventions, no chunking, no end of memory, one replica, FCFS", () => {
    expect(complete(minimal)).toEqual({
      workload: {
        ...minimal.workload,
        outputTokens: { kind: "geometric", p: 0.01, max: 2_147_483_647 },
      },
      service: { kind: "affine", cMs: 10, aMs: 0, b0: 0 },
      engine: {
        maxTokens: 2048,
        maxSequences: 1000,
        chunkSize: null,
        replicas: 1,
        kvTokens: null,
        blockTokens: 16,
        prefixCaching: null,
        reservePrompt: null,
        watermark: 0,
        async: null,
        overheadMs: 0,
        discipline: { kind: "fcfs" },
        router: { kind: "central" },
      },
      scheduler: { kind: "hybrid", ratio: 0.5, ratioOf: "sequences" },
      conventions: { firstToken: "prefill", mixedBatch: "sum", sequenceCap: "resident", tbt: "gaps" },
      horizon: { tmaxSeconds: 5000, maxRequests: null, warmupSeconds: 0 },
    });
    expect(STANDARD).toEqual({
      firstToken: "prefill",
      mixedBatch: "sum",
      sequenceCap: "resident",
      tbt: "gaps",
    });
    expect(REFERENCE).toEqual({
      firstToken: "decode",
      mixedBatch: "max",
      sequenceCap: "iteration",
      tbt: "tokens",
    });
  });

  test("pass the check, and completing twice changes nothing", () => {
    const config = complete(minimal);
    expect(check(config)).toEqual([]);
    expect(complete(config)).toEqual(config);
    expect(prepare(minimal)).toEqual(config);
  });

  test("what is given stands", () => {
    const given = {
      ...minimal,
      engine: { chunkSize: 64, replicas: 3 },
      conventions: { tbt: "tokens" as const },
    };
    expect(complete(given)).toMatchObject({
      engine: { chunkSize: 64, replicas: 3, maxTokens: 2048 },
      conventions: { ...STANDARD, tbt: "tokens" },
    });
  });
});

const INT32 = 2_147_483_647;
const maxTokens = `an integer at least 1 and at most ${INT32}`;
const rate = "a number above 0 and at most 1000000";
const arrivals = builtIn.arrivals.map(({ name }) => name).join(", ");
const window = `a number above 0 and at most ${LONGEST_WINDOW_SECONDS}`;
const wrong: [path: string, value: unknown, issue: string][] = [
  ["engine.maxTokens", NaN, `engine.maxTokens | invalid engine.maxTokens: NaN (${maxTokens})`],
  ["engine.maxTokens", Infinity, `engine.maxTokens | invalid engine.maxTokens: Infinity (${maxTokens})`],
  ["engine.maxTokens", 1e308, `engine.maxTokens | invalid engine.maxTokens: 1e+308 (${maxTokens})`],
  ["engine.maxTokens", 2.5, `engine.maxTokens | invalid engine.maxTokens: 2.5 (${maxTokens})`],
  ["engine.maxTokens", -0, `engine.maxTokens | invalid engine.maxTokens: 0 (${maxTokens})`],
  ["engine.maxTokens", "512", `engine.maxTokens | invalid engine.maxTokens: 512 (${maxTokens})`],
  ["engine.maxTokens", 10n, `engine.maxTokens | invalid engine.maxTokens: 10 (${maxTokens})`],
  ["engine.maxTokens", [512], `engine.maxTokens | invalid engine.maxTokens: [512] (${maxTokens})`],
  ["engine.maxTokens", null, `engine.maxTokens | invalid engine.maxTokens: null (${maxTokens})`],
  ["engine.maxTokens", undefined, `engine.maxTokens | missing engine.maxTokens (${maxTokens})`],
  ["engine.chunkSize", 0, `engine.chunkSize | invalid engine.chunkSize: 0 (${maxTokens}, or none)`],
  [
    "engine.replicas",
    10_001,
    "engine.replicas | invalid engine.replicas: 10001 (an integer at least 1 and at most 10000)",
  ],
  [
    "engine.gpus",
    2,
    "engine.gpus | unknown key: engine.gpus (one of: discipline, router, maxTokens, maxSequences, chunkSize, replicas, kvTokens, blockTokens, prefixCaching, reservePrompt, watermark, async, overheadMs)",
  ],
  [
    "engine.kvTokens",
    31,
    "engine.kvTokens | invalid engine.kvTokens: 31 (at least 32, two blocks of 16: one is the null block)",
  ],
  [
    "engine.kvTokens",
    32,
    "engine.kvTokens | invalid engine.kvTokens: 32 (the shortest prompt has 100 tokens, and one block of 16 is the null block)",
  ],
  ["engine.async", 1, "engine.async | invalid engine.async: 1 (true or false, or none)"],
  ["engine.async", "true", "engine.async | invalid engine.async: true (true or false, or none)"],
  [
    "engine.overheadMs",
    -0.5,
    "engine.overheadMs | invalid engine.overheadMs: -0.5 (a number at least 0 and at most 1000000)",
  ],
  [
    "engine.router",
    { kind: "sticky" },
    "engine.router.kind | unknown router: sticky (one of: central, round-robin, random, least-outstanding, least-tokens, power-of-two)",
  ],
  [
    "engine.discipline",
    { kind: "lifo" },
    "engine.discipline.kind | unknown discipline: lifo (one of: fcfs, sjf, priority)",
  ],
  [
    "workload.arrivals.ratePerSecond",
    -0,
    `workload.arrivals.ratePerSecond | invalid workload.arrivals.ratePerSecond: 0 (${rate})`,
  ],
  [
    "workload.arrivals.ratePerSecond",
    1e308,
    `workload.arrivals.ratePerSecond | invalid workload.arrivals.ratePerSecond: 1e+308 (${rate})`,
  ],
  [
    "workload.arrivals",
    "poisson",
    `workload.arrivals | missing workload.arrivals (arrival process, kind one of: ${arrivals})`,
  ],
  [
    "workload.arrivals.kind",
    "gama",
    `workload.arrivals.kind | unknown arrival process: gama (one of: ${arrivals})`,
  ],
  [
    "workload.outputTokens.p",
    -0,
    "workload.outputTokens.p | invalid workload.outputTokens.p: 0 (a number above 0 and at most 1)",
  ],
  [
    "workload.promptTokens",
    { kind: "mixture", values: [1, NaN], weights: [0.5, 0.5] },
    `workload.promptTokens.values | invalid workload.promptTokens.values: [1, NaN] (a list of integers at least 0 and at most ${INT32})`,
  ],
  [
    "workload.promptTokens",
    { kind: "mixture", values: [1, 2], weights: [0.5, 0.6] },
    "workload.promptTokens | invalid workload.promptTokens.weights: sum 1.1 (must sum to 1)",
  ],
  [
    "workload.promptTokens",
    { kind: "mixture", values: [1, 2], weights: [1] },
    "workload.promptTokens | invalid workload.promptTokens.weights: 1 of them (as many as values: 2)",
  ],
  [
    "workload.promptTokens",
    { kind: "mixture", values: [], weights: [] },
    "workload.promptTokens | invalid workload.promptTokens.values: empty (at least one length)",
  ],
  [
    "workload.promptTokens",
    { kind: "uniform", min: 9, max: 8 },
    "workload.promptTokens | invalid workload.promptTokens.min: 9 (at most max = 8)",
  ],
  [
    "workload.promptTokens",
    { kind: "lognormal", mu: 1, sigma: 1, min: 9, max: 8 },
    "workload.promptTokens | invalid workload.promptTokens.min: 9 (at most max = 8)",
  ],
  [
    "workload.promptTokens",
    { kind: "uniform", min: 0, max: 8 },
    "workload.promptTokens | invalid workload.promptTokens: 0 is possible (every prompt has at least 1 token)",
  ],
  [
    "service",
    { kind: "affine", cMs: 0, aMs: 1, b0: 8 },
    "service | invalid service.cMs: 0 (above 0, or an iteration of one token would take no time)",
  ],
  ["service.b0", 1.5, `service.b0 | invalid service.b0: 1.5 (an integer at least 0 and at most ${INT32})`],
  ["scheduler.ratio", 1, "scheduler.ratio | invalid scheduler.ratio: 1 (a number above 0 and below 1)"],
  [
    "scheduler.ratio",
    1e-320 * 0,
    "scheduler.ratio | invalid scheduler.ratio: 0 (a number above 0 and below 1)",
  ],
  [
    "scheduler.ratioOf",
    "places",
    "scheduler.ratioOf | invalid scheduler.ratioOf: places (one of: sequences, tokens)",
  ],
  [
    "scheduler.kind",
    "mlfq",
    "scheduler.kind | unknown scheduler: mlfq (one of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca)",
  ],
  [
    "scheduler.kind",
    undefined,
    "scheduler.kind | unknown scheduler: nothing (one of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca)",
  ],
  [
    "scheduler",
    { kind: "__proto__" },
    "scheduler.kind | unknown scheduler: __proto__ (one of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca)",
  ],
  [
    "scheduler",
    { kind: "prefill-prioritizing", ratio: 0.5 },
    "scheduler.ratio | unknown key: scheduler.ratio (one of: kind)",
  ],
  ["conventions.tbt", "gap", "conventions.tbt | invalid conventions.tbt: gap (one of: gaps, tokens)"],
  [
    "conventions.cap",
    "x",
    "conventions.cap | unknown key: conventions.cap (one of: firstToken, mixedBatch, sequenceCap, tbt)",
  ],
  ["horizon.tmaxSeconds", 0, `horizon.tmaxSeconds | invalid horizon.tmaxSeconds: 0 (${window})`],
  [
    "horizon.tmaxSeconds",
    9_000_001,
    `horizon.tmaxSeconds | invalid horizon.tmaxSeconds: 9000001 (${window})`,
  ],
  [
    "horizon.maxRequests",
    0.5,
    `horizon.maxRequests | invalid horizon.maxRequests: 0.5 (${maxTokens}, or none)`,
  ],
  [
    "horizon.warmupSeconds",
    -1e-9,
    `horizon.warmupSeconds | invalid horizon.warmupSeconds: -1e-9 (a number at least 0 and at most ${LONGEST_WINDOW_SECONDS})`,
  ],
  [
    "horizon.warmupSeconds",
    5000,
    "horizon.warmupSeconds | invalid horizon.warmupSeconds: 5000 (below horizon.tmaxSeconds = 5000)",
  ],
];

describe("what cannot be simulated", () => {
  test.each(wrong)("%s = %s", (path, value, issue) => {
    expect(problems(withAt(path, value))).toEqual([issue]);
    expect(() => simulate(withAt(path, value))).toThrow(ConfigError);
  });

  test("a scheduler that is part of its conventions runs under no others", () => {
    const given = (scheduler: string, conventions: Partial<Conventions>): string[] =>
      problems({ ...minimal, scheduler: { kind: scheduler }, conventions });
    expect(given("vllm", REFERENCE)).toEqual([
      "conventions.firstToken | invalid conventions.firstToken: decode (vllm means firstToken: prefill)",
      "conventions.mixedBatch | invalid conventions.mixedBatch: max (vllm means mixedBatch: sum)",
      "conventions.sequenceCap | invalid conventions.sequenceCap: iteration (vllm means sequenceCap: resident)",
    ]);
    expect(given("vllm", { tbt: "tokens" })).toEqual([]);
    expect(given("hybrid", REFERENCE)).toEqual([]);
  });

  test("-0 is 0 where 0 is allowed", () => {
    expect(problems(withAt("horizon.warmupSeconds", -0))).toEqual([]);
    expect(problems(withAt("service.b0", -0))).toEqual([]);
  });

  test("__proto__ is an unknown key, and pollutes nothing", () => {
    for (const part of ["engine", "conventions", "horizon", "service", "scheduler"]) {
      const value = { ...(complete(minimal)[part as "engine"] as object) };
      const hostile = JSON.parse('{"__proto__": {"maxTokens": 7, "polluted": true}}') as object;
      const given = withAt(part, { ...value, ...hostile });
      expect(problems(given)).toEqual([
        expect.stringMatching(new RegExp(`^${part}\\.__proto__ \\| unknown key: ${part}\\.__proto__ `)),
      ]);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("all at once, each by its own key", () => {
    const given = {
      ...minimal,
      engine: { maxTokens: 0, chunkSize: 0.5, replicas: NaN },
      scheduler: { kind: "mlfq" },
      conventions: { tbt: "gap" as "gaps" },
      horizon: { tmaxSeconds: -1, warmupSeconds: -1 },
    };
    const error = ((): unknown => {
      try {
        return prepare(given);
      } catch (error) {
        return error;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    const { issues, message } = error as ConfigError;
    expect(issues.map(({ key }) => key)).toEqual([
      "engine.maxTokens",
      "engine.chunkSize",
      "engine.replicas",
      "scheduler.kind",
      "conventions.tbt",
      "horizon.tmaxSeconds",
      "horizon.warmupSeconds",
    ]);
    expect(message.split("\n")).toEqual(issues.map(({ message }) => message));
  });

  test("too many requests are refused unless forced", () => {
    const big = { ...withAt("workload.arrivals.ratePerSecond", 1000), horizon: { tmaxSeconds: 1e5 + 1 } };
    expect(problems(big)).toEqual([
      `horizon.tmaxSeconds | too many requests: about 100001000 a trial (at most ${MOST_REQUESTS}, or force it)`,
    ]);
    expect(problems(big, { force: true })).toEqual([]);
    expect(problems({ ...big, horizon: { tmaxSeconds: 1e5 } })).toEqual([]);
    // A limit on the number of requests counts as well.
    expect(problems({ ...big, horizon: { tmaxSeconds: 1e6, maxRequests: 1000 } })).toEqual([]);
  });

  test("a random value at a random place is either fine or named, never a crash", () => {
    const paths = [
      ...new Set(wrong.map(([path]) => path)),
      "engine.maxSequences",
      "workload.outputTokens.max",
      "service.aMs",
      "service.cMs",
      "service.kind",
      "conventions.firstToken",
      "engine.discipline.kind",
      "engine.router.kind",
    ];
    const value = fc.oneof(
      fc.double(),
      fc.integer(),
      fc.bigInt(),
      fc.string(),
      fc.constantFrom(NaN, Infinity, -Infinity, -0, 1e308, null, undefined, true, {}, [], [NaN], [[1]]),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(fc.constantFrom(...paths), value, (path, value) => {
        const found = problems(withAt(path, value));
        for (const issue of found) expect(issue.startsWith(path.split(".")[0])).toBe(true);
        expect(found.every((issue) => issue.split("\n").length === 1 || typeof value !== "number")).toBe(
          true,
        );
      }),
      { numRuns: 500 },
    );
  });
});
