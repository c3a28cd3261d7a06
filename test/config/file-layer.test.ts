/**
 * Study and scenario files: checked by schemas made from the same option lists as everything else. LLMSIM_LONG=1 tries
 * three times as many random ones.
 */
import fc from "fast-check";
import { hardwareTree } from "../../src/config/hardware-keys.js";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { jsonSchemas } from "../../src/config/publish-schemas.js";
import { fileLayer } from "../../src/config/file-layer.js";
import { type GroupNode, optionsOf, scenarioTree, STUDY_OPTIONS, studyTree } from "../../src/config/keys.js";
import { runOutputSchema } from "../../src/config/run-output-schema.js";
import { hardwareSchema, scenarioSchema, studySchema } from "../../src/config/schema.js";
import {
  CONVENTION_OPTIONS,
  ENGINE_OPTIONS,
  HORIZON_OPTIONS,
  STANDARD,
} from "../../src/core/configuration/config.js";
import type { OptionSpec } from "../../src/core/options/definition.js";
import { METRICS } from "../../src/core/measures/metrics.js";
import { builtIn, type Registry } from "../../src/core/configuration/registry.js";

/** How many times the cases of a push. */
const TIMES = process.env.LLMSIM_LONG === "1" ? 3 : 1;
/** The members of a family, as errors list them. */
const LENGTHS = builtIn.lengths.map(({ name }) => name).join(", ");

const issues = async (
  text: string,
  kind: "study" | "scenario" = "study",
  registry?: Registry,
): Promise<string[]> =>
  ((await fileLayer(text, "f.yaml", kind, registry)).issues ?? []).map(({ message }) => message);

describe("scenario files", () => {
  test("must be complete where there is no default", async () =>
    expect(
      await issues(
        "workload:\n  arrivals: {kind: poisson}\n  promptTokens: {}\nengine: {maxTokens: 3}\n",
        "scenario",
      ),
    ).toEqual([
      "f.yaml: missing service (service-time model, kind one of: affine, exponential, gpu, gpu-table)",
      `f.yaml:1: missing workload.outputTokens (length law, kind one of: ${LENGTHS})`,
      "f.yaml:2: missing workload.arrivals.ratePerSecond (a number above 0 and at most 1000000)",
      `f.yaml:3: missing workload.promptTokens.kind (one of: ${LENGTHS})`,
    ]));

  test("hold no settings of a study", async () =>
    expect(
      (await issues("horizon: {tmaxSeconds: 5}\ntrials: 3\n", "scenario")).filter((m) =>
        m.includes("unknown"),
      ),
    ).toEqual([
      "f.yaml:1: unknown key: horizon (one of: name, alias, summary, source, workload, service, engine)",
      "f.yaml:2: unknown key: trials (one of: name, alias, summary, source, workload, service, engine)",
    ]));
});

describe("study files", () => {
  test("may be empty, and may name their schema", async () => {
    expect(await issues("")).toEqual([]);
    expect(await issues('{"$schema": "llmsim/schemas/study.schema.json", "seed": 3}')).toEqual([]);
  });

  test.each(["[1, 2]", "3", "text", "- a: 1"])("%s is no study", async (text) =>
    expect(await issues(text)).toEqual(["invalid f.yaml: not a set of keys (a study file)"]),
  );

  test("problems stand in the order of the lines", async () => {
    const found = await issues(
      "trials: x\nservice: 3\nengine:\n  replicas: 0\n  x: 1\n__proto__: 1\nschedulers: [{}, {kind: 3}, 4, hybird]\n",
    );
    expect(found.map((message) => message.replace(/ \(.*?\)/, ""))).toEqual([
      "f.yaml:1: invalid trials: x",
      "f.yaml:2: invalid service: 3",
      "f.yaml:4: invalid engine.replicas: 0",
      "f.yaml:5: unknown key: engine.x",
      "f.yaml:6: unknown key: __proto__",
      "f.yaml:7: missing schedulers.0.kind",
      "f.yaml:7: unknown scheduler: 3",
      "f.yaml:7: unknown scheduler: 4",
      "f.yaml:7: unknown scheduler: hybird — did you mean hybrid?",
    ]);
  });

  test("options without a kind are those of any kind", async () => {
    expect(await issues("workload: {promptTokens: {p: .5}}")).toEqual([]);
    expect(await issues("workload: {promptTokens: {kind: fixed, p: .5}}")).toEqual([
      "f.yaml:1: unknown key: workload.promptTokens.p (fixed has: kind, tokens)",
    ]);
    expect((await issues("service: {cMs: -1}"))[0]).toMatch(/^f\.yaml:1: invalid service\.cMs: -1 /);
  });
});

