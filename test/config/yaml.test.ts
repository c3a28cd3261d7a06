/** YAML and JSON as untrusted text: values with their lines, or issues with file, line and column. */
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { DEEPEST_NESTING, LONGEST_TEXT } from "../../src/config/nesting.js";
import { parseText } from "../../src/config/yaml.js";
import { ConfigError } from "../../src/core/errors.js";

const value = async (text: string): Promise<unknown> => (await parseText(text, "my.yaml")).value;
const problem = async (text: string): Promise<string> => {
  try {
    await parseText(text, "my.yaml");
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "none";
};

describe("values", () => {
  test("YAML 1.2: no dates, no yes and no, no sexagesimals", async () =>
    expect(
      await value(
        "a: .inf\nb: .nan\nc: -0\nd: 1e308\ne: 0x10\nf: yes\ng: 2020-01-01\nh: 1:30\ni: ~\nj:\nk: 1_000",
      ),
    ).toEqual({
      a: Infinity,
      b: NaN,
      c: -0,
      d: 1e308,
      e: 16,
      f: "yes",
      g: "2020-01-01",
      h: "1:30",
      i: null,
      j: null,
      k: "1_000",
    }));

  test("JSON, also indented with tabs", async () =>
    expect(await value('{\n\t"a": [1, 2.5, "x", null, true],\n\t"b": {"c": "\\u03bb"}\n}\n')).toEqual({
      a: [1, 2.5, "x", null, true],
      b: { c: "λ" },
    }));

  test("byte order mark, CRLF, nothing at all", async () => {
    expect(await value("\ufeffa: 1\r\nb: 2\r\n")).toEqual({ a: 1, b: 2 });
    expect(await value("")).toBeNull();
    expect(await value("# nothing\n")).toBeNull();
  });

  test("__proto__ is an own key and touches no prototype", async () => {
    const parsed = (await value('{"__proto__": {"polluted": 1}, "constructor": 2}')) as object;
    expect(Object.keys(parsed)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

test("lines of keys, list elements and what aliases stand for", async () => {
  const text =
    "# title\nengine:\n  maxTokens: 5\n\n  chunkSize: &k\n    7\nlist:\n- a\n- kind: b\n  ratio: 1\nsame: &s {x: 1}\nalso: *s\n";
  const { lineOf } = await parseText(text, "x");
  const lines = (key: string): number | undefined => lineOf(key.split("."));
  expect(
    ["engine", "engine.maxTokens", "engine.chunkSize", "list", "list.0", "list.1.ratio"].map(lines),
  ).toEqual([2, 3, 5, 7, 8, 10]);
  expect(lines("also.x")).toBe(11);
  expect(["nope", "engine.nope", "engine.maxTokens.x", "list.2", "list.x"].map(lines)).toEqual(
    Array(5).fill(undefined),
  );
  expect(lineOf([])).toBeUndefined();
});

describe("what is refused", () => {
  test.each<[string, string, RegExp]>([
    ["truncated JSON", '{"a": 1', /^my\.yaml:1:8: flow map must end with a }$/],
    ["an open quote", 'a: 1\nb: "x', /^my\.yaml:2:\d+: missing closing "quote$/],
    ["an open list", "a: [1, 2\nb: 3", /^my\.yaml:\d+:\d+: /],
    [
      "a key twice",
      "a: 1\nb:\n  c: 1\n  c: 2\na: 3",
      /^my\.yaml:5:1: duplicate key: a\nmy\.yaml:4:3: duplicate key: c$/,
    ],
    ["a key twice in JSON", '{"a": 1, "a": 2}', /duplicate key: a/],
    ["an unknown tag", "a: !foo 3", /^my\.yaml:1:4: tags are not allowed: !foo$/],
    ["code in a tag", "a: !!js/function x", /tags are not allowed/],
    ["binary", "a: !!binary aGk=", /tags are not allowed/],
    ["two documents", "a: 1\n---\nb: 2", /^my\.yaml:\d+:\d+: source contains multiple documents/],
    ["an alias to nothing", "a: *x", /unresolved alias/],
    ["a list as key", "? [a]\n: 1", /^my\.yaml:1:3: /],
    ["tabs for indentation", "a:\n\tb: 1", /^my\.yaml:2:1: tabs are not allowed as indentation$/],
  ])("%s", async (_, text, message) => expect(await problem(text)).toMatch(message));

  test("a thousand laughs", async () => {
    const levels = Array.from({ length: 8 }, (_, i) => {
      const name = String.fromCharCode(97 + i);
      const before = i === 0 ? "lol" : `*${String.fromCharCode(96 + i)}`;
      return `${name}: &${name} [${Array(9).fill(before).join(", ")}]`;
    });
    expect(await problem(levels.join("\n"))).toBe("my.yaml: too many aliases (at most 100)");
  });

  test.each<[string, string]>([
    ["lists", "[".repeat(10_000)],
    ["closed lists", "[".repeat(5_000) + "]".repeat(5_000)],
    ["maps", '{"a":'.repeat(10_000)],
    ["dashes", "- ".repeat(10_000)],
    ["dashes after a key", `a: ${"- ".repeat(10_000)}`],
    ["colons", `a: ${"b: ".repeat(10_000)}`],
    ["colons in a list", `[${"a:\n".repeat(10_000)}`],
    ["stairs", Array.from({ length: 600 }, (_, i) => `${" ".repeat(i)}a:\n`).join("")],
    ["brackets that pretend to close", '["]":\n'.repeat(20_000)],
  ])("nesting without end: %s", async (_, text) => {
    expect(await problem(text)).toContain(`nested too deeply (at most ${DEEPEST_NESTING} levels)`);
  });

  test("nesting that is bearable is borne", async () => {
    const deep = "[".repeat(DEEPEST_NESTING) + "]".repeat(DEEPEST_NESTING);
    expect(await problem(deep)).toBe("none");
    expect(await problem(deep.replace("[", "[["))).toContain("nested too deeply");
    const stairs = Array.from({ length: 60 }, (_, i) => `${"  ".repeat(i)}a:\n`).join("");
    expect(await problem(stairs)).toBe("none");
  });

  test("a text that is too long", async () =>
    expect(await problem("x".repeat(LONGEST_TEXT + 1))).toBe(
      `my.yaml: too long: ${LONGEST_TEXT + 1} characters (at most ${LONGEST_TEXT})`,
    ));

  test("many keys are not compared each with each", async () => {
    const keys = 2000;
    /** Elements of lists that somebody may have looked at: 11 a key. All pairs would be a thousand a key. */
    let looked = 0;
    for (const name of ["some", "every", "find", "findIndex", "filter", "includes", "indexOf"] as const) {
      const own = Array.prototype[name] as (...given: unknown[]) => unknown;
      const spy = vi.spyOn(Array.prototype, name).mockImplementation(function (
        this: unknown[],
        ...given: unknown[]
      ) {
        looked += this.length;
        return own.apply(this, given) as never;
      });
      onTestFinished(() => spy.mockRestore());
    }
    await value(Array.from({ length: keys }, (_, i) => `key${i}: 1\n`).join(""));
    expect(looked).toBeGreaterThan(0);
    expect(looked).toBeLessThan(50 * keys);
  });

  test("at most ten errors are told", async () => {
    const message = await problem("a: 1\n".repeat(50));
    const lines = message.split("\n");
    expect([lines.length, lines.at(-1)]).toEqual([11, "my.yaml: … and 39 more"]);
  });
});

test("any JSON document comes back as it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (document) => {
      const text = JSON.stringify(document);
      fc.pre(!text.includes('"__proto__"'));
      const plain = JSON.parse(text) as unknown;
      expect(await value(text)).toEqual(plain);
    }),
    { numRuns: 200 },
  );
});

test("any text is parsed or refused with a ConfigError of single lines", async () => {
  const piece = fc.constantFrom(
    "a",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "\n",
    "  ",
    "&x ",
    "*x",
    "!t ",
    '"',
    "'",
    "|",
    ">",
    "#",
    "? ",
    "%YAML 1.1\n",
    "---\n",
    "\t",
    "\0",
    "\ufeff",
    "<<: ",
    "~",
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 25 }), async (pieces) => {
      const message = await problem(pieces.join(""));
      for (const line of message.split("\n"))
        expect(line === "none" || line.startsWith("my.yaml:")).toBe(true);
    }),
    { numRuns: 500 },
  );
});
