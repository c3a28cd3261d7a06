/**
 * `validate` passes for the engine and fails for wrong ones: one that forgets b0, one whose scheduler leaves work
 * waiting (that one with LLMSIM_LONG=1). Less than the command's effort, with errors allowed to be wider accordingly.
 */
import { readFileSync } from "node:fs";
import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, test } from "vitest";
import { nextPiece, nextPrompt } from "../../../src/core/policies/packing.js";
import { builtIn, type Registry } from "../../../src/core/configuration/registry.js";
import { tokens } from "../../../src/core/numbers/units.js";
import type { Row } from "../../../src/experiments/interface/report.js";
import { mm1Rows, validate, validationRows } from "../../../src/experiments/validate/validate.js";
import { toCsv } from "../../../src/io/csv.js";
import { threadPool } from "../../../src/run/pool.js";
import { runner } from "../../../src/run/runner.js";
import { contextOf, ones, silent, studyOf, trialsWith } from "../studies.js";

const LONG = process.env.LLMSIM_LONG === "1";
const EFFORT = 0.1;
/** Enough to find a wrong engine. */
const LITTLE_EFFORT = 0.03;
const SEED = 1;

const forgetsB0: Registry = {
  ...builtIn,
  serviceTimes: builtIn.serviceTimes.map((model) =>
    model.name === "affine" ? { ...model, create: (spec) => model.create({ ...spec, b0: 0 }) } : model,
  ),
};

/** Takes a single prompt into an iteration, though there is room for more: lawful, and wrong. */
const leavesWorkWaiting: Registry = {
  ...builtIn,
  schedulers: builtIn.schedulers.map((scheduler) => ({
    ...scheduler,
    create: () => ({
      compose(view, batch) {
        if (view.decodable > 0) {
          batch.decode(Math.min(view.decodable, batch.slotsLeft, batch.tokensLeft));
          return;
        }
        const from = nextPrompt(view)!;
        batch.chunk(from, tokens(Math.min(nextPiece(view, from), batch.tokensLeft)));
      },
    }),
  })),
};

/** The rows of a wrong engine. Its laws, which take long to check, are not asked for: they hold for these. */
function rowsWith(registry: Registry): Promise<Row[]> {
  const trials = trialsWith(registry);
  return validationRows(
    { ...trials, run: (request) => (request.verify ? ones : trials).run(request) },
    SEED,
    LITTLE_EFFORT,
  );
}
const failed = (rows: readonly Row[]): string[] => [
  ...new Set(rows.filter(({ verdict }) => verdict === "fail").map(({ check }) => String(check))),
];

describe("the engine", () => {
  let found: readonly Row[] = [];
  beforeAll(async () => {
    const pool = threadPool(2);
    found = await validationRows(runner(pool, silent), SEED, EFFORT);
    await pool.close();
  });

  test("passes every check", () => {
    expect(failed(found)).toEqual([]);
    expect(new Set(found.map(({ verdict }) => verdict))).toEqual(new Set(["pass"]));
  });

  test("is checked against every queue that it should be, with theory, estimate, interval and error", () => {
    const rows = found;
    const loads = (check: string): unknown[] => [
      ...new Set(rows.filter((row) => row.check === check).map((row) => row.offered_load)),
    ];
    expect(loads("M/M/1")).toEqual([0.01, 0.5, 0.8, 0.9]);
    const checks = new Set(rows.map(({ check }) => check));
    for (const name of ["M/D/1", "M/E2/1", "M/M/2", "M/M/4", "M/G/1 prefill", "M/G/1 decode"])
      expect(checks).toContain(name);
    for (const name of ["M/D^(1,2)/1", "M/D^(1,4)/1"]) expect(checks).toContain(name);
    for (const name of ["demo2", "demo3_b0_64", "demo3_b0_0"])
      for (const conventions of ["standard", "reference"]) expect(checks).toContain(`${name} ${conventions}`);
    for (const row of rows.filter(({ theory }) => theory !== null)) {
      const {
        estimate,
        theory,
        ci95_low: low,
        ci95_high: high,
        standard_error: error,
      } = row as Record<string, number>;
      expect(low! <= estimate! && estimate! <= high!).toBe(true);
      expect(row.relative_error).toBeCloseTo(estimate! / theory! - 1, 9);
      expect(error! / theory!).toBeLessThan(0.01 / Math.sqrt(EFFORT));
    }
  });

  test("has the checks of the committed table", () => {
    const committed = readFileSync(new URL("../../../data/validation.csv", import.meta.url), "utf8");
    const checksOf = (rows: readonly Row[]): unknown[] =>
      rows.map(({ check, offered_load: load }) => `${check} ${load ?? ""}`);
    expect(checksOf(found)).toEqual(checksOf(parse(committed, { columns: true })));
  });

  test("has rows that a CSV can hold", () => {
    expect(toCsv(Object.keys(found[0]!), found)).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("a wrong engine fails", () => {
  test("one that forgets b0: in the limits of demo3 with b0 = 64, and nowhere else", async () => {
    expect(failed(await rowsWith(forgetsB0))).toEqual(["demo3_b0_64 standard", "demo3_b0_64 reference"]);
  });

  test.runIf(LONG)(
    "one whose scheduler leaves work waiting: in the queues that serve several at once",
    async () => {
      const checks = failed(await rowsWith(leavesWorkWaiting));
      expect(checks).toContain("M/D^(1,2)/1");
      expect(checks).toContain("M/D^(1,4)/1");
      expect(checks).not.toContain("M/M/1");
    },
  );
});

describe("the report", () => {
  test("says where theory is missed, and does not pass; --coverage asks for .93–.97", async () => {
    const context = contextOf(studyOf("demo2"), ones, { coverage: true });
    const { passed, answer, tables, csv, json } = await validate.run(context);
    expect(passed).toBe(false);
    expect(answer[0]).toMatch(/^the simulator disagrees with theory in \d+ of \d+ checks: M\/M\/1; M\/D\/1;/);
    expect(csv.map(({ path }) => path)).toEqual(["validation.csv"]);
    expect(json.results).toEqual(csv[0]!.rows);
    expect(tables[0]!.rows.map((row) => row.at(-1))).toContain("FAIL");
    expect(JSON.stringify(tables)).not.toMatch(/NaN|undefined|null/);
    const shares = csv[0]!.rows.filter(({ check }) => String(check).startsWith("coverage"));
    expect(shares.map(({ offered_load, verdict }) => [offered_load, verdict])).toEqual([
      [0.5, "fail"],
      [0.8, "fail"],
    ]);
  });

  test("demo shows the M/M/1 lines: mean and P95 at three loads", async () => {
    const rows = await mm1Rows(ones, 1);
    expect(rows.map(({ offered_load, metric }) => [offered_load, metric])).toEqual(
      [0.01, 0.5, 0.8].flatMap((load) => ["rts_mean_s", "rts_p95_s"].map((metric) => [load, metric])),
    );
    expect(failed(rows)).toEqual(["M/M/1"]);
  });
});
