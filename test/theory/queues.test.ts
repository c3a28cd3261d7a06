/** Queues: every number of docs on known answers, reductions to each other, and independent computations. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exp } from "../../src/core/numbers/arithmetic.js";
import { InvariantError } from "../../src/core/errors.js";
import { bulkService, ekm1, erlangMoments, gim1, md1, mek1, mg1, mm1, mmk } from "../../src/theory/index.js";

/** To a relative 1e-10. */
function near(actual: number, expected: number, relative = 1e-10): void {
  expect(Math.abs(actual / expected - 1)).toBeLessThanOrEqual(relative);
}

describe("the table of known answers, service mean 10 ms", () => {
  test.each([
    [1, 0.10101, 10.10101, 30.25992, 5],
    [50, 10, 20, 59.915, 3],
    [80, 40, 50, 149.787, 3],
    [90, 90, 100, 299.573, 3],
  ])("M/M/1 at %d per s", (lambda, wait, response, p95, digits) => {
    const queue = mm1(lambda, 100);
    expect(queue.waitingTime * 1000).toBeCloseTo(wait, 6);
    expect(queue.responseTime * 1000).toBeCloseTo(response, 5);
    expect(queue.responseP(0.95) * 1000).toBeCloseTo(p95, digits);
    expect(queue.responseP(0)).toBe(0);
  });

  test.each([
    [50, 5, 15, 30.506],
    [80, 20, 30, 76.203],
    [90, 45, 55, 151.287],
  ])("M/D/1 at %d per s", (lambda, wait, response, p95) => {
    const queue = md1(lambda, 0.01);
    expect(queue.waitingTime * 1000).toBeCloseTo(wait, 9);
    expect(queue.responseTime * 1000).toBeCloseTo(response, 9);
    expect(queue.responseP(0.95) * 1000).toBeCloseTo(p95, 3);
  });

  test("M/E2/1 at 80 per s", () => {
    const queue = mek1(80, 2, 0.01);
    expect(queue.waitingTime * 1000).toBeCloseTo(30, 9);
    expect(queue.responseTime * 1000).toBeCloseTo(40, 9);
  });

  test.each([
    [180, 2, 42.631579, 52.631579],
    [320, 4, 7.455406, 17.455406],
  ])("M/M/k at %d per s on %d servers", (lambda, k, wait, response) => {
    const queue = mmk(lambda, 100, k);
    expect(queue.waitingTime * 1000).toBeCloseTo(wait, 6);
    expect(queue.responseTime * 1000).toBeCloseTo(response, 6);
  });

  test.each([
    [100, 2, 15.1142],
    [320, 4, 18.7954],
  ])("M/D^(1,K)/1 at %d per s, K = %d", (lambda, K, response) => {
    expect(bulkService(lambda, 0.01, K).responseTime * 1000).toBeCloseTo(response, 4);
  });
});

