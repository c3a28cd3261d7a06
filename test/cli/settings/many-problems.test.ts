/**
 * Texts that are long or wrong in a thousand places: ten problems of each source are told, and how many more there are;
 * what would take a pattern with two ways to match the square of the length is read as any other.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { llmsim, test } from "../session.js";

/** The lines on stderr of a command that is refused. */
async function told(argv: readonly string[], cwd: string): Promise<string[]> {
  const { code, stdout, stderr } = await llmsim(argv, { cwd });
  expect([code, stdout]).toEqual([2, ""]);
  return stderr.trimEnd().split("\n");
}

describe("ten problems of a source, and how many more", () => {
  test.for([
    ["run --config", 18_000],
    ["run --scenario", 2000],
    ["reproduce --config", 2000],
  ] as const)("%s, %i unknown keys", async ([command, count], { folder }) => {
    const keys = Array.from({ length: count }, (_, i) => `k${i}: 1\n`).join("");
    writeFileSync(join(folder, "many.yaml"), keys);
    const lines = await told([...command.split(" "), "many.yaml"], folder);
    const own = lines.filter((line) => line.includes("many.yaml"));
    expect(own).toHaveLength(11);
    const unknown = own.filter((line) => /:\d+: unknown key: k\d+ /.test(line)).length;
    expect(own.at(-1)).toBe(`error: many.yaml: … and ${count - unknown} more`);
    expect(unknown).toBeGreaterThan(7); // a scenario lacks its workload and its service, too
  });

  test("keys behind an alias, in a kind and in a list", async ({ folder }) => {
    const options = Array.from({ length: 100 }, (_, i) => `k${i}: 1`).join(", ");
    writeFileSync(
      join(folder, "many.yaml"),
      `workload: {arrivals: &a {kind: poisson, ${options}}, promptTokens: *a}\nschedulers: [${"fcfs, ".repeat(500)}]\n`,
    );
    const lines = await told(["run", "--config", "many.yaml"], folder);
    expect(lines.filter((line) => /: … and \d+ more$/.test(line))).toHaveLength(1);
    expect(lines.length).toBe(11);
  });

  test("of --scheduler, --slo, --assert and --set, each by itself", async ({ folder }) => {
    const many = Array.from({ length: 300 }, (_, i) => `wrong${i}`);
    const argv = ["run", "--scheduler", many.join(), "--slo", many.join()];
    for (const one of many) argv.push("--set", `${one}=1`, "--assert", one);
    const lines = await told(argv, folder);
    for (const flag of ["--scheduler", "--slo", "--assert", "--set"])
      expect(lines.filter((line) => line.startsWith(`error: ${flag}: … and 290 more`))).toHaveLength(1);
    expect(lines).toHaveLength(44);
  });

  test("changes are counted before any is read", async ({ folder }) => {
    const argv = Array.from({ length: 1001 }, (_, i) => ["--with", `wrong${i}=1`]).flat();
    expect(await told(["compare", ...argv], folder)).toEqual(["error: --with: 1001 changes (at most 1000)"]);
  });
});

describe("long texts", () => {
  test("a cell of digits that ends as no number", async ({ folder }) => {
    const cell = `${"1".repeat(500_000)}x`;
    writeFileSync(
      join(folder, "steps.csv"),
      `n_decode,kv_per_decode,prefill_tokens,batch_tokens,sum_kv,step_ms\n${cell},1,1,1,1,1\n`,
    );
    expect(await told(["calibrate", "steps.csv"], folder)).toEqual([
      `error: steps.csv:2: invalid n_decode: ${cell.slice(0, 40)} (a number at least 0 and at most 1000000000)`,
    ]);
  });

  test.for([
    [["--assert", " ".repeat(30_000)], /^error: --assert: not a condition: /],
    [
      ["--assert", `ttft_mean_s<${"1".repeat(30_000)}x`],
      /^error: --assert: invalid limit of ttft_mean_s: 1+ /,
    ],
    [["--slo", `ttft${" ".repeat(30_000)}`], /^error: --slo: not a target: ttft/],
    [
      ["--set", `engine.maxTokens=${",".repeat(120_000)}`],
      /^error: --set engine.maxTokens: unexpected , in flow /,
    ],
    [["--lam", `${"1".repeat(100_000)}x`], /^error: invalid --lam: 1+\.\.\. /],
    [["--trace-block", `${" ".repeat(100_000)}x`, "--trace", "t.csv"], /^error: /],
    [["--ntrials", `1${"1".repeat(100_000)}`], /^error: invalid --ntrials: "1+\.\.\." /],
  ] as const)("%#", async ([argv, line], { folder }) => {
    const [first] = await told(["run", ...argv], folder);
    expect(first).toMatch(line);
  });

  test("a list of changes whose brackets never close", async ({ folder }) => {
    const text = `a=1${",".repeat(60_000)}`;
    const [first] = await told(["compare", "--with", text], folder);
    expect(first).toMatch(/^error: --with: empty part in a=1,+/);
  });
});
