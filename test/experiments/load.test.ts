/** What theory says of a study's load: model §6's bounds, and the warnings that follow. */
import { describe, expect, test } from "vitest";
import { complete, REFERENCE } from "../../src/core/config.js";
import { withScheduler } from "../../src/experiments/experiment.js";
import { affineEngine, capacityBound, loadNotes } from "../../src/experiments/load.js";
import { recordsOf, studyOf } from "./studies.js";

describe("the bound for any policy (model §6)", () => {
  test.each([
    ["demo1", 100],
    ["demo2", 7.38007],
    ["demo3_b0_64", 12.06478],
    ["demo3_b0_0", 11.59037],
  ])("%s: %d per s", (name, bound) => {
    expect(capacityBound(studyOf(name).config)).toBeCloseTo(bound, 5);
  });
  test("under reference conventions demo2 can serve more; two replicas serve twice as much", () => {
    const { config } = studyOf("demo2", { conventions: "reference" });
    expect(config.conventions).toEqual(REFERENCE);
    expect(capacityBound(config)).toBeCloseTo(12.2534, 4);
    expect(capacityBound({ ...config, engine: { ...config.engine, replicas: 2 } })).toBeCloseTo(24.5068, 4);
  });
  test("is unknown for service models without a formula", () => {
    const { config } = studyOf("demo2");
    const unknown = { ...config, service: { kind: "measured" } };
    expect(affineEngine(unknown)).toBeUndefined();
    expect(capacityBound(unknown)).toBeNaN();
  });
});

describe("notes", () => {
  const notesOf = (
    rate: number,
    trials: number,
    makespans: readonly number[],
    maxRequests: number | null = null,
  ) => {
    const study = studyOf("demo2", { rate, trials, horizon: { tmaxSeconds: 1000, maxRequests } });
    const config = withScheduler(study, study.schedulers[0]!);
    return loadNotes(study, ["decode-prioritizing"], recordsOf([config], [{ makespan_s: makespans }]));
  };
  test("none when all is well", () => {
    expect(notesOf(2, 20, [1004, 1006])).toEqual([]);
  });
  test("λ above 95 % of the bound", () => {
    expect(notesOf(7, 20, [1004])).toEqual([]);
    expect(notesOf(7.1, 20, [1004])[0]).toMatch(
      /^load: λ = 7\.100 per s is 96\.2\d? % of .*at most 7\.380 per s/,
    );
  });
  test("few trials", () => {
    expect(notesOf(2, 1, [1004])).toEqual(["one trial: no interval (--ntrials 20 gives one)"]);
    expect(notesOf(2, 4, [1004])).toEqual(["4 trials: intervals are wide and rough (20 or more are usual)"]);
    expect(notesOf(2, 5, [1004])).toEqual([]);
  });
  test("work left at T, unless requests end the arrivals before", () => {
    expect(notesOf(2, 20, [2000, 2000])[0]).toMatch(
      /^decode-prioritizing: it took 1000 s more to finish what was left at T = 1000 s: it did not keep up/,
    );
    expect(notesOf(2, 20, [2000, 2000], 10)).toEqual([]);
    // 8 s are less than five times the 1.73 s of a lone request: what was in flight at T, no backlog.
    const short = studyOf("demo2", { trials: 20, horizon: { tmaxSeconds: 20 } });
    const config = complete({ ...short.config, scheduler: { kind: "hybrid" } });
    const at = (makespan: number): string[] =>
      loadNotes(short, ["hybrid"], recordsOf([config], [{ makespan_s: [makespan] }]));
    expect(at(28)).toEqual([]);
    expect(at(29)).toHaveLength(1);
  });
  test("a model for which the bound is unknown has none to be near", () => {
    const study = studyOf("demo2", { trials: 20 });
    const unknown = { ...study, config: { ...study.config, service: { kind: "measured" } } };
    const config = complete({ ...unknown.config, scheduler: { kind: "hybrid" } });
    expect(loadNotes(unknown, [], recordsOf([config], [{ makespan_s: [1] }]))).toEqual([]);
  });
});
