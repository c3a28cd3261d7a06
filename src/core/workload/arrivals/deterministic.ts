/** Arrivals like a clock's: at 1/λ, 2/λ, … */
import { type ArrivalDefinition, RATE_LOAD, RATE_OPTION } from "../arrival-process.js";
import { numberOf } from "../../options/definition.js";
import { fromSeconds } from "../../numbers/units.js";

export const deterministic: ArrivalDefinition = {
  name: "deterministic",
  summary: "equal gaps: arrivals at 1/λ, 2/λ, …",
  source: "D in Kendall's notation",
  loadOption: RATE_LOAD,
  options: [RATE_OPTION],
  examples: [{ kind: "deterministic", ratePerSecond: 2 }],
  create(spec) {
    const ratePerSecond = numberOf(spec, "ratePerSecond");
    return {
      ratePerSecond,
      gapCv: 0,
      open() {
        let count = 0;
        return { next: () => fromSeconds(++count / ratePerSecond) };
      },
    };
  },
};
