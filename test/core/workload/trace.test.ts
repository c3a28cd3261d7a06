/** Recorded traces in the core: trial 1 replays, further trials resample whole blocks, lengths go along (traffic page). */
import { describe, expect, test } from "vitest";
import { check } from "../../../src/core/configuration/check-config.js";
import { complete, type SimulationConfig } from "../../../src/core/configuration/config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import { expectedRequests } from "../../../src/core/configuration/expected-requests.js";
import { drawTrial } from "../../../src/core/configuration/draw-trial.js";
import { stream } from "../../../src/core/numbers/random.js";
import { builtIn, member, type Registry } from "../../../src/core/configuration/registry.js";
import { Requests } from "../../../src/core/workload/requests.js";
import { simulate, Simulator } from "../../../src/core/trial/simulate.js";
import type { Trace } from "../../../src/core/workload/trace.js";
import { usualBlockSeconds } from "../../../src/core/workload/trace-arrivals.js";
import { withTraces } from "../../../src/core/configuration/trace-registry.js";

/** 600 requests in about 100 s, lengths that name their row. */
const source = stream(1, 1, "a test's trace");
let clock = 0;
const arrivedAt = Float64Array.from({ length: 600 }, (_, i) =>
  i === 0 ? 0 : (clock += Math.round(source.exponential() * 1e9 * (i % 50 < 25 ? 0.05 : 0.28))),
);
const recorded: Trace = {
  key: "recorded",
  arrivedAt,
  promptTokens: Int32Array.from({ length: 600 }, (_, i) => i + 1),
  outputTokens: Int32Array.from({ length: 600 }, (_, i) => 2 * i),
  prefixHitTokens: Int32Array.from({ length: 600 }, (_, i) => Math.floor(i / 2)),
  priority: Int32Array.from({ length: 600 }, (_, i) => i % 7),
};
const last = arrivedAt[599]!;
const registry = withTraces([recorded]);

const column = (name: string, data = "recorded"): Spec => ({ kind: "trace", data, column: name });
const replayed = { kind: "trace", data: "recorded", speedup: 1, blockSeconds: 5 };
const configOf = (
  arrivals: Spec,
  promptTokens = column("prompt"),
  outputTokens = column("output"),
  within: Registry = registry,
): SimulationConfig =>
  complete(
    {
      workload: { arrivals, promptTokens, outputTokens },
      service: { kind: "affine", cMs: 1, aMs: 0.01 },
      scheduler: { kind: "hybrid" },
      horizon: { tmaxSeconds: last / 1e9 },
    },
    within,
  );

function draw(config: SimulationConfig, trial: number, backlog = 0): Requests {
  const requests = new Requests();
  drawTrial(requests, config.workload, config.horizon, { seed: 1, trial, backlog }, registry);
  return requests;
}
const rowsOf = ({ promptTokens, count }: Requests): number[] =>
  [...promptTokens.subarray(0, count)].map((length) => length - 1);

describe("a trace replayed", () => {
  test("trial 1 is the trace as it is, whatever the seed", () => {
    const requests = draw(configOf(replayed), 1);
    expect([...requests.arrivedAt.subarray(0, requests.count)]).toEqual([...arrivedAt]);
    expect(requests.promptTokens.subarray(0, 600)).toEqual(recorded.promptTokens);
    expect(requests.outputTokens.subarray(0, 600)).toEqual(recorded.outputTokens);
    expect(requests.prefixHitTokens!.subarray(0, 600)).toEqual(recorded.prefixHitTokens);
    expect(requests.priority!.subarray(0, 600)).toEqual(recorded.priority);
  });

  test("sped up, instants are divided and rounded to whole ns; the rate is that many times higher", () => {
    const requests = draw(configOf({ ...replayed, speedup: 3 }), 1);
    expect([...requests.arrivedAt.subarray(0, requests.count)]).toEqual(
      [...arrivedAt].map((at) => Math.round(at / 3)),
    );
    const rate = (speedup: number): number =>
      member(registry.arrivals, "trace").create({ ...replayed, speedup }).ratePerSecond;
    expect(rate(1)).toBe(600 / (last / 1e9));
    expect(rate(3)).toBeCloseTo(3 * rate(1), 9);
  });

  test("a window beyond the trace's end sees the trace, a shorter one or a limit a prefix", () => {
    const config = configOf(replayed);
    const until = (tmaxSeconds: number, maxRequests: number | null = null): number =>
      draw({ ...config, horizon: { ...config.horizon, tmaxSeconds, maxRequests } }, 1).count;
    expect(until(1e6)).toBe(600);
    expect(until(10)).toBe(arrivedAt.filter((at) => at <= 10e9).length);
    expect(until(1e6, 17)).toBe(17);
  });

  test("with synthetic lengths arrivals are the trace's and lengths are drawn as for any other process", () => {
    const config = configOf(replayed, { kind: "geometric", p: 0.01, max: 500 }, { kind: "fixed", tokens: 3 });
    const requests = draw(config, 1);
    expect([...requests.arrivedAt.subarray(0, requests.count)]).toEqual([...arrivedAt]);
    const poisson = { kind: "poisson", ratePerSecond: 10 };
    const same = draw(configOf(poisson, config.workload.promptTokens, config.workload.outputTokens), 1);
    expect(requests.promptTokens.subarray(0, 100)).toEqual(same.promptTokens.subarray(0, 100));
    expect(requests.prefixHitTokens).toBeUndefined();
    expect(requests.priority).toBeUndefined();
  });

  test("with one column of its own that column goes by arrival", () => {
    const requests = draw(configOf(replayed, { kind: "fixed", tokens: 9 }), 1);
    expect(requests.outputTokens.subarray(0, 600)).toEqual(recorded.outputTokens);
    expect(requests.promptTokens[5]).toBe(9);
    const other = draw(configOf(replayed, column("prompt"), { kind: "fixed", tokens: 9 }), 1);
    expect(other.promptTokens.subarray(0, 600)).toEqual(recorded.promptTokens);
    expect(other.priority!.subarray(0, 600)).toEqual(recorded.priority);
  });
});

