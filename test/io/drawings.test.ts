import { expect, test } from "vitest";
import type { TopLevelSpec } from "vega-lite";
import { drawings } from "../../src/io/drawings.js";

const bar = (value: number): TopLevelSpec => ({
  data: { values: [{ value }] },
  mark: "bar",
  width: 20,
  height: 20,
  encoding: { y: { field: "value", type: "quantitative", scale: { domain: [0, 16] } } },
});

async function drawn(
  specs: readonly TopLevelSpec[],
): Promise<{ png: string; warnings: readonly string[] }[]> {
  const found = [];
  for await (const { png, warnings } of drawings(specs))
    found.push({ png: Buffer.from(png).toString("base64"), warnings });
  return found;
}

test("many figures, on threads: the pictures and the order of one thread, warnings beside their figure", async () => {
  const specs = Array.from({ length: 16 }, (_, i) => bar(i + 1));
  specs[3] = { ...bar(4), title: "4", encoding: { nope: { field: "value" } } } as unknown as TopLevelSpec;
  const many = await drawn(specs);
  expect(new Set(many.map(({ png }) => png)).size).toBe(16);
  expect(many.map(({ warnings }) => warnings.length > 0)).toEqual(specs.map((_, i) => i === 3));
  expect(many.slice(2, 5)).toEqual(await drawn(specs.slice(2, 5)));
});

test("a figure that cannot be drawn fails at its turn, after those before it", async () => {
  const specs = Array.from({ length: 16 }, (_, i) => bar(i + 1));
  specs[2] = {} as unknown as TopLevelSpec;
  let before = 0;
  const all = async () => {
    for await (const { png } of drawings(specs)) before += Number(png.length > 0);
  };
  await expect(all()).rejects.toThrow();
  expect(before).toBe(2);
});
