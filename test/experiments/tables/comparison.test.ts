/** Schedulers side by side: verdicts by paired differences, "not resolved" where the interval holds zero. */
import { describe, expect, test } from "vitest";
import {
  comparisonTable,
  differences,
  differenceTable,
  headline,
  HEADLINE,
  jsonDifferences,
  relative,
  schedulerLabel,
} from "../../../src/experiments/tables/comparison.js";
import { withScheduler } from "../../../src/experiments/interface/study.js";
import { METRICS } from "../../../src/core/measures/metrics.js";
import { tQuantile } from "../../../src/stats/index.js";
import { METRIC_NAMES, recordsOf, studyOf, trialsWith } from "../studies.js";

const study = studyOf("demo2");
const configs = study.schedulers.map((scheduler) => withScheduler(study, scheduler));
const labels = ["decode-prioritizing", "prefill-prioritizing", "hybrid"];
const two = configs.slice(0, 2);

/** Ten trials around `mean`, the same noise for everybody but a share of their own. */
const noise = [3, -1, 2, -4, 1, 0, -2, 5, -3, -1];
const own = [1, -1, 1, -1, 1, -1, 1, -1, 1, -1];
const around = (mean: number, share = 0): number[] => noise.map((one, i) => mean + one + share * own[i]!);

interface JsonDifference {
  readonly scheduler: string;
  readonly to: string;
  readonly verdict: string;
  readonly trials_to_resolve: number | null;
  readonly metrics: Record<string, Record<string, unknown>>;
}

describe("verdicts", () => {
  const records = recordsOf(two, [
    { rts_p95_s: around(50), ttft_mean_s: around(20), throughput_qps: around(30), n_iterations: around(9) },
    {
      rts_p95_s: around(40, 0.1),
      ttft_mean_s: around(20.2, 1),
      throughput_qps: around(25, 0.1),
      n_iterations: around(7),
    },
  ]);
  const found = new Map(differences(records, 1, 0).map((one) => [one.metric, one]));

  test("lower times and higher rates are better; plain counts have no verdict", () => {
    expect(found.get("rts_p95_s")!.verdict).toBe("better");
    expect(found.get("throughput_qps")!.verdict).toBe("worse");
    expect(found.get("n_iterations")!.verdict).toBeNull();
    const turned = new Map(differences(records, 0, 1).map((one) => [one.metric, one]));
    expect(turned.get("rts_p95_s")!.verdict).toBe("worse");
    expect(turned.get("throughput_qps")!.verdict).toBe("better");
  });

  test("are by pairs: what both share cancels", () => {
    const { summary } = found.get("rts_p95_s")!;
    expect(summary.mean).toBeCloseTo(-10, 10);
    // The noise of a trial is ±5; that of the difference ±0.1.
    expect(summary.high - summary.low).toBeLessThan(0.2);
  });

  test("an interval that holds zero is not resolved, with the trials that would resolve it", () => {
    const { summary, verdict, trialsToResolve } = found.get("ttft_mean_s")!;
    expect(verdict).toBe("not resolved");
    expect([summary.low < 0, summary.high > 0]).toEqual([true, true]);
    // Independently: the half-width shrinks below the difference at this number and not before.
    const half = (n: number): number => (tQuantile(0.975, n - 1) * summary.sd) / Math.sqrt(n);
    expect(half(trialsToResolve)).toBeLessThan(Math.abs(summary.mean));
    expect(half(trialsToResolve - 1)).toBeGreaterThanOrEqual(Math.abs(summary.mean));
    expect(trialsToResolve).toBeGreaterThan(noise.length);
    expect(trialsToResolve).toBeLessThan(1000);
  });

  test("those of a metric that nobody had are not resolved, and nobody can say by how many trials", () => {
    const { summary, verdict, trialsToResolve } = found.get("itl_p99_s")!;
    expect([summary.n, verdict]).toEqual([0, "not resolved"]);
    expect(trialsToResolve).toBeNaN();
  });

  test("only trials that both have are paired", () => {
    const gaps = recordsOf(two, [{ rts_p95_s: [1, NaN, 3, 4] }, { rts_p95_s: [NaN, 2, 5, 6] }]);
    const { summary } = differences(gaps, 1, 0).find(({ metric }) => metric === "rts_p95_s")!;
    expect([summary.n, summary.mean]).toEqual([2, 2]);
  });

  test("stand in JSON and in the table of the terminal", () => {
    const [json] = jsonDifferences(two, records) as [JsonDifference];
    expect([json.scheduler, json.to, json.verdict]).toEqual([
      "prefill-prioritizing",
      "decode-prioritizing",
      "better",
    ]);
    expect(Object.keys(json.metrics)).toEqual(METRIC_NAMES);
    expect(json.metrics.n_iterations!.verdict).toBeNull();
    expect(json.metrics.itl_p99_s).toEqual({
      mean: null,
      sd: null,
      ci95_low: null,
      ci95_high: null,
      n: 0,
      verdict: "not resolved",
    });
    const { rows, title } = differenceTable(labels.slice(0, 2), records);
    expect(title).toBe("paired differences to decode-prioritizing");
    const needed = found.get("ttft_mean_s")!.trialsToResolve;
    expect(rows.map(([scheduler, metric, , said]) => [scheduler, metric, said])).toEqual([
      ["prefill", "TTFT", `not resolved (about ${needed} trials would)`],
      ["prefill", "TBT", "not resolved"],
      ["prefill", "ITL p99", "not resolved"],
      ["prefill", "RTS p95", "better"],
      ["prefill", "throughput", "worse"],
    ]);
    expect(rows[1]![2]).toBe("– s");
  });
});

