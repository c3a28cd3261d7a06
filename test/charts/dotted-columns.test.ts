/** A column with a dot in its name (`rts_p99.9_s`) is drawn as any other: to Vega a dot is a path. */
import { expect, test } from "vitest";
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { bars, lineBand } from "../../src/charts/index.js";

/** The picture, with the column's name taken out of its words. */
async function svgOf(spec: object, column: string): Promise<string> {
  const svg = await new View(parse(compile(spec as TopLevelSpec).spec), { renderer: "none" }).toSVG();
  return svg.replaceAll(column, "");
}

const DOTTED = "rts_p99.9_s";
const rows = (column: string): Record<string, unknown>[] =>
  ["hybrid", "vllm"].flatMap((scheduler, i) =>
    [1, 2, 3].map((rate) => ({
      scheduler,
      lambda_qps: rate,
      [column]: rate + i,
      [`${column}_ci95_low`]: rate + i - 0.3,
      [`${column}_ci95_high`]: rate + i + 0.3,
    })),
  );

test("lines, bands and bars of a dotted column are those of a plain one", async () => {
  const series = { column: "scheduler", title: "scheduler" };
  const line = (column: string): object =>
    lineBand({
      rows: rows(column),
      x: { column: "lambda_qps", title: "λ" },
      y: { column, title: "P99.9" },
      series,
      title: "t",
    });
  const plain = await svgOf(line("tail"), "tail");
  expect(plain.match(/aria-roledescription="(?:line|area) mark"/g)!.length).toBeGreaterThan(3);
  expect(await svgOf(line(DOTTED), DOTTED)).toBe(plain);
  const barsOf = (column: string): object =>
    bars({
      rows: rows(column).filter(({ lambda_qps }) => lambda_qps === 2),
      category: { column: "lambda_qps", title: "λ" },
      value: { column, title: "P99.9" },
      series,
      title: "t",
    } as unknown as Parameters<typeof bars>[0]);
  expect(await svgOf(barsOf(DOTTED), DOTTED)).toBe(await svgOf(barsOf("tail"), "tail"));
});
