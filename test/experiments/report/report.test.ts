/** `report`: what it says is what the tables say, whatever they say; and it opens anywhere. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { parseCsv } from "../../../src/io/csv.js";
import { escapeHtml, toMarkdown } from "../../../src/experiments/report/page.js";
import { chunkSizes, decodeRatios, validation } from "../../../src/experiments/report/findings.js";
import { llmsim, test } from "../../cli/session.js";

/** The committed tables of a name, and the manifest, in a folder of their own. */
function withTables(folder: string, ...names: string[]): string {
  const data = join(folder, "data");
  mkdirSync(data);
  for (const name of ["manifest.json", ...names]) cpSync(join("data", name), join(data, name));
  return data;
}

const rowsOf = (name: string) => parseCsv(readFileSync(join("data", name), "utf8"), { file: name }).rows;

describe("report", () => {
  test("tells the committed results, each with the command that makes it again", async ({ folder: cwd }) => {
    const data = withTables(cwd, "validation.csv", "demo2_time_series_results.csv", "demo2_final_results.csv", "demo2_capacity_summary_resident.csv", "hybrid_ratio_demo3_steady_state.csv", "chunk_size_sweep_hybrid_tmax5000.csv", "demo3_chunking_impact.csv"); // prettier-ignore
    const { code, stderr } = await llmsim("report --quiet", { cwd });
    expect([code, stderr]).toEqual([0, ""]);
    const text = readFileSync(join(data, "report.md"), "utf8");
    const final = rowsOf("demo2_final_results.csv");
    const p95 = (name: string): number =>
      Number(final.find(({ scheduler }) => scheduler === name)!.rts_p95_s);
    const best = [...final].sort((a, b) => Number(a.rts_p95_s) - Number(b.rts_p95_s))[0]!;
    expect(text).toContain(`At T = 5000 s ${best.scheduler} has the lowest P95 response time`);
    const more = 100 * (p95("decode-prioritizing") / Number(best.rts_p95_s) - 1);
    expect(text).toContain(`decode-prioritizing's is ${more.toFixed(1)} % higher`);
    expect(text).toContain("The ratio never bound");
    expect(text).toContain("means that the study published are within");
    expect(text).toContain("What the study said");
    expect(text).not.toContain("NOT the bytes");
    // Every command is one that works: the only thing wrong with it is what is added here.
    const commands = [...text.matchAll(/^Again: `llmsim (.*)`$/gm)].map((found) => found[1]!);
    expect(commands).toHaveLength(7);
    for (const command of commands) {
      const { code: refused, stderr: said } = await llmsim(`${command} --workers none`, { cwd });
      expect([command, refused, said.split("\n")]).toEqual([
        command,
        2,
        [expect.stringContaining("invalid --workers"), ""],
      ]);
    }
  });

  test("tells otherwise when a table says otherwise, and that it is not the manifest's", async ({
    folder: cwd,
  }) => {
    const data = withTables(cwd, "demo2_time_series_results.csv");
    const name = join(data, "demo2_time_series_results.csv");
    const before = readFileSync(name, "utf8");
    const other: Record<string, string> = { hybrid: "decode-prioritizing", "decode-prioritizing": "hybrid" };
    writeFileSync(
      name,
      before.replace(/^(hybrid|decode-prioritizing),/gm, (_, one: string) => `${other[one]},`),
    );
    const { stdout } = await llmsim("report --quiet", { cwd });
    expect(stdout).toContain("demo2_time_series_results.csv: NOT the bytes that the manifest lists");
    expect(readFileSync(join(data, "report.html"), "utf8")).toContain(
      "decode-prioritizing has the lowest P95",
    );
  });

  test("ranks nobody who does not keep up with the load: times that grow with the window", async ({
    folder: cwd,
  }) => {
    const data = withTables(cwd, "demo3_time_series_results.csv");
    const { code } = await llmsim("report --quiet", { cwd });
    expect(code).toBe(0);
    const said = readFileSync(join(data, "report.md"), "utf8");
    expect(said).toMatch(
      /At T = 5000 s hybrid has the lowest P95 response time, [\d.]+ ±[\d.]+ s; prefill-prioritizing's is [\d.]+ % higher\./,
    );
    expect(said).toMatch(
      /decode-prioritizing does not keep up with λ = 2\.000 per s: its P95 grows with the window, \d+ ±\d+ s at T = 2500 s and \d+ ±\d+ s at 5000 s/,
    );
    expect(said).toContain("| decode-prioritizing, not keeping up |");
    const name = join(data, "demo3_time_series_results.csv");
    const [header, ...rows] = readFileSync(name, "utf8").trimEnd().split("\n");
    const overloaded = rows.filter((row) => row.startsWith("decode-prioritizing,"));
    writeFileSync(name, [header, ...overloaded, ""].join("\n"));
    await llmsim("report --quiet", { cwd });
    const alone = readFileSync(join(data, "report.md"), "utf8");
    expect(alone).toContain("No scheduler keeps up with the load.");
    expect(alone).not.toContain("has the lowest P95");
  });

  test("says what it needs when there is nothing", async ({ folder: cwd }) => {
    expect(await llmsim("report", { cwd })).toMatchObject({ code: 2, stdout: "" });
  });

  test("is one page that names no other file, with every text escaped", async ({ folder: cwd }) => {
    const data = withTables(cwd, "demo2_time_series_results.csv");
    const evil = `<img src=x onerror=alert(1)>`;
    cpSync(join(data, "demo2_time_series_results.csv"), join(data, `${evil}_time_series_results.csv`));
    expect((await llmsim("report --quiet", { cwd })).code).toBe(0);
    const html = readFileSync(join(data, "report.html"), "utf8");
    expect(html).not.toContain(evil);
    expect(html).toContain(escapeHtml(evil));
    expect(/Content-Security-Policy" content="([^"]*)"/.exec(html)![1]).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; img-src data:; base-uri 'none'/,
    );
    expect(html.replace(/<img src="data:[^"]*"/g, "")).not.toMatch(/https?:|<script|src="/);
  });
});

describe("what a table says", () => {
  test("validation: a failure is told by name", () => {
    const rows = rowsOf("validation.csv");
    expect(validation(rows).says[0]).toMatch(/^All \d+ comparisons/);
    const failed = rows.map((row, i) => (i === 3 ? { ...row, verdict: "FAIL" } : row));
    expect(validation(failed).says[0]).toBe(
      `1 of ${rows.length} comparisons with known answers FAIL: ${String(rows[3]!.check)} (${String(rows[3]!.metric)}).`,
    );
  });

  test("ratios: one that decides is told", () => {
    const rows = rowsOf("hybrid_ratio_demo2_steady_state.csv");
    const bound = rows.map((row, i) => ({ ...row, decode_limit_binding: 0.01 * i, rts_p95_s: 1 + 0.05 * i }));
    expect(decodeRatios(bound).says[0]).toContain("stays within 40.0 %");
    expect(decodeRatios(bound).says[1]).toBe("The ratio decided in at most 8.000 % of the iterations.");
  });

  test("chunk sizes: better is better only when the intervals are apart", () => {
    const row = (size: number | null, mean: number, half: number) => ({
      scheduler: "hybrid", chunk_size: size, rts_p95_s: mean, rts_p95_s_ci95_low: mean - half, rts_p95_s_ci95_high: mean + half, ttft_mean_s: 1,
    }); // prettier-ignore
    expect(chunkSizes([row(null, 4, 0.1), row(8, 3, 0.1), row(16, 3.9, 0.1)]).says[0]).toContain(
      "chunks of 8 tokens lower P95",
    );
    expect(chunkSizes([row(null, 4, 0.1), row(8, 3.9, 0.1)]).says[0]).toContain("no chunk size lowers P95");
  });

  test("Markdown: nothing of a table is markup", () => {
    const text = toMarkdown(
      {
        title: "a|b <i>",
        lead: ["*x* `y`"],
        sections: [
          {
            title: "t",
            says: [],
            figures: [{ path: "a>b.png", words: "]" }],
            command: "run `x`",
            sources: [],
          },
        ],
      },
      (path) => `../figs/${path}`,
    );
    expect(text).toBe(
      "# a\\|b \\<i\\>\n\n\\*x\\* \\`y\\`\n\n## t\n\n![\\]](<../figs/a\\>b.png>)\n\nAgain: `` run `x` ``\n",
    );
  });
});
