/** `run --requests FILE`: a row per request of the first trial, which come to the metrics of that trial. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { type CsvRow, parseCsv } from "../../src/io/csv.js";
import { listing, llmsim, test } from "./session.js";

type Numbers = Readonly<Record<string, number>>;
interface Trial {
  readonly rows: readonly CsvRow[];
  /** Metrics of trial 1 by scheduler, as JSON gives them. */
  readonly metrics: Numbers;
}

/** Rows and metrics of each scheduler. */
async function trialsOf(flags: string, cwd: string): Promise<Map<string, Trial>> {
  const argv = `run --workers 0 --ntrials 2 --tmax 60 ${flags} --json --per-trial --requests out/rows.csv`;
  const { code, stdout } = await llmsim(argv, { cwd });
  expect(code).toBe(0);
  // A run that takes long keeps a journal in data, and the folder stays.
  expect(listing(cwd).filter((path) => path !== "data")).toEqual(["out", "out/rows.csv"]);
  const { rows } = parseCsv(readFileSync(join(cwd, "out/rows.csv"), "utf8"), { file: "rows.csv" });
  const { results } = JSON.parse(stdout) as {
    results: { scheduler: string; metrics: Record<string, { values: number[] }> }[];
  };
  return new Map(
    results.map(({ scheduler, metrics }) => [
      scheduler,
      {
        rows: rows.filter((row) => row.scheduler === scheduler),
        metrics: Object.fromEntries(Object.entries(metrics).map(([name, { values }]) => [name, values[0]!])),
      },
    ]),
  );
}

const column = (rows: readonly CsvRow[], name: string): number[] =>
  rows.map((row) => row[name]).filter((value) => typeof value === "number");
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
/** Type-7 quantile, written the obvious way. */
function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)]!;
  return low + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - low);
}
const close = (found: number, expected: number, what: string): void =>
  expect(Math.abs(found / expected - 1), what).toBeLessThan(1e-9);

describe.each([
  ["demo2", "--scenario demo2"],
  ["demo3 with a warm-up, reference", "--scenario demo3 --warmup 20 --conventions reference --lam 4"],
  ["two replicas and a cap", "--lam 9 --num-gpus 2 --max-sequences 20 --warmup 5"],
])("%s", (_, flags) => {
  test("the rows come to the metrics of trial 1; the same requests for every scheduler; each row adds up", async ({
    folder,
  }) => {
    const trials = await trialsOf(flags, folder);
    expect([...trials.keys()]).toEqual(["decode-prioritizing", "prefill-prioritizing", "hybrid"]);
    for (const [scheduler, { rows, metrics }] of trials) {
      const measured = rows.filter((row) => row.measured === 1);
      expect(measured.length).toBe(metrics.n_arrived);
      for (const [name, metric] of [
        ["ttft_s", "ttft"],
        ["tbt_s", "tbt"],
        ["rts_s", "rts"],
        ["queueing_delay_s", "queueing_delay"],
      ] as const) {
        const values = column(measured, name);
        close(mean(values) || 1, metrics[`${metric}_mean_s`]! || 1, `${scheduler} ${metric} mean`);
        close(quantile(values, 0.95) || 1, metrics[`${metric}_p95_s`]! || 1, `${scheduler} ${metric} p95`);
        close(quantile(values, 0.5) || 1, metrics[`${metric}_p50_s`]! || 1, `${scheduler} ${metric} p50`);
      }
      const makespan = Math.max(...column(measured, "finished_at_s")) - column(measured, "arrived_at_s")[0]!;
      close(makespan, metrics.makespan_s!, "makespan");
      close(measured.length / makespan, metrics.throughput_qps!, "throughput");
      const output = column(measured, "output_tokens").reduce((sum, one) => sum + one, 0);
      close(output / makespan, metrics.output_tokens_per_s!, "output tokens per second");
    }

    const drawn = [...trials.values()].map(({ rows }) =>
      rows.map(({ request, arrived_at_s, prompt_tokens, output_tokens }) => [
        request,
        arrived_at_s,
        prompt_tokens,
        output_tokens,
      ]),
    );
    expect(drawn[1]).toEqual(drawn[0]);
    expect(drawn[2]).toEqual(drawn[0]);
    for (const { rows } of trials.values()) {
      expect(column(rows, "request")).toEqual(rows.map((_row, i) => i));
      const arrivals = column(rows, "arrived_at_s");
      expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
      expect(arrivals.at(-1)).toBeLessThanOrEqual(60);
      for (const row of rows as readonly Numbers[]) {
        const {
          arrived_at_s: arrived,
          started_at_s: started,
          first_token_at_s: first,
          finished_at_s: end,
        } = row;
        expect(arrived! <= started! && started! < first! && first! <= end!).toBe(true);
        expect(row.queueing_delay_s).toBeCloseTo(started! - arrived!, 8);
        expect(row.ttft_s).toBeCloseTo(first! - arrived!, 8);
        expect(row.rts_s).toBeCloseTo(end! - arrived!, 8);
      }
    }
  });
});

