/** Studies from layers: what wins, what is kept, and that every problem is told at once, by the name its layer gives it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileLayer } from "../../src/config/file-layer.js";
import { STUDY_OPTIONS } from "../../src/config/keys.js";
import type { Layer, StudyInput } from "../../src/config/layer.js";
import { parseSet } from "../../src/config/set.js";
import { resolveStudy, scenarioOf, type Study } from "../../src/config/study.js";
import { check } from "../../src/core/configuration/check-config.js";
import { REFERENCE, STANDARD } from "../../src/core/configuration/config.js";
import { ConfigError } from "../../src/core/errors.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import { simulate } from "../../src/core/trial/simulate.js";

/** LLMSIM_LONG=1 tries more of what layers may say. */
const RUNS = process.env.LLMSIM_LONG === "1" ? 400 : 120;
/** The members of a family, as errors list them. */
const LENGTHS = builtIn.lengths.map(({ name }) => name).join(", ");
const ARRIVALS = builtIn.arrivals.map(({ name }) => name).join(", ");

const defaults: Layer = {
  source: "defaults",
  values: { scenario: "mine", trials: 20, seed: 1, schedulers: ["decode", "prefill", "hybrid"] },
};
const scenario: Layer = {
  source: "scenario mine",
  values: {
    workload: {
      arrivals: { kind: "poisson", ratePerSecond: 2 },
      promptTokens: { kind: "mixture", values: [32, 128], weights: [0.5, 0.5] },
      outputTokens: { kind: "geometric", p: 0.01, max: 1024 },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 64 },
    engine: { maxTokens: 2048, chunkSize: 64 },
  },
};
const layer = (values: StudyInput, source = "my.json"): Layer => ({ source, values });
/** Flags as the command line gives them: each key's flag. */
const flags = (values: StudyInput, names: Record<string, string>): Layer => ({
  source: "flag",
  values,
  origin: (key) => names[key],
});
const resolve = (...layers: Layer[]): Study => resolveStudy([defaults, scenario, ...layers]);
const problems = (layers: readonly Layer[], limits = {}): string[] => {
  try {
    resolveStudy(layers, builtIn, limits);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues.map(({ message }) => message);
    throw error;
  }
  return [];
};
const wrong = (...layers: Layer[]): string[] => problems([defaults, scenario, ...layers]);

