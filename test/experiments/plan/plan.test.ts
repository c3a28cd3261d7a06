/** `plan` against queueing theory, and against curves that come and go. */
import { describe, expect, test } from "vitest";
import { complete, type SimulationConfig } from "../../../src/core/configuration/config.js";
import type { Condition } from "../../../src/core/measures/condition.js";
import { METRICS, metricIndex } from "../../../src/core/measures/metrics.js";
import { capacityBound } from "../../../src/experiments/load/capacity.js";
import { plan } from "../../../src/experiments/plan/plan.js";
import { findLoad } from "../../../src/experiments/plan/load-search.js";
import { objectiveOf, usesOf, verdictOf, wholeUse } from "../../../src/experiments/plan/objective.js";
import { arrivalRate } from "../../../src/experiments/cells/rows.js";
import { findReplicas, floorOf } from "../../../src/experiments/plan/replica-search.js";
import { measuresFor } from "../../../src/experiments/load/tail.js";
import { TrialRecords, type Trials } from "../../../src/experiments/interface/trials.js";
import { mm1, mmk } from "../../../src/theory/index.js";
import { contextOf, recordsOf, studyOf, trialsWith } from "../studies.js";

/** The engine as an M/M/k queue of mean service time 10 ms. */
const queue = (tmaxSeconds: number, ratePerSecond = 1): SimulationConfig =>
  complete({
    workload: {
      arrivals: { kind: "poisson", ratePerSecond },
      promptTokens: { kind: "fixed", tokens: 1 },
      outputTokens: { kind: "fixed", tokens: 0 },
    },
    service: { kind: "exponential", cMs: 10, aMs: 0, b0: 0 },
    engine: { maxTokens: 10_000, maxSequences: 1 },
    scheduler: { kind: "prefill-prioritizing" },
    horizon: { tmaxSeconds },
  });

const setting = (targets: readonly Condition[], trials: Trials = trialsWith()) => ({
  trials,
  seed: 1,
  count: 20,
  targets,
});
const atMost = (metric: string, limit: number): Condition => ({ metric, relation: "<=", limit });

/** Records of a target's tail: of so many requests so many beyond, by trial. */
function tailsOf(
  config: SimulationConfig,
  target: Condition,
  beyond: readonly number[],
  counts: readonly number[],
): TrialRecords {
  const request = { label: "", configs: [config], seed: 1, trials: counts.length, ...measuresFor([target]) };
  const records = new TrialRecords(request);
  counts.forEach((count, trial) => {
    const at = records.offset(trial, 0) + METRICS.length;
    records.values.set([beyond[trial]!, count], at);
  });
  return records;
}

/** Every trial of a configuration has the value that `of` gives it, a little scattered. */
const faked = (of: (config: SimulationConfig) => number, metric = "rts_mean_s"): Trials => ({
  run: async (request) => {
    const records = new TrialRecords(request);
    request.configs.forEach((config, i) => {
      for (let trial = 0; trial < request.trials; trial++) {
        const at = records.offset(trial, i);
        records.values.fill(1, at, at + METRICS.length);
        records.values[at + metricIndex(metric)] = of(config) * (1 + 1e-4 * ((trial % 3) - 1));
      }
    });
    return records;
  },
  stability: () => Promise.reject(new Error("not asked for")),
});

