/** Tiles: every row is one tile with its word, in order, whatever the table; nothing covers anything. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tiles, type Row } from "../../src/charts/index.js";
import { ConfigError } from "../../src/core/errors.js";
import { tablesOf, warningsOf } from "./compile.js";

const WORDS = ["none", "TTFT", "TBT", "RTS"] as const;
const draw = (rows: readonly Row[]) =>
  tiles({
    rows,
    series: { column: "scheduler", title: "scheduler" },
    x: { column: "lambda_qps", symbol: "λ" },
    word: { column: "first", words: WORDS },
    note: { column: "verdict" },
    title: "Tiles",
  });
const row = (scheduler: string, lambda: unknown, first: unknown, verdict = "stable"): Row => ({
  scheduler,
  lambda_qps: lambda,
  first,
  verdict,
});

describe("tiles", () => {
  test("any table: no warning, a tile per row with an x, none over another", () => {
    const rates = fc.uniqueArray(fc.double({ min: 0, max: 1e4, noNaN: true }).map(Math.abs), {
      minLength: 1,
      maxLength: 35,
    });
    const word = fc.constantFrom<unknown>(...WORDS, null, "else");
    const table = fc.uniqueArray(fc.constantFrom("hybrid", "decode-prioritizing", "vllm"), { minLength: 1 });
    fc.assert(
      fc.property(table, rates, fc.array(word, { minLength: 1 }), (names, xs, words) => {
        const rows = names.flatMap((name) => xs.map((x, i) => row(name, x, words[i % words.length])));
        const spec = draw([...rows, row(names[0]!, null, "RTS")]);
        expect(warningsOf(spec)).toEqual([]);
        const placed = tablesOf(spec).find((values) => "left" in values[0]!)!;
        expect(placed).toHaveLength(rows.length);
        const corners = placed.map(({ left, top }) => `${String(left)}/${String(top)}`);
        expect(new Set(corners).size).toBe(rows.length);
      }),
      { numRuns: 50 },
    );
  });

  test("the text alternative tells the runs of each series, by x and not by row", () => {
    const spec = draw([row("hybrid", 3, "TTFT"), row("hybrid", 1, "RTS"), row("hybrid", 2, "RTS")]);
    expect(spec.description).toBe("Tiles. hybrid: RTS at λ 1 to 2, TTFT at λ 3.");
  });

  test("an empty word says so", () => {
    expect(draw([row("hybrid", 1, null)]).description).toContain("no value at λ 1");
  });

  test("two rows for one tile and a missing column are refused", () => {
    expect(() => draw([row("hybrid", 1, "RTS"), row("hybrid", 1, "TTFT")])).toThrow(ConfigError);
    expect(() => draw([{ scheduler: "hybrid", lambda_qps: 1 }])).toThrow("missing column: first");
  });
});
