/** What a user's module hands over: read once, copied where it is plain data, told without running any of it. */
import { describe, expect, test } from "vitest";
import { fieldsOf, messageOf, plainCopy, shown } from "../../../src/core/configuration/foreign-values.js";

const throwing = (): never => {
  throw new Error("read");
};

describe("a copy", () => {
  test("of plain data is that data, and cannot be changed", () => {
    const given = { a: [1, "x", true, null, undefined, { b: [2] }] };
    const copy = plainCopy(given) as typeof given;
    expect(copy).toEqual(given);
    given.a[0] = 9;
    expect(copy.a[0]).toBe(1);
    for (const part of [copy, copy.a, copy.a[5], (copy.a[5] as { b: object }).b])
      expect(Object.isFrozen(part)).toBe(true);
  });

  const deep = [[[[[1]]]]];
  test.each<[string, unknown]>([
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a bigint", 1n],
    ["a long list", Array(10_001)],
    ["a list that pretends to be long", new Proxy([], { get: () => 2 ** 32 - 1 })],
    ["many fields", Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`k${i}`, 1]))],
  ])("of %s is none", (_, value) => {
    expect(typeof plainCopy(value)).toBe("symbol");
    expect(typeof (plainCopy({ value }) as { value: unknown }).value).toBe("symbol");
  });
  test("ends where it gets deep", () => {
    expect(typeof (plainCopy(deep) as unknown[][][][])[0]![0]![0]![0]).toBe("symbol");
  });
});

test("fields are read once, and throw what a getter throws", () => {
  let reads = 0;
  const given = {
    get a() {
      return ++reads;
    },
    get b() {
      return throwing();
    },
  };
  const fields = fieldsOf(given, ["a"]);
  expect([fields.a, fields.a, reads]).toEqual([1, 1, 1]);
  expect(() => fieldsOf(given, ["b"])).toThrow("read");
});

test.each<[unknown, string]>([
  ["text", "text"],
  [3, "3"],
  [null, "null"],
  [undefined, "undefined"],
  [10n, "10"],
  [throwing, "a function"],
  [Symbol("x"), "a symbol"],
  [{ toString: throwing }, "an object"],
])("a value in a message: %#", (value, words) => {
  expect(shown(value)).toBe(words);
});

test.each<[unknown, string]>([
  [new TypeError("no"), "no"],
  [7, "7"],
  [Object.defineProperty(new Error("x"), "message", { get: throwing }), "an error that cannot be read"],
  [new Proxy({}, { getPrototypeOf: throwing }), "an error that cannot be read"],
])("what an error says: %#", (error, words) => {
  expect(messageOf(error)).toBe(words);
});
