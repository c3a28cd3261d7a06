/** Trial records as rows and as JSON: the same numbers in both, in a fixed order, null where there is none. */
import { describe, expect, test } from "vitest";
import { METRICS } from "../../../src/core/measures/metrics.js";
import { withScheduler } from "../../../src/experiments/interface/study.js";
import {
  arrivalRate,
  jsonMetrics,
  jsonSummary,
  KEY_COLUMNS,
  keyCells,
  METRIC_COLUMNS,
  metricCells,
} from "../../../src/experiments/cells/rows.js";
import { pairedDifference, summarize } from "../../../src/stats/index.js";
import { asJson, METRIC_NAMES, recordsOf, studyOf } from "../studies.js";

const study = studyOf("demo3_b0_64", { rate: 1.5, horizon: { tmaxSeconds: 60 } });
const [decode, , hybrid] = study.schedulers.map((scheduler) => withScheduler(study, scheduler));

const values = [1, 2, 4, 3];
const records = recordsOf(
  [decode!, hybrid!],
  [
    { ttft_mean_s: values, tbt_mean_s: [NaN, 5, NaN, NaN], rts_p95_s: [NaN, 7, NaN, 8] },
    { ttft_mean_s: [2, 2, 2, 2] },
  ],
);

describe("columns", () => {
  test("are the metrics in the order of the tables, each with interval and deviation", () => {
    const statistics = ["mean", "p50", "p90", "p95", "p99"];
    const times = ["ttft", "tbt", "itl", "rts", "queueing_delay"].flatMap((name) =>
      statistics.map((statistic) => `${name}_${statistic}_s`),
    );
    expect(METRIC_NAMES.slice(0, 34)).toEqual([
      ...times,
      "throughput_qps",
      "output_tokens_per_s",
      "total_tokens_per_s",
      "utilization",
      "n_arrived",
      "n_completed",
      "n_rejected",
      "n_iterations",
      "makespan_s",
    ]);
    expect(METRIC_COLUMNS.slice(0, 5)).toEqual([
      "ttft_mean_s",
      "ttft_mean_s_ci95_low",
      "ttft_mean_s_ci95_high",
      "ttft_mean_s_sd",
      "ttft_p50_s",
    ]);
    expect(METRIC_COLUMNS).toHaveLength(4 * METRICS.filter(({ needs }) => !needs).length);
    expect(KEY_COLUMNS).toEqual(["scheduler", "t_max_s", "lambda_qps", "chunk_size", "ratio", "trials"]);
  });
});

describe("cells", () => {
  test("name the configuration; empty means none", () => {
    expect(keyCells(decode!, 5)).toEqual({
      scheduler: "decode-prioritizing",
      t_max_s: 60,
      lambda_qps: 1.5,
      chunk_size: 64,
      ratio: null,
      trials: 5,
    });
    expect(keyCells(hybrid!, 5, 20)).toMatchObject({ scheduler: "hybrid", t_max_s: 20, ratio: 0.5 });
    expect(Object.keys(keyCells(hybrid!, 5))).toEqual([...KEY_COLUMNS]);
    expect(arrivalRate(decode!)).toBe(1.5);
  });

  test("hold mean, interval and deviation; null where a trial, or every trial, had none", () => {
    const cells = metricCells(records, 0);
    expect(Object.keys(cells)).toEqual([...METRIC_COLUMNS]);
    const { mean, low, high, sd } = summarize(values);
    expect(mean).toBe(2.5);
    expect([cells.ttft_mean_s, cells.ttft_mean_s_sd]).toEqual([mean, sd]);
    expect([cells.ttft_mean_s_ci95_low, cells.ttft_mean_s_ci95_high]).toEqual([low, high]);
    // One trial of four had a TBT: a mean, no interval.
    expect([cells.tbt_mean_s, cells.tbt_mean_s_sd, cells.tbt_mean_s_ci95_low]).toEqual([5, null, null]);
    expect([cells.itl_p99_s, cells.itl_p99_s_ci95_high]).toEqual([null, null]);
    // No spread is an interval of width zero.
    expect(metricCells(records, 1)).toMatchObject({
      ttft_mean_s: 2,
      ttft_mean_s_ci95_low: 2,
      ttft_mean_s_sd: 0,
    });
  });
});

describe("JSON", () => {
  test("holds the cells' numbers, and how many trials had one", () => {
    const cells = metricCells(records, 0);
    const metrics = jsonMetrics(records, 0, false);
    expect(Object.keys(metrics)).toEqual(METRIC_NAMES);
    for (const name of METRIC_NAMES)
      expect([
        metrics[name]!.mean,
        metrics[name]!.ci95_low,
        metrics[name]!.ci95_high,
        metrics[name]!.sd,
      ]).toEqual([cells[name], cells[`${name}_ci95_low`], cells[`${name}_ci95_high`], cells[`${name}_sd`]]);
    expect([metrics.ttft_mean_s!.n, metrics.tbt_mean_s!.n, metrics.itl_p99_s!.n]).toEqual([4, 1, 0]);
    expect(metrics.ttft_mean_s).not.toHaveProperty("values");
  });

  test("also each trial's values when asked", () => {
    const metrics = jsonMetrics(records, 0, true);
    expect(metrics.ttft_mean_s!.values).toEqual(Float64Array.from(values));
    expect(metrics.tbt_mean_s!.values).toEqual(Float64Array.of(NaN, 5, NaN, NaN));
  });

  test("survives being written and read: no NaN turns up as something else", () => {
    const metrics = jsonMetrics(records, 0, true);
    const { ttft_mean_s, tbt_mean_s } = asJson(metrics) as typeof metrics;
    expect(ttft_mean_s).toEqual({ ...metrics.ttft_mean_s, values });
    expect(tbt_mean_s).toEqual({ ...metrics.tbt_mean_s, values: [null, 5, null, null] });
    expect(jsonSummary(pairedDifference([NaN], [1]))).toEqual({
      mean: null,
      sd: null,
      ci95_low: null,
      ci95_high: null,
      n: 0,
    });
  });
});
