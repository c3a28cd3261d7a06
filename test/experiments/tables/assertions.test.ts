/** Assertions are judged on the interval: pass, fail, or undecided. */
import { describe, expect, test } from "vitest";
import type { Relation } from "../../../src/core/measures/condition.js";
import { holds, judge } from "../../../src/experiments/tables/assertions.js";
import { withScheduler } from "../../../src/experiments/interface/study.js";
import { recordsOf, studyOf } from "../studies.js";

describe("a condition holds when the whole interval does", () => {
  const at = (relation: Relation, low: number, high: number): string =>
    holds({ metric: "rts_p95_s", relation, limit: 1 }, { n: 5, mean: (low + high) / 2, sd: 1, low, high });
  test.each<[Relation, number, number, string]>([
    ["<", 0.5, 0.9, "pass"],
    ["<", 0.5, 1, "undecided"],
    ["<", 1, 2, "fail"],
    ["<=", 0.5, 1, "pass"],
    ["<=", 1, 2, "undecided"],
    ["<=", 1.1, 2, "fail"],
    [">", 1.1, 2, "pass"],
    [">", 1, 2, "undecided"],
    [">", 0.5, 1, "fail"],
    [">=", 1, 2, "pass"],
    [">=", 0.5, 1, "undecided"],
    [">=", 0.5, 0.9, "fail"],
    ["<", 0.9, 1.1, "undecided"],
    [">", 0.9, 1.1, "undecided"],
    ["<", NaN, NaN, "undecided"],
  ])("x %s 1, x in [%d, %d]: %s", (relation, low, high, verdict) => {
    expect(at(relation, low, high)).toBe(verdict);
  });
});

test("every scheduler is judged; how many trials would decide is a forecast", () => {
  const study = studyOf("demo2");
  const configs = study.schedulers.slice(0, 3).map((scheduler) => withScheduler(study, scheduler));
  const records = recordsOf(configs, [
    { rts_mean_s: [1, 1.1, 0.9, 1] },
    { rts_mean_s: [3, 3.1, 2.9, 3] },
    { rts_mean_s: [1.9, 2.2, 1.8, 2.2] },
  ]);
  const judged = judge(
    [{ metric: "rts_mean_s", relation: "<", limit: 2 }],
    configs.map(({ scheduler }) => scheduler.kind),
    records,
  );
  expect(judged.map(({ holding }) => holding)).toEqual(["pass", "fail", "undecided"]);
  expect(judged[0].trialsToDecide).toBeNaN();
  expect(judged[2].trialsToDecide).toBeGreaterThan(4);
});
