/** `--precision` over trials whose values are given: which trials are asked for, what is told, what is reported. */
import { describe, expect, test } from "vitest";
import { METRICS, metricIndex } from "../../../src/core/measures/metrics.js";
import type { Report } from "../../../src/experiments/interface/report.js";
import type { OptionsOf } from "../../../src/experiments/interface/options.js";
import type { PRECISION_OPTIONS } from "../../../src/experiments/run/precision.js";
import { run } from "../../../src/experiments/run/run.js";
import { TrialRecords, type TrialRequest, type Trials } from "../../../src/experiments/interface/trials.js";
import { relativeHalfWidth, summarize, widthToStop } from "../../../src/stats/index.js";
import { contextOf, studyOf, THREE, usual } from "../studies.js";

/** Trial `trial` (from 1) of configuration `config`. */
type Value = (config: number, trial: number) => number;

/** Trials whose every metric is `value`; keeps what was asked for. */
function given(value: Value): Trials & { readonly requests: TrialRequest[] } {
  const requests: TrialRequest[] = [];
  return {
    requests,
    run: async (request) => {
      requests.push(request);
      const records = new TrialRecords(request);
      for (let trial = 0; trial < request.trials; trial++)
        request.configs.forEach((_, config) => {
          const at = records.offset(trial, config);
          records.values.fill(value(config, (request.first ?? 1) + trial), at, at + METRICS.length);
        });
      return records;
    },
    stability: () => Promise.reject(new Error("not asked for")),
    secondsFor: (request) => request.trials / 5,
  };
}

/** Mean 1; the second scheduler's values spread the most. */
const spread: Value = (config, trial) => 1 + [0.02, 0.1, 0.05][config]! * (trial % 2 === 0 ? 1 : -1);

interface Told {
  readonly report: Report;
  readonly lines: readonly string[];
}

async function report(
  trials: Trials,
  options: Partial<OptionsOf<typeof PRECISION_OPTIONS>>,
  schedulers = THREE,
): Promise<Told> {
  const lines: string[] = [];
  const study = studyOf("demo2", { trials: 20, schedulers });
  const context = contextOf(study, trials, { ...usual(run), ...options });
  return { report: await run.run({ ...context, tell: (line) => lines.push(line) }), lines };
}

interface Precision {
  readonly looks: readonly { readonly trials: number; readonly reached: number; readonly forecast: number }[];
  readonly [key: string]: unknown;
}
const precisionIn = ({ json }: Report): Precision => json.precision as Precision;

describe("trials are added until every scheduler's interval is narrow enough", () => {
  test("one after the other, the same for all schedulers", async () => {
    const trials = given(spread);
    const { report: found, lines } = await report(trials, { precision: 0.01 });
    let next = 1;
    for (const { first = 1, trials: count, configs, seed } of trials.requests) {
      expect([first, configs.length, seed]).toEqual([next, 3, 1]);
      next += count;
    }
    const total = next - 1;
    const precision = precisionIn(found);
    expect(precision).toMatchObject({
      metric: "rts_p95_s",
      target: 0.01,
      stops_at: widthToStop(0.01),
      met: true,
      widest: "prefill-prioritizing",
      trials: total,
      pilot: 20,
      max_trials: 10_000,
    });
    expect(precision.looks.map(({ trials: at }) => at)).toEqual(
      trials.requests.map(({ first = 1, trials: count }) => first + count - 1),
    );
    expect(precision.forecast).toBe(precision.looks[0]!.forecast);
    // the second scheduler's values, and they alone, decide
    const width = (n: number): number =>
      relativeHalfWidth(summarize(Array.from({ length: n }, (_, i) => spread(1, i + 1))));
    expect(precision.reached).toBeCloseTo(width(total), 12);
    expect(width(total)).toBeLessThanOrEqual(widthToStop(0.01));
    for (const { trials: at } of precision.looks.slice(0, -1))
      expect(width(at)).toBeGreaterThan(widthToStop(0.01));
    expect(found.trials).toBe(total);
    expect(found.passed).toBe(true);
    const results = found.json.results as { trials: number; metrics: Record<string, { n: number }> }[];
    for (const result of results)
      expect([result.trials, result.metrics.rts_p95_s!.n]).toEqual([total, total]);

    expect(found.answer[1]).toBe(
      `rts_p95_s is known to ±${Number((100 * width(total)).toPrecision(3))} % or better under every scheduler (asked: ±1 %) after ${total} trials; the pilot of 20 forecast about ${precision.looks[0]!.forecast}`,
    );
    expect(lines).toHaveLength(precision.looks.length - 1);
    const { reached, forecast } = precision.looks[0]!;
    expect(lines[0]).toBe(
      `precision: rts_p95_s ±${Number((100 * reached).toPrecision(3))} % after 20 trials (prefill-prioritizing); ±1 % takes about ${forecast}, about ${Math.ceil((forecast - 20) / 5)} s more`,
    );
  });

  test("a pilot that is precise enough is all", async () => {
    const trials = given(spread);
    const { report: found, lines } = await report(trials, { precision: 0.1 }, THREE.slice(1, 2));
    expect(trials.requests).toHaveLength(1);
    expect(lines).toEqual([]);
    expect(found.answer[1]).toMatch(
      /^rts_p95_s is known to ±\S+ % \(asked: ±10 %\) after 20 trials; the pilot sufficed$/,
    );
  });

  test("--precision-metric: that one alone decides", async () => {
    const trials = given(spread);
    const plain = trials.run;
    const quiet = metricIndex("utilization");
    const run = async (request: TrialRequest): Promise<TrialRecords> => {
      const records = await plain(request);
      for (let at = quiet; at < records.values.length; at += METRICS.length) records.values[at] = 0.5;
      return records;
    };
    const { report: found } = await report(
      { ...trials, run },
      { precision: 0.001, precisionMetric: "utilization" },
    );
    expect(precisionIn(found)).toMatchObject({ metric: "utilization", met: true, reached: 0, trials: 20 });
  });
});

