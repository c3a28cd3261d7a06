/** What every arrival process owes (model §4). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../src/core/options/check-options.js";
import type { Spec } from "../../src/core/options/definition.js";
import { stream } from "../../src/core/numbers/random.js";
import { builtIn, member } from "../../src/core/configuration/registry.js";
import { Requests } from "../../src/core/workload/requests.js";
import { drawTrial } from "../../src/core/configuration/draw-trial.js";
import { simulate } from "../../src/core/trial/simulate.js";
import { NEVER } from "../../src/core/numbers/units.js";

const every: Spec[] = [
  ...builtIn.arrivals.flatMap(({ options, examples }) => examples.map((spec) => withDefaults(options, spec))),
  { kind: "poisson", ratePerSecond: 0.001 },
  { kind: "poisson", ratePerSecond: 1e6 },
  { kind: "deterministic", ratePerSecond: 3 },
  { kind: "deterministic", ratePerSecond: 1e6 },
  { kind: "gamma", ratePerSecond: 1e6, cv: 1 },
  { kind: "gamma", ratePerSecond: 0.01, cv: 0.01 },
  { kind: "weibull", ratePerSecond: 3, cv: 1 },
  { kind: "weibull", ratePerSecond: 1e6, cv: 0.01 },
  { kind: "weibull", ratePerSecond: 0.01, cv: 3 },
  { kind: "on-off", ratePerSecond: 1e6, onSeconds: 0.001, offSeconds: 0.001 },
  { kind: "trace", data: "example", speedup: 1000, blockSeconds: 60 },
  { kind: "on-off", ratePerSecond: 0.01, onSeconds: 1e6, offSeconds: 0.001 },
];

/** In a closed loop nothing arrives of itself, and there is no rate: what it owes instead stands here. */
const isClosed = (spec: Spec): boolean => member(builtIn.arrivals, spec.kind).closed === true;
const specs = every.filter((spec) => !isClosed(spec));
const loops: Spec[] = [
  ...every.filter(isClosed),
  { kind: "closed", clients: 1, thinkSeconds: 0, think: "exponential" },
  { kind: "closed", clients: 100_000, thinkSeconds: 1e6, think: "exponential" },
  { kind: "closed", clients: 2, thinkSeconds: 1e-9, think: "deterministic" },
];

describe.each(every.map((spec) => [JSON.stringify(spec), spec] as const))("%s is what it says", (_, spec) => {
  const { closed, replays, loadOption, options, create } = member(builtIn.arrivals, spec.kind);

  test("whether it is a closed loop, and whether it replays", () => {
    const process = create(spec);
    expect([process.clients !== undefined, process.requests !== undefined]).toEqual([
      closed === true,
      replays === true,
    ]);
  });

  test("more of its load option means more requests per second, in proportion", () => {
    if (!loadOption) return;
    const { key, sense } = loadOption;
    const { min = 0, max = Infinity, kind } = options.find((option) => option.key === key)!;
    expect(["number", "integer"]).toContain(kind);
    const given = spec[key] as number;
    const values = [given / 2, given, 2 * given].filter(
      (value) => value > min && value <= max && (kind === "number" || Number.isInteger(value)),
    );
    expect(values.length).toBeGreaterThan(1);
    const specs = values.map((value): Spec => ({ ...spec, [key]: value }));
    if (sense === "less") specs.reverse();
    const times = values.at(-1)! / values[0]!;
    const [least, most] = [specs[0]!, specs.at(-1)!].map((one) => create(one).ratePerSecond);
    if (!closed) expect(most! / least!).toBeCloseTo(times, 9);
    // And so it comes: of so many requests the last arrives sooner.
    const lasts = specs.map(lastOf);
    for (let i = 1; i < lasts.length; i++) expect(lasts[i]).toBeLessThan(lasts[i - 1]!);
  });
});

