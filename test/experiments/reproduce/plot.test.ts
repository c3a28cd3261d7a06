/** `plot`: which tables become which figures, what they say, and that it never simulates. */
import { describe, expect, test } from "vitest";
import type { TopLevelSpec } from "vega-lite";
import { ConfigError } from "../../../src/core/errors.js";
import type { ExperimentContext } from "../../../src/experiments/interface/experiment.js";
import type { Report, Row } from "../../../src/experiments/interface/report.js";
import { plot } from "../../../src/experiments/reproduce/plot.js";
import { warningsOf } from "../../charts/compile.js";
import { studyOf } from "../studies.js";

const THREE = ["decode-prioritizing", "prefill-prioritizing", "hybrid"];
const METRICS = ["ttft_mean_s", "tbt_mean_s", "rts_mean_s", "rts_p95_s", "itl_p99_s", "throughput_qps"];

const metrics = (value: number | null): Row =>
  Object.fromEntries(
    METRICS.flatMap((name) => [
      [name, value],
      [`${name}_ci95_low`, value === null ? null : value * 0.9],
      [`${name}_ci95_high`, value === null ? null : value * 1.1],
    ]),
  );

const timeRows = (names = THREE): Row[] =>
  names.flatMap((scheduler) =>
    [50, 100].map((t) => ({ scheduler, t_max_s: t, trials: 7, ...metrics(t / 10) })),
  );

const seriesRows = (rates: readonly number[], names = THREE): Row[] =>
  names.flatMap((scheduler) =>
    rates.flatMap((rate) =>
      [50, 100].map((t) => ({ scheduler, lambda_qps: rate, t_max_s: t, ...metrics(rate * t) })),
    ),
  );

const resultRows = (names = THREE, rates = [1, 2, 3]): Row[] =>
  names.flatMap((scheduler) =>
    rates.map((rate) => ({
      scheduler,
      lambda_qps: rate,
      verdict: rate > 2 ? "unstable" : "stable",
      trend_verdict: rate > 1 ? "unstable" : "stable",
      drift: rate - 2.5,
      drift_ci95_low: rate - 2.6,
      drift_ci95_high: rate - 2.4,
      first_to_grow: rate > 1 ? "RTS" : "none",
    })),
  );

const summaryRows = (star: number | null = 2.5): Row[] =>
  THREE.map((scheduler) => ({
    scheduler,
    lambda_star_qps: star,
    ci95_low: star === null ? null : star - 0.1,
    ci95_high: star === null ? null : star + 0.1,
    upper_bound_qps: 4,
    method: "drift",
  }));

const chunkRows = (scheduler: string): Row[] =>
  [null, 64, 128].map((size) => ({
    scheduler,
    t_max_s: 100,
    chunk_size: size,
    trials: 7,
    ...metrics(size ?? 200),
  }));

const ratioRows = (binding: number): Row[] =>
  [0.1, 0.5].flatMap((ratio) =>
    [50, 100].map((t) => ({
      scheduler: "hybrid",
      t_max_s: t,
      ratio,
      trials: 7,
      ...metrics(t),
      decode_limit_binding: 0,
      prefill_limit_binding: binding,
    })),
  );
const steadyRows = (binding: number): Row[] => ratioRows(binding).filter((row) => row.t_max_s === 100);

const stability = (s: string, rates = [1, 2, 3]): Record<string, Row[]> => ({
  [`${s}_stability_time_series.csv`]: seriesRows(rates),
  [`${s}_stability_results.csv`]: resultRows(),
  [`${s}_capacity_summary.csv`]: summaryRows(),
});

