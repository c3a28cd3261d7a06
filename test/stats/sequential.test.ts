/**
 * The stopping rule: hand-made examples, what must hold for all samples, and that the interval still covers when
 * the trials themselves say when to stop (which it does not when two trials may).
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  halfWidth,
  LEAST_PILOT,
  lookAt,
  relativeHalfWidth,
  summarize,
  tQuantile,
  widthToStop,
} from "../../src/stats/index.js";

/** n values of mean 1 whose interval has the relative half-width `width`: two values in equal number. */
function sampleOf(n: number, width: number): number[] {
  const offset = (width * Math.sqrt(n - 1)) / tQuantile(0.975, n - 1);
  return Array.from({ length: n }, (_, i) => 1 + (i % 2 === 0 ? offset : -offset));
}

describe("the rule", () => {
  test("stops at γ/(1 + γ): the error is then at most γ of the true mean at either end of the interval", () => {
    expect(widthToStop(0.25)).toBe(0.2);
    for (const target of [0.001, 0.01, 0.1, 0.5, 0.99]) {
      const stopAt = widthToStop(target);
      // the estimate is 1, the true mean at an end of 1 ± stopAt
      expect(stopAt / (1 - stopAt)).toBeCloseTo(target, 12);
      expect(stopAt / (1 + stopAt)).toBeLessThan(target);
      const goal = { target, most: 1000 };
      expect(lookAt([sampleOf(20, stopAt * 0.999)], goal).isMet).toBe(true);
      expect(lookAt([sampleOf(20, stopAt * 1.001)], goal).isMet).toBe(false);
    }
  });

  test("a worked example", () => {
    // mean 5, sd 2.13809, half-width 2.36462 · 2.13809/√8 = 1.78749, which is .35750 of the mean
    const values = [2, 4, 4, 4, 5, 5, 7, 9];
    expect(relativeHalfWidth(summarize(values))).toBeCloseTo(0.3575, 5);
    const look = lookAt([values], { target: 0.1, most: 1000 });
    // half-width 5/11 = .45455: t(.975, 86) 2.13809/√87 = .45568 is too wide, t(.975, 87) 2.13809/√88 = .45302 is not
    expect(look).toMatchObject({ trials: 8, isMet: false, widest: 0, forecast: 88 });
    expect(look.reached).toBeCloseTo(0.3575, 5);
  });

  test("every sample must be narrow enough: the widest is told, the largest forecast counts", () => {
    const goal = { target: 0.1, most: 10_000 };
    const [narrow, wide, wider] = [0.05, 0.2, 0.4].map((width) => sampleOf(20, width));
    expect(lookAt([narrow!, narrow!], goal).isMet).toBe(true);
    const look = lookAt([narrow!, wider!, wide!], goal);
    expect(look).toMatchObject({ isMet: false, widest: 1 });
    expect(look.reached).toBeCloseTo(0.4, 9);
    expect(look.forecast).toBe(lookAt([wider!], goal).forecast);
  });

  test("the sign of the mean does not matter", () => {
    const goal = { target: 0.01, most: 1000 };
    const values = sampleOf(20, 0.02);
    const mirrored = values.map((value) => -value);
    expect(lookAt([mirrored], goal)).toEqual(lookAt([values], goal));
  });

  test("values without spread are known exactly", () => {
    expect(lookAt([Array<number>(10).fill(3)], { target: 0.01, most: 100 })).toMatchObject({
      reached: 0,
      isMet: true,
      next: 10,
    });
  });

  test("trials without a value are left out, and the forecast expects as many again", () => {
    const goal = { target: 0.01, most: 10_000 };
    const values = sampleOf(20, 0.05);
    const look = lookAt([values.flatMap((value) => [value, NaN])], goal);
    const full = lookAt([values], goal);
    expect(look.reached).toBe(full.reached);
    expect(look.trials).toBe(40);
    expect(look.forecast).toBe(2 * full.forecast);
  });

  test.each([
    ["no value", [NaN, NaN, NaN]],
    ["a single value", [NaN, 4, NaN]],
    ["zeros", [0, 0, 0]],
  ])("%s: there is nothing to wait for", (_, values) => {
    const look = lookAt([[1, 2, 3], values], { target: 0.1, most: 100 });
    expect(look).toEqual({
      trials: 3,
      reached: NaN,
      widest: 1,
      forecast: Infinity,
      isMet: false,
      next: 3,
    });
  });
});

describe("the forecast", () => {
  test("is n₀(h₀/target)² where t is the normal deviate", () => {
    for (const factor of [2, 5]) {
      const { forecast } = lookAt([sampleOf(1000, widthToStop(0.01) * factor)], { target: 0.01, most: 1e6 });
      expect(forecast / (1000 * factor * factor)).toBeCloseTo(1, 2);
    }
  });

  test("is the least number that would do with this mean and spread", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 10, maxLength: 40 }),
        fc.double({ min: 0.005, max: 0.5, noNaN: true }),
        (values, target) => {
          const { forecast } = lookAt([values], { target, most: 1e6 });
          const { mean, sd } = summarize(values);
          const width = (n: number): number => (tQuantile(0.975, n - 1) * sd) / Math.sqrt(n) / mean;
          expect(width(forecast)).toBeLessThanOrEqual(widthToStop(target) * (1 + 1e-12));
          if (forecast > 2)
            expect(width(forecast - 1)).toBeGreaterThanOrEqual(widthToStop(target) * (1 - 1e-12));
        },
      ),
    );
  });
});