test("true and false are the words true and false, in YAML and JSON, and nothing else is", async () => {
  for (const text of [
    "engine: {async: true}",
    '{"engine": {"async": false}}',
    "engine: {async: none}",
    "engine: {async: null}",
  ])
    expect(await issues(text)).toEqual([]);
  const { values } = await fileLayer("engine: {async: true}", "f.yaml", "study");
  expect(values).toEqual({ engine: { async: true } });
  for (const text of ["yes", '"true"', "1", "0", "on", "[true]", "{a: true}", "True!"]) {
    const found = await issues(`engine: {async: ${text}}`);
    expect([text, found]).toEqual([
      text,
      [expect.stringMatching(/^f\.yaml:1: invalid engine\.async: \S.* \(true or false, or none\)$/)],
    ]);
  }
  expect(await issues("engine: {chunkSize: true}")).toEqual([
    expect.stringContaining("invalid engine.chunkSize: true (an integer"),
  ]);
});

/** A value that an option allows. */
function allowedBy(option: OptionSpec): fc.Arbitrary<unknown> {
  const { kind, min = -1e9, max = 1e9, above, below } = option;
  const integer = fc.integer({ min: Math.ceil(Math.max(min, -1e9)), max: Math.floor(Math.min(max, 1e9)) });
  const number = fc
    .double({ min, max, noNaN: true })
    .filter((value) => !(above && value === min) && !(below && value === max));
  const value =
    kind === "choice"
      ? fc.constantFrom(...option.choices!)
      : kind === "integer"
        ? integer
        : kind === "number"
          ? number
          : kind === "text"
            ? fc.string({ minLength: 1 })
            : kind === "boolean"
              ? fc.boolean()
              : fc.array(kind === "integers" ? integer : number, { maxLength: 4 });
  return option.nullable ? fc.oneof(value, fc.constant(null), fc.constant("none")) : value;
}
const objectOf = (options: readonly OptionSpec[]): fc.Arbitrary<object> =>
  fc.record(Object.fromEntries(options.map((option) => [option.key, allowedBy(option)])), {
    requiredKeys: [],
  });

test("whatever the option lists allow, the schema allows", async () => {
  const specs = (family: keyof Registry): fc.Arbitrary<object> =>
    fc.oneof(
      ...builtIn[family].map((member) =>
        objectOf(member.options).map((options) => ({ ...options, kind: member.name })),
      ),
    );
  const study = fc.record(
    {
      workload: fc.record({
        arrivals: specs("arrivals"),
        promptTokens: specs("lengths"),
        outputTokens: specs("lengths"),
      }),
      service: specs("serviceTimes"),
      engine: fc
        .tuple(objectOf(ENGINE_OPTIONS), specs("disciplines"), specs("routers"))
        .map(([engine, discipline, router]) => ({ ...engine, discipline, router })),
      conventions: fc.oneof(fc.constantFrom("standard", "reference"), objectOf(CONVENTION_OPTIONS)),
      horizon: objectOf(HORIZON_OPTIONS),
      schedulers: fc.array(fc.oneof(fc.constantFrom("decode", "hybrid"), specs("schedulers")), {
        minLength: 1,
        maxLength: 3,
      }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(study, objectOf(STUDY_OPTIONS), async (parts, settings) => {
      expect(await issues(JSON.stringify({ ...parts, ...settings }))).toEqual([]);
    }),
    { numRuns: 20 * TIMES },
  );
});

test("any text is read or has issues that name the file", async () => {
  const piece = fc.constantFrom(
    "engine: ",
    "service: ",
    "kind: ",
    "affine",
    "{",
    "}",
    "[",
    "]",
    ", ",
    "\n",
    "  ",
    "- ",
    "schedulers: ",
    "workload: ",
    "conventions: ",
    "promptTokens: ",
    "1",
    ".nan",
    "&a ",
    "*a",
    "__proto__: ",
    "null",
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 15 }),
      fc.constantFrom<"study" | "scenario">("study", "scenario"),
      async (pieces, kind) => {
        for (const message of await issues(pieces.join(""), kind))
          expect(message).toMatch(/^(?:invalid )?f\.yaml:.*$/);
      },
    ),
    { numRuns: 50 * TIMES },
  );
});

test("a plugin's options are checked like ours, and published", async () => {
  const plugin: Registry = {
    ...builtIn,
    serviceTimes: [
      ...builtIn.serviceTimes,
      {
        ...builtIn.serviceTimes[0]!,
        name: "tabulated",
        options: [{ key: "points", kind: "numbers", min: 0, unit: "ms", summary: "a table" }],
      },
    ],
  };
  expect(await issues("service: {kind: tabulated, points: [1, 2]}", "study", plugin)).toEqual([]);
  expect(await issues("service: {kind: tabulated, points: [-1]}", "study", plugin)).toEqual([
    "f.yaml:1: invalid service.points: [-1] (a list of numbers at least 0)",
  ]);
  expect(jsonSchemas(plugin).get("study.schema.json")).toContain("a table (ms)");
  expect(jsonSchemas().get("study.schema.json")).not.toContain("tabulated");
});