/** Runs `plot` on tables of a folder; whatever else it would ask for is not there. */
function plotting(
  tables: Readonly<Record<string, readonly Row[]>>,
  files: Readonly<Record<string, string>> = {},
): Promise<Report> {
  const context = {
    // The hash of a text is the text itself: enough to tell one from another.
    workspace: {
      readText: async (name: string) => files[name],
      manifest: async (name: string) => files[name] && (JSON.parse(files[name]) as unknown),
      hashText: (text: string) => text,
    },
    tables: {
      list: () => Promise.resolve(Object.keys(tables).sort()),
      read: (name: string, required: readonly string[]) => {
        const rows = tables[name];
        const missing = required.filter((column) => rows?.[0] && !(column in rows[0]));
        if (missing.length === 0) return Promise.resolve(rows);
        const issues = missing.map((key) => ({ key: name, message: `data/${name}: missing column: ${key}` }));
        return Promise.reject(new ConfigError(issues));
      },
    },
  };
  return plot.run(context as unknown as ExperimentContext);
}

interface Spec {
  readonly title: { readonly text: readonly string[]; readonly subtitle: readonly string[] };
  readonly description: string;
}
const specOf = (report: Report, path: string): Spec =>
  report.figures.find((figure) => figure.path === path)!.spec as Spec;
const subtitleOf = (report: Report, path: string): string => specOf(report, path).title.subtitle.join(" ");
const pathsOf = (report: Report): string[] => report.figures.map(({ path }) => path).sort();

describe("plot", () => {
  test("every table of the study becomes its figures; each compiles and has a text alternative", async () => {
    const report = await plotting({
      "demo2_time_series_results.csv": timeRows(),
      "demo2_final_results.csv": timeRows(),
      ...stability("demo2"),
      ...stability("demo3_b0_64"),
      ...stability("demo3_b0_0"),
      "demo2_capacity_summary_resident.csv": summaryRows(),
      "chunk_size_sweep_decode_tmax100.csv": chunkRows("decode-prioritizing"),
      "chunk_size_sweep_hybrid_tmax100.csv": chunkRows("hybrid"),
      "chunk_size_sweep_demo3_b0_0_hybrid_tmax100.csv": chunkRows("hybrid"),
      "hybrid_ratio_demo2_time_series.csv": ratioRows(0),
      "hybrid_ratio_demo2_steady_state.csv": steadyRows(0),
      "manifest.json": [],
    });
    const chunk = ["throughput", "ttft", "tbt", "rts_p95", "itl_p99"].map((name) => `${name}_vs_chunk.png`);
    const each = ["demo2", "demo3_b0_64", "demo3_b0_0"].flatMap((s) =>
      [
        "time_series",
        "scheduler_comparison",
        "stability_vs_lambda",
        "growth_rates",
        "congestion_type",
        "capacity_bar",
      ].map((name) => `${s}_${name}.png`),
    );
    expect(pathsOf(report)).toEqual(
      [
        "demo2_dashboard.png",
        ...each,
        ...chunk,
        ...chunk.map((name) => `demo3_b0_0_${name}`),
        "hybrid_ratio_demo2_dashboard.png",
        "hybrid_ratio_demo2_steady_vs_ratio.png",
        "demo3_time_series.png",
        "demo3_capacity_comparison.png",
        "demo3_chunking_impact.png",
      ].sort(),
    );
    expect(report.answer).toEqual(["redrew 34 figures from 15 tables, nothing simulated"]);
    expect(report.csv).toEqual([]);
    for (const { path, spec } of report.figures) {
      expect([path, warningsOf(spec as TopLevelSpec)]).toEqual([path, []]);
      expect((spec as Spec).description.length).toBeGreaterThan(40);
    }
  });

  test("no tables: what to run first", async () => {
    for (const tables of [{}, { "notes.csv": timeRows() }])
      await expect(plotting(tables)).rejects.toThrow(
        "no results in the data folder: run a command first, e.g. llmsim sweep-time --scenario demo2",
      );
  });

  test.each([
    ["x_time_series_results.csv", timeRows(), "tbt_mean_s"],
    ["x_stability_time_series.csv", seriesRows([1]), "rts_mean_s"],
    ["x_stability_results.csv", resultRows(), "drift_ci95_low"],
    ["x_capacity_summary.csv", summaryRows(), "upper_bound_qps"],
    ["chunk_size_sweep_hybrid_tmax100.csv", chunkRows("hybrid"), "ttft_mean_s"],
    ["hybrid_ratio_x_time_series.csv", ratioRows(0), "throughput_qps"],
    ["hybrid_ratio_x_steady_state.csv", steadyRows(0), "decode_limit_binding"],
  ])("a foreign %s: the file and the column are named", async (name, rows, column) => {
    const foreign = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([key]) => key !== column)),
    );
    await expect(plotting({ [name]: foreign })).rejects.toThrow(`data/${name}: missing column: ${column}`);
  });

  test("two rows for one place: the file is named", async () => {
    const rows = [...timeRows(), ...timeRows()];
    await expect(plotting({ "x_time_series_results.csv": rows })).rejects.toThrow(
      "x_time_series_results.csv: duplicate row: decode-prioritizing",
    );
  });

  test("one scheduler, one rate, empty cells and no λ*: drawn or left out, never thrown", async () => {
    const report = await plotting({
      "one_time_series_results.csv": timeRows(["hybrid"]).slice(0, 1),
      "one_stability_time_series.csv": seriesRows([1], ["hybrid"]),
      "one_stability_results.csv": resultRows(["hybrid"], [1]),
      "one_capacity_summary.csv": summaryRows(null),
      "bare_stability_results.csv": resultRows().map((row) => ({
        ...row,
        verdict: "undecided",
        drift: null,
        drift_ci95_low: null,
        drift_ci95_high: null,
        first_to_grow: null,
      })),
      "hollow_time_series_results.csv": timeRows().map((row) => ({ ...row, ...metrics(null) })),
      "headed_stability_results.csv": [],
    });
    for (const { path, spec } of report.figures)
      expect([path, warningsOf(spec as TopLevelSpec)]).toEqual([path, []]);
    expect(pathsOf(report)).not.toContain("one_capacity_bar.png");
    expect(pathsOf(report)).not.toContain("bare_stability_vs_lambda.png");
    expect(pathsOf(report)).toContain("bare_congestion_type.png");
  });
});

