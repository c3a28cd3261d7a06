/** JSON values cut out of text in pieces: the same as JSON.parse finds, wherever the pieces end. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonPiece, JsonValues } from "../../src/io/json-values.js";

function cut(text: string, isArray: boolean, size = 1e9, longest = 1e9): JsonPiece[] {
  const values = new JsonValues(isArray, 1, longest);
  const found: JsonPiece[] = [];
  for (let at = 0; at < text.length; at += size) found.push(...values.feed(text.slice(at, at + size)));
  return [...found, ...values.end()];
}
const parsed = (pieces: readonly JsonPiece[]): unknown[] =>
  pieces.map(({ text, problem }) => (problem === undefined ? (JSON.parse(text) as unknown) : problem));
const objects = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 6 });

test("elements of an array, and values one after the other, are what was written", () => {
  fc.assert(
    fc.property(objects, fc.integer({ min: 1, max: 40 }), fc.constantFrom(0, 1, 2), (list, size, indent) => {
      const expected = JSON.parse(JSON.stringify(list)) as unknown[];
      expect(parsed(cut(JSON.stringify(list, null, indent), true, size))).toEqual(expected);
      const lines = list.map((one) => JSON.stringify(one, null, indent)).join("\n");
      expect(parsed(cut(lines, false, size))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("each is told with the line that it begins in", () => {
  const text = '\n[\n  {"a": "]}\\"{"},\n\n  {\n"b": [1, {}]}, {}\n]\n';
  expect(cut(text, true).map(({ number, text: value }) => [number, value.replace(/\s/g, "")])).toEqual([
    [3, '{"a":"]}\\"{"}'],
    [5, '{"b":[1,{}]}'],
    [6, "{}"],
  ]);
});

describe("what is none is told", () => {
  test.each<[string, string, boolean, [number, string][]]>([
    ["numbers in an array", "[\n1, 2,\n{}]", true, [[2, "not a JSON object"]]],
    ["words between values", "{}\nno\n{}", false, [[2, "not a JSON object"]]],
    ["something after the array", "[{}]\n{}", true, [[2, "not a JSON object"]]],
    ["an object cut off", '[{"a": 1},\n{"b": ', true, [[2, "JSON that does not end: the file is cut off"]]],
    ["a string cut off", '{"a": "x}', false, [[1, "JSON that does not end: the file is cut off"]]],
    ["an array cut off", '[{"a": 1},\n', true, [[2, "JSON that does not end: the file is cut off"]]],
    ["a bracket too many", "[{}]]", true, [[1, "not a JSON object"]]],
  ])("%s", (_, text, isArray, expected) => {
    for (const size of [1, 3, 1e9]) {
      const problems = cut(text, isArray, size).filter(({ problem }) => problem !== undefined);
      expect(problems.slice(0, 1).map(({ number, problem }) => [number, problem])).toEqual(expected);
    }
  });

  test("a value that is too long, and that nothing follows it", () => {
    const [piece] = cut(`[{"a": "${"x".repeat(100)}`, true, 20, 50);
    expect(piece).toEqual({
      text: "",
      number: 1,
      problem: "a value longer than 50 characters",
      isLast: true,
    });
  });
});
