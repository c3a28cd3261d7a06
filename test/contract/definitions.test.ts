/**
 * What every definition owes, of whatever family: help, validation, schema and completion are made of it, so
 * its words must be there, its examples must pass its own check, and each option must refuse what it says.
 */
import { describe, expect, test } from "vitest";
import { allowed, checkOptions, checkSpec, withDefaults } from "../../src/core/options/check-options.js";
import { CONVENTION_OPTIONS, ENGINE_OPTIONS, HORIZON_OPTIONS } from "../../src/core/configuration/config.js";
import type { Definition, OptionSpec, Spec } from "../../src/core/options/definition.js";
import { builtIn, member } from "../../src/core/configuration/registry.js";

const families: [string, readonly Definition<unknown>[]][] = Object.entries(builtIn);
const members = families.flatMap(([family, definitions]) =>
  definitions.map((definition) => [`${family}/${definition.name}`, definition, definitions] as const),
);
const options = [
  ...members.flatMap(([path, { options }]) =>
    options.map((option) => [`${path}.${option.key}`, option] as const),
  ),
  ...Object.entries({
    engine: ENGINE_OPTIONS,
    conventions: CONVENTION_OPTIONS,
    horizon: HORIZON_OPTIONS,
  }).flatMap(([group, list]) => list.map((option) => [`${group}.${option.key}`, option] as const)),
];

describe.each(families)("family %s", (_, definitions) => {
  test("has members, each with a name and a short name of its own", () => {
    expect(definitions.length).toBeGreaterThan(0);
    const names = definitions.map(({ name }) => name);
    const shorts = definitions.flatMap(({ short }) => short ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(shorts).size).toBe(shorts.length);
  });

  test("stands in the order of lists: by `order`, then by name", () => {
    const places = definitions.map(({ order }) => order ?? Infinity);
    for (let i = 1; i < places.length; i++) {
      expect(places[i]).toBeGreaterThanOrEqual(places[i - 1]);
      if (places[i] === places[i - 1]) expect(definitions[i].name > definitions[i - 1].name).toBe(true);
    }
  });

  test("is looked up by name; a name nobody has is a RangeError", () => {
    for (const definition of definitions) expect(member(definitions, definition.name)).toBe(definition);
    expect(() => member(definitions, "nobody")).toThrow(new RangeError("no member named nobody"));
  });
});

describe.each(members)("definition %s", (_, definition, family) => {
  const check = (spec: Spec): string[] =>
    checkSpec(family, spec, "member", "here").map((issue) => `${issue.key} | ${issue.message}`);

  test("says what it is and where it comes from, in names fit for files and flags", () => {
    expect(definition.name).toMatch(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/);
    if (definition.short !== undefined) expect(definition.short).toMatch(/^[a-z][a-z0-9]*$/);
    expect(definition.summary).toMatch(/\S{2}/);
    expect(definition.source).toMatch(/\S/);
    expect(new Set(definition.options.map(({ key }) => key)).size).toBe(definition.options.length);
  });

  test("has examples, which are of its kind, pass its check and can be made", () => {
    expect(definition.examples.length).toBeGreaterThan(0);
    for (const example of definition.examples) {
      expect(example.kind).toBe(definition.name);
      const spec = withDefaults(definition.options, example);
      expect(check(spec)).toEqual([]);
      expect(definition.create(spec)).toBeTypeOf("object");
    }
  });

  test("refuses unknown keys, __proto__ among them, by name", () => {
    const spec = withDefaults(definition.options, definition.examples[0]);
    expect(check({ ...spec, surprise: 1 })).toEqual([
      expect.stringContaining("here.surprise | unknown key: here.surprise (one of: kind"),
    ]);
    const hostile = JSON.parse('{"__proto__": {"kind": "x"}}') as object;
    expect(check({ ...spec, ...hostile })).toEqual([
      expect.stringContaining("unknown key: here.__proto__ (one of: kind"),
    ]);
  });

  test("asks for each option that has no default", () => {
    for (const option of definition.options.filter((option) => option.default === undefined)) {
      const spec = withDefaults(definition.options, definition.examples[0]);
      const rest = Object.fromEntries(Object.entries(spec).filter(([key]) => key !== option.key));
      expect(check(rest as Spec)).toContain(
        `here.${option.key} | missing here.${option.key} (${allowed(option)})`,
      );
    }
  });
});