describe("requests without tokens or gaps", () => {
  test("prefill only: no first token, no TBT, empty cells", async ({ folder }) => {
    for (const { rows, metrics } of (await trialsOf("--scenario demo1 --lam 3", folder)).values()) {
      expect(rows.length).toBe(metrics.n_arrived);
      for (const { first_token_at_s, ttft_s, tbt_s, rts_s, output_tokens } of rows) {
        expect([first_token_at_s, ttft_s, tbt_s, output_tokens]).toEqual([null, null, null, 0]);
        expect(rts_s).toBeGreaterThan(0);
      }
    }
  });
  test("one token: a TTFT, no gap; under `tokens` its TBT is the whole time", async ({ folder }) => {
    const one = "--set workload.outputTokens.kind=fixed --set workload.outputTokens.tokens=1";
    for (const { rows } of (await trialsOf(one, folder)).values()) {
      expect(new Set(rows.map(({ tbt_s }) => tbt_s))).toEqual(new Set([null]));
      expect(column(rows, "ttft_s")).toEqual(column(rows, "rts_s"));
    }
  });
  test("one token under reference conventions", async ({ folder }) => {
    const one =
      "--conventions reference --set workload.outputTokens.kind=fixed --set workload.outputTokens.tokens=1";
    for (const { rows } of (await trialsOf(one, folder)).values())
      expect(new Set(rows.map(({ tbt_s }) => tbt_s))).toEqual(new Set([0]));
  });
});

test("the file is found from the current folder, an absolute path as it is; --out-data does not move it", async ({
  folder,
}) => {
  const { stdout } = await llmsim(
    [
      "run",
      "--workers",
      "0",
      "--tmax",
      "5",
      "--requests",
      join(folder, "a/b.csv"),
      "--out-data",
      "elsewhere",
    ],
    { cwd: folder },
  );
  expect(stdout).toContain(`written:\n  ${join(folder, "a/b.csv")}`);
  expect(listing(folder).filter((path) => path !== "elsewhere")).toEqual(["a", "a/b.csv"]);
});

test("where KV memory is limited a last column counts preemptions: they come to those of the trial", async ({
  folder,
}) => {
  const flags =
    "--scheduler vllm,sarathi --lam 8 --discipline priority --set engine.discipline.classes=0.5,0.5";
  const trials = await trialsOf(`${flags} --kv-tokens 2000`, folder);
  for (const { rows, metrics } of trials.values()) {
    expect(Object.keys(rows[0]!).slice(-2)).toEqual(["class", "preemptions"]);
    const preemptions = column(rows, "preemptions").reduce((sum, count) => sum + count, 0);
    expect(preemptions).toBeGreaterThan(0);
    expect(preemptions).toBe(metrics.n_preemptions);
  }
  const unlimited = await trialsOf(flags, folder);
  for (const { rows } of unlimited.values()) expect(Object.keys(rows[0]!).at(-1)).toBe("class");
});
