/** Every metric by hand, then all of them by definition on random runs (model §4). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Metrics, METRICS, metricIndex } from "../../../src/core/measures/metrics.js";
import type { Simulation } from "../../../src/core/trial/simulate.js";
import { conventions, engine, type Row, rows, run, service, type Setting } from "../../contract/workloads.js";

const statistics = ["mean", "p50", "p90", "p95", "p99"];
const times = ["ttft", "tbt", "itl", "rts", "queueing_delay"];
const others = [
  "throughput_qps",
  "output_tokens_per_s",
  "total_tokens_per_s",
  "utilization",
  "n_arrived",
  "n_completed",
  "n_rejected",
  "n_iterations",
  "makespan_s",
  "number_in_system",
  "decode_limit_binding",
  "prefill_limit_binding",
  "goodput_qps",
  "slo_attainment",
  "kv_utilization",
  "n_preemptions",
  ...["mean", "p50", "p90", "p95", "p99"].map((name) => `client_wait_${name}_s`),
];

/** Mean, P50, P90, P95 and P99 under their names, from five numbers. */
const spread = (time: string, values: readonly number[]): [string, number][] =>
  statistics.map((statistic, i) => [`${time}_${statistic}_s`, values[i]]);

function expectMetrics(metrics: Metrics, expected: readonly (readonly [string, number])[]): void {
  expect(Object.keys(metrics)).toEqual(expected.map(([name]) => name));
  for (const [name, value] of expected)
    if (Number.isNaN(value) || value === 0) expect([name, metrics[name]]).toEqual([name, value]);
    else expect(metrics[name] / value, name).toBeCloseTo(1, 11);
}

/**
 * Four requests (ms), S(b) = 10 + b, prefill-prioritizing:
 *   0–15 prefill of request 0; 15–26 its decode; 26–49 prefill of 1 and 2; 49–60 request 0's last decode;
 *   100–112 prefill of 3; 112–123 its decode.
 */
const four: Row[] = [
  [0, 5, 3],
  [20e6, 10, 1],
  [22e6, 3, 0],
  [100e6, 2, 2],
];
const prefill = { scheduler: { kind: "prefill-prioritizing" } };

test("by hand, everything measured", () => {
  expectMetrics(run(four, prefill).metrics, [
    ...spread("ttft", [0.056 / 3, 0.015, 0.0262, 0.0276, 0.02872]), // 15, 29, 12
    ...spread("tbt", [0.01675, 0.01675, 0.02135, 0.021925, 0.022385]), // (60 − 15)/2 and 11
    ...spread("itl", [0.056 / 3, 0.011, 0.0294, 0.0317, 0.03354]), // 11, 34, 11
    ...spread("rts", [0.03475, 0.028, 0.0507, 0.05535, 0.05907]), // 60, 29, 27, 23
    ...spread("queueing_delay", [0.0025, 0.002, 0.0054, 0.0057, 0.00594]), // 0, 6, 4, 0
    ["throughput_qps", 4 / 0.123],
    ["output_tokens_per_s", 6 / 0.123],
    ["total_tokens_per_s", 26 / 0.123],
    ["utilization", 83 / 123], // 15 + 11 + 23 + 11 + 12 + 11
    ["n_arrived", 4],
    ["n_completed", 4],
    ["n_rejected", 0],
    ["n_iterations", 6],
    ["makespan_s", 0.123],
    ["number_in_system", 139 / 123],
    ["decode_limit_binding", 0],
    ["prefill_limit_binding", 0],
  ]);
});

test("by hand, with a warm-up of 21 ms: requests 2 and 3 are measured, from 22 to 123 ms", () => {
  const { metrics } = run(four, { ...prefill, horizon: { warmupSeconds: 0.021, tmaxSeconds: 1 } });
  const all = (value: number): number[] => Array<number>(5).fill(value);
  expectMetrics(metrics, [
    ...spread("ttft", all(0.012)),
    ...spread("tbt", all(0.011)),
    ...spread("itl", all(0.011)),
    ...spread("rts", [0.025, 0.025, 0.0266, 0.0268, 0.02696]), // 27, 23
    ...spread("queueing_delay", [0.002, 0.002, 0.0036, 0.0038, 0.00396]), // 4, 0
    ["throughput_qps", 2 / 0.101],
    ["output_tokens_per_s", 2 / 0.101],
    ["total_tokens_per_s", 7 / 0.101],
    ["utilization", 61 / 101], // 4 of an iteration under way, 23, 11, 12, 11
    ["n_arrived", 2],
    ["n_completed", 2],
    ["n_rejected", 0],
    ["n_iterations", 6], // of the whole trial
    ["makespan_s", 0.101],
    ["number_in_system", 115 / 101], // 38 and 27 of requests 0 and 1, 27, 23
    ["decode_limit_binding", 0],
    ["prefill_limit_binding", 0],
  ]);
});