describe("merging", () => {
  test("a study is complete, in the order of the definitions, and can be simulated", () => {
    const study = resolve();
    expect(JSON.stringify(study.config)).toBe(
      JSON.stringify({
        workload: {
          arrivals: { kind: "poisson", ratePerSecond: 2 },
          promptTokens: { kind: "mixture", values: [32, 128], weights: [0.5, 0.5] },
          outputTokens: { kind: "geometric", p: 0.01, max: 1024 },
        },
        service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 64 },
        engine: {
          maxTokens: 2048,
          maxSequences: 1000,
          chunkSize: 64,
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
        conventions: STANDARD,
        horizon: { tmaxSeconds: 5000, maxRequests: null, warmupSeconds: 0 },
      }),
    );
    expect(study.schedulers).toEqual([
      { kind: "decode-prioritizing" },
      { kind: "prefill-prioritizing" },
      { kind: "hybrid", ratio: 0.5, ratioOf: "sequences" },
    ]);
    expect([study.scenario, study.trials, study.seed]).toEqual(["mine", 20, 1]);
    const config = {
      ...study.config,
      scheduler: study.schedulers[2]!,
      horizon: { ...study.config.horizon, tmaxSeconds: 5 },
    };
    expect(() => simulate(config)).not.toThrow();
  });

  test("the later layer wins, key by key", () => {
    const study = resolve(
      layer({ engine: { maxTokens: 1 }, trials: 5 }),
      layer({ engine: { maxTokens: 512, maxSequences: 7 }, service: { b0: 0 } }),
      layer({ engine: { maxSequences: 8, replicas: undefined } }),
    );
    expect(study.config.engine).toMatchObject({
      maxTokens: 512,
      maxSequences: 8,
      chunkSize: 64,
      replicas: 1,
    });
    expect(study.config.service).toEqual({ kind: "affine", cMs: 10, aMs: 0.5, b0: 0 });
    expect(study.trials).toBe(5);
  });

  test("the order of keys in a layer does not show", () => {
    const a = resolve(
      layer({
        service: { b0: 1, cMs: 2, kind: "affine", aMs: 3 },
        horizon: { warmupSeconds: 1, tmaxSeconds: 9 },
      }),
    );
    const b = resolve(
      layer({
        horizon: { tmaxSeconds: 9, warmupSeconds: 1 },
        service: { kind: "affine", aMs: 3, cMs: 2, b0: 1 },
      }),
    );
    expect(JSON.stringify(a.config)).toBe(JSON.stringify(b.config));
  });

  test("another kind keeps the options that it has too, and loses the rest", () => {
    expect(resolve(layer({ service: { kind: "exponential" } })).config.service).toEqual({
      kind: "exponential",
      cMs: 10,
      aMs: 0.5,
      b0: 64,
    });
    const { workload } = resolve(
      layer({
        workload: {
          promptTokens: { kind: "fixed", tokens: 9 },
          outputTokens: { kind: "lognormal", mu: 1, sigma: 1 },
        },
      }),
    ).config;
    expect(workload.promptTokens).toEqual({ kind: "fixed", tokens: 9 });
    expect(workload.outputTokens).toEqual({ kind: "lognormal", mu: 1, sigma: 1, min: 1, max: 1024 });
  });

  test("there and back again: what a kind lost stays lost", () =>
    expect(
      wrong(
        layer({ workload: { promptTokens: { kind: "fixed", tokens: 9 } } }),
        layer({ workload: { promptTokens: { kind: "mixture" } } }, "other.json"),
      ),
    ).toEqual([
      "other.json: missing workload.promptTokens.values (a list of integers at least 0 and at most 2147483647)",
      "other.json: missing workload.promptTokens.weights (a list of numbers at least 0 and at most 1)",
    ]));

  test("a word sets all conventions, a field one", () => {
    expect(resolve(layer({ conventions: "reference" })).config.conventions).toEqual(REFERENCE);
    expect(
      resolve(layer({ conventions: "reference" }), layer({ conventions: { tbt: "gaps" } })).config
        .conventions,
    ).toEqual({
      ...REFERENCE,
      tbt: "gaps",
    });
    expect(
      resolve(layer({ conventions: { tbt: "tokens" } }), layer({ conventions: "standard" })).config
        .conventions,
    ).toEqual(STANDARD);
  });

  test("none is null where that is allowed, and −0 is 0", () => {
    const { config } = resolve(layer({ engine: { chunkSize: "none" }, service: { aMs: -0 } }));
    expect(config.engine.chunkSize).toBeNull();
    expect(Object.is(config.service.aMs, 0)).toBe(true);
    expect(resolve(layer({ engine: { chunkSize: null } })).config.engine.chunkSize).toBeNull();
    expect(wrong(layer({ engine: { maxTokens: "none" } }))).toEqual([
      "my.json: invalid engine.maxTokens: none (an integer at least 1 and at most 2147483647)",
    ]);
  });

  test("layers are left as they were", () => {
    const before = structuredClone([defaults.values, scenario.values]);
    resolve(layer({ service: { kind: "exponential" }, engine: { maxTokens: 1 } }));
    expect([defaults.values, scenario.values]).toEqual(before);
  });

  test("a study without a scenario's name is called custom", () => {
    const values = { ...defaults.values, scenario: undefined };
    expect(resolveStudy([{ ...defaults, values }, scenario]).scenario).toBe("custom");
    expect(scenarioOf([defaults, layer({ scenario: "demo1" }), layer({ trials: 1 })])).toBe("demo1");
    expect(scenarioOf([layer({})])).toBeUndefined();
  });
});

