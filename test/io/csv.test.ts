/** CSV out and in: every digit, no formula, and what goes out comes back. */
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { csvPieces, parseCsv, toCsv } from "../../src/io/csv.js";

const problem = (text: string, required: string[] = []): string => {
  try {
    parseCsv(text, { file: "x.csv", required });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "none";
};

describe("toCsv", () => {
  test("in pieces of whole lines, none long, whatever the length", () => {
    const rows = Array.from({ length: 60_001 }, (_, i) => ({ a: i / 7, b: `x"${i}` }));
    const pieces = [...csvPieces(["a", "b"], rows)];
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.every((piece) => piece.endsWith("\n") && piece.length < 1e6)).toBe(true);
    const lines = rows.map(({ a, b }) => `${a},"${b.replace('"', '""')}"\n`);
    expect(pieces.join("")).toBe(`a,b\n${lines.join("")}`);
  });

  test("fixed columns, LF, full precision, empty where there is no value", () => {
    const rows = [
      { b: 0.1 + 0.2, a: "x", extra: 1 },
      { a: "y", b: NaN },
      { a: null, b: undefined },
      { a: "-0", b: -0 },
      { a: "big", b: 1e21 },
      { a: "small", b: -5e-324 },
    ];
    expect(toCsv(["a", "b"], rows)).toBe(
      "a,b\nx,0.30000000000000004\ny,\n,\n'-0,0\nbig,1e+21\nsmall,-5e-324\n",
    );
  });

  test("quotes what CSV must quote, carriage returns too", () => {
    expect(toCsv(["a"], [{ a: 'say "hi", then\nleave' }, { a: "x\ry" }])).toBe(
      'a\n"say ""hi"", then\nleave"\n"x\ry"\n',
    );
  });

  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "''+1"])(
    "a text %j cannot run as a formula, and comes back",
    (text) => {
      const csv = toCsv(["a", "b"], [{ a: text, b: -1 }]);
      const cells = (parse(csv) as string[][])[1]!;
      expect(cells).toEqual([`'${text}`, "-1"]);
      expect(parseCsv(csv, { file: "x" }).rows).toEqual([{ a: text, b: -1 }]);
    },
  );

  test("no rows: a header", () => expect(toCsv(["a", "b"], [])).toBe("a,b\n"));
});

describe("parseCsv", () => {
  test("numbers where a cell is one, null where it is empty, texts else", () => {
    const text = "a,b,c,d\n1,.5,1e-3,x\n-2,+3,0x10,\n1_000,1e999, 4,'a\n";
    expect(parseCsv(text, { file: "x" })).toEqual({
      columns: ["a", "b", "c", "d"],
      rows: [
        { a: 1, b: 0.5, c: 0.001, d: "x" },
        { a: -2, b: 3, c: "0x10", d: null },
        { a: "1_000", b: "1e999", c: " 4", d: "'a" },
      ],
      lines: [2, 3, 4],
    });
  });

  test("byte order mark, CRLF, blank lines and a missing last line end do not matter", () => {
    const plain = parseCsv("a,b\n1,2\n3,4\n", { file: "x" });
    expect(plain.lines).toEqual([2, 3]);
    const odd = parseCsv("\ufeffa,b\r\n1,2\r\n\r\n3,4", { file: "x" });
    expect(odd).toEqual({ ...plain, lines: [2, 4] });
  });

  test("a column called __proto__ is a column", () => {
    const [row] = parseCsv("__proto__,constructor\n1,2\n", { file: "x" }).rows;
    expect(Object.keys(row!)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
  });

  test("every missing column is named, with the file", () =>
    expect(problem("a,b\n1,2\n", ["a", "ratio", "trials"])).toBe(
      "x.csv: missing column: ratio (it has: a, b)\nx.csv: missing column: trials (it has: a, b)",
    ));

  test("what is not a table is refused with file and line", () => {
    expect(problem("")).toBe("x.csv: empty (a header and rows)");
    expect(problem("\ufeff\r\n\r\n")).toBe("x.csv: empty (a header and rows)");
    expect(problem("a,b\n1,2\n3\n")).toBe("x.csv:3: a row with more or fewer cells than the header");
    expect(problem("a,b\n1,2,3\n")).toBe("x.csv:2: a row with more or fewer cells than the header");
    expect(problem('a,b\n"1,2\n3,4\n')).toMatch(/^x\.csv:\d+: a quote is not closed$/);
    expect(problem('a,b\n1,x"y\n')).toMatch(/^x\.csv:2: /);
    expect(problem(`a,b\n1,"${"x".repeat(1_100_000)}\n`)).toMatch(/a row longer than 1000000 bytes$/);
    expect(problem("a,b,a\n1,2,3\n")).toBe("x.csv: duplicate column: a");
  });
});

/** A text that is not empty and does not look like a number. */
const text = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter((s) => !/^[+-]?(\d|\.\d|Infinity$)/.test(s) && !s.startsWith("\ufeff"));

test("what goes out comes back, for any cells", () => {
  const cell = fc.oneof(fc.constant(null), fc.double({ noNaN: true }), text);
  fc.assert(
    fc.property(
      fc.uniqueArray(text, { minLength: 1, maxLength: 4 }).chain((columns) =>
        fc.record({
          columns: fc.constant(columns),
          cells: fc.array(fc.array(cell, { minLength: columns.length, maxLength: columns.length })),
        }),
      ),
      ({ columns, cells }) => {
        const rows = cells.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]!])));
        const csv = toCsv(columns, rows);
        const back = parseCsv(csv, { file: "x", required: columns });
        expect(back.columns).toEqual(columns);
        // −0 goes out as 0.
        const positive = rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value === 0 ? 0 : value])),
        );
        expect(back.rows).toEqual(positive);
      },
    ),
  );
});

test("any text is read or refused with a ConfigError, never another", () => {
  const piece = fc.constantFrom(
    ",",
    '"',
    "\n",
    "\r\n",
    "'",
    "=",
    "1",
    "NaN",
    "\ufeff",
    "__proto__",
    " ",
    "\0",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      expect(typeof problem(pieces.join(""))).toBe("string");
    }),
    { numRuns: 300 },
  );
});