describe("laws of every queue", () => {
  const load = fc.double({ min: 0.01, max: 0.98, noNaN: true });

  test("Little's law", () => {
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 6 }), (rho, k) => {
        for (const queue of [
          mm1(rho * 100, 100),
          mek1(rho * 100, k, 0.01),
          md1(rho * 100, 0.01),
          ekm1(rho * 100, k, 100),
        ]) {
          near(queue.numberInSystem, rho * 100 * queue.responseTime);
          near(queue.numberWaiting, rho * 100 * queue.waitingTime);
          near(queue.offeredLoad, rho);
        }
        near(mmk(rho * 100 * k, 100, k).offeredLoad, rho);
      }),
    );
  });

  test("M/M/1 is every family's simplest member", () => {
    fc.assert(
      fc.property(load, (rho) => {
        const reference = mm1(rho * 100, 100);
        near(mmk(rho * 100, 100, 1).responseTime, reference.responseTime);
        near(mek1(rho * 100, 1, 0.01).responseTime, reference.responseTime);
        near(mek1(rho * 100, 1, 0.01).responseVariance, reference.responseTime * reference.responseTime);
        near(ekm1(rho * 100, 1, 100).responseTime, reference.responseTime);
        near(ekm1(rho * 100, 1, 100).waitingProbability, rho);
        near(mmk(rho * 100, 100, 1).waitingProbability, rho);
      }),
    );
  });

  test("M/D/1 is the limit of M/E_k/1 and bulk service of one", () => {
    near(mek1(80, 1e9, 0.01).waitingTime, 0.02, 1e-8);
    fc.assert(
      fc.property(load, (rho) =>
        near(bulkService(rho * 100, 0.01, 1).responseTime, md1(rho * 100, 0.01).responseTime),
      ),
    );
  });

  test("more regular arrivals and services wait less", () => {
    for (let k = 1; k < 8; k++) {
      expect(ekm1(80, k + 1, 100).waitingTime).toBeLessThan(ekm1(80, k, 100).waitingTime);
      expect(mek1(80, k + 1, 0.01).waitingTime).toBeLessThan(mek1(80, k, 0.01).waitingTime);
    }
  });

  test("D/M/1 from its transform", () => {
    // sigma = e^(-(1 - sigma)/rho), rho = 1/2: sigma = 0.203187869979980
    const queue = gim1(50, 100, (s) => exp(-s / 50));
    near(queue.waitingProbability, 0.20318786997998);
    near(queue.responseTime, 0.01 / (1 - 0.20318786997998));
    near(queue.responseP(0.95), -Math.log(0.05) * queue.responseTime);
  });

  test("overload has no steady state", () => {
    const overloaded = [
      mm1(100, 100),
      mek1(120, 2, 0.01),
      md1(100, 0.01),
      mmk(200, 100, 2),
      ekm1(100, 3, 100),
      ekm1(150, 2, 100),
    ];
    for (const queue of overloaded) {
      expect([queue.waitingTime, queue.responseTime, queue.numberInSystem, queue.numberWaiting]).toEqual(
        Array(4).fill(Infinity),
      );
    }
    expect([
      mm1(100, 100).responseP(0.5),
      md1(100, 0.01).responseP(0.5),
      ekm1(100, 2, 100).responseP(0.5),
    ]).toEqual([Infinity, Infinity, Infinity]);
    expect(mek1(120, 2, 0.01).responseVariance).toBe(Infinity);
    expect([mmk(200, 100, 2).waitingProbability, ekm1(150, 2, 100).waitingProbability]).toEqual([1, 1]);
    expect([md1(100, 0.01).waitingCdf(1), md1(100, 0.01).waitingCdf(Infinity)]).toEqual([0, 0]);
    expect(bulkService(200, 0.01, 2)).toEqual({
      lengthQueue: Infinity,
      waitingTime: Infinity,
      responseTime: Infinity,
      cycle: 0.01,
    });
  });

  test("no arrivals, no wait", () => {
    for (const queue of [mm1(0, 100), mek1(0, 2, 0.01), md1(0, 0.01), mmk(0, 100, 3), ekm1(0, 2, 100)]) {
      expect(queue).toMatchObject({
        waitingTime: 0,
        responseTime: 0.01,
        numberWaiting: 0,
        numberInSystem: 0,
      });
    }
    expect(bulkService(0, 0.01, 3)).toEqual({
      lengthQueue: 0,
      waitingTime: 0,
      responseTime: 0.01,
      cycle: Infinity,
    });
  });

  test("refuses what is no queue", () => {
    const impossible = [
      () => mm1(-1, 100),
      () => mm1(NaN, 100),
      () => mm1(1, 0),
      () => mm1(1, 100).responseP(1),
      () => md1(1, 0.01).responseP(-0.1),
      () => mg1(Infinity, { m1: 1, m2: 1 }),
      () => mmk(1, 100, 0),
      () => mmk(1, 100, 1.5),
      () => erlangMoments(0, 1),
      () => ekm1(1, 0.5, 1),
      () => bulkService(-1, 0.01, 2),
      () => bulkService(1, 0, 2),
      () => bulkService(1, 0.01, 2.5),
      () => bulkService(1, 0.01, 0),
    ];
    for (const call of impossible) expect(call).toThrow(InvariantError);
  });
});

