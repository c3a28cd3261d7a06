/** Heat maps: every row is one tile with its number, whatever the table; the worse end is tinted most. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { heatMap, type Row } from "../../src/charts/index.js";
import { ConfigError } from "../../src/core/errors.js";
import { tablesOf, warningsOf } from "./compile.js";

const draw = (rows: readonly Row[], dark: "low" | "high" = "high") =>
  heatMap({
    rows,
    panel: { column: "scheduler" },
    x: { column: "lambda", title: "λ" },
    y: { column: "tokens", title: "maxTokens" },
    value: { column: "rts", title: "P95 response time (s)" },
    dark,
    title: "Heat",
  });

describe("a heat map", () => {
  test("of any table: no warning, a tile a row", () => {
    const value = fc.oneof(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.constant(null));
    const sizes = fc.record({ nx: fc.integer({ min: 1, max: 12 }), ny: fc.integer({ min: 1, max: 8 }) });
    fc.assert(
      fc.property(sizes, fc.array(value, { minLength: 1 }), ({ nx, ny }, values) => {
        const rows = ["hybrid", "vllm"].flatMap((scheduler) =>
          Array.from({ length: nx * ny }, (_, i) => {
            const rts = values[i % values.length];
            return { scheduler, lambda: i % nx, tokens: `t${Math.floor(i / nx)}`, rts };
          }),
        );
        const spec = draw(rows);
        expect(warningsOf(spec)).toEqual([]);
        const tiles = tablesOf(spec).flatMap((table) => table.filter((row) => "tint" in row));
        expect(tiles).toHaveLength(rows.length);
        for (const { tint, value: shown, mean } of tiles) {
          expect(Number(tint)).toBeGreaterThanOrEqual(0);
          expect(Number(tint)).toBeLessThan(1);
          expect(mean === "–").toBe(shown === null);
        }
      }),
      { numRuns: 30 },
    );
  });

  const three: Row[] = [1, 5, 20].map((rts, i) => ({
    scheduler: "hybrid",
    lambda: i,
    tokens: 64,
    rts,
    rts_ci95_low: rts - 0.5,
    rts_ci95_high: rts + 0.5,
  }));

  test("tints the worse end, by rank, and says the number with its half-width", () => {
    const tiles = (dark: "low" | "high") => tablesOf(draw(three, dark)).find((table) => "tint" in table[0]!)!;
    expect(tiles("high").map(({ tint }) => tint)).toEqual([0, 0.375, 0.75]);
    expect(tiles("low").map(({ tint }) => tint)).toEqual([0.75, 0.375, 0]);
    expect(tiles("high").map(({ mean, half }) => `${String(mean)} ${String(half)}`)).toEqual([
      "1 ± 0.5",
      "5 ± 0.5",
      "20 ± 0.5",
    ]);
    expect(JSON.stringify(draw(three).description)).toContain("from 1 at λ 0, maxTokens 64 to 20 at λ 2");
  });

  test("refuses two rows for one tile", () => {
    expect(() => draw([...three, three[0]!])).toThrow(ConfigError);
  });
});
