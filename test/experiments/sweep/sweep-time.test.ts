/** The time sweep: each window is the run that has that T, whatever windows stand beside it (model §4). */
import { describe, expect, test } from "vitest";
import type { Row } from "../../../src/experiments/interface/report.js";
import type { Study } from "../../../src/experiments/interface/study.js";
import { run } from "../../../src/experiments/run/run.js";
import { subtitle, windowsOf } from "../../../src/experiments/tables/caption.js";
import { KEY_COLUMNS, METRIC_COLUMNS } from "../../../src/experiments/cells/rows.js";
import { sweepTime, sweepTimeExperiment } from "../../../src/experiments/sweep/sweep-time.js";
import { toCsv } from "../../../src/io/csv.js";
import { contextOf, studyOf, THREE, trialsWith, usual } from "../studies.js";

const TIME_COLUMNS = [...KEY_COLUMNS, ...METRIC_COLUMNS];

const withHorizon = (study: Study, tmaxSeconds: number): Study => ({
  ...study,
  config: { ...study.config, horizon: { ...study.config.horizon, tmaxSeconds } },
});
const rowsOf = async (study: Study, windows: number): Promise<readonly Row[]> =>
  (await sweepTime(study, windows, trialsWith(), "any")).csv[0]!.rows;

const STUDIES: readonly (readonly [string, Study])[] = [
  ["demo2", studyOf("demo2", { trials: 4, horizon: { tmaxSeconds: 120 } })],
  [
    "demo3 with a warm-up",
    studyOf("demo3_b0_64", { trials: 3, horizon: { tmaxSeconds: 90, warmupSeconds: 25 } }),
  ],
  [
    "demo3, reference",
    studyOf("demo3_b0_0", { trials: 3, conventions: "reference", rate: 5, horizon: { tmaxSeconds: 60 } }),
  ],
  ["at most 50 requests", studyOf("demo2", { trials: 3, horizon: { tmaxSeconds: 50, maxRequests: 50 } })],
];

describe.each(STUDIES)("%s", (_, study) => {
  const T = study.config.horizon.tmaxSeconds;
  test("window i of a sweep is, cell for cell, the sweep of that T alone", async () => {
    const all = await rowsOf(study, 5);
    expect(all).toHaveLength(15);
    for (const [i, window] of windowsOf(T, 5).entries()) {
      const alone = await rowsOf(withHorizon(study, window), 1);
      const same = all.filter(({ t_max_s }) => t_max_s === window);
      expect(toCsv(TIME_COLUMNS, same), `window ${i + 1}`).toBe(toCsv(TIME_COLUMNS, alone));
      expect(alone).toHaveLength(3);
    }
  });

  test("and run's numbers for that T", async () => {
    const all = await rowsOf(study, 4);
    const half = withHorizon(study, T / 2);
    const { json } = await run.run(contextOf(half, trialsWith(), usual(run)));
    const results = json.results as { scheduler: string; metrics: Record<string, { mean: number | null }> }[];
    for (const { scheduler, metrics } of results) {
      const row = all.find((one) => one.t_max_s === T / 2 && one.scheduler === scheduler)!;
      for (const [name, { mean }] of Object.entries(metrics)) expect(row[name]).toBe(mean);
    }
  });
});

describe("what it reports", () => {
  const study = studyOf("demo2", { trials: 3, horizon: { tmaxSeconds: 60 }, seed: 9 });

  test("windows end at T itself, and ascend", () => {
    for (const [T, count] of [
      [5000, 100],
      [1000, 50],
      [20, 3],
      [0.7, 7],
    ] as const) {
      const windows = windowsOf(T, count);
      expect(windows).toHaveLength(count);
      expect(windows.at(-1)).toBe(T);
      expect([...windows].sort((a, b) => a - b)).toEqual(windows);
      expect(windows[0]).toBeGreaterThan(0);
    }
  });

  test("files: all windows, the last ones alone, and the dashboard; JSON has the rows", async () => {
    const { csv, figures, json } = await sweepTime(study, 3, trialsWith(), "demo2");
    expect(csv.map(({ path }) => path)).toEqual(["demo2_time_series_results.csv", "demo2_final_results.csv"]);
    const [series, final] = csv;
    expect(series!.rows.map(({ scheduler, t_max_s }) => [scheduler, t_max_s])).toEqual(
      THREE.flatMap(({ kind }) => [20, 40, 60].map((window) => [kind, window])),
    );
    expect(final!.rows).toEqual(series!.rows.filter(({ t_max_s }) => t_max_s === 60));
    expect(json.results).toEqual(series!.rows);
    expect(figures.map(({ path }) => path)).toEqual(["demo2_dashboard.png"]);
    for (const row of series!.rows) expect(Object.keys(row)).toEqual([...TIME_COLUMNS]);
  });

  test("the figure names scenario, trials, seed and conventions", async () => {
    const { figures } = await sweepTime(study, 2, trialsWith(), "demo2");
    const spec = JSON.stringify(figures[0]!.spec);
    expect(spec).toContain("demo2: metrics against the time window");
    expect(subtitle(study)).toContain("3 trials, seed 9, 95 % intervals");
    expect(spec).toContain("3 trials, seed 9");
  });

  test("two hybrids are two series", async () => {
    const schedulers = [0.5, 0.9].map((ratio) => ({ kind: "hybrid", ratio, ratioOf: "sequences" }));
    const rows = await rowsOf({ ...study, schedulers }, 2);
    expect(rows.map(({ scheduler, ratio }) => [scheduler, ratio])).toEqual([
      ["hybrid", 0.5],
      ["hybrid", 0.5],
      ["hybrid(0.9)", 0.9],
      ["hybrid(0.9)", 0.9],
    ]);
  });

  test("a load that no policy can serve is said, from the last window and not the first", async () => {
    const over = studyOf("demo2", { trials: 2, rate: 9, horizon: { tmaxSeconds: 300 } });
    const { notes } = await sweepTime(over, 10, trialsWith(), "demo2");
    expect(notes[0]).toMatch(/^load: λ = 9\.000 per s is 12\d\.\d % of the most any policy can serve/);
    expect(notes.filter((note) => note.includes("it did not keep up"))).toHaveLength(3);
    const { notes: calm } = await sweepTime(
      studyOf("demo2", { trials: 20, horizon: { tmaxSeconds: 1000 } }),
      2,
      trialsWith(),
      "demo2",
    );
    expect(calm).toEqual([]);
  });

  test("defaults: T 5000, 100 windows, 100 trials", () => {
    const { defaults, options } = sweepTimeExperiment;
    expect(defaults).toMatchObject({ scenario: "demo2", trials: 100, horizon: { tmaxSeconds: 5000 } });
    expect(options.find(({ key }) => key === "windows")!.default).toBe(100);
  });
});
