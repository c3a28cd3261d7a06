/** `compare`: paired on common random numbers, and against an earlier result by the interval that fits it. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, vi } from "vitest";
import { pairedDifference, welchDifference } from "../../src/stats/index.js";
import { listing, llmsim, SMALL, test } from "./session.js";

interface Difference {
  configuration: string;
  to: string;
  interval: string;
  verdict: string;
  metrics: Record<string, { mean: number; ci95_low: number; ci95_high: number; verdict: string | null }>;
}
interface Output {
  results: { configuration: string; metrics: Record<string, { values: number[] }> }[];
  differences: Difference[];
}

async function compared(argv: string, cwd: string): Promise<Output> {
  const { code, stdout, stderr } = await llmsim(`compare ${argv} --json --per-trial ${SMALL}`, { cwd });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Output;
}

test("each configuration against the first, by the trials' differences", async ({ folder }) => {
  writeFileSync(join(folder, "small.yaml"), "engine:\n  maxTokens: 64\n");
  const { results, differences } = await compared(
    "--lam 4 --with small.yaml --with demo3,lam=2 --with chunk-size=16,scheduler.ratio=0.3",
    folder,
  );
  const names = ["as given", "small.yaml", "demo3,lam=2", "chunk-size=16,scheduler.ratio=0.3"];
  expect(results.map(({ configuration }) => configuration)).toEqual(names);
  expect(differences.map(({ configuration, to, interval }) => [configuration, to, interval])).toEqual(
    names.slice(1).map((name) => [name, "as given", "paired"]),
  );
  differences.forEach((difference, i) => {
    const [own, base] = [results[i + 1]!, results[0]!].map(({ metrics }) => metrics.rts_p95_s!.values);
    const { mean, low, high } = pairedDifference(own!, base!);
    expect(difference.metrics.rts_p95_s).toMatchObject({ mean, ci95_low: low, ci95_high: high });
  });
  expect(listing(folder)).toContain(join("figs", "compare.png"));
  const rows = readFileSync(join(folder, "data", "compare.csv"), "utf8").split("\n");
  expect(rows[0]).toMatch(/^configuration,to,interval,metric,difference,/);
});

describe("an earlier result", () => {
  // The first test draws a comparison; here the differences are what is tested.
  beforeEach(() => {
    vi.doMock("../../src/io/png.js", () => import("./output/light-pictures.js"));
    onTestFinished(() => void vi.doUnmock("../../src/io/png.js"));
  });
  const model = `--scheduler hybrid --tmax 20 --workers 0`;
  const save = async (name: string, argv: string, cwd: string): Promise<void> => {
    const { stdout } = await llmsim(`run --json ${model} ${argv}`, { cwd });
    writeFileSync(join(cwd, name), stdout);
  };
  const against = async (argv: string, cwd: string) => {
    const { code, stdout, stderr } = await llmsim(
      `compare --json --per-trial ${model} --ntrials 4 --chunk-size 16 ${argv}`,
      { cwd },
    );
    expect([code, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout) as Output;
  };
  const valuesOf = (file: string, cwd: string): number[] =>
    (JSON.parse(readFileSync(join(cwd, file), "utf8")) as Output).results[0]!.metrics.rts_p95_s!.values;

  test("of the same requests is paired, trial by trial", async ({ folder }) => {
    await save("base.json", "--ntrials 4 --per-trial", folder);
    const { results, differences } = await against("--baseline base.json", folder);
    const { mean, low, high } = pairedDifference(
      results[0]!.metrics.rts_p95_s!.values,
      valuesOf("base.json", folder),
    );
    expect(differences[0]).toMatchObject({ to: "base.json", interval: "paired" });
    expect(differences[0]!.metrics.rts_p95_s).toMatchObject({ mean, ci95_low: low, ci95_high: high });
  });

  test.for([
    ["another seed", "--ntrials 4 --per-trial --seed 2", "its seed is 2"],
    ["another number of trials", "--ntrials 5 --per-trial", "it has 5 trials"],
    ["another workload", "--ntrials 4 --per-trial --lam 3", "its workload or horizon is another"],
    ["no values of trials", "--ntrials 4", "it has no values of single trials"],
  ])("of %s: Welch's interval, and why", async ([, argv, why], { folder }) => {
    await save("base.json", argv, folder);
    const { results, differences } = await against("--baseline base.json", folder);
    expect(differences[0]!.interval).toBe("welch");
    if (argv.includes("--per-trial")) {
      const { mean, low, high } = welchDifference(
        results[0]!.metrics.rts_p95_s!.values,
        valuesOf("base.json", folder),
      );
      const found = differences[0]!.metrics.rts_p95_s!;
      expect([found.mean, found.ci95_low, found.ci95_high].map((value) => value.toPrecision(9))).toEqual(
        [mean, low, high].map((value) => value.toPrecision(9)),
      );
    }
    const { stdout } = await llmsim(`compare ${model} --ntrials 4 --baseline base.json`, { cwd: folder });
    expect(stdout).toContain(`are not paired (${why}`);
  });

  test("made with other settings: which, first of all; refused with --assert", async ({ folder: cwd }) => {
    const asked = `compare ${model} --ntrials 4 --baseline base.json`;
    await save("base.json", "--ntrials 4 --lam 3", cwd);
    const same = await llmsim(`${asked} --lam 3 --seed 2 --assert ttft_p95_s<1000`, { cwd });
    expect([same.code, same.stdout]).toEqual([0, expect.not.stringContaining("other settings")]);

    const other = `${asked} --lam 2 --tmax 30 --max-tokens 64 --arrivals gamma --cv 2`.replace(
      "--tmax 20 ",
      "",
    );
    const told = await llmsim([...other.split(" "), "--json"], { cwd });
    expect(told.code).toBe(0);
    const shown = (await llmsim(other, { cwd })).stdout.replace(/\s+/g, " ");
    const first = shown.indexOf("as given has other settings than base.json:");
    expect(first).toBeGreaterThan(-1);
    expect(first).toBeLessThan(shown.indexOf("P95 response time"));
    for (const change of [
      "workload.arrivals.kind poisson → gamma",
      "workload.arrivals.ratePerSecond 3 → 2",
      "workload.arrivals.cv none → 2",
      "horizon.tmaxSeconds 20 → 30",
      "engine.maxTokens 2048 → 64",
    ])
      expect(shown).toContain(change);

    const refused = await llmsim([...other.split(" "), "--assert", "ttft_p95_s<1000"], { cwd });
    expect([refused.code, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toContain("horizon.tmaxSeconds 20 → 30");
  });

  test("of an older version, without settings, tells by what it has", async ({ folder: cwd }) => {
    await save("base.json", "--ntrials 4 --lam 3", cwd);
    const document = JSON.parse(readFileSync(join(cwd, "base.json"), "utf8")) as { results: object[] };
    const results = document.results.map((one) => ({ ...one, settings: undefined }));
    writeFileSync(join(cwd, "base.json"), JSON.stringify({ ...document, results }));
    const asked = `compare ${model} --ntrials 4 --baseline base.json`;
    const other = await llmsim(`${asked} --lam 2 --conventions reference`, { cwd });
    const shown = other.stdout.replace(/\s+/g, " ");
    expect(shown).toContain("workload.arrivals.ratePerSecond 3 → 2");
    expect(shown).toContain("conventions.firstToken");
    expect((await llmsim(`${asked} --lam 3`, { cwd })).stdout).not.toContain("other settings");
  });

  test("that is none is refused, and nothing is written", async ({ folder }) => {
    writeFileSync(join(folder, "a.json"), "{");
    writeFileSync(join(folder, "b.json"), "{}");
    writeFileSync(join(folder, "c.json"), '{"seed":1,"trials":2,"results":[{"scheduler":"hybrid"}]}');
    mkdirSync(join(folder, "d.json"));
    const two = await llmsim("run --json --scheduler decode,prefill --ntrials 2 --tmax 20 --workers 0", {
      cwd: folder,
    });
    writeFileSync(join(folder, "decode.json"), two.stdout);
    for (const [file, problem] of [
      ["a.json", "invalid --baseline: a.json (not JSON; a document of llmsim run --json or compare --json)"],
      ["b.json", "invalid --baseline: b.json (no results;"],
      ["c.json", "a result without scheduler or metrics"],
      ["d.json", "cannot read d.json: is a directory"],
      ["none.json", "cannot read none.json: no such file or directory"],
      ["decode.json", "no result of hybrid in --baseline: decode.json (it has: decode-prioritizing"],
    ] as const) {
      const { code, stdout, stderr } = await llmsim(`compare ${model} --baseline ${file}`, { cwd: folder });
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(problem);
    }
    expect(listing(folder).filter((path) => !path.endsWith(".json"))).toEqual([]);
  });
});

describe("refuses, and writes nothing", () => {
  test.for<[readonly string[], string[]]>([
    [[], ["nothing to compare with"]],
    [["--with", ""], ["empty part in nothing"]],
    [["--with", "seed=3"], ["--with seed: not a setting"]],
    [["--with", "lam=3", "--with", "lam=3"], ["lam=3 twice"]],
    [
      ["--with", "foo", "--with", "maxTokens=3", "--with", ",", "--lam", "-1"],
      ["empty part in ,", "invalid --lam", "unknown scenario: foo", "--with maxTokens: unknown key"],
    ],
    [["--with", "none.yaml"], ["none.yaml"]],
  ])("%j", async ([flags, problems], { folder: cwd }) => {
    const { code, stderr } = await llmsim(["compare", ...flags, ...SMALL.split(" ")], { cwd });
    expect(code).toBe(2);
    for (const problem of problems) expect(stderr).toContain(problem);
    expect(listing(cwd)).toEqual([]);
  });
});
