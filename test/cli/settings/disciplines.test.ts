/** --discipline, --prediction-noise, --classes: what they set, what they refuse, and whose turn it then is. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { parseCsv } from "../../../src/io/csv.js";
import { listing, llmsim, SMALL, test } from "../session.js";

const ONE = `run ${SMALL} --scheduler decode --max-sequences 1`;

/** The requests of trial 1 in the order in which they were started. */
async function started(flags: string, folder: string) {
  // Rows of other settings would be replaced, and that is said.
  rmSync(join(folder, "rows.csv"), { force: true });
  const { code, stderr } = await llmsim(`${ONE} ${flags} --requests rows.csv --quiet`, { cwd: folder });
  expect([code, stderr]).toEqual([0, ""]);
  const { rows, columns } = parseCsv(readFileSync(join(folder, "rows.csv"), "utf8"), { file: "rows.csv" });
  const sorted = [...rows].sort((a, b) => (a.started_at_s as number) - (b.started_at_s as number));
  return { columns, rows: sorted.map((row) => row as Readonly<Record<string, number>>) };
}

describe("one request at a time, overloaded", () => {
  test("fcfs is what stands there without a flag, to the byte", async ({ folder }) => {
    const [without, by] = await Promise.all([
      llmsim(`${ONE} --lam 4 --quiet --json`, { cwd: folder }),
      llmsim(`${ONE} --lam 4 --quiet --json --discipline fcfs`, { cwd: folder }),
    ]);
    expect(by.stdout).toBe(without.stdout);
    const { rows, columns } = await started("--lam 4", folder);
    expect(rows.map(({ request }) => request)).toEqual(rows.map((_, i) => i));
    expect(columns).not.toContain("class");
  });

  test("sjf starts the shortest of those that wait; noise makes it err", async ({ folder }) => {
    const time = ({
      prompt_tokens: prompt,
      output_tokens: output,
    }: Readonly<Record<string, number>>): number => 10 + 0.5 * prompt + (output - 1) * 10.5;
    const errors = async (flags: string): Promise<number> => {
      const { rows } = await started(flags, folder);
      return rows.filter((row, i) =>
        rows.slice(i + 1).some((later) => later.arrived_at_s <= row.started_at_s && time(later) < time(row)),
      ).length;
    };
    expect(await errors("--lam 4 --discipline sjf")).toBe(0);
    expect(await errors("--lam 4 --discipline sjf --prediction-noise 2")).toBeGreaterThan(5);
    expect(await errors("--lam 4")).toBeGreaterThan(5);
  });

  test("priority starts the lowest class; the class stands in the last column; the header says so", async ({
    folder,
  }) => {
    const flags = "--lam 4 --discipline priority --classes 0.2,0.3,0.5";
    const { rows, columns } = await started(flags, folder);
    expect(columns.at(-1)).toBe("class");
    expect(new Set(rows.map((row) => row.class))).toEqual(new Set([0, 1, 2]));
    rows.forEach((row, i) => {
      const passed = rows.slice(i + 1).filter((later) => later.arrived_at_s <= row.started_at_s);
      for (const other of passed)
        expect(other.class! > row.class! || (other.class === row.class && other.request > row.request)).toBe(
          true,
        );
    });
    const { stdout } = await llmsim(`${ONE} ${flags}`, { cwd: folder });
    expect(stdout).toContain("replicas 1, discipline priority classes 0.2,0.3,0.5\n");
  });
});

describe("bad input: nothing is written", () => {
  test.for([
    ["--discipline sfj", "unknown discipline: sfj (one of: fcfs, sjf, priority)"],
    ["--classes 0.5,x", /^invalid --classes: 0\.5,x \(x is not a number; /],
    ["--discipline priority --classes 0.5,0.4", "invalid --classes: they sum to 0.9 (shares sum to 1)"],
    ["--discipline priority --classes 1,0", /^invalid --classes: \[1, 0\] \(a list of numbers above 0 /],
    [
      "--discipline sjf --prediction-noise -1",
      "invalid --prediction-noise: -1 (a number at least 0 and at most 50)",
    ],
    [
      "--discipline sjf --classes 1",
      /^unknown key: engine\.discipline\.classes \(sjf has: kind, predictionNoise\)/,
    ],
    [
      "--discipline priority",
      /^missing engine\.discipline\.classes \(shares of the classes, e\.g\. 0\.5,0\.5; /,
    ],
  ] as const)("%s", async ([flags, expected], { folder }) => {
    const { code, stdout, stderr } = await llmsim(`${ONE} --requests rows.csv --quiet ${flags}`, {
      cwd: folder,
    });
    expect([code, stdout, listing(folder)]).toEqual([2, "", []]);
    const line = stderr.replace(/^error: /, "").trimEnd();
    if (typeof expected === "string") expect(line).toBe(expected);
    else expect(line).toMatch(expected);
  });
});
