/** The grammar of assertions and of SLO targets. */
import { describe, expect, test } from "vitest";
import { readCondition, readQuantity } from "../../../src/core/measures/condition.js";
import { readSlo } from "../../../src/core/measures/targets.js";

const noHint = (): string => "";

describe("a condition", () => {
  test.each([
    ["ttft_p95_s<0.5", ["ttft_p95_s", "<", 0.5]],
    [" ttft_p95 <= 500ms ", ["ttft_p95_s", "<=", 0.5]],
    ["itl_p99>=50us", ["itl_p99_s", ">=", 0.00005]],
    ["rts_mean<1.5min", ["rts_mean_s", "<", 90]],
    ["throughput>1.9/s", ["throughput_qps", ">", 1.9]],
    ["attainment>=95%", ["slo_attainment", ">=", 0.95]],
    ["utilization<.9", ["utilization", "<", 0.9]],
    ["n_completed>1e3", ["n_completed", ">", 1000]],
  ])("%s", (text, [metric, relation, limit]) => {
    expect(readCondition(text, noHint)).toEqual({ metric, relation, limit });
  });

  test.each([
    ["", /^not a condition: /],
    ["ttft_p95", /^not a condition: ttft_p95 \(write metric<limit/],
    ["<1", /^not a condition/],
    ["ttft_p95<1<2", /^not a condition/],
    [
      "ttft_p100<1",
      /^unknown metric: ttft_p100 \(one of: ttft_mean_s, .*client_wait_p99_s; of times any percentile, e\.g\. ttft_p99\.9\)$/,
    ],
    ["ttft_p0<1", /^unknown metric/],
    ["ttft_p99.<1", /^unknown metric/],
    ["ttft_p99.1234567<1", /^unknown metric/],
    ["throughput_p50<1", /^unknown metric/],
    ["ttft_p99.9<1/s", /^invalid limit of ttft_p99\.9_s: 1\/s \(a time/],
    ["ttft_p95<fast", /^invalid limit of ttft_p95_s: fast \(a time, e\.g\. 0\.5s or 50ms\)$/],
    ["ttft_p95<", /^invalid limit of ttft_p95_s: nothing/],
    ["ttft_p95<1e999", /^invalid limit/],
    ["throughput<1ms", /^invalid limit of throughput_qps: 1ms \(a rate per second\)$/],
    ["utilization<1s", /^invalid limit/],
    ["ttft_p95<1toString", /^invalid limit/],
  ])("is refused: %s", (text, message) => {
    expect(readCondition(text, noHint)).toMatch(message);
  });

  test.each([
    ["ttft_p99.9<1", "ttft_p99.9_s"],
    ["e2e_p99.90_s<1", "rts_p99.9_s"],
    ["tpot_p25<1", "tbt_p25_s"],
    ["queueing_delay_p0.5<1", "queueing_delay_p0.5_s"],
    ["itl_p95.0<1", "itl_p95_s"],
  ])("is on any percentile of a time: %s", (text, metric) => {
    expect(readCondition(text, noHint)).toMatchObject({ metric, relation: "<", limit: 1 });
  });

  test("milliseconds have no rounding of their own", () => {
    for (const text of ["50ms", "29ms", "0.7ms", "1234567us"])
      expect(readQuantity(text, "s")).toBe(Number(`${parseFloat(text)}e-${text.endsWith("ms") ? 3 : 6}`));
  });
});

describe("an SLO", () => {
  test("asks of each request, and of the run", () => {
    expect(
      readSlo("ttft=0.5s, tbt=50ms,rts=20s,itl=200ms,ttft_p99=1s,throughput=2,attainment=95%", noHint),
    ).toEqual({
      requests: { ttftSeconds: 0.5, tbtSeconds: 0.05, rtsSeconds: 20, itlSeconds: 0.2 },
      targets: [
        { metric: "ttft_p99_s", relation: "<=", limit: 1 },
        { metric: "throughput_qps", relation: ">=", limit: 2 },
        { metric: "slo_attainment", relation: ">=", limit: 0.95 },
      ],
      targetText: "ttft_p99=1s,throughput=2,attainment=95%",
      problems: [],
    });
  });

  test("knows vLLM's names, of each request and of the run", () => {
    expect(readSlo("tpot=50ms,e2e=2s", noHint)).toEqual({ ...readSlo("tbt=50ms,rts=2s", noHint) });
    expect(readSlo("tpot_p99=50ms,e2el_mean=2s", noHint).targets).toEqual(
      readSlo("tbt_p99=50ms,rts_mean=2s", noHint).targets,
    );
    expect(readCondition("tpot_p99_s<0.05", noHint)).toEqual(readCondition("tbt_p99_s<0.05", noHint));
    expect(readCondition("tpots_p99<1", noHint)).toMatch(/^unknown metric: tpots_p99/);
  });

  test("lists what is allowed there", () => {
    expect(readSlo("tpotx=1s", noHint).problems).toEqual([
      expect.stringMatching(/^unknown metric: tpotx \(one of: ttft, tbt, rts, itl, ttft_mean_s, /),
    ]);
    expect(readCondition("tpotx<1", noHint)).toMatch(/^unknown metric: tpotx \(one of: ttft_mean_s, /);
  });

  test("has every problem told at once", () => {
    const { problems } = readSlo("ttft=soon,tbt=0s,,ttft_p101=1s,n_arrived=3,ttft<1", noHint);
    expect(problems).toEqual([
      expect.stringMatching(/^invalid ttft: soon/),
      expect.stringMatching(/^invalid tbt: 0s/),
      expect.stringMatching(/^not a target: nothing/),
      expect.stringMatching(/^unknown metric: ttft_p101/),
      expect.stringMatching(/^no target: n_arrived/),
      expect.stringMatching(/^not a target: ttft<1/),
    ]);
  });
});