describe("schedulers", () => {
  const kinds = (values: StudyInput): readonly object[] => resolve(layer(values)).schedulers;

  test("a list replaces the list; short names, specs and a text with commas will do", () => {
    expect(kinds({ schedulers: ["prefill"] })).toEqual([{ kind: "prefill-prioritizing" }]);
    expect(kinds({ schedulers: " hybrid, decode " })).toEqual([
      { kind: "hybrid", ratio: 0.5, ratioOf: "sequences" },
      { kind: "decode-prioritizing" },
    ]);
    expect(
      kinds({
        schedulers: [
          { kind: "hybrid", ratio: 0.1 },
          { ratioOf: "tokens", kind: "hybrid" },
        ],
      }),
    ).toEqual([
      { kind: "hybrid", ratio: 0.1, ratioOf: "sequences" },
      { kind: "hybrid", ratio: 0.5, ratioOf: "tokens" },
    ]);
  });

  test("options for all go to those that have them", () =>
    expect(kinds({ scheduler: { ratio: 0.7 } })).toEqual([
      { kind: "decode-prioritizing" },
      { kind: "prefill-prioritizing" },
      { kind: "hybrid", ratio: 0.7, ratioOf: "sequences" },
    ]));

  test("of an option given both ways the later layer wins; in one layer the list's", () => {
    const own: StudyInput = { schedulers: [{ kind: "hybrid", ratio: 0.1 }] };
    const all: StudyInput = { scheduler: { ratio: 0.7 } };
    const ratio = (...layers: StudyInput[]): unknown =>
      resolve(...layers.map((values) => layer(values))).schedulers[0]!.ratio;
    expect(ratio(own, all)).toBe(0.7);
    expect(ratio(all, own)).toBe(0.1);
    expect(ratio({ ...own, ...all })).toBe(0.1);
    expect(ratio(all, { schedulers: ["hybrid"] })).toBe(0.7);
  });

  test("an option that no scheduler has is refused, unless its list has been replaced", () => {
    const own = flags(
      { schedulers: ["decode"], scheduler: { ratio: 0.2 } },
      { "scheduler.ratio": "--ratio" },
    );
    expect(wrong(own)).toEqual(["invalid --ratio: 0.2 (not an option of decode-prioritizing)"]);
    expect(wrong(layer({ scheduler: { ratio: 0.2 } }), layer({ schedulers: ["decode"] }))).toEqual([]);
  });

  test("problems name the flag, or the place in the list", () => {
    const given: StudyInput = {
      schedulers: ["mlfq", "hybird", { kind: "hybrid", ratio: 2 }, "decode", "decode-prioritizing"],
    };
    const known = "(one of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca)";
    expect(wrong(flags(given, { schedulers: "--scheduler" }))).toEqual([
      `unknown scheduler: mlfq ${known}`,
      `unknown scheduler: hybird ${known} — did you mean hybrid?`,
      "invalid --scheduler: decode-prioritizing twice (each scheduler once)",
      "invalid --scheduler: 2 (a number above 0 and below 1)",
    ]);
    expect(
      wrong(layer({ schedulers: [{ kind: "hybrid", rtio: 2, ratioOf: "x" }, 3, null] as never })),
    ).toEqual([
      "my.json: unknown key: schedulers.0.rtio (hybrid has: kind, ratio, ratioOf) — did you mean schedulers.0.ratio?",
      "my.json: invalid schedulers.0.ratioOf: x (one of: sequences, tokens)",
      `my.json: unknown scheduler: 3 ${known}`,
      `my.json: unknown scheduler: null ${known}`,
    ]);
    for (const none of [[], "", " ", 3, {}])
      expect(wrong(layer({ schedulers: none as never }))[0]).toMatch(
        /^my\.json: invalid schedulers: .* \(a list of: /,
      );
  });
});

describe("problems", () => {
  test("of flags name the flag, the value and what is allowed, all at once", () => {
    const names = {
      "engine.maxTokens": "--max-tokens",
      "engine.maxSequences": "--max-sequences",
      "engine.chunkSize": "--chunk-size",
      "workload.arrivals.ratePerSecond": "--lam",
      "scheduler.ratio": "--ratio",
      conventions: "--conventions",
      trials: "--ntrials",
      seed: "--seed",
    };
    expect(
      wrong(
        flags(
          {
            engine: { maxTokens: -3, maxSequences: "abc", chunkSize: 1.5 },
            workload: { arrivals: { ratePerSecond: NaN } },
            scheduler: { ratio: 1 },
            conventions: "standrad",
            trials: 0,
            seed: 2 ** 53,
          },
          names,
        ),
      ),
    ).toEqual([
      "invalid --max-sequences: abc (an integer at least 1 and at most 2147483647)",
      "invalid --conventions: standrad (one of: standard, reference; or keys: firstToken, mixedBatch, sequenceCap, tbt) — did you mean standard?",
      "invalid --lam: NaN (a number above 0 and at most 1000000)",
      "invalid --max-tokens: -3 (an integer at least 1 and at most 2147483647)",
      "invalid --chunk-size: 1.5 (an integer at least 1 and at most 2147483647, or none)",
      "invalid --ntrials: 0 (an integer at least 1 and at most 1000000)",
      "invalid --seed: 9007199254740992 (an integer at least 0 and at most 9007199254740991)",
      "invalid --ratio: 1 (a number above 0 and below 1)",
    ]);
  });

  test("between values name both flags", () =>
    expect(
      wrong(
        flags(
          { horizon: { warmupSeconds: 300, tmaxSeconds: 200 } },
          { "horizon.warmupSeconds": "--warmup", "horizon.tmaxSeconds": "--tmax" },
        ),
      ),
    ).toEqual(["invalid --warmup: 300 (below --tmax = 200)"]));

  test("of a default that a given value contradicts name its key, and come from where the kind was given", () =>
    expect(
      wrong(
        flags(
          {
            workload: {
              promptTokens: { kind: "lognormal", mu: 1, sigma: 1, min: 9 },
              outputTokens: { kind: "lognormal", mu: 1, sigma: 1, max: 5, min: 7 },
            },
          },
          { "workload.outputTokens.min": "--least" },
        ),
        layer({ workload: { promptTokens: { max: 3 } } }),
      ),
    ).toEqual([
      "invalid workload.promptTokens.min: 9 (at most max = 3)",
      "invalid --least: 7 (at most max = 5)",
    ]));

  test("too many requests can be forced", () => {
    const many = flags(
      { workload: { arrivals: { ratePerSecond: 1e6 } } },
      { "workload.arrivals.ratePerSecond": "--lam" },
    );
    expect(wrong(many)[0]).toMatch(/^horizon\.tmaxSeconds: too many requests: about 5000000000 a trial /);
    expect(problems([defaults, scenario, many], { force: true })).toEqual([]);
  });

  test("of a file name its line", async () => {
    const text = `# mine
engine:
  maxTokens: 0
  maxTokns: 3
service: {kind: affin}
workload:
  promptTokens: {weights: [0.5, 0.4]}
  outputTokens: 3
  arrivals: {ratePerSecond: fast}
conventions: {tbt: gapz}
horizon:
  warmupSeconds: 7000
seed: "7"
trials: .nan
`;
    expect(wrong(await fileLayer(text, "my.yaml", "study"))).toEqual([
      "my.yaml:3: invalid engine.maxTokens: 0 (an integer at least 1 and at most 2147483647)",
      "my.yaml:4: unknown key: engine.maxTokns (one of: maxTokens, maxSequences, chunkSize, replicas, kvTokens, blockTokens, prefixCaching, reservePrompt, watermark, async, overheadMs, discipline, router) — did you mean engine.maxTokens?",
      "my.yaml:5: unknown service-time model: affin (one of: affine, exponential, gpu, gpu-table) — did you mean affine?",
      `my.yaml:8: invalid workload.outputTokens: 3 (length law, kind one of: ${LENGTHS})`,
      "my.yaml:9: invalid workload.arrivals.ratePerSecond: fast (a number above 0 and at most 1000000)",
      "my.yaml:10: invalid conventions.tbt: gapz (one of: gaps, tokens) — did you mean gaps?",
      'my.yaml:13: invalid seed: "7" (an integer at least 0 and at most 9007199254740991)',
      "my.yaml:14: invalid trials: NaN (an integer at least 1 and at most 1000000)",
      // Found when all layers are together.
      "my.yaml:7: invalid workload.promptTokens.weights: sum 0.9 (must sum to 1)",
    ]);
    expect(
      wrong(
        await fileLayer(
          "workload:\n  promptTokens: {weights: [0.5, 0.4]}\nhorizon:\n  warmupSeconds: 1\n",
          "a",
          "study",
        ),
      ),
    ).toEqual(["a:2: invalid workload.promptTokens.weights: sum 0.9 (must sum to 1)"]);
    expect(wrong(await fileLayer("horizon:\n  warmupSeconds: 7000\n", "a", "study"))).toEqual([
      "a:2: invalid horizon.warmupSeconds: 7000 (below horizon.tmaxSeconds = 5000)",
    ]);
  });

  test("of all layers come together", async () => {
    const set = await parseSet(["engine.maxTokns=1", "service.b0=-1"]);
    const file = await fileLayer("engine: {maxTokens: [", "my.yaml", "study");
    const flag = flags({ trials: 0 }, { trials: "--ntrials" });
    expect(wrong(file, set, flag)).toEqual([
      expect.stringMatching(/^my\.yaml:1:\d+: flow /),
      expect.stringMatching(/^my\.yaml:1:\d+: flow /),
      "--set engine.maxTokns: unknown key — did you mean engine.maxTokens?",
      "invalid --set service.b0: -1 (an integer at least 0 and at most 2147483647)",
      "invalid --ntrials: 0 (an integer at least 1 and at most 1000000)",
    ]);
  });

  test("a wrong value in a file is told even where a flag replaces it", async () => {
    const file = await fileLayer("engine: {maxTokens: 0}", "my.yaml", "study");
    expect(
      wrong(file, flags({ engine: { maxTokens: 5 } }, { "engine.maxTokens": "--max-tokens" })),
    ).toHaveLength(1);
  });

  test("of each scheduler are told, not only of the first, and a problem of all of them once", () => {
    const given = (schedulers: string, more: StudyInput = {}): string[] =>
      wrong(
        flags(
          { schedulers, conventions: "reference", ...more },
          { conventions: "--conventions", "engine.kvTokens": "--kv-tokens" },
        ),
      );
    expect(given("hybrid,prefill")).toEqual([]);
    expect(given("hybrid,vllm")).toEqual([
      "invalid --conventions: decode (vllm means firstToken: prefill)",
      "invalid --conventions: max (vllm means mixedBatch: sum)",
      "invalid --conventions: iteration (vllm means sequenceCap: resident)",
    ]);
    expect(given("decode,hybrid,prefill", { engine: { kvTokens: 47 } })).toEqual([
      "invalid --kv-tokens: 47 (the shortest prompt has 32 tokens, and one block of 16 is the null block)",
    ]);
  });

  test("what is missing is told once nothing else is wrong", () => {
    expect(problems([])).toEqual([
      "missing schedulers (a list of: decode-prioritizing, prefill-prioritizing, hybrid, vllm, sarathi, orca)",
      `missing workload.arrivals (arrival process, kind one of: ${ARRIVALS})`,
      `missing workload.promptTokens (length law, kind one of: ${LENGTHS})`,
      `missing workload.outputTokens (length law, kind one of: ${LENGTHS})`,
      "missing service (service-time model, kind one of: affine, exponential, gpu, gpu-table)",
      "missing trials (an integer at least 1 and at most 1000000)",
      "missing seed (an integer at least 0 and at most 9007199254740991)",
    ]);
    expect(problems([defaults, scenario, layer({ trials: -1 })])).toHaveLength(1);
    expect(problems([defaults, layer({ service: { b0: 3 } })])).toContain(
      "missing service.kind (one of: affine, exponential, gpu, gpu-table)",
    );
  });

  test("keys of another kind, and keys that belong elsewhere", () =>
    expect(
      wrong(layer({ workload: { promptTokens: { p: 0.5 } }, maxTokens: 5, service: { "a.b": 1 } } as never)),
    ).toEqual([
      "my.json: unknown key: workload.promptTokens.p (mixture has: kind, values, weights)",
      "my.json: unknown key: maxTokens (one of: scenario, hardware, workload, service, engine, conventions, horizon, slo, scheduler, schedulers, trials, seed) — did you mean engine.maxTokens?",
      "my.json: unknown key: service.a.b (affine has: kind, cMs, aMs, b0) — did you mean service.aMs?",
    ]));

  test("__proto__, constructor and their like are unknown keys at any depth, and pollute nothing", () => {
    for (const name of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
      const bad = JSON.parse(
        `{"${name}": {"x": 1}, "engine": {"${name}": 1, "discipline": {"${name}": 1}}, "service": {"${name}": 1}, "conventions": {"${name}": 1}, "scheduler": {"${name}": 1}, "schedulers": [{"kind": "hybrid", "${name}": 1}]}`,
      ) as StudyInput;
      const messages = wrong(layer(bad));
      expect(messages).toHaveLength(7);
      for (const message of messages) expect(message).toMatch(/^my\.json: unknown key: /);
    }
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test("are short lines, whatever was given", () => {
    const deep = JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`) as unknown;
    const circle: unknown[] = [];
    circle.push(circle);
    const cruel = [
      "x".repeat(1e6),
      "a\nb\u001b[31m",
      deep,
      circle,
      { kind: deep },
      Array(1e5).fill("x"),
      true,
      null,
      Infinity,
      -1e308,
      () => 1,
      Symbol("s"),
      10n,
    ];
    for (const value of cruel) {
      const messages = wrong(
        layer({
          engine: { maxTokens: value, discipline: value },
          workload: { promptTokens: { values: value }, arrivals: { kind: value } },
          conventions: value,
          trials: value,
          schedulers: [value],
          scenario: value,
        } as never),
      );
      expect(messages.length).toBeGreaterThan(4);
      for (const message of messages) {
        expect(message.length).toBeLessThan(400);
        expect(message).not.toMatch(/[\u0000-\u001f]/);
      }
    }
  });
});

test("origins say where each value came from", async () => {
  const { origins } = resolve(
    await fileLayer(
      "engine:\n  maxTokens: 512\n  maxSequences: 9\nschedulers:\n- hybrid\n- kind: hybrid\n  ratio: .1\n",
      "my.yaml",
      "study",
    ),
    await parseSet(["conventions=reference", "engine.maxSequences=10"]),
    flags(
      { conventions: { tbt: "gaps" }, scheduler: { ratioOf: "tokens" } },
      { "conventions.tbt": "--tbt", "scheduler.ratioOf": "--ratio-of" },
    ),
  );
  expect(Object.fromEntries(origins)).toMatchObject({
    scenario: "defaults",
    trials: "defaults",
    schedulers: "my.yaml:4",
    "schedulers.0.kind": "my.yaml:5",
    "schedulers.0.ratio": "defaults",
    "schedulers.0.ratioOf": "--ratio-of",
    "schedulers.1.ratio": "my.yaml:7",
    "service.b0": "scenario mine",
    "engine.maxTokens": "my.yaml:2",
    "engine.maxSequences": "--set engine.maxSequences",
    "engine.replicas": "defaults",
    "conventions.firstToken": "--set conventions",
    "conventions.tbt": "--tbt",
  });
});

describe("laws", () => {
  /** Any value, mostly nearly right. */
  const leaf = fc.oneof(
    fc.integer({ min: -2, max: 5000 }),
    fc.double(),
    fc.constantFrom("none", "poisson", "affine", "gaps", "tokens", "", null, true),
    fc.array(fc.double(), { maxLength: 3 }),
  );
  const keys = [
    "kind",
    "ratePerSecond",
    "tokens",
    "values",
    "p",
    "max",
    "cMs",
    "b0",
    "maxTokens",
    "chunkSize",
    "tbt",
    "tmaxSeconds",
    "ratio",
    "bogus",
    "__proto__",
  ];
  const group = fc.dictionary(fc.constantFrom(...keys), leaf, { maxKeys: 4 });
  const input = fc.record(
    {
      workload: fc.oneof(group, fc.record({ promptTokens: group, arrivals: group }, { requiredKeys: [] })),
      service: group,
      engine: group,
      conventions: fc.oneof(group, leaf),
      horizon: group,
      scheduler: group,
      schedulers: fc.oneof(
        leaf,
        fc.array(fc.oneof(fc.constantFrom("hybrid", "decode", "mlfq"), group), { maxLength: 3 }),
      ),
      trials: leaf,
      seed: leaf,
    },
    { requiredKeys: [] },
  );

  test("whatever the layers say, a study can be simulated or a ConfigError says why not", () => {
    fc.assert(
      fc.property(fc.array(input, { maxLength: 3 }), (inputs) => {
        const layers = [defaults, scenario, ...inputs.map((values) => layer(values as StudyInput))];
        if (problems(layers).length > 0) return;
        const study = resolveStudy(layers);
        for (const scheduler of study.schedulers) expect(check({ ...study.config, scheduler })).toEqual([]);
        for (const { key, min, max } of STUDY_OPTIONS) {
          const value = study[key as "trials" | "seed"];
          expect(Number.isSafeInteger(value) && value >= min! && value <= max!).toBe(true);
        }
      }),
      { numRuns: RUNS },
    );
  });

  test("a study that is laid over itself does not change", () => {
    const study = resolve(layer({ conventions: "reference", service: { kind: "exponential" } }));
    const { config, schedulers, trials, seed } = study;
    const again = resolveStudy([
      layer({ ...config, schedulers, trials, seed, scenario: "mine" } as StudyInput),
    ]);
    expect({ ...again, origins: 0 }).toEqual({ ...study, origins: 0 });
  });
});