describe("the highest load", () => {
  test("may lie far below the bound, where rare long prompts spoil a percentile", async () => {
    const config = (ratePerSecond: number, tmaxSeconds: number): SimulationConfig =>
      complete({
        workload: {
          arrivals: { kind: "poisson", ratePerSecond },
          promptTokens: { kind: "mixture", values: [32, 16_000], weights: [0.996, 0.004] },
          outputTokens: { kind: "fixed", tokens: 1 },
        },
        service: { kind: "affine", cMs: 10, aMs: 0.5, b0: 0 },
        scheduler: { kind: "sarathi" },
        horizon: { tmaxSeconds },
      });
    const few = { ...setting([atMost("ttft_p99_s", 1)]), count: 6 };
    // 0.4 % are long, and λ · 7 s · 0.4 % stand for over a second behind one: up to λ = 0.214 that is less than 1 %.
    const low = config(0.1, 10_000);
    const found = await findLoad(few, "", low, capacityBound(low), 0.2);
    expect(found.low).toBeGreaterThan(0.05);
    expect(found.low).toBeLessThan(0.214);
    expect(found.high).toBeGreaterThan(0.214);
    expect(found.high).toBeLessThan(0.5);
    expect((await findReplicas(few, "", low, 1, 4)).fewest).toBe(1);
    expect((await findReplicas(few, "", config(5, 1000), 1, 8)).fewest).toBe(3);
  });
  test("ends where there is no bound and the SLO holds at any load that is tried", async () => {
    const loads: number[] = [];
    const easy = faked((config) => {
      loads.push(arrivalRate(config));
      return 0.1;
    });
    const found = await findLoad(setting([atMost("rts_mean_s", 1)], easy), "", queue(1000, 5), NaN, 0.01);
    expect(found.isOpen).toBe(true);
    // Ten million requests a trial.
    expect(Math.max(...loads)).toBeLessThanOrEqual(10_000);
    expect(found.load).toBeGreaterThan(5000);
  });

  test("of an M/M/1 queue is where theory says that P95 passes its limit", async () => {
    const lambda = 60;
    const limit = mm1(lambda, 100).responseP(0.95);
    const config = queue(50);
    const found = await findLoad(
      setting([atMost("rts_p95_s", limit)]),
      "",
      config,
      capacityBound(config),
      0.01,
    );
    expect(found.low).toBeLessThan(lambda);
    expect(found.high).toBeGreaterThan(lambda);
    // And the interval says something: within 5 %.
    expect(found.high - found.low).toBeLessThan(0.05 * lambda * 2);
    expect(found.ranges).toHaveLength(1);
    expect(found.isCapacity).toBe(false);
    // Each crossing is bracketed as closely as asked.
    const loads = found.points.map(({ config: one }) => arrivalRate(one));
    const above = loads.findIndex((load) => load > found.load);
    expect(loads[above]! - loads[above - 1]!).toBeLessThanOrEqual(0.01 * loads[above]!);
  });

  test("is what the engine can serve where the SLO asks for nothing that load spoils", async () => {
    const config = queue(20);
    const target = atMost("itl_p99_s", 1); // no request has a gap: nothing says that it holds
    const noGap = await findLoad(setting([target]), "", config, capacityBound(config), 0.01);
    expect(noGap.load).toBeNaN();
    const patient = await findLoad(
      setting([atMost("rts_p95_s", 1000)]),
      "",
      config,
      capacityBound(config),
      0.01,
    );
    expect(patient.load).toBeGreaterThan(95);
    expect(patient.isCapacity || patient.isOpen).toBe(true);
  });

  test("of a curve that comes and goes: every range, to a hundredth", async () => {
    // Holds up to 20, from 40 to 55, and never above.
    const curve = (load: number): number =>
      load < 20
        ? 0.5 + load / 40
        : load < 40
          ? 1.5 - ((load - 30) / 20) ** 2 * 2
          : 0.5 + ((load - 40) / 15) * 0.5;
    const trials = faked((config) => curve(arrivalRate(config)));
    const found = await findLoad(setting([atMost("rts_mean_s", 1)], trials), "", queue(100), 100, 0.01);
    expect(found.ranges).toHaveLength(2);
    expect(found.ranges[0].to).toBeCloseTo(20, 0);
    expect(found.ranges[1].from).toBeCloseTo(40, 0);
    expect(found.load).toBeCloseTo(55, 0);
    expect(found.low).toBeGreaterThan(54);
    expect(found.high).toBeLessThan(56);
  });

  test("without an analytic bound is found by doubling", async () => {
    const trials = faked((config) => arrivalRate(config) / 37);
    const found = await findLoad(setting([atMost("rts_mean_s", 1)], trials), "", queue(100), NaN, 0.01);
    expect(found.load).toBeCloseTo(37, 0);
  });
});

