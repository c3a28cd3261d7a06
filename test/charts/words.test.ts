/** Numbers and sentences on figures. */
import { describe, expect, test } from "vitest";
import { bars, lineBand, type Row } from "../../src/charts/index.js";
import { short, shortEstimate, wrap } from "../../src/charts/text.js";
import { capacities, chunkSizes, estimate } from "./tables.js";

const series = { column: "scheduler", title: "scheduler" };
const x = { column: "t_max_s", title: "time window T (s)" };
const y = { column: "ttft_mean_s", title: "mean TTFT (s)" };
const row = (scheduler: string, t: number, value: number, half: number): Row => ({
  scheduler,
  t_max_s: t,
  ...estimate("ttft_mean_s", value, half),
});
const describeRows = (rows: Row[]): string => lineBand({ rows, x, y, series, title: "Title" }).description!;

describe("numbers", () => {
  test("short", () => {
    expect([2.25171, 0.013232, 5000, 12345.6, 0, -0.5, 1e-7].map(short)).toEqual([
      "2.252",
      "0.01323",
      "5000",
      "12346",
      "0",
      "-0.5",
      "1e-7",
    ]);
  });
  test("an estimate shows two digits of its half-width", () => {
    expect(shortEstimate({ value: 2.2517, low: 2.2467, high: 2.2567 })).toBe("2.2517 [2.2467, 2.2567]");
    expect(shortEstimate({ value: 812.4, low: 700.1, high: 924.7 })).toBe("812 [700, 925]");
    expect(shortEstimate({ value: 3, low: 3, high: 3 })).toBe("3 [3, 3]");
    expect(shortEstimate({ value: 0.10211, low: null, high: null })).toBe("0.1021");
    expect(shortEstimate({ value: null, low: null, high: null })).toBe("no value");
  });
  test("wrapping keeps a number with its percent sign and never loses a word", () => {
    expect(wrap("intervals of 95 % here", 100, 12)).toEqual(["intervals of", "95 % here"]);
    expect(wrap("unbreakable-and-very-long word", 40, 12)).toEqual(["unbreakable-and-very-long", "word"]);
  });
});

describe("descriptions", () => {
  test("name the lowest and the highest at the last x", () => {
    const rows = [row("a", 1, 9, 0.1), row("a", 2, 1, 0.1), row("b", 1, 1, 0.1), row("b", 2, 2, 0.1)];
    expect(describeRows(rows)).toBe(
      "Title. Mean TTFT (s) against time window T (s) from 1 to 2: at 2, " +
        "lowest a: 1.00 [0.90, 1.10]; highest b: 2.00 [1.90, 2.10].",
    );
  });
  test("say when the two intervals overlap", () => {
    expect(describeRows([row("a", 1, 1, 0.6), row("b", 1, 2, 0.6)])).toContain(
      "(their 95 % intervals overlap)",
    );
  });
  test("skip missing values and name a series without any", () => {
    const text = describeRows([row("a", 1, 5, 1), row("a", 2, NaN, 1), row("b", 1, NaN, 1)]);
    expect(text).toContain("at 1, a: 5.0 [4.0, 6.0]. No values for b.");
    expect(describeRows([row("a", 1, NaN, 1)])).toContain("no values.");
  });
  test("put the title before a name that is a number", () => {
    const rows = [row("0.1", 1, 1, 0.1), row("0.9", 1, 2, 0.1)];
    expect(describeRows(rows)).toContain("lowest scheduler 0.1: 1.00");
  });
  test("tell reference levels and bounds", () => {
    const chunks = { column: "chunk_size", title: "chunk size", none: "no chunking" };
    const text = lineBand({ rows: chunkSizes, x: chunks, y, series, title: "Title" }).description;
    expect(text).toContain("decode-prioritizing, no chunking: 2.250 [2.200, 2.300].");
    const capacity = bars({
      rows: capacities,
      series,
      value: { column: "lambda_star_qps", title: "λ*" },
      category: { column: "scenario" },
      bound: { column: "upper_bound_qps", title: "upper bound" },
      title: "Capacity",
    }).description;
    expect(capacity).toContain(
      "λ*, chunk 64: lowest decode-prioritizing: 0.7973 [0.7893, 0.8053]; highest hybrid",
    );
    expect(capacity).toContain("upper bound: 12.06.");
  });
});
