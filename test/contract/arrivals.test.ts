/** What every arrival process owes (model §4). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withDefaults } from "../../src/core/check-options.js";
import type { Spec } from "../../src/core/definition.js";
import { stream } from "../../src/core/random.js";
import { builtIn, member } from "../../src/core/registry.js";
import { Requests } from "../../src/core/requests.js";

const specs: Spec[] = [
  ...builtIn.arrivals.flatMap(({ options, examples }) => examples.map((spec) => withDefaults(options, spec))),
  { kind: "poisson", ratePerSecond: 0.001 },
  { kind: "poisson", ratePerSecond: 1e6 },
  { kind: "deterministic", ratePerSecond: 3 },
  { kind: "deterministic", ratePerSecond: 1e6 },
];

describe.each(specs.map((spec) => [JSON.stringify(spec), spec] as const))("arrival process %s", (_, spec) => {
  const process = member(builtIn.arrivals, spec.kind).create(spec);
  const take = (count: number, trial = 1): number[] => {
    const arrivals = process.open(stream(1, trial, "arrivals"));
    return Array.from({ length: count }, () => arrivals.next());
  };
  const rowsUntil = (tmaxSeconds: number, maxRequests: number | null = null): number[] => {
    const requests = new Requests();
    const fixed = { kind: "fixed", tokens: 1 };
    const workload = { arrivals: spec, promptTokens: fixed, outputTokens: fixed };
    requests.generate(workload, { tmaxSeconds, maxRequests }, 1, 1, builtIn);
    return [...requests.arrivedAt.subarray(0, requests.count)];
  };

  test("instants are whole nanoseconds, 0 or later, and never go back", () => {
    const instants = take(20_000);
    const wrong = instants.filter((at, i) => !Number.isInteger(at) || at < (i > 0 ? instants[i - 1] : 0));
    expect(wrong).toEqual([]);
  });

  test("the rate is as stated", () => {
    const count = 100_000;
    const seconds = take(count).at(-1)! / 1e9;
    // No less regular than a Poisson process: the sum of n gaps has at most its standard deviation, √n/λ.
    expect(Math.abs(seconds * process.ratePerSecond - count)).toBeLessThan(4 * Math.sqrt(count));
  });

  test("the same stream gives the same arrivals; opening it again starts it again", () => {
    expect(take(100)).toEqual(take(100));
    const [one, two] = [process.open(stream(5, 1, "arrivals")), process.open(stream(5, 1, "arrivals"))];
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
      { numRuns: 30, seed: 1 },
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
  requests.generate(workload, { tmaxSeconds: 1, maxRequests: null }, 1, 1, builtIn);
  expect([...requests.arrivedAt.subarray(0, requests.count)]).toEqual([0.25e9, 0.5e9, 0.75e9, 1e9]);
});

test("Poisson: gaps are exponential and the first arrival is not at 0 (model §4)", () => {
  const process = member(builtIn.arrivals, "poisson").create({ kind: "poisson", ratePerSecond: 2 });
  const arrivals = process.open(stream(1, 1, "arrivals"));
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