/** When the 200th request arrives, or the last of fewer: an engine answers each in a millisecond. */
function lastOf(arrivals: Spec): number {
  const one = { kind: "fixed", tokens: 1 };
  const { outcome } = simulate({
    workload: { arrivals, promptTokens: one, outputTokens: one },
    service: { kind: "affine", cMs: 1 },
    engine: { maxTokens: 1e6, maxSequences: 1e6 },
    scheduler: { kind: "hybrid" },
    horizon: { tmaxSeconds: 5e6, maxRequests: 200 },
  });
  return outcome.shared.sequences.requests.arrivedAt[outcome.arrived - 1]!;
}

describe.each(loops.map((spec) => [JSON.stringify(spec), spec] as const))("closed loop %s", (_, spec) => {
  const process = member(builtIn.arrivals, spec.kind).create(spec);
  const clients = process.clients!;

  test("says who its clients are, has no rate, and sends nothing of itself", () => {
    expect([clients.count, clients.thinkSeconds]).toEqual([spec.clients, spec.thinkSeconds]);
    expect(process.ratePerSecond).toBeNaN();
    expect(process.open(stream(1, 1, "arrivals"), 1).next()).toBe(NEVER);
  });

  test("think times are whole nanoseconds with the stated mean, and the stream's alone", () => {
    const take = (count: number): number[] => {
      const draws = stream(5, 1, "think/0");
      return Array.from({ length: count }, () => clients.think(draws));
    };
    const times = take(20_000);
    expect(times.filter((time) => !Number.isInteger(time) || time < 0)).toEqual([]);
    expect(take(50)).toEqual(times.slice(0, 50));
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    const cv = spec.think === "exponential" ? 1 : 0;
    const expected = 1e9 * clients.thinkSeconds;
    expect(Math.abs(mean - expected)).toBeLessThanOrEqual(
      (4 * cv * expected) / Math.sqrt(times.length) + 0.5,
    );
  });
});

describe.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))("arrival process %s", (_, spec) => {
  const process = member(builtIn.arrivals, spec.kind).create(spec);
  const take = (count: number, trial = 1): number[] => {
    const arrivals = process.open(stream(1, trial, "arrivals"), trial);
    const instants = Array.from({ length: count }, () => arrivals.next());
    const end = instants.indexOf(NEVER);
    expect(end < 0 || instants.slice(end).every((at) => at === NEVER)).toBe(true);
    return end < 0 ? instants : instants.slice(0, end);
  };
  const rowsUntil = (tmaxSeconds: number, maxRequests: number | null = null): number[] => {
    const requests = new Requests();
    const fixed = { kind: "fixed", tokens: 1 };
    const workload = { arrivals: spec, promptTokens: fixed, outputTokens: fixed };
    drawTrial(requests, workload, { tmaxSeconds, maxRequests }, { seed: 1, trial: 1 }, builtIn);
    return [...requests.arrivedAt.subarray(0, requests.count)];
  };

  test("instants are whole nanoseconds, 0 or later, and never go back", () => {
    const instants = take(20_000);
    const wrong = instants.filter((at, i) => !Number.isInteger(at) || at < (i > 0 ? instants[i - 1] : 0));
    expect(wrong).toEqual([]);
  });

  test("many instants at a time are those of one at a time", () => {
    const arrivals = process.open(stream(1, 1, "arrivals"), 1);
    if (!arrivals.fill) return;
    const many = new Float64Array(300);
    arrivals.fill(many, 299);
    const next = arrivals.next();
    expect([...many.subarray(0, 299), next]).toEqual(take(300));
  });

  test("the rate is as stated", () => {
    const instants = take(100_000);
    const count = instants.length;
    const seconds = instants.at(-1)! / 1e9;
    if (process.gapCv === undefined) {
      // It replays what was recorded, to its end.
      expect(seconds * process.ratePerSecond).toBeCloseTo(count, 9);
      return;
    }
    // The sum of n independent gaps has the standard deviation cv·√n/λ, and rounding to 1 ns moves its end.
    const deviation = process.gapCv * Math.sqrt(count);
    expect(Math.abs(seconds * process.ratePerSecond - count)).toBeLessThanOrEqual(4 * deviation + 0.01);
  });

  test("the same stream gives the same arrivals; opening it again starts it again", () => {
    expect(take(100)).toEqual(take(100));
    const [one, two] = [1, 1].map((trial) => process.open(stream(5, trial, "arrivals"), trial));
    const first = Array.from({ length: 50 }, () => one.next());
    expect(Array.from({ length: 50 }, () => two.next())).toEqual(first);
  });

  test("a shorter window, or fewer requests, sees a prefix (model §4)", () => {
    const whole = rowsUntil(300 / process.ratePerSecond);
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 400 }),
        (share, most) => {
          const until = (share * 300) / process.ratePerSecond;
          const prefix = whole.filter((at) => at <= Math.round(until * 1e9));
          expect(rowsUntil(until)).toEqual(prefix);
          expect(rowsUntil(until, most)).toEqual(prefix.slice(0, most));
        },
      ),
      { numRuns: 30 },
    );
  });
});