test("a request that arrives exactly at the warm-up's end is measured", () => {
  const counted = (warmupSeconds: number): number =>
    run(four, { ...prefill, horizon: { warmupSeconds, tmaxSeconds: 1 } }).metrics.n_arrived;
  expect([counted(0.02), counted(0.02 + 1e-9), counted(0.022)]).toEqual([3, 2, 2]);
});

test("time between tokens: of B − 1 gaps, or of B tokens (model §3)", () => {
  const tbt = (convention: "gaps" | "tokens"): (number | undefined)[] => {
    const { metrics } = run(four, { ...prefill, conventions: { tbt: convention } });
    return [metrics.tbt_mean_s, metrics.tbt_p50_s];
  };
  // gaps: 22.5 and 11, requests with B >= 2. tokens: 45/3, 0/1 and 11/2, requests with B >= 1.
  const close = (found: unknown[], expected: number[]): void =>
    expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 14));
  close(tbt("gaps"), [0.01675, 0.01675]);
  close(tbt("tokens"), [0.0205 / 3, 0.0055]);
});

test("prefill-only jobs have no TTFT, no TBT and no ITL, and everything else", () => {
  const jobs: Row[] = [
    [0, 5, 0],
    [1e6, 5, 0],
  ];
  for (const firstToken of ["prefill", "decode"] as const) {
    const { metrics } = run(jobs, { ...prefill, conventions: { firstToken } });
    const none = ["ttft", "tbt", "itl"].flatMap((time) => statistics.map((s) => metrics[`${time}_${s}_s`]));
    expect(none).toEqual(Array<number>(15).fill(NaN));
    expect(metrics.rts_mean_s).toBeCloseTo((0.015 + 0.029) / 2, 14);
    expect([metrics.output_tokens_per_s, metrics.n_completed]).toEqual([0, 2]);
  }
});

test("nothing measured: no value but the counts", () => {
  const { metrics } = run(four, { ...prefill, horizon: { warmupSeconds: 0.5, tmaxSeconds: 1 } });
  const numbers = Object.entries(metrics).filter(([, value]) => !Number.isNaN(value));
  expect(numbers).toEqual([
    ["n_arrived", 0],
    ["n_completed", 0],
    ["n_rejected", 0],
    ["n_iterations", 6],
    ["decode_limit_binding", 0], // of the whole trial's iterations, as these
    ["prefill_limit_binding", 0],
  ]);
});

test("two replicas share the work and the utilization", () => {
  const pair: Row[] = [
    [0, 10, 0],
    [0, 20, 0],
  ];
  // One each: 20 and 30 ms inside a makespan of 30 ms.
  const { metrics } = run(pair, { ...prefill, engine: { replicas: 2, maxTokens: 10 } });
  expect(metrics.n_iterations).toBe(3);
  // Replica 0: 0–20 prompt 0; replica 1: 0–20 half of prompt 1, 20–40 the rest.
  expect(metrics.makespan_s).toBeCloseTo(0.04, 14);
  expect(metrics.utilization).toBeCloseTo(60 / 80, 14);
});

test("iteration time after the last measured completion is not counted", () => {
  // Request 0 is warm-up and decodes on, long after request 1 (measured) is done.
  const two: Row[] = [
    [0, 5, 100],
    [20e6, 5, 1],
  ];
  const { metrics } = run(two, {
    scheduler: { kind: "decode-prioritizing" },
    engine: { replicas: 2 },
    horizon: { warmupSeconds: 0.01, tmaxSeconds: 1 },
  });
  // 20–35 on replica 1; request 0 keeps replica 0 busy throughout.
  expect(metrics.makespan_s).toBeCloseTo(0.015, 14);
  expect(metrics.utilization).toBeCloseTo(1, 12);
  expect(metrics.number_in_system).toBeCloseTo(2, 12);
});

// ---------------------------------------------------------------------------------------- by definition

/** Type 7 by sorting. */
function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * p;
  const low = Math.floor(position);
  return sorted[low] + (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]) * (position - low);
}
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Requests in the system, integrated over [from, until] by walking through every change. */
function numberInSystem(
  arrivals: readonly number[],
  ends: readonly number[],
  from: number,
  until: number,
): number {
  const changes = [...arrivals.map((at) => [at, 1] as const), ...ends.map((at) => [at, -1] as const)];
  changes.sort((a, b) => a[0] - b[0]);
  let [area, inside, clock] = [0, 0, 0];
  for (const [at, step] of [...changes, [Infinity, 0] as const]) {
    area += inside * Math.max(0, Math.min(at, until) - Math.max(clock, from));
    clock = at;
    inside += step;
  }
  return area / (until - from);
}

