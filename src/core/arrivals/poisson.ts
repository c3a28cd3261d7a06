/**
 * Poisson arrivals. Unit-rate gaps are summed and divided by λ at the end, so that every λ of a sweep
 * sees the same randomness, only denser.
 */
import type { ArrivalDefinition } from "../arrival-process.js";
import { numberOf } from "../definition.js";
import { fromSeconds } from "../units.js";

export const poisson: ArrivalDefinition = {
  name: "poisson",
  summary: "independent exponential gaps",
  source: "Poisson process",
  options: [
    {
      key: "ratePerSecond",
      kind: "number",
      min: 0,
      above: true,
      max: 1e6,
      unit: "1/s",
      summary: "arrival rate λ",
    },
  ],
  examples: [{ kind: "poisson", ratePerSecond: 2 }],
  create(spec) {
    const ratePerSecond = numberOf(spec, "ratePerSecond");
    return {
      ratePerSecond,
      open(stream) {
        let units = 0;
        return () => fromSeconds((units += stream.exponential()) / ratePerSecond);
      },
    };
  },
};
