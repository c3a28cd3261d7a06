/** Capacity of the policies that decode first: sarathi reaches the bound that no policy passes, orca is close. */
import { expect, test } from "vitest";
import { prepare } from "../../src/core/configuration/check-config.js";
import type { SimulationConfig } from "../../src/core/configuration/config.js";
import { capacityBound } from "../../src/experiments/load/capacity.js";
import { subjectOf } from "../../src/experiments/stability/backlogged.js";
import { type Boundary, findBoundary } from "../../src/experiments/stability/boundary.js";
import { scenario, trialsWith } from "./studies.js";

const configOf = (kind: string): SimulationConfig => prepare({ ...scenario("demo2"), scheduler: { kind } });
const boundaryOf = (kind: string): Promise<Boundary> => {
  const config = configOf(kind);
  return findBoundary(trialsWith(), subjectOf(config), 1, capacityBound(config), 0.01);
};

test("demo2: sarathi within 1 % of the bound, orca no worse than prefill-prioritizing (model §6)", async () => {
  const bound = capacityBound(configOf("sarathi"));
  expect(bound).toBeCloseTo(7.38007, 5);
  const [sarathi, orca, prefill] = [
    await boundaryOf("sarathi"),
    await boundaryOf("orca"),
    await boundaryOf("prefill-prioritizing"),
  ];
  for (const { low, high, lambda } of [sarathi, orca]) {
    expect(Math.abs(lambda / bound - 1)).toBeLessThan(0.01);
    // The whole interval: a wide one cannot pass. And none lies above what any policy can serve.
    expect(low).toBeGreaterThan(0.99 * bound);
    expect(low).toBeLessThanOrEqual(bound);
    expect(high).toBeLessThan(1.01 * bound);
  }
  expect(orca.low).toBeGreaterThan(prefill.high);
});
