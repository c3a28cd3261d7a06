/** Python's own print of a value is read back, whatever the value; objects without a literal are kept as text. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAssignments, readPython, type PythonValue } from "../../../src/config/vllm/python.js";

/** What Python's repr does with a string. */
function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const characters = [...text].map((one) => {
    const code = one.codePointAt(0)!;
    if (one === "\\" || one === quote) return `\\${one}`;
    const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    if (one in named) return named[one];
    if (one === " " || !/^[\p{C}\p{Z}]$/u.test(one)) return one;
    const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${letter}${code.toString(16).padStart(digits as number, "0")}`;
  });
  return quote + characters.join("") + quote;
}

/** What Python's repr does with a double: a point always, an exponent from 1e16 on and below 1e-4. */
function float(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const size = Math.abs(value);
  if (size < 1e16 && size >= 1e-4) return Number.isInteger(value) ? `${value}.0` : String(value);
  const [digits, exponent] = value.toExponential().split("e");
  return `${digits}e${exponent![0]}${exponent!.slice(1).padStart(2, "0")}`;
}

/** A value, and how Python prints it. */
type Printed = readonly [PythonValue, string];

const word = fc.oneof(
  fc.constant<Printed>([null, "None"]),
  fc.boolean().map((value): Printed => [value, value ? "True" : "False"]),
  fc.maxSafeInteger().map((value): Printed => [value, String(value)]),
  fc.double().map((value): Printed => [value, float(value)]),
  fc.string({ unit: "binary" }).map((value): Printed => [value, quoted(value)]),
  fc
    .string({ unit: fc.constantFrom("'", '"', "\\", ",", ":", "{", "]", "(", " ", "a") })
    .map((value): Printed => [value, quoted(value)]),
  fc
    .constantFrom(
      "torch.bfloat16",
      "constructor",
      "PosixPath('/a, b')",
      "LoRA(name='x, y', path=\"a'b\")",
      "<Mode.FULL: (2, 1)>",
      "<class 'int'>",
      "b'x, y'",
      "datetime.timedelta(seconds=3)",
    )
    .map((text): Printed => [{ opaque: text }, text]),
);
const { value: printed } = fc.letrec<{ value: Printed }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    word,
    fc
      .array(tie("value"), { maxLength: 4 })
      .map((all): Printed => [all.map(([value]) => value), `[${all.map(([, text]) => text).join(", ")}]`]),
    fc
      .array(tie("value"), { maxLength: 4 })
      .map((all): Printed => [
        all.map(([value]) => value),
        all.length === 1 ? `(${all[0]![1]},)` : `(${all.map(([, text]) => text).join(", ")})`,
      ]),
    fc
      .uniqueArray(fc.tuple(fc.string({ unit: "binary" }), tie("value")), {
        selector: ([key]) => key,
        maxLength: 4,
      })
      .map((all): Printed => [
        new Map(all.map(([key, [value]]) => [key, value])),
        `{${all.map(([key, [, text]]) => `${quoted(key)}: ${text}`).join(", ")}}`,
      ]),
  ),
}));

describe("readPython", () => {
  test("reads back whatever Python prints, and minds nothing behind it", () => {
    fc.assert(
      fc.property(printed, fc.constantFrom("", ", 'more': 1}", "\r", "   "), ([value, text], behind) => {
        expect(readPython(text + behind), text).toEqual(value);
        expect(readPython(`pid=1) ${text}`, 7)).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test("what python3 printed of a dict with one of each", () => {
    const text = String.raw`{'a': "it's", 'b': 'say "hi"', 'c': 'both \' and "', 'd': 'tab\t nl\n nul\x00 \x7f é \u200b 😀 \ud800 \\', 'e': (1,), 'f': (), 'g': [], 'h': {}, 'i': {1}, 'j': 1e-05, 'k': 1e+16, 'l': -0.0, 'm': inf, 'n': -3, 'o': None, 'p': True, 'q': b"x, 'y", 'r': PosixPath('/a,b'), 's': <M.FULL: (2, 1)>, 't': L(name='x, y', path="a'b"), 'u': datetime.timedelta(seconds=3), 'v': {'x': [{'y': (1, 2.5, None)}]}, 'w': <class 'int'>, 3: 4, (1, 2): 't', 'z': nan}`;
    const read = readPython(text) as ReadonlyMap<PythonValue, PythonValue>;
    expect(Object.fromEntries([...read].filter(([key]) => typeof key === "string"))).toEqual({
      a: "it's",
      b: 'say "hi"',
      c: "both ' and \"",
      d: "tab\t nl\n nul\0 \x7f é \u200b 😀 \ud800 \\",
      e: [1],
      f: [],
      g: [],
      h: new Map(),
      i: [1],
      j: 1e-5,
      k: 1e16,
      l: -0,
      m: Infinity,
      n: -3,
      o: null,
      p: true,
      q: { opaque: `b"x, 'y"` },
      r: { opaque: "PosixPath('/a,b')" },
      s: { opaque: "<M.FULL: (2, 1)>" },
      t: { opaque: `L(name='x, y', path="a'b")` },
      u: { opaque: "datetime.timedelta(seconds=3)" },
      v: new Map([["x", [new Map([["y", [1, 2.5, null]]])]]]),
      w: { opaque: "<class 'int'>" },
      z: NaN,
    });
  });

  test("what is cut off or no such value cannot be read; nothing is evaluated", () => {
    const whole = "{'a': [1, ('b', {'c': \"d\"})], 'e': <F.G: 2>}";
    for (let length = 0; length < whole.length; length++)
      expect(readPython(whole.slice(0, length)), whole.slice(0, length)).toBeUndefined();
    for (const text of ["", "['1' 2]", "{'a' 1}", "{'a': 1, 2}", "'\\xzz'", "'\\U00110000'", "[1,,2]", ")"])
      expect(readPython(text), text).toBeUndefined();
    expect(readPython("__import__('os').system('x')")).toEqual({ opaque: "__import__('os').system('x')" });
  });

  test("takes time in proportion, and no stack, for what is made to cost", () => {
    const times = 50_000;
    expect(readPython("[".repeat(times))).toBeUndefined();
    expect(readPython("x(".repeat(times))).toBeUndefined();
    expect(readPython(`'${"\\".repeat(times)}`)).toBeUndefined();
    expect(readPython("<'".repeat(times))).toBeUndefined();
    expect(readAssignments("a=(,".repeat(times), 0).size).toBe(0);
  });
});

test("a configuration's assignments: commas in objects and quotes divide nothing, and damage is passed over", () => {
  const line =
    "model='a, b=c', dtype=torch.bfloat16, cfg=Structured(backend='auto', parser='x, y=1'), enable=True,  " +
    "device=cuda:0, name=it's, sizes=[1, 2], compilation={'mode': 3, 'size': <M.FULL: (2, 1)>}, none=None, n=4";
  expect(Object.fromEntries(readAssignments(line, 0))).toEqual({
    model: "a, b=c",
    dtype: { opaque: "torch.bfloat16" },
    cfg: { opaque: "Structured(backend='auto', parser='x, y=1')" },
    enable: true,
    device: { opaque: "cuda" },
    name: { opaque: "it's" },
    sizes: [1, 2],
    compilation: new Map<string, unknown>([
      ["mode", 3],
      ["size", { opaque: "<M.FULL: (2, 1)>" }],
    ]),
    none: null,
    n: 4,
  });
  expect(Object.fromEntries(readAssignments("bad=(1, 2, good=True", 0))).toEqual({ good: true });
});
