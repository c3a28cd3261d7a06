/** Who does not keep up is named first, and is in no ranking and in no verdict on times. */
import { describe, expect, test } from "vitest";
import { capacityBound } from "../../../src/experiments/load/capacity.js";
import { keepingUp } from "../../../src/experiments/load/overload.js";
import { compare } from "../../../src/experiments/compare/compare.js";
import { withScheduler } from "../../../src/experiments/interface/study.js";
import { run } from "../../../src/experiments/run/run.js";
import { contextOf, recordsOf, studyOf, trialsWith, usual } from "../studies.js";

interface Json {
  readonly results: readonly { readonly scheduler: string; readonly keeps_up: boolean }[];
  readonly differences: readonly {
    readonly verdict: string | null;
    readonly trials_to_resolve: number | null;
    readonly metrics: Readonly<Record<string, { readonly verdict: string | null }>>;
  }[];
}
const at = (rate: number) => studyOf("demo2", { rate, trials: 3, horizon: { tmaxSeconds: 300 } });
const ranked = async (rate: number) => {
  const { answer, tables, json } = await run.run(contextOf(at(rate), trialsWith(), usual(run)));
  return {
    answer: answer[0],
    marks: tables[0]!.rows.map((row) => row.at(-1)),
    json: json as unknown as Json,
  };
};

describe("run", () => {
  test("nobody above the bound: no ranking, whatever the trials say", async () => {
    const { answer, marks, json } = await ranked(9);
    expect(answer).toBe(
      "no scheduler keeps up with λ = 9.000 per s (the most any policy can serve is 7.380): times grow with T, and are not compared",
    );
    expect(marks).toEqual(["behind", "behind", "behind"]);
    expect(json.results.map(({ keeps_up }) => keeps_up)).toEqual([false, false, false]);
    for (const { verdict, trials_to_resolve, metrics } of json.differences) {
      expect([verdict, trials_to_resolve]).toEqual([null, null]);
      expect([metrics.ttft_mean_s!.verdict, metrics.itl_p99_s!.verdict]).toEqual([null, null]);
      // What is served is no time.
      expect(metrics.throughput_qps!.verdict).toBe("better");
    }
  });

  // decode-prioritizing serves 3.56 per s (theory §3), the others more than 7.
  test("one that does not is left out, and named", async () => {
    const { answer, marks, json } = await ranked(5);
    expect(answer).toMatch(
      /^hybrid has the lowest P95 response time, .*; prefill-prioritizing is .* worse; decode-prioritizing does not keep up with λ = 5\.000 per s/,
    );
    expect(marks).toEqual(["behind", "", "best"]);
    expect(json.results.map(({ keeps_up }) => keeps_up)).toEqual([false, true, true]);
  });

  test("all that keep up are ranked, up to the bound", async () => {
    const { answer, marks, json } = await ranked(2);
    expect(answer).not.toContain("keep up");
    expect(marks.filter((mark) => mark === "best")).toHaveLength(1);
    expect(json.differences.every(({ verdict }) => verdict !== null)).toBe(true);
  });
});

test("below the bound it is the backlog that tells; above it the bound does, however short the run", () => {
  const [calm, over] = [7.2, 7.4].map((rate) => withScheduler(at(rate), at(rate).schedulers[2]!));
  expect(capacityBound(calm!)).toBeCloseTo(7.38, 3);
  const after = (makespan: number) =>
    recordsOf([calm!, over!], [{ makespan_s: [makespan] }, { makespan_s: [makespan] }]);
  expect(keepingUp(after(301))).toEqual([true, false]);
  expect(keepingUp(after(400))).toEqual([false, false]);
});

test("compare: a pair of which one does not keep up has no verdict on times, and no bar", async () => {
  const { schedulers, ...rest } = at(5);
  const study = { ...rest, schedulers };
  const { answer, tables, figures, json } = await compare.run(contextOf(study, trialsWith(), usual(compare)));
  expect(answer[0]).toMatch(/^decode-prioritizing does not keep up with λ = 5\.000 per s/);
  expect(answer[1]).toMatch(
    /^prefill-prioritizing: its P95 response time is not compared with that of decode-/,
  );
  const { differences } = json as unknown as Json;
  expect(differences.map(({ verdict }) => verdict)).toEqual([null, null]);
  expect(tables[0]!.rows.map((row) => row.at(-1))).toEqual(["behind", "", ""]);
  const drawn = JSON.stringify(figures[0]!.spec);
  expect(drawn).toContain("throughput");
  expect(drawn).not.toContain("P95 response time");
});
