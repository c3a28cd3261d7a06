/** One trial has no interval anywhere: null in JSON, empty in CSV, a plain number in tables (model §4). */
import { describe, expect, test } from "vitest";
import { METRICS } from "../../src/core/measures/metrics.js";
import type { Report } from "../../src/experiments/interface/report.js";
import { run } from "../../src/experiments/run/run.js";
import { sweepTime } from "../../src/experiments/sweep/sweep-time.js";
import { toCsv } from "../../src/io/csv.js";
import { asJson, contextOf, studyOf, trialsWith, usual } from "./studies.js";

const study = studyOf("demo2", { trials: 1, horizon: { tmaxSeconds: 60 } });
const perform = (trials: number): Promise<Report> =>
  run.run(contextOf({ ...study, trials }, trialsWith(), { ...usual(run), perTrial: true }));

interface Summary {
  readonly mean: number | null;
  readonly sd: number | null;
  readonly ci95_low: number | null;
  readonly ci95_high: number | null;
  readonly n: number;
  readonly values: number[];
}
type Json = {
  readonly results: { readonly metrics: Record<string, Summary> }[];
  readonly differences: { metrics: Record<string, Summary>; verdict: string; trials_to_resolve: unknown }[];
};

describe("run with one trial", () => {
  test("JSON: a mean, and null for deviation and interval", async () => {
    const { results, differences } = asJson((await perform(1)).json) as Json;
    expect(results).toHaveLength(3);
    for (const { metrics } of [...results, ...differences]) {
      expect(Object.keys(metrics)).toHaveLength(METRICS.filter(({ needs }) => !needs).length);
      for (const { mean, sd, ci95_low, ci95_high, n } of Object.values(metrics)) {
        expect(mean).not.toBeNull();
        expect([sd, ci95_low, ci95_high, n]).toEqual([null, null, null, 1]);
      }
    }
    for (const { metrics } of results)
      for (const { mean, values } of Object.values(metrics)) expect(values).toEqual([mean]);
    for (const { verdict, trials_to_resolve } of differences)
      expect([verdict, trials_to_resolve]).toEqual(["not resolved", null]);
  });

  test("tables, answer and notes: numbers without ±, and a note that says why", async () => {
    const { tables, answer, notes } = await perform(1);
    expect(JSON.stringify([tables, answer])).not.toMatch(/±|NaN|null/);
    expect(tables).toHaveLength(1); // no table of differences: none could be resolved
    for (const row of tables[0]!.rows)
      for (const cell of row.slice(1, 6)) expect(cell).toMatch(/^\d+(\.\d+)?$/);
    expect(notes).toContain("one trial: no interval (--ntrials 20 gives one)");
    expect(answer[0]).toContain("not resolved");
  });

  test("two trials have one everywhere", async () => {
    const { json, tables, answer, notes } = await perform(2);
    const { results, differences } = json as unknown as Json;
    for (const { metrics } of [...results, ...differences])
      for (const { sd, ci95_low, ci95_high, n } of Object.values(metrics)) {
        expect(n).toBe(2);
        expect(sd! >= 0 && ci95_low! <= ci95_high!).toBe(true);
      }
    expect(tables).toHaveLength(2);
    expect(answer[0]).toContain("±");
    expect(notes).toContain("2 trials: intervals are wide and rough (20 or more are usual)");
  });
});

test("sweep-time with one trial: the cells of interval and deviation are empty, those of the mean are not", async () => {
  const { csv } = await sweepTime(study, 3, trialsWith(), "demo2");
  expect(csv).toHaveLength(2);
  for (const { columns, rows } of csv) {
    const [header, ...lines] = toCsv(columns, rows)
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    expect(header).toEqual(columns);
    expect(lines.length).toBe(rows.length);
    for (const line of lines)
      header!.forEach((column, i) => {
        if (/_(ci95_low|ci95_high|sd)$/.test(column)) expect(line[i], column).toBe("");
        else if (!["chunk_size", "ratio"].includes(column)) expect(line[i], column).not.toBe("");
      });
  }
});