describe("the fewest replicas", () => {
  test("of an M/M/k queue are Erlang's", async () => {
    const lambda = 250;
    const limit = 0.014;
    let k = 3;
    while (mmk(lambda, 100, k).responseTime > limit) k++;
    // Neither this nor the one below is near the limit: 20 trials tell.
    expect(mmk(lambda, 100, k).responseTime).toBeLessThan(0.95 * limit);
    expect(mmk(lambda, 100, k - 1).responseTime).toBeGreaterThan(1.05 * limit);
    const config = queue(20, lambda);
    const found = await findReplicas(
      setting([atMost("rts_mean_s", limit)]),
      "",
      config,
      floorOf(lambda, 100),
      10,
    );
    expect(found.floor).toBe(3);
    expect(found.fewest).toBe(k);
    expect(found.skipped).toBe(false);
    expect(found.points.map((point) => point.config.engine.replicas)).toContain(k + 2);
  });

  test("are the fewest also where more are worse", async () => {
    const good = [5, 9, 10];
    const trials = faked((config) => (good.includes(config.engine.replicas) ? 0.5 : 2));
    const found = await findReplicas(setting([atMost("rts_mean_s", 1)], trials), "", queue(10), 1, 64);
    expect(found.fewest).toBe(5);
  });

  test("far above the floor come from growing steps and back", async () => {
    const trials = faked((config) => (config.engine.replicas >= 50 ? 0.5 : 2));
    const found = await findReplicas(setting([atMost("rts_mean_s", 1)], trials), "", queue(10), 1, 100);
    expect([found.fewest, found.skipped]).toEqual([50, true]);
    const none = await findReplicas(setting([atMost("rts_mean_s", 1)], trials), "", queue(10), 1, 40);
    expect(none.fewest).toBeUndefined();
  });

  test("cannot be below load over what one can serve", () => {
    expect([floorOf(20, 10), floorOf(20.1, 10), floorOf(0.1, 10), floorOf(5, NaN)]).toEqual([2, 3, 1, 1]);
  });
});

describe("how much of an SLO is used", () => {
  const [config] = [queue(10)];
  const use = (target: Condition, values: readonly number[]) =>
    wholeUse(usesOf([target], recordsOf([config], [{ [target.metric]: values }]), 0));

  test("times by their limit, attainment by its misses, rates by how many are too few", () => {
    expect(use(atMost("ttft_mean_s", 0.5), [0.25, 0.25]).mean).toBeCloseTo(0.5, 12);
    const attainment: Condition = { metric: "slo_attainment", relation: ">=", limit: 0.95 };
    expect(use(attainment, [0.98, 0.98]).mean).toBeCloseTo(0.4, 9);
    expect(use({ metric: "throughput_qps", relation: ">=", limit: 3 }, [2, 2]).mean).toBeCloseTo(1.5, 12);
    expect(use({ ...attainment, limit: 1 }, [0.5, 0.5]).mean).toBe(Infinity);
    expect(use({ ...attainment, limit: 1 }, [1, 1]).mean).toBe(0);
  });

  test("percentiles by the share beyond their limit; of too few requests nothing is known", () => {
    const target = atMost("rts_p95_s", 1);
    const of = (beyond: readonly number[], counts: readonly number[]) =>
      wholeUse(usesOf([target], tailsOf(config, target, beyond, counts), 0));
    // 2 % of 1000 requests, where 5 % may be.
    expect(of([20, 0, 20, 40], [1000, 0, 1000, 2000]).mean).toBeCloseTo(0.4, 12);
    expect(verdictOf(of([20, 21, 19, 20], [1000, 1000, 1000, 1000]))).toBe("holds");
    expect(verdictOf(of([80, 81, 79, 80], [1000, 1000, 1000, 1000]))).toBe("fails");
    expect(verdictOf(of([50, 51, 49, 50], [1000, 1000, 1000, 1000]))).toBe("undecided");
    // 199 are too few, unless ten of them lie beyond.
    expect(verdictOf(of([0, 0], [100, 99]))).toBe("undecided");
    expect(verdictOf(of([0, 0], [100, 100]))).toBe("holds");
    expect(verdictOf(of([20, 20, 20], [30, 30, 30]))).toBe("fails");
    expect(of([0, 0], [0, 0]).mean).toBeNaN();
  });

  test("ends are the right way round, and decide", () => {
    const attainment: Condition = { metric: "slo_attainment", relation: ">=", limit: 0.9 };
    const found = use(attainment, [0.85, 0.9, 0.95]);
    expect(found.low).toBeLessThan(found.mean);
    expect(found.high).toBeGreaterThan(found.mean);
    expect(verdictOf(found)).toBe("undecided");
    expect(verdictOf(use(attainment, [0.99, 0.98, 0.985]))).toBe("holds");
    expect(verdictOf(use(attainment, [0.6, 0.61, 0.6]))).toBe("fails");
  });

  test("what is asked of each request is asked of 99 % of them, unless said", () => {
    const study = studyOf("demo2");
    const slo = { ttftSeconds: 0.5, tbtSeconds: null, rtsSeconds: null, itlSeconds: null };
    const asking = { ...study, config: { ...study.config, slo } };
    expect(objectiveOf(study)).toEqual([]);
    expect(objectiveOf(asking)).toEqual([{ metric: "slo_attainment", relation: ">=", limit: 0.99 }]);
    const said: Condition = { metric: "slo_attainment", relation: ">=", limit: 0.9 };
    expect(objectiveOf({ ...asking, targets: [said] })).toEqual([said]);
  });
});

