/**
 * Numbers that are known without simulating (model §6): a request alone, exactly, its law's expectation taken
 * over simulated lengths; and the means that the earlier study published, in its conventions.
 */
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../../src/core/options/check-options.js";
import { prepare } from "../../../src/core/configuration/check-config.js";
import {
  type Conventions,
  type PartialConfig,
  REFERENCE,
  STANDARD,
} from "../../../src/core/configuration/config.js";
import type { Spec } from "../../../src/core/options/definition.js";
import type { LengthLaw } from "../../../src/core/workload/length-law.js";
import { metricIndex, METRICS } from "../../../src/core/measures/metrics.js";
import { builtIn, member } from "../../../src/core/configuration/registry.js";
import { simulate, type SimulateOptions, Simulator } from "../../../src/core/trial/simulate.js";
import { runTask } from "../../../src/core/trial/trial.js";
import { type Row, run, runsUnder, type Setting } from "../../contract/workloads.js";

const engine = { maxTokens: 2048, maxSequences: 1000 };
const chat = {
  prompt: { kind: "lognormal", mu: 3.2764, sigma: 1.5201 },
  output: { kind: "geometric", p: 0.0056, max: 1024 },
};
/** The scenarios of model §5, and the step in which a lone prompt's pieces come. */
const scenarios: Record<string, { prompt: Spec; output: Spec; setting: Setting; step: number }> = {
  demo2: {
    prompt: { kind: "mixture", values: [32, 128, 512], weights: [0.6, 0.3, 0.1] },
    output: { kind: "mixture", values: [64, 256], weights: [0.5, 0.5] },
    setting: { service: { kind: "affine", cMs: 10, aMs: 0.5 }, engine },
    step: 2048,
  },
  demo3_b0_64: {
    ...chat,
    setting: {
      service: { kind: "affine", cMs: 45.5, aMs: 0.3, b0: 64 },
      engine: { ...engine, chunkSize: 64 },
    },
    step: 64,
  },
  demo3_b0_0: {
    ...chat,
    setting: { service: { kind: "affine", cMs: 45.5, aMs: 0.3, b0: 0 }, engine },
    step: 2048,
  },
};

const lawOf = (spec: Spec): LengthLaw => {
  const definition = member(builtIn.lengths, spec.kind);
  return definition.create(withDefaults(definition.options, spec));
};
/** E[f(X)], with what lies beyond `most` counted as `most`. */
function expectation(law: LengthLaw, most: number, f: (n: number) => number): number {
  let sum = 0;
  for (let n = law.least, above = 1; n <= most; n++) {
    const next = n === most ? 0 : law.survival(n);
    if (above > next) sum += (above - next) * f(n);
    above = next;
  }
  return sum;
}

/**
 * Latencies in ms of requests that come when the engine has long been empty. Not held against the plain loop, which
 * takes minutes for prompts this long, but where it is asked.
 */
function alone(
  lengths: readonly (readonly [prompt: number, output: number])[],
  setting: Setting,
  options: SimulateOptions = { verify: false },
) {
  let clock = 0;
  const rows = lengths.map(([prompt, output]): Row => {
    const arrivedAt = clock;
    clock += 1e9 + 50e6 * (Math.ceil(prompt / 64) + output + 2) + 0.5e6 * prompt;
    return [arrivedAt, prompt, output];
  });
  const { outcome } = run(rows, setting, options);
  const { firstTokenAt, finishedAt } = outcome.shared.sequences;
  return rows.map(([arrivedAt], id) => ({
    ttft: (firstTokenAt[id] - arrivedAt) / 1e6,
    decode: (finishedAt[id] - firstTokenAt[id]) / 1e6,
  }));
}

const LONGEST_PROMPT = 2048 * 128;

