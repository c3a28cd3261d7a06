/** Small results, byte for byte (`vitest -u` rewrites them: say in the commit why they changed). */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { llmsim, test } from "../session.js";

test("the CSVs of a tiny sweep-time", async ({ folder }) => {
  const { code } = await llmsim("sweep-time --windows 3 --ntrials 2 --tmax 20 --workers 0", { cwd: folder });
  expect(code).toBe(0);
  const read = (name: string): string => readFileSync(join(folder, "data", name), "utf8");
  await expect(read("demo2_time_series_results.csv")).toMatchFileSnapshot("../../golden/csv/sweep-time.csv");
  await expect(read("demo2_final_results.csv")).toMatchFileSnapshot("../../golden/csv/sweep-time-final.csv");
});

test("the JSON of a tiny run", async ({ folder }) => {
  const { code, stdout } = await llmsim(
    "run --scenario demo3 --lam 3 --tmax 20 --ntrials 2 --scheduler prefill,hybrid --conventions reference --workers 0 --json",
    { cwd: folder },
  );
  expect(code).toBe(0);
  await expect(stdout).toMatchFileSnapshot("../../golden/cli/run.json");
});

test("the file of requests of a tiny run", async ({ folder }) => {
  const { code } = await llmsim("run --tmax 8 --ntrials 1 --workers 0 --requests rows.csv", { cwd: folder });
  expect(code).toBe(0);
  await expect(readFileSync(join(folder, "rows.csv"), "utf8")).toMatchFileSnapshot(
    "../../golden/csv/requests.csv",
  );
});