/** Values that an option must refuse, as the option itself says. */
function bad(option: OptionSpec): unknown[] {
  const values: unknown[] = [
    ...(option.kind === "boolean" ? [] : [true]),
    {},
    undefined,
    () => 1,
    10n,
    "no such choice",
    ...(option.nullable ? [] : [null]),
  ];
  if (option.kind === "text") return [...values.filter((value) => typeof value !== "string"), "", 1, ["x"]];
  if (option.kind === "choice") return [...values, 1, `${option.choices![0]!.toUpperCase()}!`];
  if (option.kind === "boolean") return [...values, 0, 1, "true", "false", [], [true]];
  const list = option.kind === "integers" || option.kind === "numbers";
  const numbers: unknown[] = [NaN, Infinity, -Infinity, "1"];
  if (option.kind === "integer" || option.kind === "integers") numbers.push(1.5, 1e308, 2 ** 53);
  if (option.min !== undefined) numbers.push(option.above ? option.min : option.min - 1, -1e308);
  if (option.max !== undefined) numbers.push(option.below ? option.max : option.max + 1, 1e308);
  return list ? [...values, 1, ...numbers.map((value) => [value])] : [...values, [], [1], ...numbers];
}

/** Values at the ends of what it allows. */
function good(option: OptionSpec): unknown[] {
  const values: unknown[] = option.nullable ? [null] : [];
  if (option.default !== undefined) values.push(option.default);
  if (option.kind === "choice") return [...values, ...option.choices!];
  if (option.kind === "text") return [...values, "a", "none", "2"];
  if (option.kind === "boolean") return [...values, true, false];
  const numbers: number[] = [];
  if (option.min !== undefined && !option.above) numbers.push(option.min);
  if (option.max !== undefined && !option.below) numbers.push(option.max);
  if (option.min === 0) numbers.push(option.kind.startsWith("integer") ? 1 : 0.5);
  return option.kind.endsWith("s")
    ? [...values, ...numbers.map((n) => [n]), numbers]
    : [...values, ...numbers];
}

describe.each(options)("option %s", (_, option) => {
  const issues = (value: unknown): string[] =>
    checkOptions([option], { [option.key]: value }, "").map(({ message }) => message);

  test("says what it is", () => {
    expect(option.key).toMatch(/^[a-z][A-Za-z0-9]*$/);
    expect(option.summary).toMatch(/\S{2}/);
    if (option.kind === "choice") expect(option.choices!.length).toBeGreaterThan(0);
    if (option.min !== undefined && option.max !== undefined) expect(option.min).toBeLessThan(option.max);
  });

  test("takes its default and both ends of its range", () => {
    for (const value of good(option)) expect([value, issues(value)]).toEqual([value, []]);
  });

  test("refuses everything else, with key, value and what is allowed", () => {
    for (const value of bad(option)) {
      const found = issues(value);
      expect([value, found.length]).toEqual([value, 1]);
      expect(found[0]).toMatch(value === undefined ? /^missing / : /^invalid /);
      expect(found[0]).toContain(option.key);
      expect(found[0]).toContain(`(${allowed(option)})`);
    }
  });
});

test("what is allowed, in words", () => {
  const words = (option: Partial<OptionSpec>): string =>
    allowed({ key: "k", kind: "number", summary: "", ...option });
  expect(words({})).toBe("a number");
  expect(words({ min: 0, above: true, max: 1, below: true })).toBe("a number above 0 and below 1");
  expect(words({ kind: "integer", min: 1, nullable: true })).toBe("an integer at least 1, or none");
  expect(words({ kind: "integers", max: 9 })).toBe("a list of integers at most 9");
  expect(words({ kind: "numbers" })).toBe("a list of numbers");
  expect(words({ kind: "text" })).toBe("a text");
  expect(words({ kind: "boolean" })).toBe("true or false");
  expect(words({ kind: "boolean", nullable: true })).toBe("true or false, or none");
  expect(words({ kind: "choice", choices: ["a", "b"] })).toBe("one of: a, b");
});

test("without bounds a number must still be one", () => {
  const option: OptionSpec = { key: "k", kind: "number", summary: "anything" };
  for (const value of [NaN, Infinity, -Infinity])
    expect(checkOptions([option], { k: value }, "")).toEqual([
      { key: "k", message: `invalid k: ${value} (a number)` },
    ]);
  for (const value of [0, -1e308, 5e-324]) expect(checkOptions([option], { k: value }, "")).toEqual([]);
});