describe("further trials resample blocks", () => {
  const trials = Array.from({ length: 200 }, (_, i) => draw(configOf(replayed), i + 2));

  test("of consecutive rows, gaps and lengths together", () => {
    for (const trial of trials.slice(0, 20)) {
      const rows = rowsOf(trial);
      let seams = 0;
      let apart = 0;
      for (let i = 0; i < rows.length; i++) {
        if (trial.outputTokens[i] !== 2 * rows[i]! || trial.priority![i] !== rows[i]! % 7) apart++;
        if (i === 0) continue;
        const gap = trial.arrivedAt[i]! - trial.arrivedAt[i - 1]!;
        if (gap < 0) apart++;
        const isNext =
          rows[i] === rows[i - 1]! + 1 && gap === arrivedAt[rows[i]!]! - arrivedAt[rows[i - 1]!]!;
        if (!isNext) seams++;
      }
      expect(apart).toBe(0);
      // A seam where one block follows another, and where a block passes the trace's end.
      expect(seams).toBeLessThanOrEqual(2 * Math.ceil(last / 5e9));
      expect(seams).toBeGreaterThan(10);
    }
  });

  test("each trial its own, the same for every policy, none beyond the trace's length", () => {
    expect(rowsOf(draw(configOf(replayed), 2))).toEqual(rowsOf(trials[0]!));
    expect(rowsOf(trials[0]!)).not.toEqual(rowsOf(trials[1]!));
    for (const trial of trials) expect(trial.arrivedAt[trial.count - 1]).toBeLessThanOrEqual(last);
  });

  test("every request is as likely: counts and mean lengths are the trace's, within 4 standard errors", () => {
    const meanOf = (values: readonly number[]): [mean: number, error: number] => {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
      return [mean, Math.sqrt(squares / (values.length - 1) / values.length)];
    };
    // Of a circle of 600 requests and one mean gap more than the trace's length, a trial covers that length.
    const [count, error] = meanOf(trials.map((trial) => trial.count));
    expect(Math.abs(count - (600 * 599) / 600)).toBeLessThan(4 * error);
    expect(error).toBeLessThan(10);
    const [ends, endError] = meanOf(trials.map((trial) => rowsOf(trial).filter((row) => row < 60).length));
    expect(Math.abs(ends - 60 * (599 / 600))).toBeLessThan(4 * endError);
  });

  test("a faster trial is the same trial; a shorter window sees a prefix", () => {
    const config = configOf({ ...replayed, speedup: 4 });
    expect(rowsOf(draw(config, 2))).toEqual(rowsOf(trials[0]!));
    const short = { ...config, horizon: { ...config.horizon, tmaxSeconds: 4 } };
    const prefix = draw(short, 2);
    expect(prefix.count).toBeGreaterThan(20);
    expect(rowsOf(prefix)).toEqual(rowsOf(trials[0]!).slice(0, prefix.count));
  });

  test("a block as long as the trace turns it round", () => {
    const trial = draw(configOf({ ...replayed, blockSeconds: 1e6 }), 3);
    const rows = rowsOf(trial);
    expect(rows.filter((row, i) => i > 0 && row !== (rows[i - 1]! + 1) % 600)).toEqual([]);
    expect(rows.length).toBeGreaterThan(590);
  });
});