test("looks come nearer: never beyond the most, never more than fourfold, never by less than a tenth", () => {
  const values = fc.array(fc.double({ min: 0, max: 10, noNaN: true }), {
    minLength: LEAST_PILOT,
    maxLength: 60,
  });
  fc.assert(
    fc.property(
      values,
      fc.double({ min: 0.001, max: 0.9, noNaN: true }),
      fc.integer({ min: 60, max: 500 }),
      (sample, target, most) => {
        const { trials, next, isMet, reached } = lookAt([sample], { target, most });
        expect(Number.isInteger(next)).toBe(true);
        if (isMet || !Number.isFinite(reached) || trials === most) {
          expect(next).toBe(trials);
          return;
        }
        expect(next).toBeGreaterThanOrEqual(Math.min(most, 1.1 * trials));
        expect(next).toBeLessThanOrEqual(Math.min(most, 4 * trials));
        expect(next).toBeGreaterThan(trials);
      },
    ),
    // Nothing to hope for; met.
    {
      examples: [
        [Array<number>(10).fill(0), 0.001, 60],
        [Array<number>(10).fill(5), 0.1, 60],
      ],
    },
  );
});

/** Uniform in (0, 1], from a fixed stream (a 32-bit generator). */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 4294967296 + 2 ** -33;
  };
}

/** Trial values of mean 1 and coefficient of variation `cv`. */
const LAWS = {
  normal: (uniform: () => number, cv: number) => () =>
    1 + cv * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  exponential: (uniform: () => number, cv: number) => () => 1 - cv - cv * Math.log(uniform()),
};

interface Stop {
  readonly values: readonly number[];
  readonly looks: number;
}

/** Draws a pilot and then what the looks ask for. */
function stopOf(draw: () => number, target: number, pilot: number): Stop {
  const values: number[] = [];
  let wanted = pilot;
  for (let looks = 1; ; looks++) {
    while (values.length < wanted) values.push(draw());
    const look = lookAt([values], { target, most: 100_000 });
    if (look.isMet) return { values, looks };
    wanted = look.next;
  }
}

const covers = (values: readonly number[]): boolean => {
  const summary = summarize(values);
  return Math.abs(summary.mean - 1) <= halfWidth(summary);
};

const EXPERIMENTS = 2000;
/** Where the share of covering intervals of 2,000 lies with a chance of .999 when each covers with .95. */
const DOUBT = 3.29 * Math.sqrt((0.95 * 0.05) / EXPERIMENTS);

describe("coverage of the 95 % interval at the stop, 2,000 experiments", () => {
  test.each([
    ["normal", 0.02, 0.01, 20],
    ["normal", 0.05, 0.01, 10],
    ["exponential", 1, 0.1, 20],
  ] as const)("%s values, cv %d, target %d, pilot %d: 95 %", (law, cv, target, pilot) => {
    const draw = LAWS[law](uniforms(EXPERIMENTS + pilot), cv);
    let covered = 0;
    let trueToTarget = 0;
    for (let k = 0; k < EXPERIMENTS; k++) {
      const stop = stopOf(draw, target, pilot);
      covered += Number(covers(stop.values));
      trueToTarget += Number(Math.abs(summarize(stop.values).mean - 1) <= target);
    }
    expect(Math.abs(covered / EXPERIMENTS - 0.95)).toBeLessThan(DOUBT);
    // what was asked for: the relative error is at most the target, 19 times in 20
    expect(trueToTarget / EXPERIMENTS).toBeGreaterThan(0.95 - DOUBT);
  });

  test.each([
    ["normal", 0.02],
    ["exponential", 0.03],
  ] as const)("can fail: %s values looked at from the second on, one by one, cover less", (law, cv) => {
    const draw = LAWS[law](uniforms(7), cv);
    let covered = 0;
    for (let k = 0; k < EXPERIMENTS; k++) {
      const values = [draw(), draw()];
      while (relativeHalfWidth(summarize(values)) > 0.01) values.push(draw());
      covered += Number(covers(values));
    }
    expect(covered / EXPERIMENTS).toBeLessThan(0.95 - 2 * DOUBT);
  });
});

test.each([
  ["normal", 0.05, 0.01],
  ["normal", 0.05, 0.02],
  ["exponential", 0.05, 0.01],
] as const)("%s values, cv %d: a handful of looks, little more trials than one by one", (law, cv, target) => {
  const draw = LAWS[law](uniforms(11), cv);
  const experiments = 100;
  let looks = 0;
  let trials = 0;
  let oneByOne = 0;
  for (let k = 0; k < experiments; k++) {
    const stop = stopOf(draw, target, 20);
    looks += stop.looks;
    trials += stop.values.length;
    let at = 20;
    const isWide = (): boolean =>
      relativeHalfWidth(summarize(stop.values.slice(0, at))) > widthToStop(target);
    while (at < stop.values.length && isWide()) at++;
    oneByOne += at;
  }
  expect(looks / experiments).toBeLessThan(7);
  expect(trials / oneByOne).toBeLessThan(1.1);
});