test("deterministic arrivals come at 1/λ, 2/λ, … and the window's end is inside (model §4)", () => {
  const requests = new Requests();
  const workload = {
    arrivals: { kind: "deterministic", ratePerSecond: 4 },
    promptTokens: { kind: "fixed", tokens: 1 },
    outputTokens: { kind: "fixed", tokens: 1 },
  };
  drawTrial(requests, workload, { tmaxSeconds: 1, maxRequests: null }, { seed: 1, trial: 1 }, builtIn);
  expect([...requests.arrivedAt.subarray(0, requests.count)]).toEqual([0.25e9, 0.5e9, 0.75e9, 1e9]);
});

test("Poisson: gaps are exponential and the first arrival is not at 0 (model §4)", () => {
  const process = member(builtIn.arrivals, "poisson").create({ kind: "poisson", ratePerSecond: 2 });
  const arrivals = process.open(stream(1, 1, "arrivals"), 1);
  const gaps: number[] = [];
  for (let i = 0, before = 0; i < 50_000; i++) {
    const at = arrivals.next();
    gaps.push(((at - before) / 1e9) * 2);
    before = at;
  }
  expect(gaps[0]).toBeGreaterThan(0);
  for (const [x, survival] of [
    [0.1, 0.904837418],
    [0.5, 0.60653066],
    [1, 0.367879441],
    [2, 0.135335283],
    [5, 0.006737947],
  ] as const) {
    const above = gaps.filter((gap) => gap > x).length / gaps.length;
    expect(Math.abs(above - survival)).toBeLessThan(4 * Math.sqrt((survival * (1 - survival)) / gaps.length));
  }
});

describe.each([
  { kind: "gamma", cv: 0.3 },
  { kind: "gamma", cv: 2 },
  { kind: "weibull", cv: 0.3 },
  { kind: "weibull", cv: 2 },
  { kind: "on-off", onSeconds: 2, offSeconds: 6 },
  { kind: "on-off", onSeconds: 0.05, offSeconds: 0.2 },
])("10⁶ gaps of $kind", (given) => {
  const spec = { ratePerSecond: 5, ...given };
  const process = member(builtIn.arrivals, spec.kind).create(spec);
  const BLOCKS = 200;
  const A_BLOCK = 5000;
  const arrivals = process.open(stream(7, 1, "arrivals"), 1);
  /** Σ gap and Σ gap² of each block. */
  const sums = Array.from({ length: BLOCKS }, () => [0, 0]);
  let before = 0;
  for (const sum of sums)
    for (let i = 0; i < A_BLOCK; i++) {
      const at = arrivals.next();
      const gap = (at - before) / 1e9;
      sum[0]! += gap;
      sum[1]! += gap * gap;
      before = at;
    }
  const whole = sums.reduce(([a, b], [c, d]) => [a! + c!, b! + d!]) as [number, number];
  const cvOf = (sum: number, squares: number, count: number): number =>
    Math.sqrt((count * squares) / (sum * sum) - 1);

  test("have the mean 1/λ and the CV that the process states, within 4 standard errors", () => {
    const count = BLOCKS * A_BLOCK;
    const error = process.gapCv! / Math.sqrt(count);
    expect(Math.abs((whole[0] / count) * spec.ratePerSecond - 1)).toBeLessThan(4 * error);
    // Jackknife over blocks (Efron 1982): a CV is a ratio of sums.
    const cv = cvOf(...whole, count);
    const without = sums.map(([a, b]) => cvOf(whole[0] - a!, whole[1] - b!, count - A_BLOCK));
    const mean = without.reduce((sum, one) => sum + one, 0) / BLOCKS;
    const spread = without.reduce((sum, one) => sum + (one - mean) * (one - mean), 0);
    const jackknife = Math.sqrt(((BLOCKS - 1) / BLOCKS) * spread);
    expect(jackknife).toBeLessThan(0.02 * cv);
    expect(Math.abs(cv - process.gapCv!)).toBeLessThan(4 * jackknife);
  });
});