describe("what cannot be reached is said, and the result stands", () => {
  test("more than the most", async () => {
    const trials = given(spread);
    const { report: found, lines } = await report(trials, { precision: 0.001, maxTrials: 100 });
    expect(precisionIn(found)).toMatchObject({ met: false, trials: 100, max_trials: 100 });
    const { forecast } = precisionIn(found).looks.at(-1)!;
    expect(found.passed).toBe(true);
    expect(found.answer[1]).toMatch(
      new RegExp(
        `^rts_p95_s is known only to ±\\S+ % under prefill-prioritizing \\(asked: ±0\\.1 %\\) after 100 trials, the most allowed; about ${forecast} would do \\(--max-trials\\)$`,
      ),
    );
    // time is told for what will be run, not for what it would take
    expect(lines[0]).toMatch(/but --max-trials is 100, about 16 s more$/);
  });

  test.each([
    ["zeros", () => 0, "is 0 in all 20 trials"],
    ["no values", () => NaN, "has no value in all 20 trials"],
    ["one value", (_: number, trial: number) => (trial === 3 ? 1 : NaN), "has one value in all 20 trials"],
  ] as const)("%s: no relative half-width, no further trials", async (_, value, why) => {
    const trials = given((config, trial) => (config === 2 ? value(config, trial) : 1));
    const { report: found } = await report(trials, { precision: 0.01 });
    expect(trials.requests).toHaveLength(1);
    expect(found.answer[1]).toBe(
      `rts_p95_s ${why} under hybrid: it has no relative half-width to wait for (choose another --precision-metric)`,
    );
    expect(precisionIn(found)).toMatchObject({ met: false, reached: null, forecast: null, widest: "hybrid" });
    expect(found.passed).toBe(true);
  });

  test("trials without a value are counted out, and that is noted", async () => {
    const trials = given((config, trial) => (trial % 4 === 0 && config === 0 ? NaN : spread(config, trial)));
    const { report: found } = await report(trials, { precision: 0.01 });
    const total = found.trials!;
    expect(precisionIn(found).met).toBe(true);
    expect(found.notes).toContain(
      `precision: ${Math.floor(total / 4)} of ${total} trials of decode-prioritizing have no rts_p95_s and are left out`,
    );
  });
});

test("without --precision nothing is different", async () => {
  const trials = given(spread);
  const { report: found, lines } = await report(trials, {});
  expect(trials.requests).toHaveLength(1);
  expect(found.answer).toHaveLength(1);
  expect(found.json).not.toHaveProperty("precision");
  expect([found.trials, lines]).toEqual([20, []]);
});