describe("M/G/1", () => {
  test("needs the third moment for the second moment of the wait only", () => {
    const queue = mg1(80, { m1: 0.01, m2: 0.0002 });
    near(queue.waitingTime, 0.04);
    expect(queue.waitingSecondMoment).toBeNaN();
    near(mg1(80, erlangMoments(1, 0.01)).waitingSecondMoment, (2 * 0.8) / (20 * 20));
  });
});

describe("the waiting time of M/D/1", () => {
  /** Erlang's alternating series in exact rational arithmetic is out of reach; at low load doubles will do. */
  function erlang(lambda: number, t: number): number {
    let sum = 0;
    for (let j = 0; j <= t; j++) {
      let term = Math.exp(lambda * (t - j));
      for (let i = 1; i <= j; i++) term *= (-lambda * (t - j)) / i;
      sum += term;
    }
    return (1 - lambda) * sum;
  }

  test("agrees with Erlang's series where that one keeps its digits", () => {
    for (const load of [0.1, 0.3, 0.5, 0.7]) {
      const { waitingCdf } = md1(load, 1);
      for (let t = 0; t < 8; t += 0.37) expect(waitingCdf(t)).toBeCloseTo(erlang(load, t), 10);
    }
  });

  test("is a distribution with the mean and second moment of Pollaczek-Khinchine and Takács", () => {
    for (const load of [0.2, 0.8, 0.95]) {
      const { waitingCdf } = md1(load, 1);
      let mean = 0;
      let second = 0;
      // Simpson's rule between the kinks at whole t
      for (let t = 0; t < 700; t++) {
        for (let i = 0; i < 8; i++) {
          const [a, m, b] = [t + i / 8, t + i / 8 + 1 / 16, t + (i + 1) / 8 - (i === 7 ? 1e-12 : 0)];
          const [fa, fm, fb] = [1 - waitingCdf(a), 1 - waitingCdf(m), 1 - waitingCdf(b)];
          mean += (fa + 4 * fm + fb) / 48;
          second += (2 * (a * fa + 4 * m * fm + b * fb)) / 48;
        }
      }
      const theory = mg1(load, { m1: 1, m2: 1, m3: 1 });
      near(mean, theory.waitingTime, 1e-6);
      near(second, theory.waitingSecondMoment, 1e-6);
      near(md1(load, 1).responseVariance, theory.waitingSecondMoment - theory.waitingTime ** 2);
    }
  });

  test("starts at 1 - rho, rises to 1, and is continuous at whole services", () => {
    const { waitingCdf } = md1(90, 0.01);
    near(waitingCdf(0), 0.1);
    expect(waitingCdf(-1)).toBe(0);
    expect(waitingCdf(NaN)).toBeNaN();
    expect(waitingCdf(Infinity)).toBe(1);
    expect(waitingCdf(1e6)).toBeCloseTo(1, 12);
    for (const k of [1, 2, 5, 20])
      expect(waitingCdf(k * 0.01 - 1e-12)).toBeCloseTo(waitingCdf(k * 0.01 + 1e-12), 8);
    for (let t = 0; t < 1; t += 0.003) expect(waitingCdf(t)).toBeLessThan(waitingCdf(t + 0.003));
  });

  test("a quantile is where the distribution reaches p, and never below the service time", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.97, noNaN: true }),
        fc.double({ min: 0, max: 0.9999, noNaN: true }),
        (load, p) => {
          const { waitingCdf, responseP } = md1(load, 1);
          const wait = responseP(p) - 1;
          if (wait === 0) expect(waitingCdf(0)).toBeGreaterThanOrEqual(p);
          else expect(waitingCdf(wait)).toBeCloseTo(p, 9);
        },
      ),
    );
    expect(md1(50, 0.01).responseP(0.4)).toBe(0.01);
  });

  test("keeps its digits near saturation: geometric tail with the known rate", () => {
    // P(Wq > t) ~ C e^(-theta t), theta > 0 the root of rho (e^theta - 1) = theta
    const load = 0.995;
    let theta = 0.01;
    for (let i = 0; i < 60; i++)
      theta -= (load * (Math.exp(theta) - 1) - theta) / (load * Math.exp(theta) - 1);
    const { waitingCdf, responseP } = md1(load, 1);
    near(Math.log((1 - waitingCdf(300)) / (1 - waitingCdf(900))) / 600, theta, 1e-8);
    near(responseP(0.999) - responseP(0.99), Math.log(10) / theta, 1e-8);
  });

  test("a p that rounding cannot reach ends the search", () => {
    expect(md1(90, 0.01).responseP(1 - 2 ** -53)).toBeLessThan(10);
  });
});

