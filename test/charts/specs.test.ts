/** Laws of every spec, for tables of any legal shape: it compiles without a warning and keeps its data. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { bars, dashboard, lineBand, timeSeriesDashboard, type Row } from "../../src/charts/index.js";
import { holders, tablesOf, warningsOf } from "./compile.js";
import { chunkSizes, estimate, SCHEDULERS, timeSeries } from "./tables.js";

/** Each is compiled, some twice; LLMSIM_LONG=1 compiles more. */
const RUNS = process.env.LLMSIM_LONG === "1" ? 40 : 15;
const series = { column: "scheduler", title: "scheduler" };
const x = { column: "t_max_s", title: "time window T (s)", zero: true };
const y = { column: "ttft_mean_s", title: "mean TTFT (s)" };

/** A cell as a simulation or a CSV holds it: values 1000 times apart, zeros, negatives, missing. */
const cell = fc.oneof(
  { weight: 8, arbitrary: fc.double({ min: 1e-6, max: 1e6, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(0, NaN, null, "", undefined, "12.5", Infinity) },
  { weight: 1, arbitrary: fc.double({ min: -1e3, max: 0, noNaN: true }) },
);
const table = fc
  .record({
    names: fc.uniqueArray(
      fc.oneof(fc.constantFrom(...SCHEDULERS, "vllm", "orca"), fc.constantFrom(0.1, 0.5, 2)),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
    xs: fc.uniqueArray(fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.constant("")), {
      minLength: 1,
      maxLength: 20,
    }),
    cells: fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 60 }),
  })
  .map(({ names, xs, cells }): Row[] =>
    names.flatMap((scheduler, i) =>
      xs.map((at, j) => {
        const [value, low, high] = cells[(i * xs.length + j) % cells.length];
        return {
          scheduler,
          t_max_s: at,
          ttft_mean_s: value,
          ttft_mean_s_ci95_low: low,
          ttft_mean_s_ci95_high: high,
        };
      }),
    ),
  );