test("the gaps of a Weibull law of shape 2 and CV √(4/π − 1) are Rayleigh's", () => {
  const spec = { kind: "weibull", ratePerSecond: 1, cv: Math.sqrt(4 / Math.PI - 1) };
  const arrivals = member(builtIn.arrivals, "weibull")
    .create(spec)
    .open(stream(3, 1, "arrivals"), 1);
  const unit = stream(3, 1, "arrivals");
  let sum = 0;
  for (let i = 0; i < 1000; i++) {
    sum += (2 / Math.sqrt(Math.PI)) * Math.sqrt(unit.exponential());
    expect(Math.abs(arrivals.next() / 1e9 - sum)).toBeLessThan(1e-9 * (1 + sum));
  }
});

test("gamma gaps of CV 1/√2 are sums of two exponentials: P(gap > x) = (1 + 2x) e^(−2x)", () => {
  const spec = { kind: "gamma", ratePerSecond: 1, cv: Math.SQRT1_2 };
  const arrivals = member(builtIn.arrivals, "gamma")
    .create(spec)
    .open(stream(4, 1, "arrivals"), 1);
  const count = 200_000;
  let before = 0;
  const gaps = Array.from({ length: count }, () => {
    const at = arrivals.next();
    const gap = (at - before) / 1e9;
    before = at;
    return gap;
  });
  for (const x of [0.05, 0.2, 0.5, 1, 2, 4]) {
    const survival = (1 + 2 * x) * Math.exp(-2 * x);
    const above = gaps.filter((gap) => gap > x).length / count;
    expect(Math.abs(above - survival)).toBeLessThan(4 * Math.sqrt((survival * (1 - survival)) / count));
  }
});

test("gamma gaps of CV 2, shape 1/4, have the law's Laplace transform (1 + s/k)^(−k)", () => {
  const spec = { kind: "gamma", ratePerSecond: 1, cv: 2 };
  const arrivals = member(builtIn.arrivals, "gamma")
    .create(spec)
    .open(stream(6, 1, "arrivals"), 1);
  const count = 200_000;
  const points = [0.1, 1, 10, 100];
  const sums = points.map(() => [0, 0]);
  for (let i = 0, before = 0; i < count; i++) {
    const at = arrivals.next();
    points.forEach((s, j) => {
      const value = Math.exp(-s * ((at - before) / 1e9));
      sums[j]![0]! += value;
      sums[j]![1]! += value * value;
    });
    before = at;
  }
  points.forEach((s, j) => {
    const mean = sums[j]![0]! / count;
    const deviation = Math.sqrt(sums[j]![1]! / count - mean * mean);
    expect(Math.abs(mean - (1 + 4 * s) ** -0.25)).toBeLessThan((4 * deviation) / Math.sqrt(count));
  });
});