describe("without a block's length", () => {
  const configOn = (
    trace: Trace,
    within: Registry,
    blockSeconds: number | null = null,
  ): SimulationConfig => ({
    ...configOf(
      { kind: "trace", data: trace.key, speedup: 1, blockSeconds },
      column("prompt", trace.key),
      column("output", trace.key),
      within,
    ),
    service: { kind: "affine", cMs: 10, aMs: 1, b0: 64 },
    horizon: { tmaxSeconds: 60, maxRequests: null, warmupSeconds: 0 },
  });
  const fresh = {
    ...configOf(
      { kind: "poisson", ratePerSecond: 2 },
      { kind: "mixture", values: [32, 256], weights: [0.5, 0.5] },
      { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
    ),
    service: { kind: "affine", cMs: 10, aMs: 1, b0: 64 },
    horizon: { tmaxSeconds: 60, maxRequests: null, warmupSeconds: 0 },
  };
  const traceOf = (trial: number): Trace => {
    const { arrivedAt: instants, promptTokens, outputTokens, count } = draw(fresh, trial);
    return {
      key: `fresh ${trial}`,
      arrivedAt: Float64Array.from(instants.subarray(0, count), (at) => at - instants[0]!),
      promptTokens: promptTokens.slice(0, count),
      outputTokens: outputTokens.slice(0, count),
    };
  };
  const variance = (values: readonly number[]): number => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (values.length - 1);
  };

  test("trials of a minute's trace vary about as much as fresh traces of a minute do", () => {
    const meanTime = (config: SimulationConfig, within: Registry, trial: number): number =>
      simulate(config, { registry: within, trial }).metrics.rts_mean_s!;
    const among = variance(Array.from({ length: 200 }, (_, i) => meanTime(fresh, builtIn, i + 1)));
    const within = (blockSeconds: number | null): number => {
      const variances = Array.from({ length: 30 }, (_, i) => {
        const trace = traceOf(i + 1);
        const own = withTraces([trace]);
        const config = configOn(trace, own, blockSeconds);
        return variance(Array.from({ length: 20 }, (_, k) => meanTime(config, own, k + 1)));
      });
      return variances.reduce((sum, value) => sum + value, 0) / variances.length;
    };
    const usual = Math.sqrt(within(null) / among);
    expect(usual).toBeGreaterThan(0.75);
    expect(usual).toBeLessThan(1.25);
    // A block of a minute only turns such a trace round.
    expect(Math.sqrt(within(60) / among)).toBeLessThan(0.25);
  });

  test("it is a tenth of the trace, at most a minute", () => {
    expect([60, 3500, 0, 59.992717].map(usualBlockSeconds)).toEqual([6, 60, 0.001, 5.9992717]);
    const instants = (blockSeconds: number | null): number[] => {
      const trial = draw(configOf({ ...replayed, blockSeconds }), 2);
      return [...trial.arrivedAt.subarray(0, trial.count)];
    };
    expect(instants(null)).toEqual(instants(usualBlockSeconds(last / 1e9)));
    expect(instants(null)).not.toEqual(instants(5));
  });
});

describe("all requests at one instant, and a single one", () => {
  const batch = (count: number): Trace => ({
    key: `batch ${count}`,
    arrivedAt: new Float64Array(count),
    promptTokens: recorded.promptTokens.slice(0, count),
    outputTokens: recorded.outputTokens.slice(0, count),
  });

  test.each([1, 400])("%i arrive at 0 in every trial, and there is no rate", (count) => {
    const trace = batch(count);
    const own = withTraces([trace]);
    const arrivals = { kind: "trace", data: trace.key, speedup: 1, blockSeconds: null };
    const config = {
      ...configOf(arrivals, column("prompt", trace.key), column("output", trace.key), own),
      horizon: { tmaxSeconds: 0.001, maxRequests: null, warmupSeconds: 0 },
    };
    expect(check(config, own)).toEqual([]);
    expect(member(own.arrivals, "trace").create(arrivals).ratePerSecond).toBeNaN();
    expect(expectedRequests(config, 0.001, own)).toBe(count);
    for (const trial of [1, 2, 7]) {
      const { metrics } = simulate(config, { registry: own, trial, verify: true });
      expect([metrics.n_arrived, metrics.n_completed]).toEqual([count, count]);
    }
    const synthetic = { ...config.workload, promptTokens: { kind: "fixed", tokens: 3 } };
    expect(simulate({ ...config, workload: synthetic }, { registry: own }).metrics.n_completed).toBe(count);
  });
});