/** All metrics but ITL and utilization, which need every iteration (test/core/engine/oracle-equals-fast.test.ts). */
function byDefinition({ outcome, config }: Simulation, rows: readonly Row[]): [string, number][] {
  const { startedAt, firstTokenAt, finishedAt } = outcome.shared.sequences;
  const measured = rows.flatMap(([arrivedAt, prompt, output], id) => {
    // Whole nanoseconds, as the clock has them: the product may lie beside them.
    if (arrivedAt < Math.round(config.horizon.warmupSeconds * 1e9)) return [];
    const [started, first, finished] = [startedAt[id], firstTokenAt[id], finishedAt[id]];
    return [{ arrivedAt, prompt, output, started, first, finished }];
  });
  const gap = config.conventions.tbt === "gaps" ? 1 : 0;
  const values: Record<string, number[]> = {
    ttft: measured.filter(({ output }) => output > 0).map((r) => r.first - r.arrivedAt),
    tbt: measured.filter(({ output }) => output > gap).map((r) => (r.finished - r.first) / (r.output - gap)),
    rts: measured.map((r) => r.finished - r.arrivedAt),
    queueing_delay: measured.map((r) => r.started - r.arrivedAt),
  };
  const from = measured[0].arrivedAt;
  const until = Math.max(...measured.map(({ finished }) => finished));
  const makespan = (until - from) / 1e9;
  const output = sum(measured.map(({ output }) => output));
  const prompt = sum(measured.map(({ prompt }) => prompt));
  return [
    ...Object.entries(values).flatMap(([time, list]) =>
      spread(
        time,
        [sum(list) / list.length, ...[0.5, 0.9, 0.95, 0.99].map((p) => percentile(list, p))].map(
          (ns) => ns / 1e9,
        ),
      ),
    ),
    ["throughput_qps", measured.length / makespan],
    ["output_tokens_per_s", output / makespan],
    ["total_tokens_per_s", (output + prompt) / makespan],
    ["n_arrived", measured.length],
    ["n_completed", measured.length],
    ["n_rejected", 0],
    ["makespan_s", makespan],
    [
      "number_in_system",
      numberInSystem(
        rows.map(([arrivedAt]) => arrivedAt),
        rows.map((_, id) => finishedAt[id]),
        from,
        until,
      ),
    ],
  ];
}

test("as defined, for random runs and warm-ups", () => {
  fc.assert(
    fc.property(
      rows,
      fc.nat(),
      engine,
      service,
      conventions,
      fc.constantFrom("decode-prioritizing", "prefill-prioritizing", "hybrid"),
      (rows, pick, engine, service, conventions, kind) => {
        const warmupSeconds = rows[pick % rows.length][0] / 1e9;
        const setting = { scheduler: { kind }, engine, service, conventions };
        const simulation = run(rows, { ...setting, horizon: { warmupSeconds, tmaxSeconds: 1e6 } });
        for (const [name, value] of byDefinition(simulation, rows)) {
          const found = simulation.metrics[name];
          if (Number.isNaN(value)) expect([name, found]).toEqual([name, NaN]);
          else expect(Math.abs(found - value), name).toBeLessThanOrEqual(1e-11 * value);
        }
        expect(simulation.metrics.utilization).toBeLessThanOrEqual(1 + 1e-12);
      },
    ),
    { numRuns: 300 },
  );
});

// ------------------------------------------------------------------------- limits of the policy's own, by hand

/** Shares of iterations in which hybrid's own limit decided, times the iterations: whole numbers. */
function binding(
  rows: readonly Row[],
  split: { ratio: number; ratioOf?: "tokens" },
  engine: NonNullable<Setting["engine"]>,
  sequenceCap: "resident" | "iteration" = "resident",
): number[] {
  const scheduler = { kind: "hybrid", ...split };
  const { metrics } = run(rows, { scheduler, engine, conventions: { sequenceCap } });
  const { n_iterations, decode_limit_binding, prefill_limit_binding } = metrics;
  const counts = [decode_limit_binding, prefill_limit_binding].map((share) => share * n_iterations);
  return [n_iterations, ...counts.map((count) => Number(count.toFixed(9)))];
}
const together = (count: number, prompt: number, output: number): Row[] =>
  Array.from({ length: count }, (): Row => [0, prompt, output]);

