/** What users read is the same, byte for byte, for any number of workers (README, "Same bytes"). */
import { describe, expect } from "vitest";
import { contents, llmsim, type Session, test } from "../cli/session.js";

/** On a push the two that differ most in what runs; four threads are in test/run/executors.test.ts, too. */
const WORKERS = process.env.LLMSIM_LONG === "1" ? [0, 1, 2, 4] : [0, 2];

/** stdout without the line that repeats the command, which names the workers. */
const text = ({ stdout }: Session): string => stdout.replace(/^again: .*$/m, "");

describe(`the same bytes for --workers ${WORKERS.join(", ")}`, () => {
  test("run: table, JSON with each trial's values, and the file of requests", async ({ folder }) => {
    // Three tasks of ten trials at most.
    const command = "run --tmax 200 --ntrials 24 --quiet";
    const documents = new Set<string>();
    for (const workers of WORKERS) {
      const { code, stdout } = await llmsim(`${command} --json --per-trial --workers ${workers}`, {
        cwd: folder,
      });
      expect(code).toBe(0);
      documents.add(stdout);
    }
    expect(documents.size).toBe(1);
    const seen = new Set<string>();
    for (const workers of [0, 2]) {
      const table = await llmsim(`${command} --requests requests.csv --workers ${workers}`, { cwd: folder });
      seen.add(JSON.stringify([text(table), contents(folder)]));
    }
    expect(seen.size).toBe(1);
    expect(Object.keys(contents(folder))).toEqual(["requests.csv"]);
  });

  test("sweep-time: table, JSON, both CSVs, picture and spec", async ({ folder }) => {
    const command = "sweep-time --scenario demo3 --tmax 200 --windows 4 --ntrials 6 --quiet";
    const seen = new Set<string>();
    for (const workers of WORKERS) {
      const table = await llmsim(`${command} --workers ${workers}`, { cwd: folder });
      expect(table.code).toBe(0);
      seen.add(JSON.stringify([text(table), contents(folder)]));
    }
    expect(seen.size).toBe(1);
    expect(Object.keys(contents(folder))).toEqual([
      "data/demo3_final_results.csv",
      "data/demo3_time_series_results.csv",
      "figs/demo3_dashboard.png",
      "figs/demo3_dashboard.vl.json",
    ]);
  });

  test("and another seed gives others", async ({ folder }) => {
    const command = "run --tmax 100 --ntrials 2 --workers 0 --json";
    const of = async (seed: number): Promise<string> =>
      (await llmsim(`${command} --seed ${seed}`, { cwd: folder })).stdout;
    expect(await of(1)).not.toBe((await of(2)).replace('"seed": 2', '"seed": 1'));
    expect(await of(1)).toBe(await of(1));
  });
});
