/**
 * Poisson arrivals. Unit-rate gaps are summed and divided by λ at the end, so that every λ of a sweep
 * sees the same randomness, only denser.
 */
import { type ArrivalDefinition, type Arrivals, RATE_LOAD, RATE_OPTION } from "../arrival-process.js";
import { numberOf } from "../../options/definition.js";
import type { Stream } from "../../numbers/random.js";
import { fromSeconds, type Instant } from "../../numbers/units.js";

class PoissonArrivals implements Arrivals {
  /** The instant of the last arrival, in mean gaps. */
  private units = 0;
  constructor(
    private readonly stream: Stream,
    private readonly ratePerSecond: number,
  ) {}

  next(): Instant {
    this.units += this.stream.exponential();
    return fromSeconds(this.units / this.ratePerSecond);
  }

  fill(into: Float64Array, count: number): void {
    this.stream.exponentials(into, count);
    const { ratePerSecond } = this;
    let { units } = this;
    for (let i = 0; i < count; i++) {
      units += into[i];
      into[i] = fromSeconds(units / ratePerSecond);
    }
    this.units = units;
  }
}

export const poisson: ArrivalDefinition = {
  name: "poisson",
  summary: "independent exponential gaps",
  source: "Poisson process",
  loadOption: RATE_LOAD,
  options: [RATE_OPTION],
  examples: [{ kind: "poisson", ratePerSecond: 2 }],
  create(spec) {
    const ratePerSecond = numberOf(spec, "ratePerSecond");
    return {
      ratePerSecond,
      gapCv: 1,
      open: (stream) => new PoissonArrivals(stream, ratePerSecond),
    };
  },
};
