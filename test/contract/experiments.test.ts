/** What every experiment owes: options that are declared once, with values of the type that the declaration promises. */
import { describe, expect, expectTypeOf, test } from "vitest";
import type { Issue } from "../../src/core/errors.js";
import { EXPERIMENTS as LISTED } from "../../src/experiments/index.js";
import type { Experiment, ExperimentContext } from "../../src/experiments/interface/experiment.js";
import type {
  ExperimentOption,
  ExperimentOptions,
  OptionsOf,
} from "../../src/experiments/interface/options.js";
import type { plan } from "../../src/experiments/plan/plan.js";
import type { stability } from "../../src/experiments/stability/stability.js";
import { camelCase, optionValues } from "../../src/flags/options.js";

const commands = await Promise.all(LISTED.map((listed) => listed.load()));
const every = commands.flatMap((experiment) => [
  [experiment.name, experiment] as const,
  ...(experiment.variant ? [[`the variant of ${experiment.name}`, experiment.variant] as const] : []),
]);

const isNumbers = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === "number");
const isTexts = (value: unknown): boolean =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
const isText = (value: unknown): boolean => typeof value === "string";
/** What the types say of the values of each kind (interface/options.ts), and a text that is one. */
const KINDS: Readonly<
  Record<
    ExperimentOption["kind"],
    readonly [is: (value: unknown) => boolean, given: string | string[] | true]
  >
> = {
  integer: [Number.isInteger, "17"],
  number: [(value) => typeof value === "number", "0.015"],
  boolean: [(value) => typeof value === "boolean", "true"],
  choice: [isText, ""],
  integers: [isNumbers, "1,2"],
  numbers: [isNumbers, "1,2"],
  text: [isText, "word"],
  flag: [(value) => typeof value === "boolean", true],
  list: [isNumbers, "1,2"],
  values: [isTexts, "none,2"],
  file: [isText, "a.csv"],
  input: [isText, "a.csv"],
  metric: [isText, "ttft_mean_s"],
  conditions: [isTexts, ["ttft_mean_s<1"]],
  vary: [isTexts, ["engine.maxTokens=1,2"]],
  with: [isTexts, ["demo3"]],
};

describe.each(every)("the options of %s", (_, experiment) => {
  const values = (flags: Record<string, string | string[] | true>) => {
    const issues: Issue[] = [];
    const found = optionValues(experiment, flags, issues);
    expect(issues).toEqual([]);
    return found;
  };

  test("have a key, a flag and a summary each", () => {
    for (const part of ["key", "flag"] as const)
      expect(new Set(experiment.options.map((option) => option[part])).size).toBe(experiment.options.length);
    for (const { key, flag, kind, summary } of experiment.options) {
      expect(key).toMatch(/^[a-z][A-Za-z0-9]*$/);
      expect(flag).toMatch(kind === "flag" ? /^--[a-z][a-z-]*$/ : /^--[a-z][a-z-]* <[^<>]+>$/);
      expect(summary).toMatch(/\S{2}/);
    }
  });

  test("not given: null, but for those that have a default, and flags", () => {
    const found = values({});
    expect(Object.keys(found)).toEqual(experiment.options.map(({ key }) => key));
    for (const { key, kind, default: usual } of experiment.options)
      if (usual === undefined && kind !== "flag") expect(found[key]).toBeNull();
      else expect([key, KINDS[kind][0](found[key])]).toEqual([key, true]);
  });

  test("given: of the type that the kind says", () => {
    for (const { key, flag, kind, choices } of experiment.options) {
      const found = values({ [camelCase(flag)]: choices ? choices[0]! : KINDS[kind][1] });
      expect([key, KINDS[kind][0](found[key])]).toEqual([key, true]);
    }
  });

  test("only what asks for a variant is sure to be given", () => {
    const asking = experiment.options.filter(({ asks }) => asks).map(({ key }) => key);
    const isVariant = commands.some(({ variant }) => variant === experiment);
    expect(asking).toEqual(isVariant ? [experiment.options[0]!.key] : []);
  });
});

test("`run` sees the types of what is declared", () => {
  const declared = [
    { key: "size", flag: "--size <n>", kind: "integer", summary: "a number" },
    { key: "most", flag: "--most <n>", kind: "integer", default: 3, summary: "one with a default" },
    { key: "how", flag: "--how <w>", kind: "choice", choices: ["fast", "slow"], summary: "a choice" },
    { key: "why", flag: "--why <w>", kind: "choice", choices: ["a", "b"], default: "a", summary: "a choice" },
    { key: "sizes", flag: "--sizes <l>", kind: "list", default: "1:3", summary: "a list" },
    { key: "words", flag: "--words <l>", kind: "values", summary: "words" },
    { key: "loud", flag: "--loud", kind: "flag", summary: "a flag" },
    { key: "folder", flag: "--folder <dir>", kind: "text", asks: true, summary: "always given" },
  ] as const satisfies ExperimentOptions;
  expectTypeOf<OptionsOf<typeof declared>>().toEqualTypeOf<{
    readonly size: number | null;
    readonly most: number;
    readonly how: "fast" | "slow" | null;
    readonly why: "a" | "b";
    readonly sizes: readonly number[];
    readonly words: readonly string[] | null;
    readonly loud: boolean;
    readonly folder: string;
  }>();
  type Values = Parameters<Experiment<typeof declared>["run"]>[0]["options"];
  expectTypeOf<Values>().toEqualTypeOf<OptionsOf<typeof declared>>();
  expectTypeOf<Values>().not.toHaveProperty("other");
  expect(declared.map(({ key }) => key)).toEqual([...new Set(declared.map(({ key }) => key))]);
  expectTypeOf<Parameters<(typeof plan)["run"]>[0]["options"]["maxReplicas"]>().toEqualTypeOf<number>();
  type Method = Parameters<(typeof stability)["run"]>[0]["options"]["method"];
  expectTypeOf<Method>().toEqualTypeOf<"drift" | "trend">();
});

test("an experiment of declared options stands where any is asked for; of any, the values may be any", () => {
  expectTypeOf<typeof plan>().toExtend<Experiment>();
  expectTypeOf<ExperimentContext["options"][string]>().toEqualTypeOf<
    number | string | boolean | readonly number[] | readonly string[] | null
  >();
});
