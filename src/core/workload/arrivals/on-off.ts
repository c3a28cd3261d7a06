/**
 * On/off bursts: Poisson arrivals while a switch is on, none while it is off; both periods are exponential.
 * This is the interrupted Poisson process, and it is a renewal process whose gaps are one of two exponentials
 * (Kuczura, "The interrupted Poisson process as an overflow process", Bell System Tech. J. 52, 1973). So a gap
 * takes two draws, whatever λ is, and sweeps over λ share their randomness.
 *
 * With mean rate λ and mean periods on and off the squared CV of the gaps is 1 + 2 λ off²/(on + off).
 */
import { type ArrivalDefinition, RATE_LOAD, RATE_OPTION, RenewalArrivals } from "../arrival-process.js";
import { numberOf, type OptionSpec } from "../../options/definition.js";
import type { Stream } from "../../numbers/random.js";

/** The gaps in units of 1/λ: exponential with mean `within` with that chance, else with mean `between`. */
interface Gaps {
  readonly chance: number;
  readonly within: number;
  readonly between: number;
}

/** Kuczura's two exponentials: their rates are the roots of r² − (a + on + off) r + a·off, here times 1/λ. */
function gapsOf(ratePerSecond: number, onSeconds: number, offSeconds: number): Gaps {
  const burst = (onSeconds + offSeconds) / onSeconds;
  const endsOn = 1 / (onSeconds * ratePerSecond);
  const endsOff = 1 / (offSeconds * ratePerSecond);
  const sum = burst + endsOn + endsOff;
  const fast = 0.5 * (sum + Math.sqrt(sum * sum - 4 * burst * endsOff));
  const slow = (burst * endsOff) / fast;
  return { chance: (burst - slow) / (fast - slow), within: 1 / fast, between: 1 / slow };
}

class OnOffArrivals extends RenewalArrivals {
  constructor(
    stream: Stream,
    ratePerSecond: number,
    private readonly gaps: Gaps,
  ) {
    super(stream, ratePerSecond);
  }

  protected gap(): number {
    const { chance, within, between } = this.gaps;
    const mean = this.stream.uniform() < chance ? within : between;
    return mean * this.stream.exponential();
  }
}

const period = (key: string, summary: string): OptionSpec => ({
  key,
  kind: "number",
  min: 0.001,
  max: 1e6,
  unit: "s",
  summary,
});

export const onOff: ArrivalDefinition = {
  name: "on-off",
  summary: "bursts: Poisson while on, nothing while off, both for exponential times",
  source: "interrupted Poisson process (Kuczura 1973)",
  loadOption: RATE_LOAD,
  options: [
    { ...RATE_OPTION, summary: "arrival rate λ over both periods" },
    period("onSeconds", "mean length of a burst"),
    period("offSeconds", "mean pause between bursts"),
  ],
  examples: [{ kind: "on-off", ratePerSecond: 2, onSeconds: 10, offSeconds: 30 }],
  create(spec) {
    const ratePerSecond = numberOf(spec, "ratePerSecond");
    const on = numberOf(spec, "onSeconds");
    const off = numberOf(spec, "offSeconds");
    const gaps = gapsOf(ratePerSecond, on, off);
    return {
      ratePerSecond,
      gapCv: Math.sqrt(1 + (2 * ratePerSecond * off * off) / (on + off)),
      open: (stream) => new OnOffArrivals(stream, ratePerSecond, gaps),
    };
  },
};
