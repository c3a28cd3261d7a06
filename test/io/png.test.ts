/** Figures as PNG files: really drawn, really lettered, the same bytes each time, and never silently wrong. */
import { Canvas, GlobalFonts, loadImage } from "canvas";
import type { TopLevelSpec } from "vega-lite";
import { describe, expect, test } from "vitest";
import { bars, lineBand, timeSeriesDashboard, type Row } from "../../src/charts/index.js";
import { textWidth } from "../../src/charts/text.js";
import { FONT_FAMILY as THEME_FONT } from "../../src/charts/theme.js";
import { FONT_FAMILY, registerFonts, renderPng } from "../../src/io/png.js";
import { capacities, timeSeries } from "../charts/tables.js";

const title = "demo2: three schedulers";
const spec = timeSeriesDashboard({ rows: timeSeries(20), title, subtitle: "100 trials, seed 1" });

/** It at scale 1, drawn once for those who look at it. */
let drawn: Promise<Buffer> | undefined;
const single = (): Promise<Buffer> => (drawn ??= renderPng(spec, { scale: 1 }));

/** The pixels of a PNG. */
async function pixels(png: Buffer) {
  const image = await loadImage(png);
  const context = new Canvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const at = (x: number, y: number): number[] => [
    ...data.slice(4 * (y * image.width + x), 4 * (y * image.width + x) + 4),
  ];
  /** How many pixels of a rectangle (in shares of the image) are within 40 of a colour. */
  const count = (color: readonly number[], [x0, y0, x1, y1]: readonly number[] = [0, 0, 1, 1]): number => {
    let hits = 0;
    for (let y = Math.floor(y0 * image.height); y < y1 * image.height; y++) {
      for (let x = Math.floor(x0 * image.width); x < x1 * image.width; x++) {
        const i = 4 * (y * image.width + x);
        if (color.every((part, k) => Math.abs(data[i + k] - part) < 40)) hits++;
      }
    }
    return hits;
  };
  return { width: image.width, height: image.height, at, count };
}

const INK = [0x22, 0x22, 0x22];
const BLUE = [0x00, 0x72, 0xb2];
const VERMILION = [0xd5, 0x5e, 0x00];
const GREEN = [0x00, 0x9e, 0x73];

describe("a figure as PNG", () => {
  test("is a PNG of the asked scale", async () => {
    const [once, double] = [await single(), await renderPng(spec)];
    expect(once.subarray(0, 8).toString("latin1")).toBe("\x89PNG\r\n\x1a\n");
    const width = (png: Buffer): number => png.readUInt32BE(16);
    expect(width(once)).toBeGreaterThan(850);
    expect(Math.abs(width(double) - 2 * width(once))).toBeLessThanOrEqual(1);
  });
  test("has the same bytes twice, also when drawn at the same time", async () => {
    const copy = JSON.parse(JSON.stringify(spec)) as TopLevelSpec;
    const [a, b] = await Promise.all([spec, copy].map((one) => renderPng(one, { scale: 1 })));
    expect(a.equals(b)).toBe(true);
    expect(a.equals(await single())).toBe(true);
  });
  test("has a white background and all three series in every panel", async () => {
    const image = await pixels(await single());
    expect(image.at(1, 1)).toEqual([255, 255, 255, 255]);
    for (const [x, y] of [
      [0, 0.17],
      [0.5, 0.17],
      [0, 0.58],
      [0.5, 0.58],
    ]) {
      for (const color of [BLUE, VERMILION, GREEN]) {
        expect(image.count(color, [x, y, x + 0.5, y + 0.42])).toBeGreaterThan(60);
      }
    }
  });
  test("has its letters: title, axis titles and tick labels", async () => {
    const image = await pixels(await single());
    const blank = timeSeriesDashboard({ rows: timeSeries(20), title: " ", subtitle: "100 trials, seed 1" });
    const without = await pixels(await renderPng(blank, { scale: 1 }));
    const titleArea = [0, 0, 1, 0.055];
    expect(without.count(INK, titleArea)).toBe(0);
    expect(image.count(INK, titleArea)).toBeGreaterThan(300);
    // The left margin holds nothing but the tick labels of two panels.
    expect(image.count(INK, [0, 0.2, 0.04, 1])).toBeGreaterThan(80);
  });
  test("draws bars with whiskers and labels", async () => {
    const drawn = bars({
      rows: capacities,
      series: { column: "scheduler", title: "scheduler" },
      category: { column: "scenario" },
      value: { column: "lambda_star_qps", title: "λ*" },
      bound: { column: "upper_bound_qps", title: "upper bound" },
      title,
    });
    const image = await pixels(await renderPng(drawn, { scale: 1 }));
    // Bars are slightly transparent: their colours are lighter than the theme's.
    for (const color of [
      [38, 135, 189],
      [219, 118, 38],
      [38, 173, 137],
    ]) {
      expect(image.count(color)).toBeGreaterThan(500);
    }
  });
});

