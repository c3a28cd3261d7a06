/** The drift of a backlog and the verdict on it: by hand, and how often it errs. */
import { describe, expect, test } from "vitest";
import { stream } from "../../src/core/numbers/random.js";
import { driftOf, stabilityVerdict, type StabilityVerdict } from "../../src/stats/index.js";

describe("driftOf", () => {
  test("the share of the offered work that is not served, by hand", () => {
    // 1 − 80/100, 1 − 90/100, 1 − 100/100: 0.2, 0.1, 0; standard deviation 0.1.
    const { mean, standardError, df, low, high } = driftOf([80, 90, 100], 100);
    expect(mean).toBeCloseTo(0.1, 14);
    expect(standardError).toBeCloseTo(0.1 / Math.sqrt(3), 14);
    expect(df).toBe(2);
    // t(2) at .975 is 4.302653.
    expect(low).toBeCloseTo(0.1 - (4.302653 * 0.1) / Math.sqrt(3), 6);
    expect(high).toBeCloseTo(0.1 + (4.302653 * 0.1) / Math.sqrt(3), 6);
  });

  test("more served than offered is a drift below 0", () => {
    expect(driftOf(Float64Array.of(110, 130), 100).mean).toBeCloseTo(-0.2, 14);
  });

  test("controls take out what more arrived than usual; each costs a degree of freedom", () => {
    const surplus = [-4, 1, 7, -2, 3, -8];
    const served = surplus.map((more) => 95 + more);
    expect(driftOf(served, 100).standardError).toBeGreaterThan(0.01);
    const { mean, standardError, df } = driftOf(served, 100, [surplus]);
    expect(mean).toBeCloseTo(0.05, 12);
    expect(standardError).toBeLessThan(1e-8);
    expect(df).toBe(4);
  });
});

describe("stabilityVerdict", () => {
  const drift = (mean: number, df = 19) => ({ mean, standardError: 0.01, df, low: NaN, high: NaN });

  test("decides where the one-sided bound leaves 0, and not before", () => {
    // t(19) at .95 is 1.729133, at .975 2.093024.
    const at = (mean: number, alpha: number): StabilityVerdict => stabilityVerdict(drift(mean), alpha);
    expect([at(0.0172, 0.05), at(0.0174, 0.05), at(0.0174, 0.025), at(0.021, 0.025)]).toEqual([
      "undecided",
      "unstable",
      "undecided",
      "unstable",
    ]);
    expect([at(-0.0172, 0.05), at(-0.0174, 0.05), at(-0.0174, 0.025), at(-0.021, 0.025)]).toEqual([
      "undecided",
      "stable",
      "undecided",
      "stable",
    ]);
    expect(at(0, 0.05)).toBe("undecided");
  });

  test("fewer degrees of freedom ask for more: t(2) at .95 is 2.919986", () => {
    expect(stabilityVerdict(drift(0.0291, 2), 0.05)).toBe("undecided");
    expect(stabilityVerdict(drift(0.0293, 2), 0.05)).toBe("unstable");
  });

  /** Shares of the verdicts over 8000 runs of 20 normal batches whose drift has this mean and deviation 0.1. */
  function shares(mean: number, alpha: number): Record<StabilityVerdict, number> {
    const random = stream(1, 1, "progress");
    const counts = { stable: 0, unstable: 0, undecided: 0 };
    for (let run = 0; run < 8000; run++) {
      const served = Array.from({ length: 20 }, () => 1000 * (1 - mean) + 100 * random.normal());
      counts[stabilityVerdict(driftOf(served, 1000), alpha)] += 1 / 8000;
    }
    return counts;
  }

  test.each([0.05, 0.01])(
    "at the boundary each error has the chance α = %d, else it is undecided",
    (alpha) => {
      const { stable, unstable, undecided } = shares(0, alpha);
      const noise = 4 * Math.sqrt((alpha * (1 - alpha)) / 8000);
      expect(Math.abs(stable - alpha)).toBeLessThan(noise);
      expect(Math.abs(unstable - alpha)).toBeLessThan(noise);
      expect(Math.abs(undecided - (1 - 2 * alpha))).toBeLessThan(2 * noise);
    },
  );

  test("off the boundary the wrong verdict is rarer, and far off the right one is sure", () => {
    // One standard error (0.1/√20) off: the right one in about a quarter, the wrong one in well under 1 %.
    const near = shares(0.1 / Math.sqrt(20), 0.05);
    expect(near.unstable).toBeGreaterThan(0.2);
    expect(near.unstable).toBeLessThan(0.3);
    expect(near.stable).toBeLessThan(0.01);
    expect(near.undecided).toBeGreaterThan(0.65);
    expect(shares(0.15, 0.05).unstable).toBeGreaterThan(0.995);
    expect(shares(-0.15, 0.05).stable).toBeGreaterThan(0.995);
  });
});