describe("the command", () => {
  const options = { chunkSizes: null, maxReplicas: 8, precision: 0.05 };
  const study = { ...studyOf("demo2", { trials: 3 }), targets: [atMost("rts_mean_s", 1)] };

  test("refuses an SLO that no load meets, with how near the best comes", async () => {
    const run = plan.run(
      contextOf(
        study,
        faked(() => 1.7),
        options,
      ),
    );
    await expect(run).rejects.toMatchObject({
      issues: [
        {
          key: "--slo",
          message: expect.stringMatching(
            /^no load meets --slo: rts_mean_s<=1 \(the nearest is .* at λ = .*: mean response time is 1\.700.* s, 1\.7\d* times what rts_mean_s<=1 allows\)$/,
          ),
        },
      ],
    });
  });

  test("says which schedulers hold at no load, where others do", async () => {
    const trials = faked(({ scheduler }) => (scheduler.kind === "hybrid" ? 0.5 : 1.5));
    const report = await plan.run(contextOf(study, trials, options));
    const [hybrid] = report.csv[0].rows.filter((row) => row.scheduler === "hybrid");
    expect(hybrid.lambda_max_qps).toBeGreaterThan(0);
    expect(hybrid.replicas_fewest).toBe(1);
    for (const row of report.csv[0].rows.filter(({ scheduler }) => scheduler !== "hybrid"))
      expect([row.lambda_max_qps, row.replicas_fewest]).toEqual([null, null]);
    expect(report.notes.join("\n")).toMatch(/decode-prioritizing: nearest at λ = .*1\.5\d* times what/);
  });

  test("finds what cannot be before anything runs, all of it", () => {
    const busy = studyOf("demo2", { trials: 1, rate: 100 });
    const issues = plan.check!({ ...options, chunkSizes: ["none", "0", "x", "4096"] }, busy);
    expect(issues.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^missing --slo/),
      expect.stringMatching(/^invalid trials: 1 /),
      expect.stringMatching(/^invalid --chunk-sizes: 0 /),
      expect.stringMatching(/^invalid --chunk-sizes: x /),
      expect.stringMatching(/^invalid --chunk-sizes: 4096 /),
    ]);
    const small = { ...studyOf("demo2", { rate: 100 }), targets: study.targets };
    expect(plan.check!({ ...options, maxReplicas: 5 }, small).map(({ message }) => message)).toEqual([
      "unreachable --max-replicas: 5 (λ = 100 per s takes at least 14: no policy serves more than 7.380 per s on one)",
    ]);
  });
});
