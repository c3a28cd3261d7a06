/** What theory says of a study's load: model §6's bounds, and the warnings that follow. */
import { describe, expect, test } from "vitest";
import { complete, REFERENCE } from "../../../src/core/configuration/config.js";
import { builtIn, member } from "../../../src/core/configuration/registry.js";
import { withScheduler } from "../../../src/experiments/interface/study.js";
import { affineEngine, capacityBound, loadNotes } from "../../../src/experiments/load/capacity.js";
import { recordsOf, studyOf } from "../studies.js";

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
  test("is worked out anew for whatever it depends on, and the same when asked again", () => {
    const { config } = studyOf("demo2");
    const { workload, engine, service, conventions } = config;
    const fixed = (tokens: number) => ({ kind: "fixed", tokens });
    const others = [
      config,
      { ...config, workload: { ...workload, promptTokens: fixed(77) } },
      { ...config, workload: { ...workload, outputTokens: fixed(77) } },
      { ...config, engine: { ...engine, maxTokens: 64 } },
      { ...config, engine: { ...engine, chunkSize: 32 } },
      { ...config, service: { ...service, cMs: 7 } },
      { ...config, conventions: { ...conventions, firstToken: "decode" as const } },
      { ...config, conventions: { ...conventions, mixedBatch: "max" as const } },
    ];
    const bounds = others.map((other) => capacityBound(other));
    expect(new Set(bounds).size).toBe(others.length);
    expect(others.map((other) => capacityBound(other))).toEqual(bounds);
    // Another registry has laws of its own by the same names.
    const lengths = builtIn.lengths.map((law) => ({
      ...law,
      create: () => member(builtIn.lengths, "fixed").create(fixed(77)),
    }));
    const theirs = others.slice(1, 3).map((other) => capacityBound(other, { ...builtIn, lengths }));
    expect(theirs[0]).toBe(theirs[1]);
    expect(bounds).not.toContain(theirs[0]);
    for (let tokens = 1; tokens < 1100; tokens++)
      capacityBound({ ...config, workload: { ...workload, promptTokens: fixed(tokens) } });
    expect(capacityBound(config)).toBe(bounds[0]);
  });
  test("is unknown for service models without a formula", () => {
    const { config } = studyOf("demo2");
    const unknown = {
      ...config,
      service: { kind: "gpu", hMs: 0, cMs: 10, a1Ms: 0, aMs: 0.1, b0: 0, kMs: 1e-4, kmMs: 0, f: 1 },
    };
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
      /^load: λ = 7\.100 per s is 96\.2\d? % of the most any policy can serve, 7\.380 per s: who keeps up takes long/,
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
    const unknown = {
      ...study,
      config: {
        ...study.config,
        service: { kind: "gpu", hMs: 0, cMs: 10, a1Ms: 0, aMs: 0.1, b0: 0, kMs: 1e-4, kmMs: 0, f: 1 },
      },
    };
    const config = complete({ ...unknown.config, scheduler: { kind: "hybrid" } });
    expect(loadNotes(unknown, [], recordsOf([config], [{ makespan_s: [1] }]))).toEqual([]);
  });
});