describe("every legal table", () => {
  test("gives line charts that compile without warnings", () => {
    fc.assert(
      fc.property(table, fc.boolean(), fc.boolean(), (rows, log2, none) => {
        const position = {
          ...x,
          ...(log2 ? { scale: "log2" as const } : {}),
          ...(none ? { none: "none" } : {}),
        };
        const rules = [{ value: 3, low: 2, high: 4, label: "a level", series: "hybrid" }];
        const verticalRules = [{ value: 900, label: "here" }];
        const title = "Any table";
        const plain = lineBand({ rows, x: position, y, series, title });
        const ruled = dashboard({
          rows,
          x: position,
          series,
          title,
          verticalRules,
          panels: [{ y: { ...y, rules } }, { y }],
        });
        expect(warningsOf(plain)).toEqual([]);
        expect(warningsOf(ruled)).toEqual([]);
        expect(plain.description!.length).toBeGreaterThan(20);
      }),
      { numRuns: RUNS },
    );
  });
  test("gives bars that compile without warnings", () => {
    fc.assert(
      fc.property(table, (rows) => {
        const value = { column: "ttft_mean_s", title: "mean TTFT (s)" };
        const bound = { column: "ttft_mean_s_ci95_low", title: "bound" };
        const spec = bars({
          rows,
          series,
          value,
          bound,
          category: { column: "t_max_s" },
          title: "Any table",
        });
        expect(warningsOf(spec)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
  test("keeps every value it can draw, as a number or null, and only the columns it needs", () => {
    fc.assert(
      fc.property(table, (rows) => {
        const [data] = tablesOf(lineBand({ rows, x, y, series, title: "Any table" }));
        const finite = (value: unknown): boolean =>
          value !== "" && value !== null && Number.isFinite(Number(value));
        const drawn = rows.filter((row) => row.t_max_s !== "");
        expect(data?.length ?? 0).toBe(drawn.length);
        expect(data?.filter((row) => row.ttft_mean_s !== null).length ?? 0).toBe(
          drawn.filter((row) => finite(row.ttft_mean_s)).length,
        );
        for (const row of data ?? []) {
          expect(Object.keys(row).sort()).toEqual([
            "alone",
            "marker",
            "scheduler",
            "t_max_s",
            "ttft_mean_s",
            "ttft_mean_s_ci95_high",
            "ttft_mean_s_ci95_low",
          ]);
          expect(row.ttft_mean_s_ci95_low === null).toBe(row.ttft_mean_s_ci95_high === null);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("a spec", () => {
  const spec = timeSeriesDashboard({ rows: timeSeries(50), title: "demo2", subtitle: "seed 1" });

  test("is plain JSON and stands alone: data, theme and schema inside, nothing to load", () => {
    expect(JSON.parse(JSON.stringify(spec))).toEqual(spec);
    expect(JSON.stringify(spec)).not.toMatch(/"url"|undefined|NaN/);
    expect(spec.$schema).toContain("vega-lite/v6");
    expect(spec.config!.background).toBe("white");
  });
  test("says in the axis title that it is logarithmic or cut", () => {
    const titles = holders(spec, "field").map((channel) => String(channel.title as unknown));
    expect(titles).toContain("mean TTFT (s), log scale");
    expect(titles).toContain("mean TBT (s), not from 0");
  });
  test("leaves a gap for a missing value, and marks a point without neighbours", () => {
    const rows = timeSeries(20, ["hybrid"]).map((row, i) => (i % 2 ? row : { ...row, ttft_mean_s: NaN }));
    const [data] = tablesOf(lineBand({ rows, x, y, series, title: "Gaps" }));
    expect(data.filter((row) => row.ttft_mean_s === null).length).toBe(10);
    expect(data.filter((row) => row.marker === true && row.alone === true).length).toBe(10);
  });
  test("spreads the markers of lines that coincide", () => {
    const [data] = tablesOf(spec);
    const places = new Map<unknown, unknown[]>();
    for (const row of data.filter((row) => row.marker)) {
      places.set(row.t_max_s, [...(places.get(row.t_max_s) ?? []), row.scheduler]);
    }
    expect([...places.values()].every((names) => names.length === 1)).toBe(true);
    expect(new Set([...places.values()].flat())).toEqual(new Set(SCHEDULERS));
  });
  test("has no band without intervals and no line with one x", () => {
    const bare = timeSeries(1).map(({ scheduler, t_max_s, ttft_mean_s }) => ({
      scheduler,
      t_max_s,
      ttft_mean_s,
    }));
    const text = JSON.stringify(lineBand({ rows: bare, x, y, series, title: "One" }));
    expect(text).not.toContain("95 % interval");
    expect(text).not.toContain('"type":"line"');
    expect(text).toContain("time window T (s) = 5000");
  });
  test("reads a table as a CSV reader gives it: all text", () => {
    const text = timeSeries(3).map((row) =>
      Object.fromEntries(Object.entries(row).map(([k, v]) => [k, String(v)])),
    );
    const title = "demo2";
    expect(timeSeriesDashboard({ rows: text, title })).toEqual(
      timeSeriesDashboard({ rows: timeSeries(3), title }),
    );
  });
  test("makes a rule of a row without x only when asked", () => {
    const chunks = { column: "chunk_size", title: "chunk size", scale: "log2" as const };
    const options = { rows: chunkSizes, y, series, title: "Chunks" };
    expect(JSON.stringify(lineBand({ ...options, x: chunks }))).not.toContain("no chunking");
    expect(JSON.stringify(lineBand({ ...options, x: { ...chunks, none: "no chunking" } }))).toContain(
      "no chunking",
    );
  });
});

describe("an illegal table is refused, all issues at once", () => {
  const issuesOf = (make: () => unknown): string[] => {
    try {
      make();
    } catch (error) {
      if (error instanceof ConfigError) return error.issues.map((issue) => issue.message);
      throw error;
    }
    return [];
  };
  test("no rows", () => {
    expect(issuesOf(() => lineBand({ rows: [], x, y, series, title: "" }))).toEqual([
      "no rows: nothing to draw",
    ]);
  });
  test("missing columns", () => {
    expect(issuesOf(() => lineBand({ rows: [{ scheduler: "hybrid" }], x, y, series, title: "" }))).toEqual([
      "missing column: t_max_s (the table has: scheduler)",
      "missing column: ttft_mean_s (the table has: scheduler)",
    ]);
  });
  test("two rows for one point", () => {
    const row = { scheduler: "hybrid", t_max_s: 50, ...estimate("ttft_mean_s", 1, 0.1) };
    expect(issuesOf(() => lineBand({ rows: [row, row], x, y, series, title: "" }))).toEqual([
      "duplicate row: hybrid at t_max_s 50 (one row per scheduler and t_max_s)",
    ]);
  });
});
