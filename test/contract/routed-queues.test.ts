/**
 * Routed replicas against queueing theory, service exponential with mean 10 ms (model §6): two replicas at a load of
 * .9, where each router has a known mean response; power-of-two among a hundred; and the order of four of them.
 * LLMSIM_LONG=1 simulates twenty times as long.
 *
 * Differences between routers are measured where the request brings its service time along, as the length of its
 * prompt: random iteration times are drawn by the replica, and would differ from router to router.
 */
import { describe, expect, test } from "vitest";
import type { Spec } from "../../src/core/options/definition.js";
import { simulate, Simulator } from "../../src/core/trial/simulate.js";
import { halfWidth, pairedDifference, simultaneous, type Summary, summarize } from "../../src/stats/index.js";
import { ekm1, mm1, mmk } from "../../src/theory/index.js";

const LONGER = process.env.LLMSIM_LONG === "1" ? 20 : 1;
const MU = 100;
const LOAD = 0.9;

/**
 * E[response] in ms of two queues, each arrival joining the shorter: the stationary law of the two lengths, by
 * sweeps over the balance equations of (shorter, longer), cut off where next to nothing of it is left.
 */
function joinTheShorter(lambda: number, mu: number): number {
  const [most, apart] = [150, 24];
  // p[n][d]: the shorter queue holds n, the longer n + d.
  const rho = lambda / (2 * mu);
  const p = Array.from({ length: most + 1 }, (_, n) =>
    Float64Array.from({ length: apart + 1 }, (_, d) => rho ** (2 * n) / 3 ** d),
  );
  const at = (n: number, d: number): number => (n < 0 || d < 0 || n > most || d > apart ? 0 : p[n][d]);
  let before = 0;
  for (let sweep = 0; sweep < 20_000; sweep++) {
    let mass = 0;
    let inSystem = 0;
    for (let step = 0; step <= most; step++) {
      // Back and forth: what flows up and what flows down settle alike.
      const n = sweep % 2 === 0 ? step : most - step;
      for (let d = 0; d <= apart; d++) {
        const serving = (n > 0 && d < apart ? mu : 0) + (n + d > 0 ? mu : 0);
        const out = (n === most && d > 0 ? 0 : lambda) + serving;
        // Arrivals make the shorter longer; of equals one becomes the longer.
        let into = lambda * at(n - 1, d + 1) + (d === 1 ? lambda * at(n, 0) : 0);
        // The longer one serves; of equals either does.
        into += mu * at(n, d + 1);
        // The shorter one serves; where the two were equal it becomes the shorter.
        into += d > 0 ? mu * at(n + 1, d - 1) + (d === 1 ? mu * at(n + 1, 0) : 0) : 0;
        p[n][d] = into / out;
        mass += p[n][d];
        inSystem += p[n][d] * (2 * n + d);
      }
    }
    for (const row of p) for (let d = 0; d <= apart; d++) row[d] /= mass;
    const mean = inSystem / mass;
    if (sweep % 100 === 0) {
      if (Math.abs(mean - before) < 1e-9 * mean) return (1000 * mean) / lambda;
      before = mean;
    }
  }
  throw new Error("no law found");
}

/** One token a request, whose iteration takes an exponential time. */
const DRAWN = { prompt: { kind: "fixed", tokens: 1 }, service: { kind: "exponential", cMs: 1000 / MU } };
/** 10 µs a token and 1000 tokens a request, geometric: exponential, but for a thousandth. */
const BROUGHT = {
  prompt: { kind: "geometric", p: 0.001 },
  service: { kind: "affine", cMs: 0, aMs: 1 / MU, b0: 0 },
};

interface Runs {
  readonly replicas: number;
  readonly trials: number;
  readonly seconds: number;
  readonly times?: { readonly prompt: Spec; readonly service: Spec };
}

