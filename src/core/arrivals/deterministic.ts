/** Arrivals like a clock's: at 1/λ, 2/λ, … */
import type { ArrivalDefinition } from "../arrival-process.js";
import { numberOf } from "../definition.js";
import { fromSeconds } from "../units.js";

export const deterministic: ArrivalDefinition = {
  name: "deterministic",
  summary: "equal gaps: arrivals at 1/λ, 2/λ, …",
  source: "D in Kendall's notation",
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
  examples: [{ kind: "deterministic", ratePerSecond: 2 }],
  create(spec) {
    const ratePerSecond = numberOf(spec, "ratePerSecond");
    return {
      ratePerSecond,
      open() {
        let count = 0;
        return { next: () => fromSeconds(++count / ratePerSecond) };
      },
    };
  },
};
