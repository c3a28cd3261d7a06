/** `--json`: one document and nothing else, as its published schema says, with the numbers of the CSV. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { z } from "zod";
import { runOutputSchema } from "../../../src/config/run-output-schema.js";
import { METRICS } from "../../../src/core/measures/metrics.js";
import { parseCsv } from "../../../src/io/csv.js";
import { instead, listing, llmsim, SMALL, test } from "../session.js";

interface Summary {
  mean: number | null;
  sd: number | null;
  ci95_low: number | null;
  ci95_high: number | null;
  n: number;
  values?: number[];
}
interface Output {
  [key: string]: unknown;
  command: string;
  results: { scheduler: string; ratio: number | null; metrics: Record<string, Summary> }[];
  differences: { scheduler: string; to: string; verdict: string; metrics: Record<string, Summary> }[];
}

const published = z.fromJSONSchema(
  JSON.parse(
    readFileSync(new URL("../../../dist/schemas/run-output.schema.json", import.meta.url), "utf8"),
  ) as Parameters<typeof z.fromJSONSchema>[0],
);
const SCHEMAS = [
  ["the zod schema", runOutputSchema(z)],
  ["the published JSON Schema", published],
] as const;

/** The document of a run; stdout must hold nothing else. */
async function documentOf(argv: string, cwd: string): Promise<Output> {
  const { code, stdout } = await llmsim(
    instead(`${argv.split(" ")[0]} --json ${SMALL}`, argv.split(" ").slice(1).join(" ")),
    { cwd },
  );
  expect(code).toBe(0);
  expect(stdout.startsWith("{\n")).toBe(true);
  expect(stdout.endsWith("\n}\n")).toBe(true);
  return JSON.parse(stdout) as Output;
}

describe.each(SCHEMAS)("%s", (_, schema) => {
  test.for([
    "run",
    "run --per-trial --scheduler hybrid",
    "run --scenario demo1 --no-chunking",
    "run --ntrials 1",
  ])("takes what `%s` prints", async (argv, { folder }) => {
    const found = schema.safeParse(await documentOf(argv, folder));
    expect(found.error).toBeUndefined();
    expect(listing(folder)).toEqual([]);
  });

  test("refuses a document with a wrong part", async ({ folder }) => {
    const output = JSON.stringify(await documentOf("run", folder));
    const spoilt: ((output: Output) => void)[] = [
      (one) => delete one.seed,
      (one) => delete (one as Partial<Output>).results,
      (one) => delete (one.results[0]!.metrics as Partial<Record<string, Summary>>).ttft_mean_s,
      (one) => delete (one.results[0]!.metrics.ttft_mean_s as Partial<Summary>).n,
      (one) => (one.results[0]!.metrics.made_up_s = { mean: 1, sd: 1, ci95_low: 1, ci95_high: 1, n: 3 }),
      (one) => ((one.results[0]!.metrics.ttft_mean_s as unknown as Record<string, unknown>).mean = "fast"),
      (one) => (one.conventions = { firstToken: "third" }),
      (one) => (one.differences[0]!.verdict = "maybe"),
      (one) => (one.trials = 0),
    ];
    for (const spoil of spoilt) {
      const one = JSON.parse(output) as Output;
      spoil(one);
      expect(schema.safeParse(one).success, String(spoil)).toBe(false);
    }
  });
});