/** Mean response in ms of each trial. */
function responses(kind: string, { replicas, trials, seconds, times = DRAWN }: Runs): number[] {
  const simulator = new Simulator();
  return Array.from({ length: trials }, (_, i) => {
    const { metrics } = simulate(
      {
        workload: {
          arrivals: { kind: "poisson", ratePerSecond: LOAD * MU * replicas },
          promptTokens: times.prompt,
          outputTokens: { kind: "fixed", tokens: 0 },
        },
        service: times.service,
        engine: { maxTokens: 1_000_000, maxSequences: 1, replicas, router: { kind } },
        scheduler: { kind: "prefill-prioritizing" },
        horizon: { tmaxSeconds: seconds * LONGER, warmupSeconds: 5 + seconds / 20 },
      },
      { simulator, trial: i + 1 },
    );
    return 1000 * metrics.rts_mean_s;
  });
}

/** The 99.9 % interval: what holds for 50 comparisons at once at 95 %. */
const wide = (summary: Summary): Summary => simultaneous(summary, 50);
const contains = ({ low, high }: Summary, value: number): boolean => low <= value && value <= high;

const timeout = 300_000 * LONGER;

describe("two replicas at a load of .9: mean response in ms", () => {
  const shorter = joinTheShorter(2 * LOAD * MU, MU);
  const exact: Record<string, number> = {
    central: 1000 * mmk(2 * LOAD * MU, MU, 2).responseTime,
    "least-outstanding": shorter,
    // Both of two are looked at.
    "power-of-two": shorter,
    "round-robin": 1000 * ekm1(LOAD * MU, 2, MU).responseTime,
    random: 1000 * mm1(LOAD * MU, MU).responseTime,
  };

  test("theory gives the published numbers", () => {
    expect(exact.central).toBeCloseTo(52.6316, 4);
    expect(shorter).toBeCloseTo(54.749, 3);
    expect(exact.random).toBeCloseTo(100, 9);
    expect(joinTheShorter(100, MU)).toBeLessThan(1000 * mm1(50, MU).responseTime);
  });

  test(
    "the engine agrees, inside 99.9 % intervals",
    () => {
      const runs = { replicas: 2, trials: 12, seconds: 120 };
      for (const [kind, value] of Object.entries(exact)) {
        const values = responses(kind, runs);
        // Requests of one token: the fewest tokens left are the fewest requests.
        if (kind === "least-outstanding") expect(responses("least-tokens", runs)).toEqual(values);
        const interval = wide(summarize(values));
        expect([kind, contains(interval, value)]).toEqual([kind, true]);
        expect(halfWidth(interval) / value).toBeLessThan(0.3);
      }
    },
    timeout,
  );

  test(
    "each differs from central by what theory says",
    () => {
      const runs = { replicas: 2, trials: 12, seconds: 120, times: BROUGHT };
      const central = responses("central", runs);
      for (const [kind, value] of Object.entries(exact)) {
        if (kind === "central") continue;
        const difference = wide(pairedDifference(responses(kind, runs), central));
        expect([kind, contains(difference, value - exact.central)]).toEqual([kind, true]);
        expect([kind, difference.low > 0]).toEqual([kind, true]);
      }
    },
    timeout,
  );
});

test(
  "four replicas: central < least-outstanding < power-of-two < random, each difference resolved",
  () => {
    const kinds = ["central", "least-outstanding", "power-of-two", "random"];
    const runs = { replicas: 4, trials: 8, seconds: 60, times: BROUGHT };
    const found = kinds.map((kind) => responses(kind, runs));
    for (let i = 1; i < kinds.length; i++) {
      const difference = wide(pairedDifference(found[i], found[i - 1]));
      expect([kinds[i], difference.low > 0]).toEqual([kinds[i], true]);
    }
  },
  timeout,
);

test(
  "power-of-two among a hundred: near the limit of Vvedenskaya, Dobrushin & Karpelevich, Σ ρ^(2^i − 2)",
  () => {
    let limit = 0;
    for (let i = 1; i < 12; i++) limit += (1000 / MU) * LOAD ** (2 ** i - 2);
    expect(limit).toBeCloseTo(26.141, 3);
    const interval = wide(summarize(responses("power-of-two", { replicas: 100, trials: 5, seconds: 12 })));
    // A hundred are a little worse than infinitely many: at most 3 %.
    expect(interval.low).toBeLessThan(1.03 * limit);
    expect(interval.high).toBeGreaterThan(limit);
    expect(halfWidth(interval) / limit).toBeLessThan(0.1);
    if (LONGER > 1) expect(Math.abs(interval.mean / limit - 1)).toBeLessThan(0.03);
  },
  timeout,
);