describe("what the figures say", () => {
  test("trials from the table, and where drift and trend differ", async () => {
    const report = await plotting({ "x_time_series_results.csv": timeRows(), ...stability("x") });
    expect(subtitleOf(report, "x_dashboard.png")).toBe("7 trials, 95 % intervals");
    expect(subtitleOf(report, "x_stability_vs_lambda.png")).toContain(
      "stable by drift, unstable by trend: decode-prioritizing 1 of 3 λ, at 2",
    );
    expect(specOf(report, "x_congestion_type.png").description).toContain(
      "hybrid: none at λ 1, RTS at λ 2 to 3.",
    );
  });

  test("many rates are thinned, and it says so", async () => {
    const few = await plotting({ "x_stability_time_series.csv": seriesRows([1, 2, 3]) });
    const many = await plotting({ "x_stability_time_series.csv": seriesRows([1, 2, 3, 4, 5]) });
    expect(subtitleOf(few, "x_time_series.png")).not.toContain("the lowest");
    expect(subtitleOf(many, "x_time_series.png")).toContain("the lowest, the middle and the highest λ");
  });

  test("a ratio that never bound is called so, and one that did has its shares drawn", async () => {
    const draw = (binding: number): Promise<Report> =>
      plotting({
        "hybrid_ratio_x_time_series.csv": ratioRows(binding),
        "hybrid_ratio_x_steady_state.csv": steadyRows(binding),
      });
    const [inert, binding] = [await draw(0), await draw(0.2)];
    const steady = "hybrid_ratio_x_steady_vs_ratio.png";
    for (const path of [steady, "hybrid_ratio_x_dashboard.png"]) {
      expect(subtitleOf(inert, path)).toContain("the ratio never bound");
      expect(subtitleOf(binding, path)).not.toContain("never bound");
    }
    expect(specOf(inert, steady).description).not.toContain("prefill limit");
    expect(specOf(binding, steady).description).toContain("prefill limit");
  });

  test("chunk sweeps of one T share their figures; a shorter T is named as left out", async () => {
    const report = await plotting({
      "chunk_size_sweep_decode_tmax100.csv": chunkRows("decode-prioritizing"),
      "chunk_size_sweep_hybrid_tmax100.csv": chunkRows("hybrid"),
      "chunk_size_sweep_hybrid_tmax50.csv": chunkRows("hybrid"),
    });
    expect(report.figures).toHaveLength(5);
    expect(specOf(report, "ttft_vs_chunk.png").description).toContain("hybrid, no chunking: 200");
    expect(specOf(report, "ttft_vs_chunk.png").description).toContain("decode-prioritizing");
    expect(report.notes).toEqual([
      "chunk_size_sweep_hybrid_tmax50.csv is not drawn: its figures show the longest T, 100 s",
    ]);
  });

  test("demo3: like rates are compared and named; chunking is isolated only by its own table", async () => {
    const both = {
      ...stability("demo3_b0_64", [1, 2, 3]),
      ...stability("demo3_b0_0", [0.5, 2.02, 4]),
    };
    const without = await plotting(both);
    expect(subtitleOf(without, "demo3_time_series.png")).toContain("hybrid 2 and 2.02");
    expect(subtitleOf(without, "demo3_chunking_impact.png")).toContain("b0 and chunking change together");
    const impact = [64, 0].flatMap((b0) =>
      [64, null].map((chunk_size) => ({
        scheduler: "hybrid",
        b0,
        chunk_size,
        lambda_star_qps: 5,
        ci95_low: 4.9,
        ci95_high: 5.1,
      })),
    );
    const own = await plotting({ ...both, "demo3_chunking_impact.csv": impact });
    expect(subtitleOf(own, "demo3_chunking_impact.png")).toContain(
      "at the same b0; the earlier study changed",
    );
    expect(specOf(own, "demo3_chunking_impact.png").description).toContain("hybrid, b0 = 0");
  });

  test("a scenario called demo3 does not get the pair's figure, and it says so", async () => {
    const report = await plotting({
      ...stability("demo3"),
      ...stability("demo3_b0_64"),
      ...stability("demo3_b0_0"),
    });
    expect(pathsOf(report).filter((path) => path === "demo3_time_series.png")).toHaveLength(1);
    expect(subtitleOf(report, "demo3_time_series.png")).toContain("differ in b0");
    expect(report.notes).toEqual([
      "demo3_time_series.png shows demo3_b0_64 and demo3_b0_0, not the scenario named demo3",
    ]);
  });
});

describe("what the manifest knows of a table stands under the title of its figures", () => {
  const name = "demo2_time_series_results.csv";
  const { conventions } = studyOf("demo2", { conventions: "reference" }).config;
  const manifest = JSON.stringify({
    llmsim: "0.1.0",
    seed: 7,
    steps: { one: { key: "", study: { config: { conventions } }, csv: { [name]: "the bytes" } } },
  });
  const subtitleOf = async (files: Readonly<Record<string, string>>): Promise<string> => {
    const { figures } = await plotting({ [name]: timeRows() }, files);
    return JSON.stringify((figures[0].spec as { title: unknown }).title);
  };

  test("seed and conventions, when the bytes are those that it lists", async () => {
    const told = await subtitleOf({ "manifest.json": manifest, [name]: "the bytes" });
    expect(told).toContain("seed 7; firstToken decode, mixedBatch max, sequenceCap iteration, tbt tokens");
  });

  test("nothing for a table that was changed since, or that no manifest lists", async () => {
    expect(await subtitleOf({ "manifest.json": manifest, [name]: "other bytes" })).not.toContain("seed");
    expect(await subtitleOf({ [name]: "the bytes" })).not.toContain("seed");
  });
});