describe("bulk service", () => {
  /** Number left at departures, from its chain: X' = max(X - K, 0) + Poisson arrivals of a service; by iteration. */
  function byChain(lambda: number, c: number, K: number) {
    const m = lambda * c;
    const size = 250;
    const arrivals = [Math.exp(-m)];
    for (let k = 1; k < size; k++) arrivals.push((arrivals[k - 1]! * m) / k);
    let law: number[] = Array.from({ length: size }, (_, i) => (i === 0 ? 1 : 0));
    for (let step = 0; step < 3000; step++) {
      const starts = new Array<number>(size).fill(0);
      law.forEach((p, x) => (starts[Math.max(x - K, 0)]! += p));
      const next = new Array<number>(size).fill(0);
      starts.forEach((p, x) => {
        if (p > 1e-18) for (let k = 0; x + k < size && k < 80; k++) next[x + k]! += p * arrivals[k]!;
      });
      law = next;
    }
    const mean = law.reduce((sum, p, x) => sum + p * x, 0);
    const cycle = c + law[0]! / lambda;
    return { cycle, responseTime: ((mean - m) * c + (lambda * c * c) / 2) / cycle / lambda + c };
  }

  test.each([
    [100, 2],
    [20, 2],
    [320, 4],
    [250, 3],
    [700, 8],
    [30, 8],
  ])("at %d per s in batches up to %d, against its chain", (lambda, K) => {
    const exact = byChain(lambda, 0.01, K);
    const queue = bulkService(lambda, 0.01, K);
    near(queue.responseTime, exact.responseTime, 1e-8);
    near(queue.cycle, exact.cycle, 1e-8);
    near(queue.lengthQueue, lambda * queue.waitingTime);
  });

  test("finds every root, also near saturation and for large batches: room in the batch never hurts", () => {
    const size = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(size, fc.double({ min: 0.001, max: 0.9999, noNaN: true }), (K, load) => {
        const queue = bulkService((load * K) / 0.01, 0.01, K);
        expect(queue.cycle).toBeGreaterThanOrEqual(0.01);
        expect(queue.responseTime).toBeGreaterThan(0.01);
        const wider = bulkService((load * K) / 0.01, 0.01, K + 1);
        expect(wider.responseTime).toBeLessThanOrEqual(queue.responseTime * (1 + 1e-9));
      }),
      { numRuns: 60 },
    );
  });

  test("without a limit in sight everyone waits half a service when the server is busy", () => {
    // K far above m: the server is busy with probability 1 - p0, batches are never full
    const queue = bulkService(500, 0.01, 1000);
    const none = Math.exp(-5);
    const cycle = 0.01 + none / 500;
    near(queue.cycle, cycle, 1e-9);
    near(queue.waitingTime, (0.01 * 0.01) / 2 / cycle, 1e-9);
  });
});
