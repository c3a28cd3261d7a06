/** Number lists of the command line. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MOST_VALUES, numberOrText, parseList } from "../../src/config/lists.js";
import { ConfigError } from "../../src/core/errors.js";

const list = (text: string): number[] => parseList(text, "--sizes");
const problem = (text: string): string => {
  try {
    return `none: ${list(text).length} values`;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
};

describe("what a list means", () => {
  test.each<[string, number[]]>([
    ["8", [8]],
    [" 8 , 16 ", [8, 16]],
    ["5,3,5", [5, 3, 5]],
    ["0.1:0.9:0.1", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]],
    ["0:1:0.25", [0, 0.25, 0.5, 0.75, 1]],
    ["0.1:0.25:0.1", [0.1, 0.2]],
    ["-0.2:0.2:0.1", [-0.2, -0.1, 0, 0.1, 0.2]],
    ["1e-3:3e-3:1e-3", [0.001, 0.002, 0.003]],
    ["1e2:3E+2:100.", [100, 200, 300]],
    ["1:3:1,10", [1, 2, 3, 10]],
    ["2:2:1", [2]],
    ["8:512:x2", [8, 16, 32, 64, 128, 256, 512]],
    ["1:10:×3", [1, 3, 9]],
    ["1.5:4:x1.5", [1.5, 2.25, 3.375]],
    ["8,16,...,512", [8, 16, 32, 64, 128, 256, 512]],
    ["8,16,…,64", [8, 16, 32, 64]],
    ["8,16,...,16", [8, 16]],
    ["8,16,24,...,64", [8, 16, 24, 32, 40, 48, 56, 64]],
    ["1,2,4,...,16", [1, 2, 4, 8, 16]],
    ["1,2,...,10", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ["0.1,0.2,...,0.5", [0.1, 0.2, 0.3, 0.4, 0.5]],
    ["0.001,0.01,...,10", [0.001, 0.01, 0.1, 1, 10]],
    ["-2,-1,...,1", [-2, -1, 0, 1]],
    ["0,5,...,10", [0, 5, 10]],
    ["1e308", [1e308]],
    ["-0", [0]],
  ])("%s", (text, values) => {
    expect(list(text)).toEqual(values);
    expect(list(text).some((value) => Object.is(value, -0))).toBe(false);
  });
});

describe("what is no list", () => {
  test.each<[string, RegExp]>([
    ["", /^invalid --sizes: "" \(empty; a list is a,b,c or /],
    ["  ", /empty/],
    ["1,,2", /a number is missing/],
    ["1,", /a number is missing/],
    ["a", /^invalid --sizes: a \(a is not a number; /],
    ["1 2", /1 2 is not a number/],
    ["NaN", /not a number/],
    ["Infinity", /not a number/],
    ["1e309", /not a number/],
    ["1e999999999", /not a number/],
    ["1e-999999999", /not a number/],
    ["0x10", /not a number/],
    ["1_000", /not a number/],
    ["9".repeat(1_000_000), /not a number/],
    ["1:2", /a range is start:end:step/],
    ["1:2:3:4", /a range is start:end:step/],
    ["::", /a number is missing/],
    ["1:2:0", /the step is zero/],
    ["2:1:1", /descending/],
    ["1:2:-1", /descending: the step is negative/],
    ["1:2:x1", /the factor must be above 1/],
    ["1:2:x-2", /the factor must be above 1/],
    ["1:2:x", /a number is missing/],
    ["0:8:x2", /a list by factors starts above 0/],
    ["1:10001:1", /more than 10000 values/],
    ["1:1e300:1e-300", /more than 10000 values/],
    ["1:1e300:x1.0001", /more than 10000 values/],
    ["1,2,...,20000", /more than 10000 values/],
    ["...,8", /an ellipsis stands between/],
    ["8,...,512", /an ellipsis stands between/],
    ["8,16,...", /an ellipsis stands between/],
    ["8,16,...,512,1024", /an ellipsis stands between/],
    ["1,2,...,4,...,8", /an ellipsis stands between/],
    ["8,16,...,500", /does not reach the last/],
    ["1,2,4,...,50", /does not reach the last/],
    ["16,8,...,2", /descending/],
    ["8,8,...,16", /descending/],
    ["8,16,...,4", /descending/],
    [Array(10_001).fill("1").join(","), /more than 10000 values/],
    [Array(3000).fill("1:10000:1").join(","), /more than 10000 values/],
  ])("%.30s", (text, message) => {
    expect(problem(text)).toMatch(message);
    expect(problem(text).length).toBeLessThan(300);
  });
});

describe("laws", () => {
  const decimal = fc.tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 0, max: 6 }));

  test("a list of plain numbers is those numbers", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 20 }), (values) => {
        expect(list(values.map(String).join(","))).toEqual(values.map((value) => value + 0));
      }),
    );
  });

  test("every value of a range is the decimal that a person would write", () => {
    fc.assert(
      fc.property(
        decimal,
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 0, max: 200 }),
        (start, step, count) => {
          const [digits, decimals] = start;
          const write = (scaled: number): string => `${scaled}e-${decimals}`;
          const values = list(`${write(digits)}:${write(digits + step * count)}:${write(step)}`);
          expect(values).toEqual(
            Array.from({ length: count + 1 }, (_, i) => Number(write(digits + step * i)) + 0),
          );
        },
      ),
    );
  });

  test("any text is a list of finite numbers or a ConfigError", () => {
    const piece = fc.constantFrom(
      "1",
      "2",
      "0.5",
      "-",
      "e",
      ":",
      ",",
      "...",
      "x",
      " ",
      "NaN",
      "9".repeat(50),
      "…",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        if (problem(text).startsWith("none")) {
          const values = list(text);
          expect(values.length).toBeGreaterThan(0);
          expect(values.length).toBeLessThanOrEqual(MOST_VALUES);
          expect(values.every(Number.isFinite)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test.each<[string, number | string]>([
  ["512", 512],
  [" -3 ", -3],
  ["1e3", 1000],
  ["-0", 0],
  ["", ""],
  ["abc", "abc"],
  ["1e999", "1e999"],
  ["0x10", "0x10"],
  ["Infinity", "Infinity"],
])("numberOrText %j is %j", (text, value) => expect(numberOrText(text)).toBe(value));