describe("a request alone, λ → 0 (model §6)", () => {
  const known: [string, string, Conventions, number, number, number][] = [
    ["demo2", "standard", STANDARD, 64.4, 10.5, 1733.9],
    ["demo3_b0_64", "standard", STANDARD, 89.017, 45.5, 8142.67],
    ["demo3_b0_0", "standard", STANDARD, 70.713, 45.8, 8177.47],
    ["demo2", "reference", REFERENCE, 74.9, 10.3975, 1744.4],
    ["demo3_b0_64", "reference", REFERENCE, 134.517, 44.1714, 8188.17],
    ["demo3_b0_0", "reference", REFERENCE, 116.513, 44.4626, 8223.27],
  ];
  const cases = known.flatMap((row) =>
    builtIn.schedulers
      .filter((definition) => runsUnder(definition, row[2]))
      .map(({ name }) => [name, ...row] as const),
  );

  test.each(cases)("%s, %s, %s", (kind, name, _, conventions, ttft, tbt, rts) => {
    const { prompt, output, setting, step } = scenarios[name];
    const all = { ...setting, conventions, scheduler: { kind } };
    const [prompts, outputs] = [lawOf(prompt), lawOf(output)];

    // Time to first token is linear between the ends of each step: simulate these, interpolate the rest.
    const ends: [number, number][] = [];
    const steps = name === "demo2" ? 1 : LONGEST_PROMPT / step;
    for (let k = 0; k < steps; k++) ends.push([k * step + 1, 1], [(k + 1) * step, 1]);
    const atEnds = alone(ends, all);
    const ttftOf = (n: number): number => {
      const k = Math.floor((n - 1) / step);
      const [low, high] = [atEnds[2 * k].ttft, atEnds[2 * k + 1].ttft];
      return low + ((high - low) * (n - 1 - k * step)) / (step - 1);
    };
    const some = [1, 2, 63, 64, 65, 100, 512, 2000].map((n): [number, number] => [n, 1 + (n % 9)]);
    alone(some, all, { verify: true }).forEach((found, i) =>
      expect(found.ttft).toBeCloseTo(ttftOf(some[i][0]), 9),
    );

    const longest = name === "demo2" ? 256 : 1024;
    const decode = alone(
      Array.from({ length: longest }, (_, i) => [1 + (i % 50), i + 1]),
      all,
    ).map((found) => found.decode);
    const decodeOf = (n: number): number => decode[n - 1];
    const perToken = (n: number): number =>
      decodeOf(n) / (conventions.tbt === "gaps" ? Math.max(1, n - 1) : n);
    const withGap = conventions.tbt === "gaps" ? outputs.survival(1) : 1;

    const found = {
      ttft: expectation(prompts, name === "demo2" ? 512 : LONGEST_PROMPT, ttftOf),
      tbt: expectation(outputs, longest, perToken) / withGap,
      decode: expectation(outputs, longest, decodeOf),
    };
    // To the digits that the page gives.
    expect(Math.abs(found.ttft - ttft)).toBeLessThan(0.0006);
    expect(Math.abs(found.tbt - tbt)).toBeLessThan(0.00006);
    expect(Math.abs(found.ttft + found.decode - rts)).toBeLessThan(0.006);
  });

  test("through the front door: arrivals like a clock's, ten seconds apart", () => {
    const config: PartialConfig = {
      workload: {
        arrivals: { kind: "deterministic", ratePerSecond: 0.1 },
        promptTokens: { kind: "fixed", tokens: 128 },
        outputTokens: { kind: "fixed", tokens: 64 },
      },
      service: { kind: "affine", cMs: 10, aMs: 0.5 },
      scheduler: { kind: "hybrid" },
      horizon: { tmaxSeconds: 1000 },
    };
    const { metrics } = simulate(config, { verify: true });
    expect(metrics).toMatchObject({
      n_arrived: 100,
      n_completed: 100,
      n_iterations: 6400,
      queueing_delay_p99_s: 0,
    });
    expect(metrics.ttft_mean_s).toBeCloseTo(0.074, 14);
    expect(metrics.itl_p99_s).toBeCloseTo(0.0105, 14);
    expect(metrics.rts_mean_s).toBeCloseTo(0.074 + 63 * 0.0105, 14);
  });
});

test("demo2 in the earlier study's conventions: its published means (model §6)", () => {
  const demo2 = scenarios.demo2;
  const policies: [Spec, ttft: number, tbt: number, rtsP95: number, errors: [number, number]][] = [
    [{ kind: "decode-prioritizing" }, 2.2517, 0.013232, 7.0985, [0.0025, 0.0000044]],
    [{ kind: "prefill-prioritizing" }, 0.10511, 0.014801, 4.6398, [0.00017, 0.0000083]],
    [{ kind: "hybrid", ratio: 0.5 }, 0.1021, 0.014256, 4.4081, [0.00016, 0.0000071]],
  ];
  const configs = policies.map(([scheduler]) =>
    prepare({
      workload: {
        arrivals: { kind: "poisson", ratePerSecond: 2 },
        promptTokens: demo2.prompt,
        outputTokens: demo2.output,
      },
      service: demo2.setting.service!,
      ...demo2.setting,
      conventions: REFERENCE,
      scheduler,
      horizon: { tmaxSeconds: 5000 },
    }),
  );
  const count = 50;
  const values = runTask(new Simulator(), { seed: 1, first: 1, count, configs, windows: [], verify: false });
  policies.forEach(([, ttft, tbt, rtsP95, errors], policy) => {
    const mean = (name: string): number => {
      let sum = 0;
      for (let trial = 0; trial < count; trial++)
        sum += values[(trial * configs.length + policy) * METRICS.length + metricIndex(name)];
      return sum / count;
    };
    // The difference of two independent means, 100 trials against 50, at 4 standard errors.
    const bound = (error: number): number => 4 * error * Math.sqrt(1 + 100 / count);
    expect(Math.abs(mean("ttft_mean_s") - ttft)).toBeLessThan(bound(errors[0]));
    expect(Math.abs(mean("tbt_mean_s") - tbt)).toBeLessThan(bound(errors[1]));
    expect(mean("rts_p95_s") / rtsP95).toBeCloseTo(1, 2);
  });
});
