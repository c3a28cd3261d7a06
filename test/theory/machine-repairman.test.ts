/** The closed queue M/M/c//N: published numbers, reductions, and two independent computations. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { InvariantError } from "../../src/core/errors.js";
import { machineRepairman } from "../../src/theory/index.js";

test.each([
  [10, 78.5418, 27.3208],
  [20, 99.8131, 100.3745],
])("%d clients, think 100 ms, service 10 ms: %d per s, %d ms", (clients, throughput, responseMs) => {
  const loop = machineRepairman(clients, 0.1, 0.01);
  expect(loop.throughput).toBeCloseTo(throughput, 4);
  expect(1000 * loop.responseTime).toBeCloseTo(responseMs, 4);
});

const times = fc.double({ min: 0.001, max: 10, noNaN: true });

test("one server: equal to mean value analysis (Reiser & Lavenberg 1980)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), times, times, (clients, think, service) => {
      let queue = 0;
      let response = 0;
      for (let n = 1; n <= clients; n++) {
        response = service * (1 + queue);
        queue = (n * response) / (think + response);
      }
      const loop = machineRepairman(clients, think, service);
      expect(Math.abs(loop.responseTime / response - 1)).toBeLessThan(1e-9);
      expect(loop.numberInSystem).toBeCloseTo(queue, 6);
      expect(loop.utilization).toBeCloseTo(loop.throughput * service, 9);
    }),
  );
});

test("as many servers as clients: nobody waits; one client never does", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), times, times, (clients, think, service) => {
      const loop = machineRepairman(clients, think, service, clients + 3);
      expect(Math.abs(loop.responseTime / service - 1)).toBeLessThan(1e-9);
      expect(Math.abs(machineRepairman(1, think, service).responseTime / service - 1)).toBeLessThan(1e-9);
    }),
  );
});

test("many clients on several servers: the birth-death balance by brute force, and no overflow", () => {
  // Three clients, two servers, r = S/Z = 1/2: weights 1, 3/2, 3/2·2·(1/2)/2 = 3/4, 3/4·(1/2)/2 = 3/16.
  const loop = machineRepairman(3, 2, 1, 2);
  const weights = [1, 1.5, 0.75, 0.1875];
  const sum = weights.reduce((a, b) => a + b);
  expect(loop.throughput).toBeCloseTo((1.5 + 2 * 0.75 + 2 * 0.1875) / sum, 12);
  expect(loop.numberInSystem).toBeCloseTo((1.5 + 2 * 0.75 + 3 * 0.1875) / sum, 12);
  expect(machineRepairman(100_000, 1, 1, 4).throughput).toBeCloseTo(4, 9);
});

test("no think time: every server is busy that can be", () => {
  expect(machineRepairman(10, 0, 0.01)).toEqual({
    throughput: 100,
    responseTime: 0.1,
    numberInSystem: 10,
    utilization: 1,
  });
  expect(machineRepairman(2, 0, 0.01, 4).utilization).toBe(0.5);
});

test.each([
  [0, 1, 1, 1],
  [1.5, 1, 1, 1],
  [1, -1, 1, 1],
  [1, Infinity, 1, 1],
  [1, 1, 0, 1],
  [1, 1, 1, 0],
])("refuses %d clients, think %d, service %d, %d servers", (...given) => {
  expect(() => machineRepairman(...given)).toThrow(InvariantError);
});
