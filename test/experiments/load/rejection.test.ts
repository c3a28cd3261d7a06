/** Requests that can never fit into the KV memory: who reads a result is told, and a condition on times counts them as +∞. */
import { describe, expect, test } from "vitest";
import { prepare } from "../../../src/core/configuration/check-config.js";
import type { Condition } from "../../../src/core/measures/condition.js";
import { VALUES_EACH } from "../../../src/core/measures/measures.js";
import { METRICS, metricIndex } from "../../../src/core/measures/metrics.js";
import { judge } from "../../../src/experiments/tables/assertions.js";
import type { Study } from "../../../src/experiments/interface/study.js";
import { plan } from "../../../src/experiments/plan/plan.js";
import { usesOf, verdictOf, wholeUse } from "../../../src/experiments/plan/objective.js";
import { checkFits } from "../../../src/experiments/load/rejection.js";
import { run } from "../../../src/experiments/run/run.js";
import { measuresFor } from "../../../src/experiments/load/tail.js";
import { TrialRecords } from "../../../src/experiments/interface/trials.js";
import { contextOf, trialsWith, usual } from "../studies.js";

/** Half of the prompts have 4000 tokens. */
const half = (kvTokens: number | null, ratePerSecond = 5): Study => {
  const { scheduler, ...config } = prepare({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond },
      promptTokens: { kind: "mixture", values: [64, 4000], weights: [0.5, 0.5] },
      outputTokens: { kind: "fixed", tokens: 32 },
    },
    service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
    scheduler: { kind: "sarathi" },
    engine: { kvTokens },
    horizon: { tmaxSeconds: 100 },
  });
  return { scenario: "half", config, schedulers: [scheduler], trials: 3, seed: 1 };
};
const below = (metric: string, limit: number): Condition => ({ metric, relation: "<", limit });

/** Of a thousand requests a hundred were rejected; the others' TTFT are 1, 2, … 900 ms, and each has a gap of 10 ms. */
const { config, schedulers } = half(2048);
function few(condition: Condition): TrialRecords {
  const configs = [{ ...config, scheduler: schedulers[0] }];
  const { measures = [] } = measuresFor([condition]);
  const records = new TrialRecords({ label: "", configs, seed: 1, trials: 2, measures });
  for (let trial = 0; trial < 2; trial++) {
    const at = records.offset(trial, 0);
    const put = (metric: string, value: number): void =>
      void (records.values[at + metricIndex(metric)] = value);
    put("n_arrived", 1000);
    put("n_rejected", 100);
    put("ttft_mean_s", 0.4505);
    measures.forEach((measure, i) => {
      if (measure.kind !== "tail") return;
      const served = measure.time === "itl" ? [0.01] : Array.from({ length: 900 }, (_, j) => (j + 1) / 1000);
      const beyond = served.filter(
        (one) => one > measure.seconds || (measure.orEqual && one === measure.seconds),
      );
      const each = 900 / served.length;
      records.values.set([beyond.length * each, 900], at + METRICS.length + VALUES_EACH * i);
    });
  }
  return records;
}

describe("conditions count a rejected request as +∞", () => {
  test.each([
    // 5 % and 1 % are less than were rejected; a mean is +∞ with the first of them.
    ["ttft_p99_s", 10, "fail"],
    ["ttft_p95_s", 10, "fail"],
    ["ttft_mean_s", 10, "fail"],
    // P90 of all is the greatest of those served, 900 ms; P50 of all is 500 ms.
    ["ttft_p90_s", 10, "pass"],
    ["ttft_p90_s", 0.9005, "pass"],
    ["ttft_p90_s", 0.9, "fail"],
    ["ttft_p90_s", 0.3, "fail"],
    ["ttft_p50_s", 10, "pass"],
    ["ttft_p50_s", 0.501, "pass"],
    ["ttft_p50_s", 0.499, "fail"],
    // Gaps between tokens are of the tokens that came.
    ["itl_p99_s", 1, "pass"],
    ["itl_p99_s", 0.01, "fail"],
  ])("%s < %d: %s", (metric, limit, verdict) => {
    const records = few(below(metric, limit));
    expect(judge([below(metric, limit)], ["sarathi"], records)[0].holding).toBe(verdict);
    const use = wholeUse(usesOf([below(metric, limit)], records, 0));
    expect(verdictOf(use)).toBe({ pass: "holds", fail: "fails" }[verdict]);
  });
});

test("run tells it in its first lines, and its bound is of those that fit", async () => {
  const study = half(2048);
  const options = { ...usual(run), assert: ["ttft_p99_s<1"] };
  const report = await run.run(contextOf(study, trialsWith(), options));
  expect(report.answer[1]).toMatch(
    /^rejected: (4[5-9]|5[0-5])\.\d % of the requests \(\d+\), as each needs more than the 2032 tokens of KV memory/,
  );
  expect(report.passed).toBe(false);
  expect(report.answer.at(-1)).toEqual(
    expect.stringMatching(
      /^failed: ttft_p99_s<1 under sarathi \(\d+(\.\d+)? ±[\d.]+ % beyond \(rejected ones as \+∞\), 1 % may be\)$/,
    ),
  );
  expect(report.notes?.join("\n")).not.toMatch(/any policy can serve/);
});

test("plan finds no load where a request of each two has no first token", async () => {
  const study = { ...half(2048), targets: [{ metric: "ttft_p99_s", relation: "<=", limit: 1 } as const] };
  const planned = plan.run(
    contextOf(study, trialsWith(), { chunkSizes: null, maxReplicas: 4, precision: 0.1 }),
  );
  await expect(planned).rejects.toThrow(
    /no load meets --slo: .*\(those that cannot fit into the KV memory as \+∞\)/,
  );
});

test("all rejected is refused, with the reason", () => {
  expect(checkFits(half(null))).toEqual([]);
  expect(checkFits(half(2048))).toEqual([]);
  const [issue] = checkFits(half(96));
  expect(issue.key).toBe("engine.kvTokens");
  expect(issue.message).toBe(
    "invalid engine.kvTokens: 96 (all requests would be rejected: each needs more than the 80 tokens of KV; one block of 16 is the null block)",
  );
  const traced = { ...half(96), trace: { requests: 4 } } as unknown as Study;
  expect(checkFits(traced)[0].message).toMatch(
    /\(4 requests, all rejected: each needs more than the 80 tokens of KV;/,
  );
});