describe("how often hybrid's own limits bind", () => {
  test("the decodes': 1 of 4 places for decodes, three prompts at once", () => {
    // 1: three prefills (all places of theirs, nothing left over); B = 3, so two decodes each, one an iteration:
    // 2, 3 request 0 while 3 decode; 4, 5 request 1 while 2 do; 6, 7 request 2 alone.
    expect(binding(together(3, 2, 3), { ratio: 0.25 }, { maxSequences: 4 })).toEqual([7, 4, 0]);
  });

  test("the prefill's: 3 of 4 places for decodes, three prompts at once", () => {
    // 1: prompt 0, the others wait for its place; 2: prompt 1 while one waits (resident 2 of 4); 3: prompt 2.
    // Decodes (B = 3, two each): iterations 2, 3 | 3, 4 | 4, 5, never more than two at once.
    expect(binding(together(3, 2, 3), { ratio: 0.75 }, { maxSequences: 4 })).toEqual([5, 0, 2]);
  });

  test("both, at one place each: where decodes and prompts fill all places, the split decided", () => {
    const two = { maxSequences: 2 };
    // 1: prompt 0, another waits and a place is free; 2: decode 0, prompt 1; 3: 0's last, 1 held back; 4, 5: 1 alone.
    expect(binding(together(2, 2, 3), { ratio: 0.5 }, two)).toEqual([5, 1, 1]);
    // Residents may pass the cap here. 1: prompt 0 (bound); 2: decode 0, prompt 1 (bound); 3: decode 0 of two (bound),
    // prompt 2; 4, 5: 1 of two (bound); 6, 7: 2 alone.
    expect(binding(together(3, 2, 3), { ratio: 0.5 }, two, "iteration")).toEqual([7, 3, 2]);
    // 1: prompt 0 (bound); 2: decode 0, prompt 1 (bound); 3: 0 of two (bound), prompt 2 (bound); 4: 1 of two (bound), prompt 3;
    // 5: 1 of three (bound); 6, 7: 2 of two (bound); 8, 9: 3 alone.
    expect(binding(together(4, 2, 3), { ratio: 0.5 }, two, "iteration")).toEqual([9, 5, 3]);
  });

  test("a ratio of tokens: 2 of 8 for decodes, 6 for prompts", () => {
    // Prompts of 4: 1: 4 + 2 (bound: a rest waits, 2 tokens are free); 2: d0 beside the 2 left and 4 of prompt 2.
    // Three decode from 3 on, with B = 3: d0, d1 (bound, three); 4: d1, d2; 5: d2.
    expect(binding(together(3, 4, 3), { ratio: 0.25, ratioOf: "tokens" }, { maxTokens: 8 })).toEqual([
      5, 1, 1,
    ]);
  });

  test("a stretch that is run as one counts every iteration of it", () => {
    // 1: both prompts (2 of 3 places); 2–100: request 0's 99 decodes while request 1 is held back; then its own.
    expect(binding(together(2, 1, 100), { ratio: 0.4 }, { maxSequences: 3 })).toEqual([199, 99, 0]);
  });

  test("never where the supply decides, nor where the engine's own limits do", () => {
    const crowd = together(20, 3, 5);
    expect(binding(crowd, { ratio: 0.5 }, { maxSequences: 1000 }).slice(1)).toEqual([0, 0]);
    expect(binding(crowd, { ratio: 0.5, ratioOf: "tokens" }, { maxTokens: 2048 }).slice(1)).toEqual([0, 0]);
    // A budget of 3 tokens: one prompt an iteration, or decodes and what is left; places are plenty.
    expect(binding(crowd, { ratio: 0.5 }, { maxTokens: 3 }).slice(1)).toEqual([0, 0]);
    // Exactly as many as there is room for: 2 of 4 places each side, 2 requests.
    expect(binding(together(2, 3, 5), { ratio: 0.5 }, { maxSequences: 4 }).slice(1)).toEqual([0, 0]);
  });

  test("replicas are counted together, over the iterations of all", () => {
    const { metrics } = run(together(4, 2, 3), {
      scheduler: { kind: "hybrid", ratio: 0.5 },
      engine: { maxSequences: 2, replicas: 2 },
    });
    // Each as the one of "both" with two requests: 0 takes prompts 0 and 2, 1 takes 1 and 3. In their first
    // iteration both leave prompts waiting for a place of their share; later none is left, or no resident's.
    expect(metrics.n_iterations).toBe(10);
    expect(metrics.decode_limit_binding).toBeCloseTo(2 / 10, 12);
    expect(metrics.prefill_limit_binding).toBeCloseTo(2 / 10, 12);
  });
});

// --------------------------------------------------------------------------------------------- the list

test("names, units and order are those of every file", () => {
  const names = [
    ...times.flatMap((time) => statistics.map((statistic) => `${time}_${statistic}_s`)),
    ...others,
  ];
  expect(METRICS.map(({ name }) => name)).toEqual(names);
  for (const { name, unit, summary, better } of METRICS) {
    expect(unit).toBe(
      name.endsWith("_qps") || name.endsWith("_per_s") ? "1/s" : name.endsWith("_s") ? "s" : "",
    );
    expect(summary).toMatch(/\S{2}/);
    expect(["lower", "higher", "neither"]).toContain(better);
  }
  expect(names.map(metricIndex)).toEqual(names.map((_, i) => i));
  expect(() => metricIndex("latency")).toThrow(new RangeError("no metric named latency"));
});