describe("the document of run", () => {
  test("says what was run", async ({ folder }) => {
    const { results, differences, ...head } = await documentOf(
      "run --scenario demo3 --seed 4 --set conventions.tbt=tokens --lam 3",
      folder,
    );
    expect(head).toEqual({
      command: "run",
      scenario: "demo3",
      seed: 4,
      trials: 3,
      conventions: { firstToken: "prefill", mixedBatch: "sum", sequenceCap: "resident", tbt: "tokens" },
    });
    expect(
      results.map((result) => ({ ...result, metrics: undefined, settings: undefined, keeps_up: undefined })),
    ).toEqual(
      [
        ["decode-prioritizing", null],
        ["prefill-prioritizing", null],
        ["hybrid", 0.5],
      ].map(([scheduler, ratio]) => ({
        scheduler,
        ratio,
        t_max_s: 20,
        lambda_qps: 3,
        chunk_size: 64,
        trials: 3,
      })),
    );
    expect(differences.map(({ scheduler, to }) => [scheduler, to])).toEqual([
      ["prefill-prioritizing", "decode-prioritizing"],
      ["hybrid", "decode-prioritizing"],
    ]);
  });

  test("has every metric with its interval round its mean, and each trial's values when asked", async ({
    folder,
  }) => {
    const { results } = await documentOf("run --per-trial", folder);
    for (const { metrics } of results) {
      expect(Object.keys(metrics)).toEqual(METRICS.filter(({ needs }) => !needs).map(({ name }) => name));
      for (const { mean, sd, ci95_low: low, ci95_high: high, n, values } of Object.values(metrics)) {
        expect(n).toBe(3);
        expect(values).toHaveLength(3);
        expect(values!.reduce((sum, value) => sum + value, 0) / 3).toBeCloseTo(mean!, 9);
        expect(low! <= mean! && mean! <= high! && sd! >= 0).toBe(true);
      }
    }
  });

  test("has differences that are those of the trials, pair by pair", async ({ folder }) => {
    const { results, differences } = await documentOf("run --per-trial", folder);
    const [first, second] = results;
    const { metrics } = differences[0]!;
    for (const [name, { mean }] of Object.entries(metrics)) {
      const pairs = second!.metrics[name]!.values!.map(
        (value, j) => value - first!.metrics[name]!.values![j]!,
      );
      expect(mean).toBeCloseTo(pairs.reduce((sum, one) => sum + one, 0) / 3, 9);
    }
  });

  test("without a second scheduler has no differences, and without a request no values", async ({
    folder,
  }) => {
    const alone = await documentOf("run --scheduler decode", folder);
    expect(alone.differences).toEqual([]);
    const idle = await documentOf("run --lam 0.000001", folder);
    for (const { metrics } of idle.results) {
      expect(metrics.ttft_mean_s).toEqual({ mean: null, sd: null, ci95_low: null, ci95_high: null, n: 0 });
      expect(metrics.n_arrived).toMatchObject({ mean: 0, n: 3 });
    }
  });
});

describe("JSON and CSV", () => {
  const COMMAND = "sweep-time --scenario demo2 --windows 2 --scheduler hybrid,decode --ratio 0.3";

  test("of sweep-time hold the same numbers to the last digit, and so does run's JSON", async ({
    folder,
  }) => {
    const sweep = await documentOf(COMMAND, folder);
    const read = (name: string) =>
      parseCsv(readFileSync(join(folder, "data", name), "utf8"), { file: name }).rows;
    const series = read("demo2_time_series_results.csv");
    expect(series).toEqual(sweep.results);
    expect(series).toHaveLength(4);
    const final = read("demo2_final_results.csv");
    expect(final).toEqual(series.filter(({ t_max_s }) => t_max_s === 20));

    const run = await documentOf("run --scheduler hybrid,decode --ratio 0.3", folder);
    expect(run.results.map(({ ratio }) => ratio)).toEqual([0.3, null]);
    run.results.forEach(({ metrics }, i) => {
      for (const [name, { mean, sd, ci95_low, ci95_high }] of Object.entries(metrics))
        expect([mean, ci95_low, ci95_high, sd]).toEqual(
          ["", "_ci95_low", "_ci95_high", "_sd"].map((end) => final[i]![name + end]),
        );
    });
  });
});

test("with a failure there is nothing on stdout, not half a document", async ({ folder }) => {
  const { code, stdout } = await llmsim(`run --json --requests /dev/full ${SMALL}`, { cwd: folder });
  expect([code, stdout]).toEqual([2, ""]);
});