describe("two settings that make no difference", () => {
  test("hybrid .5 against .9 on demo2 at λ = 2: exactly zero, not resolved, for any number of trials", async () => {
    const ratios = [0.5, 0.9].map((ratio) =>
      withScheduler(study, { kind: "hybrid", ratio, ratioOf: "sequences" }),
    );
    const records = await trialsWith().run({ label: "ratios", configs: ratios, seed: 1, trials: 5 });
    for (const name of METRIC_NAMES) expect(records.metric(1, name)).toEqual(records.metric(0, name));
    for (const { summary, verdict, metric, trialsToResolve } of differences(records, 1, 0)) {
      expect([summary.n, summary.mean, summary.sd, summary.low, summary.high]).toEqual([5, 0, 0, 0, 0]);
      expect(trialsToResolve).toBe(Infinity);
      const { better } = METRICS.find(({ name }) => name === metric)!;
      expect(verdict).toBe(better === "neither" ? null : "not resolved");
    }
    const [json] = jsonDifferences(ratios, records) as [JsonDifference];
    expect([json.verdict, json.trials_to_resolve]).toEqual(["not resolved", null]);
    const names = ratios.map(schedulerLabel);
    expect(names).toEqual(["hybrid", "hybrid(0.9)"]);
    expect(headline(names, records)).toMatch(/; hybrid\(0\.9\) is not resolved from it$/);
    expect(differenceTable(names, records).rows.map((row) => row.slice(2))).toEqual(
      ["s", "s", "s", "s", "1/s"].map((unit) => [`0 ±0 ${unit}`, "not resolved"]),
    );
  });

  test("and where it does bind, it is resolved: hybrid of tokens, a tenth against nine tenths", async () => {
    const ratios = [0.1, 0.9].map((ratio) =>
      withScheduler(study, { kind: "hybrid", ratio, ratioOf: "tokens" }),
    );
    const records = await trialsWith().run({ label: "ratios", configs: ratios, seed: 1, trials: 5 });
    expect(
      differences(records, 1, 0).some(({ verdict }) => verdict === "worse" || verdict === "better"),
    ).toBe(true);
    expect(ratios.map(schedulerLabel)).toEqual(["hybrid(0.1 of tokens)", "hybrid(0.9 of tokens)"]);
  });
});

describe("the sentence that answers", () => {
  const records = recordsOf(configs, [
    { rts_p95_s: around(80) },
    { rts_p95_s: around(50, 0.1) },
    { rts_p95_s: around(50.01, 1) },
  ]);
  test("names the best by P95 response time, then the others by how much worse they are", () => {
    expect(headline(labels, records)).toMatch(
      /^prefill-prioritizing has the lowest P95 response time, 50\.0 ± 2\.0 s; hybrid is not resolved from it, decode-prioritizing is 60\.\d+ % \(± 0\.\d+\) worse$/,
    );
  });
  test("says by how much from the paired differences", () => {
    const { ratio, half, resolved } = relative(records, 0, 1);
    expect(ratio).toBeCloseTo(0.6, 3);
    expect(half).toBeLessThan(0.002);
    expect(resolved).toBe(true);
  });
  test("of one scheduler alone gives its level, and of none measured says so", () => {
    expect(headline(["hybrid"], recordsOf([configs[2]!], [{ rts_p95_s: around(50) }]))).toBe(
      "hybrid: P95 response time 50.0 ± 2.0 s",
    );
    const none = recordsOf(two, [{ n_arrived: [0, 0] }, { n_arrived: [0, 0] }]);
    expect(headline(labels.slice(0, 2), none)).toBe(
      "no request was measured, so there is nothing to compare",
    );
  });
  test("is about the metric that the table marks best by a word", () => {
    const { rows, columns } = comparisonTable("", labels, records);
    expect(HEADLINE).toBe("rts_p95_s");
    expect(rows.map((row) => [row[0], row.at(-1)])).toEqual([
      ["decode", ""],
      ["prefill", "best"],
      ["hybrid", ""],
    ]);
    expect(columns).toEqual(["scheduler", "TTFT s", "TBT s", "ITL p99 s", "RTS p95 s", "req/s", ""]);
    expect(rows[0]!.slice(1)).toEqual(["–", "–", "–", "80.0 ±2.0", "–", ""]);
  });
});
