/** `--set key=value`: a layer like any other, with errors that teach. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allKeys, studyTree } from "../../src/config/keys.js";
import type { Layer } from "../../src/config/layer.js";
import { parseSet } from "../../src/config/set.js";
import { resolveStudy } from "../../src/config/study.js";
import { parseText } from "../../src/config/yaml.js";
import { ConfigError } from "../../src/core/errors.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import { loadScenario } from "../../src/io/scenarios.js";

const base: Layer[] = [
  { source: "defaults", values: { trials: 2, seed: 1, schedulers: ["hybrid"] } },
  (await loadScenario("demo2", ".")).layer,
];
const values = async (...assignments: string[]): Promise<unknown> => (await parseSet(assignments)).values;
const problems = async (...assignments: string[]): Promise<string[]> => {
  try {
    resolveStudy([...base, await parseSet(assignments)]);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ message }) => message);
    throw error;
  }
  return [];
};

describe("values", () => {
  test("are YAML, at the place that the dotted key says", async () =>
    expect(
      await values(
        "engine.maxTokens=512",
        "engine.chunkSize = null",
        "engine.async=true",
        "service.b0=0",
        "workload.promptTokens.values=[32, 128]",
        "workload.promptTokens.weights=.5,.5",
        "workload.outputTokens={kind: fixed, tokens: 3}",
        "schedulers=decode,hybrid",
        "scenario=./a=b.yaml",
        "seed=7",
      ),
    ).toEqual({
      engine: { maxTokens: 512, chunkSize: null, async: true },
      service: { b0: 0 },
      workload: {
        promptTokens: { values: [32, 128], weights: [0.5, 0.5] },
        outputTokens: { kind: "fixed", tokens: 3 },
      },
      schedulers: ["decode", "hybrid"],
      scenario: "./a=b.yaml",
      seed: 7,
    }));

  test("numbers are what YAML reads, however they are written", () =>
    fc.assert(
      fc.asyncProperty(
        fc.stringMatching(/^[+-]?[0-9]{0,17}\.?[0-9]{0,22}(e[+-]?[0-9]{1,3})?$/),
        async (text) => {
          fc.pre(text !== "");
          const { value } = await parseText(text, "value");
          expect(await values(`seed=${text}`)).toEqual({ seed: value });
        },
      ),
      { numRuns: 500, examples: [["010"], ["0"], ["-0"], ["0.1"], ["00.5"], ["1."], [".5"], ["1e3"]] },
    ));

  test("the last assignment to a key wins", async () => {
    expect(await values("seed=1", "seed=2")).toEqual({ seed: 2 });
    expect(await values("conventions=reference", "conventions.tbt=gaps")).toEqual({
      conventions: { tbt: "gaps" },
    });
  });

  test("every key of a study can be set", async () => {
    const layer = await parseSet(allKeys(studyTree(builtIn)).map((key) => `${key}=1`));
    expect(layer.issues).toEqual([]);
    expect(allKeys(studyTree(builtIn))).toEqual(
      expect.arrayContaining([
        "scenario",
        "workload.arrivals.kind",
        "workload.arrivals.ratePerSecond",
        "workload.promptTokens.values",
        "service.b0",
        "engine.maxTokens",
        "engine.async",
        "engine.discipline.kind",
        "engine.router.kind",
        "conventions.sequenceCap",
        "horizon.warmupSeconds",
        "scheduler.ratio",
        "schedulers",
        "trials",
        "seed",
      ]),
    );
  });

  test("a whole study by assignments", async () =>
    expect(
      await problems(
        "service.kind=exponential",
        "workload.promptTokens.kind=geometric",
        "workload.promptTokens.p=0.5",
        "conventions.sequenceCap=iteration",
        "engine.discipline.kind=fcfs",
        "engine.router.kind=least-outstanding",
        "engine.kvTokens=8000",
        "engine.async=false",
        "engine.overheadMs=2.5",
        "horizon={tmaxSeconds: 100, warmupSeconds: 5}",
        "scheduler.ratio=.3",
        "schedulers=[{kind: hybrid, ratioOf: tokens}, prefill]",
      ),
    ).toEqual([]));
});

test("ten are told, and how many more there are", async () => {
  const wrong = Array.from({ length: 30 }, (_, i) => `key${i}=1`);
  const told = await problems("engine.maxTokens", "=3", ...wrong);
  expect(told).toHaveLength(11);
  expect([told[0], told[2], told[9], told[10]]).toEqual([
    expect.stringContaining("engine.maxTokens: no value"),
    expect.stringContaining("--set key0: unknown key"),
    expect.stringContaining("--set key7: unknown key"),
    "--set: … and 22 more",
  ]);
});

test("errors name the assignment and say what to write", async () => {
  expect(
    await problems(
      "maxTokens=512",
      "foo=1",
      "engine.maxTokens",
      "=3",
      "engine..maxTokens=3",
      "engine.maxSequences=",
      "engine.replicas=[1",
      "__proto__.x=1",
      "engine.constructor=1",
    ),
  ).toEqual([
    "--set engine.maxTokens: no value (write key=value, e.g. engine.maxTokens=512)",
    "--set =3: not a key (write key=value, e.g. engine.maxTokens=512)",
    "--set engine..maxTokens: not a key (write key=value, e.g. engine.maxTokens=512)",
    "--set engine.maxSequences: no value (write null for none)",
    "--set engine.replicas: flow sequence must end with a ]",
    "--set __proto__.x: refused key",
    "--set engine.constructor: refused key",
    "--set maxTokens: unknown key — did you mean engine.maxTokens?",
    "--set foo: unknown key (one of: scenario, hardware, workload, service, engine, conventions, horizon, slo, scheduler, schedulers, trials, seed)",
  ]);
  expect(
    await problems(
      "workload.promptTokens.p=.5",
      "service.kind=expo",
      "conventions.tbt=gap",
      "engine={chunkSize: 0}",
      "workload.promptTokens.values=1,2,x",
      "trials=1.5",
    ),
  ).toEqual([
    "--set workload.promptTokens.p: unknown key (mixture has: kind, values, weights)",
    "invalid --set workload.promptTokens.values: [1, 2, x] (a list of integers at least 0 and at most 2147483647)",
    "--set service.kind: unknown service-time model: expo (one of: affine, exponential, gpu, gpu-table) — did you mean exponential?",
    "invalid --set conventions.tbt: gap (one of: gaps, tokens) — did you mean gaps?",
    "invalid --set engine.chunkSize: 0 (an integer at least 1 and at most 2147483647, or none)",
    "invalid --set trials: 1.5 (an integer at least 1 and at most 1000000)",
  ]);
  expect(await problems("engine.maxTokns=512")).toEqual([
    "--set engine.maxTokns: unknown key — did you mean engine.maxTokens?",
  ]);
  expect(await problems("schedulers=decod")).toEqual([
    "--set schedulers: unknown scheduler: decod (one of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca) — did you mean decode-prioritizing?",
  ]);
  for (const word of ["none", "null", "true", "false"])
    expect(await problems(`engine.async=${word}`)).toEqual([]);
  for (const [text, shown] of [
    ["yes", "yes"],
    ['"true"', "true"],
    ["1", "1"],
    ["[true]", "[true]"],
    ["true,false", "[true, false]"],
    ["{a: true}", "{...}"],
  ])
    expect([text, await problems(`engine.async=${text}`)]).toEqual([
      text,
      [`invalid --set engine.async: ${shown} (true or false, or none)`],
    ]);
  expect(({} as Record<string, unknown>).x).toBeUndefined();
});

test("any text is a layer with or without issues of one short line", async () => {
  const piece = fc.constantFrom(
    "engine",
    "service",
    ".",
    "=",
    "kind",
    "b0",
    "1",
    "[",
    "{",
    ",",
    ": ",
    "*a",
    "&a ",
    "!t ",
    '"',
    "#",
    "\n",
    "__proto__",
    "NaN",
    "x".repeat(300),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 10 }), async (pieces) => {
      for (const message of await problems(pieces.join(""))) {
        expect(message.length).toBeLessThan(400);
        expect(message).not.toContain("\n");
      }
    }),
    { numRuns: 500 },
  );
});