describe("published JSON Schemas", () => {
  const parsed = (name: string): unknown => JSON.parse(jsonSchemas().get(`${name}.schema.json`)!);

  test("four of them, self-contained and closed", () => {
    expect([...jsonSchemas().keys()]).toEqual([
      "study.schema.json",
      "scenario.schema.json",
      "hardware.schema.json",
      "run-output.schema.json",
    ]);
    for (const name of ["study", "scenario", "hardware", "run-output"]) {
      const schema = parsed(name) as Record<string, unknown>;
      expect(schema).toMatchObject({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
      });
      expect(schema.title).toMatch(/^llmsim /);
    }
    expect(parsed("study")).toMatchObject({ additionalProperties: false });
    expect(parsed("scenario")).toMatchObject({
      additionalProperties: false,
      required: ["workload", "service"],
    });
  });

  test("have summary, unit, range, choices and default for completion", () => {
    expect(parsed("study")).toMatchObject({
      properties: {
        engine: {
          properties: {
            maxTokens: {
              type: "integer",
              minimum: 1,
              maximum: 2147483647,
              default: 2048,
              description: "token budget of an iteration (tokens)",
            },
            chunkSize: { anyOf: [{ type: "integer" }, { type: "null" }, { const: "none" }], default: null },
          },
        },
        horizon: { properties: { tmaxSeconds: { exclusiveMinimum: 0, default: 5000 } } },
        conventions: {
          anyOf: [{ enum: ["standard", "reference"] }, { properties: { tbt: { enum: ["gaps", "tokens"] } } }],
        },
      },
    });
    const scenario = parsed("scenario") as {
      properties: { service: { oneOf: { properties: { kind: object }; required: string[] }[] } };
    };
    const kinds = scenario.properties.service.oneOf;
    expect(kinds.map(({ properties }) => properties.kind)).toMatchObject(
      builtIn.serviceTimes.map(({ name, summary }) => ({ const: name, description: summary })),
    );
    expect(kinds.map(({ required }) => required)).toEqual(
      builtIn.serviceTimes.map(({ options }) => [
        "kind",
        ...options.filter((option) => option.default === undefined).map(({ key }) => key),
      ]),
    );
  });

  test("describe every key", () => {
    const described = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return;
      for (const [key, below] of Object.entries(node)) {
        if (key === "properties")
          for (const [name, schema] of Object.entries(
            below as Record<string, { description?: string; not?: object }>,
          ))
            expect(schema.description ?? schema.not, `${path}.${name}`).toBeDefined();
        described(below, `${path}.${key}`);
      }
    };
    described(parsed("study"), "study");
    described(parsed("scenario"), "scenario");
    described(parsed("hardware"), "hardware");
  });

  test("the document of --json", () => {
    const summary = { mean: 1, sd: null, ci95_low: null, ci95_high: null, n: 1 };
    const all = (each: object): object => Object.fromEntries(METRICS.map(({ name }) => [name, each]));
    const document = {
      command: "run",
      scenario: "demo2",
      seed: 1,
      trials: 1,
      conventions: STANDARD,
      results: [
        {
          scheduler: "hybrid",
          t_max_s: 5,
          lambda_qps: 2,
          chunk_size: null,
          ratio: 0.5,
          trials: 1,
          metrics: all({ ...summary, values: [1, null] }),
        },
      ],
      differences: [
        {
          scheduler: "hybrid",
          to: "decode-prioritizing",
          metrics: all(summary),
          verdict: "not resolved",
          trials_to_resolve: null,
        },
      ],
    };
    const schema = runOutputSchema(z);
    expect(schema.safeParse(document).error).toBeUndefined();
    expect(
      schema.safeParse({ ...document, results: [{ ...document.results[0], metrics: { nonsense: summary } }] })
        .success,
    ).toBe(false);
    expect(schema.safeParse({ ...document, seed: -1 }).success).toBe(false);
    expect(JSON.stringify(parsed("run-output"))).toContain(METRICS[0]!.summary);
  });
});

test("schemas and trees are of one make: every key of the tree is in the schema, and no other", () => {
  for (const [schema, tree] of [
    [studySchema(z, builtIn), studyTree(builtIn)],
    [scenarioSchema(z, builtIn), scenarioTree(builtIn)],
    [hardwareSchema(z, builtIn), hardwareTree(builtIn)],
  ] as const)
    expect(Object.keys((schema as z.ZodObject).shape)).toEqual([...tree.children.keys()]);
  const scheduler = studyTree(builtIn).children.get("scheduler") as GroupNode;
  expect([...scheduler.children.keys()]).toEqual(
    optionsOf({ type: "spec", noun: "", summary: "", family: builtIn.schedulers }).map(({ key }) => key),
  );
});