describe("lengths from a trace, arrivals synthetic", () => {
  const config = configOf({ kind: "gamma", ratePerSecond: 50, cv: 2 });

  test("prompt and output come from one row, rows equally likely", () => {
    const requests = draw({ ...config, horizon: { ...config.horizon, tmaxSeconds: 400 } }, 1);
    const rows = rowsOf(requests);
    expect([...requests.outputTokens.subarray(0, requests.count)]).toEqual(rows.map((row) => 2 * row));
    expect([...requests.prefixHitTokens!.subarray(0, requests.count)]).toEqual(
      rows.map((row) => Math.floor(row / 2)),
    );
    const below = rows.filter((row) => row < 150).length / rows.length;
    expect(Math.abs(below - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / rows.length));
  });

  test("rows have a stream of their own, and so do pairs", () => {
    const rows = stream(1, 1, "lengths");
    expect(rowsOf(draw(config, 1)).slice(0, 50)).toEqual(
      Array.from({ length: 50 }, () => Math.floor(rows.uniform() * 600)),
    );
    const pairs = (values: readonly number[]): Spec => ({ kind: "pairs", values, weights: null });
    const paired = draw(configOf(config.workload.arrivals, pairs([5, 7, 9]), pairs([50, 70, 90])), 1);
    const again = stream(1, 1, "lengths");
    const expected = Array.from({ length: 50 }, () => 5 + 2 * Math.floor(again.uniform() * 3));
    expect([...paired.promptTokens.subarray(0, 50)]).toEqual(expected);
    expect([...paired.outputTokens.subarray(0, 50)]).toEqual(expected.map((length) => 10 * length));
    const alone = stream(1, 1, "prompt");
    const half = draw(configOf(config.workload.arrivals, column("prompt"), { kind: "fixed", tokens: 1 }), 1);
    expect(rowsOf(half).slice(0, 50)).toEqual(
      Array.from({ length: 50 }, () => Math.floor(alone.uniform() * 600)),
    );
  });

  test("a backlog has rows too; arrivals and policies see the same lengths without it", () => {
    const whole = draw(config, 1);
    const behind = draw(config, 1, 40);
    expect(behind.count).toBe(whole.count + 40);
    expect(rowsOf(behind).slice(40)).toEqual(rowsOf(whole));
    expect([...behind.outputTokens.subarray(0, behind.count)]).toEqual(rowsOf(behind).map((row) => 2 * row));
    expect(behind.arrivedAt[39]).toBe(0);
  });

  test("the laws are the columns'", () => {
    const law = member(registry.lengths, "trace").create(column("prompt"));
    expect([law.least, law.mean, law.survival(300)]).toEqual([1, 300.5, 0.5]);
    expect(member(registry.lengths, "trace").create(column("prompt"))).toBe(law);
  });
});

describe("a trace that cannot be used", () => {
  const issuesOf = (config: SimulationConfig, within = registry): string[] =>
    check(config, within).map(({ message }) => message);
  const unknown = (key: string): string =>
    `invalid workload.${key}.data: recorded (no such trace is loaded; give its file by --trace or --lengths-from)`;

  test("is not loaded", () => {
    expect(issuesOf(configOf(replayed))).toEqual([]);
    expect(issuesOf(configOf(replayed), builtIn)).toEqual([
      unknown("arrivals"),
      unknown("promptTokens"),
      unknown("outputTokens"),
    ]);
    expect(() => member(builtIn.arrivals, "trace").create(replayed)).toThrow(
      "no trace with the key recorded",
    );
  });

  test("has no instants", () => {
    const lengths = withTraces([{ ...recorded, arrivedAt: null }]);
    expect(issuesOf(configOf(replayed), lengths)).toEqual([
      "invalid workload.arrivals.data: lengths without instants (give the file by --lengths-from)",
    ]);
    expect(issuesOf(configOf({ kind: "poisson", ratePerSecond: 1 }), lengths)).toEqual([]);
  });
});

test("a library's user brings a trace by the registry: every request completes, every law holds", () => {
  const { metrics } = simulate(configOf(replayed), { registry, verify: true });
  expect(metrics.n_completed).toBe(600);
  const resampled = simulate(configOf(replayed), { registry, verify: true, trial: 2 });
  expect(resampled.metrics.n_completed).toBe(draw(configOf(replayed), 2).count);
});

test("buffers are reused: marks of one trial do not stay in the next", () => {
  const simulator = new Simulator(registry);
  expect(simulator.draw(configOf(replayed), 1, 1).priority).toBeDefined();
  const poisson = configOf(
    { kind: "poisson", ratePerSecond: 1 },
    { kind: "fixed", tokens: 1 },
    column("output"),
  );
  expect(simulator.draw(poisson, 1, 1).priority).toBeUndefined();
  const again = simulator.draw(configOf({ ...replayed, speedup: 2 }), 1, 1);
  expect(again.priority!.subarray(0, 600)).toEqual(recorded.priority);
});