describe("nothing passes silently", () => {
  const broken = {
    data: { values: [{ a: 1 }] },
    mark: "point",
    encoding: { x: { field: "a", type: "quantitative", scale: { type: "log", zero: true } } },
  } as unknown as TopLevelSpec;

  test("a warning is thrown", async () => {
    await expect(renderPng(broken)).rejects.toThrow(/not drawn as specified: .*zero.*log/);
  });
  test("unless the caller takes it", async () => {
    const warnings: string[] = [];
    const png = await renderPng(broken, { onWarning: (message) => warnings.push(message) });
    expect(png.length).toBeGreaterThan(100);
    expect(warnings.join()).toContain("zero");
  });
  test("a font that cannot be registered or found is an error", () => {
    expect(() => {
      registerFonts(() => null);
    }).toThrow(/cannot draw figures: font not readable: .*DejaVuSans\.ttf/);
    const nowhere = (): string => {
      throw new Error("no such package");
    };
    expect(() => {
      registerFonts(() => true, nowhere);
    }).toThrow(/font not found: dejavu-fonts-ttf/);
  });
  test("a spec without a theme still gets letters", async () => {
    const bare = {
      data: { values: [{ a: 1 }] },
      mark: "point",
      title: "Letters",
      encoding: { x: { field: "a" } },
    };
    const image = await pixels(await renderPng(bare as TopLevelSpec, { scale: 1 }));
    expect(image.count([0, 0, 0], [0, 0, 1, 0.5])).toBeGreaterThan(20);
  });
  test("the theme names the family that is registered", () => {
    expect(THEME_FONT).toBe(FONT_FAMILY);
    expect(GlobalFonts.has(FONT_FAMILY)).toBe(true);
  });
});

describe("awkward tables are drawn without a warning", () => {
  const series = { column: "scheduler", title: "scheduler" };
  const x = { column: "x", title: "x", scale: "log2" as const, none: "none" };
  const y = { column: "y", title: "y" };
  const rows = (...cells: [string, unknown, unknown, unknown?, unknown?][]): Row[] =>
    cells.map(([scheduler, x, y, y_ci95_low, y_ci95_high]) => ({ scheduler, x, y, y_ci95_low, y_ci95_high }));
  const tables: Record<string, Row[]> = {
    "one point": rows(["hybrid", 8, 1, 0.5, 1.5]),
    "one point at 0": rows(["hybrid", 0, 0]),
    "no value at all": rows(["hybrid", 8, null], ["orca", 16, NaN]),
    "no x at all": rows(["hybrid", "", 3, 2, 4], ["orca", "", 5]),
    "no x and no value": rows(["hybrid", "", ""]),
    "each series alone at its x": rows(["hybrid", 8, 1, 0.9, 1.1], ["orca", 16, 2, 1.9, 2.1]),
    "zeros and a million": rows(
      ["hybrid", 8, 0, -1, 1],
      ["hybrid", 16, 1e6, 9e5, 2e6],
      ["orca", 8, 1, 0, 9e9],
    ),
    "an unnamed series": rows(["", 8, 1, 0, 2], ["", 16, 1, 0, 2]),
    "x at and below 0 on a log2 axis": rows(["hybrid", 0, 1], ["hybrid", -4, 2], ["hybrid", 8, 3]),
  };
  test.each(Object.entries(tables))("%s", async (_, table) => {
    const rules = [{ value: 2, label: "level" }];
    const title = "Awkward";
    for (const spec of [
      lineBand({
        rows: table,
        x,
        y: { ...y, rules },
        series,
        title,
        verticalRules: [{ value: 9, label: "here" }],
      }),
      lineBand({ rows: table, x: { column: "x", title: "x", zero: true }, y, series, title }),
      bars({
        rows: table,
        series,
        category: { column: "x" },
        value: y,
        bound: { column: "x", title: "b" },
        title,
      }),
    ]) {
      expect((await renderPng(spec, { scale: 0.5 })).length).toBeGreaterThan(1000);
    }
  });
});

test("the charts' table of letter widths is the font's", async () => {
  await single(); // who draws has registered the font
  const context = new Canvas(1, 1).getContext("2d");
  for (const [text, bold] of [
    ["P95 response time (s), not from 0", true],
    ["prefill-prioritizing", false],
    ["[0.794, 0.826] WM %", false],
  ] as const) {
    context.font = `${bold ? "bold " : ""}100px ${FONT_FAMILY}`;
    const real = context.measureText(text).width;
    const told = textWidth(text, 100, bold);
    expect(told / real).toBeGreaterThan(0.985);
    expect(told / real).toBeLessThan(1.05);
  }
});
