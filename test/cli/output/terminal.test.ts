/** What a person at a terminal sees: the answer first, tables that fit, emphasis only where it is wanted. */
import { describe, expect, onTestFinished, vi } from "vitest";
import { renderTable } from "../../../src/cli/output/terminal-table.js";
import { instead, llmsim, SMALL, type Surroundings, test } from "../session.js";

const ESCAPE = "\u001B";

describe("the order of things", () => {
  test("run: answer, what was assumed, table, differences, notes, the command again, what next", async ({
    folder,
  }) => {
    const { stdout } = await llmsim(`run ${SMALL} --lam 3 --warmup 2 --n-queries 40`, { cwd: folder });
    const [answer, blank, ...rest] = stdout.split("\n");
    expect(answer).toMatch(
      /^(hybrid|prefill-prioritizing) has the lowest P95 response time, [\d.]+ ± [\d.]+ s; /,
    );
    expect(answer).toMatch(/decode-prioritizing is [\d.]+ % \(± [\d.]+\) worse$/);
    expect(blank).toBe("");
    expect(rest.slice(0, 4)).toEqual([
      "scenario demo2, 3 trials, seed 1, T 20 s, warm-up 2 s, at most 40 requests",
      "arrivals poisson ratePerSecond 3; service affine cMs 10 aMs 0.5 b0 0",
      "engine maxTokens 2048, maxSequences 1000, chunk off, replicas 1",
      "conventions firstToken prefill, mixedBatch sum, sequenceCap resident, tbt gaps",
    ]);
    const places = ["\nscheduler  ", "\npaired differences to ", "\nnote: ", "\nagain:  ", "\nnext:   "].map(
      (word) => stdout.indexOf(word),
    );
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places[0]).toBeGreaterThan(0);
    expect(stdout).toContain(`again:  llmsim run ${SMALL} --lam 3 --warmup 2 --n-queries 40\n`);
    expect(stdout).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  test("sweep-time: the answer comes first and the files written are named", async ({ folder }) => {
    const { stdout } = await llmsim(`sweep-time ${SMALL} --windows 2 --out-data out/rows --out-figs .`, {
      cwd: folder,
    });
    expect(stdout.split("\n")[0]).toContain("has the lowest P95 response time");
    expect(stdout).toContain(
      [
        "written:",
        "  out/rows/demo2_time_series_results.csv",
        "  out/rows/demo2_final_results.csv",
        "  demo2_dashboard.png",
        "  demo2_dashboard.vl.json",
      ].join("\n"),
    );
  });

  test("the command to run again is one that a shell takes", async ({ folder }) => {
    const argv = ["run", ...SMALL.split(" "), "--out-data", "my data's"];
    const { stdout } = await llmsim(argv, { cwd: folder });
    expect(stdout).toContain(`again:  llmsim run ${SMALL} --out-data 'my data'\\''s'\n`);
  });
});

describe("width", () => {
  test.for([
    "",
    "--scenario demo3",
    "--scenario demo3_b0_0 --lam 8",
    "--scenario demo1",
    "--ntrials 1",
    "--lam 30",
  ])("the tables of `run %s` fit 80 columns", async (flags, { folder }) => {
    const { stdout, code } = await llmsim(instead(`run ${SMALL}`, `--tmax 100 ${flags}`), { cwd: folder });
    expect(code).toBe(0);
    const start = stdout.indexOf("\nscheduler");
    const tables = stdout.slice(start, stdout.search(/\n(note|again):/)).split("\n");
    expect(tables.length).toBeGreaterThan(3);
    for (const line of tables) expect([...line].length, line).toBeLessThanOrEqual(80);
  });

  test("columns line up, numbers to the right, whatever characters are in them", () => {
    const style = { bold: (text: string) => text, dim: (text: string) => text };
    const table = {
      title: "λ",
      columns: ["name", "ρ", ""],
      rows: [
        ["a", "1 ±0.5", "best"],
        ["bcd–", "→0", ""],
      ],
    };
    expect(renderTable(table, style).split("\n")).toEqual([
      "λ",
      "name       ρ",
      "a     1 ±0.5  best",
      "bcd–      →0",
    ]);
    expect(renderTable({ ...table, rows: [], title: "" }, style)).toBe("name  ρ");
  });
});

describe("emphasis", () => {
  const stdoutWith = async (around: Surroundings, flags = ""): Promise<string> =>
    (await llmsim(`run ${SMALL} ${flags}`, around)).stdout;

  test("on a terminal the answer is bold, and without the codes it is the same text", async ({
    folder: cwd,
  }) => {
    const plain = await stdoutWith({ cwd });
    const rich = await stdoutWith({ cwd, isTTY: true });
    expect(rich.startsWith(`${ESCAPE}[1m`)).toBe(true);
    expect(rich.split("\n")[0]!.endsWith(`${ESCAPE}[22m`)).toBe(true);
    expect(rich.replace(/\u001B\[\d+m/g, "")).toBe(plain);
  });

  test("none where nobody wants it, and none in JSON", async ({ folder: cwd }) => {
    for (const text of [
      await stdoutWith({ cwd }),
      await stdoutWith({ cwd, isTTY: true, env: { NO_COLOR: "1" } }),
      await stdoutWith({ cwd, isTTY: true, env: { TERM: "dumb" } }),
      await stdoutWith({ cwd, isTTY: true }, "--no-color"),
      await stdoutWith({ cwd, isTTY: true }, "--json"),
    ])
      expect(text).not.toContain(ESCAPE);
    expect(await stdoutWith({ cwd, isTTY: true, env: { NO_COLOR: "" } })).toContain(ESCAPE);
  });
});

describe("--quiet", () => {
  /** A few tasks, on a clock that runs fast enough for progress lines. */
  const LONG = "run --tmax 3000 --ntrials 12 --workers 0";
  const hurry = (): void => {
    let now = 0;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => (now += 700));
    onTestFinished(() => clock.mockRestore());
  };

  test("silences stderr; without it progress goes there and not to stdout", async ({ folder: cwd }) => {
    hurry();
    const loud = await llmsim(LONG, { cwd });
    expect(loud.stderr).toMatch(/^(run: \d+ %(, \d+ s left)?\n)+$/);
    expect(loud.stdout).not.toContain("s left");
    const quiet = await llmsim(`${LONG} --quiet`, { cwd });
    expect(quiet.stderr).toBe("");
    expect(quiet.stdout.replace(" --quiet", "")).toBe(loud.stdout);
  });
});
