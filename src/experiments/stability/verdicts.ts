/**
 * Three verdicts per arrival rate: stable, unstable, undecided. A run that does not decide is doubled, with half
 * the α that was left; a start from empty may object (theory §3).
 */
import { type Drift, stabilityVerdict, type StabilityVerdict } from "../../stats/index.js";
import type { Trials } from "../interface/trials.js";
import { type DriftAt, measureDrifts, type Subject } from "./backlogged.js";

export interface DriftVerdict {
  readonly lambda: number;
  readonly verdict: StabilityVerdict;
  readonly drift: Drift;
  /** The backlog was worked off before the end: the drift is below what is shown. */
  readonly emptied: boolean;
}

const ALPHA = 0.05;
const FIRST_ARRIVALS = 60_000;
const ROUNDS = 5;
/** Drifts at grid points stay below this; a backlog that does not last makes the point stable anyway. */
const LARGEST_DRIFT = 0.6;
/** The trial numbers of verdicts stay clear of those of the boundary's runs. */
const FIRST_TRIAL = 1000;

/** From empty, more than half of the drift left behind is growth; less than half of it is none. */
function judge(at: DriftAt, alpha: number): StabilityVerdict {
  if (at.emptied) return "stable";
  const verdict = stabilityVerdict(at.drift, alpha);
  const grows = at.left > Math.abs(at.drift.mean) / 2;
  if (verdict === "stable" && grows) return "undecided";
  if (verdict === "unstable" && !grows) return "undecided";
  return verdict;
}

/** Verdicts at every rate of a grid; undecided ones get more arrivals, up to a limit. */
export async function verdictsAt(
  trials: Trials,
  subject: Subject,
  seed: number,
  lambdas: readonly number[],
): Promise<DriftVerdict[]> {
  const verdicts: DriftVerdict[] = [];
  let open = lambdas.map((_, i) => i);
  let alpha = ALPHA;
  let arrivals = FIRST_ARRIVALS;
  for (let round = 0; round < ROUNDS && open.length > 0; round++) {
    const asked = open.map((i) => ({
      subject,
      lambda: lambdas[i],
      effort: { seed, trial: FIRST_TRIAL + round, arrivals, drift: LARGEST_DRIFT, fromEmpty: true },
    }));
    const found = await measureDrifts(trials, "drift", asked);
    found.forEach((at, k) => {
      const { lambda, drift, emptied } = at;
      verdicts[open[k]] = { lambda, verdict: judge(at, alpha), drift, emptied };
    });
    open = open.filter((i) => verdicts[i].verdict === "undecided");
    arrivals *= 2;
    alpha /= 2;
  }
  return verdicts;
}

/** The greatest stable and the least unstable rate; NaN where there is none. */
export interface Bracket {
  readonly stable: number;
  readonly unstable: number;
  /** The greatest stable rate below every unstable one. */
  readonly stableBelow: number;
}

export function bracketOf(points: readonly { lambda: number; verdict: string }[]): Bracket {
  const rates = (verdict: string): number[] =>
    points.filter((point) => point.verdict === verdict).map((point) => point.lambda);
  const stable = rates("stable");
  const unstable = rates("unstable");
  const below = stable.filter((rate) => unstable.every((other) => rate < other));
  return {
    stableBelow: below.length > 0 ? Math.max(...below) : NaN,
    stable: stable.length > 0 ? Math.max(...stable) : NaN,
    unstable: unstable.length > 0 ? Math.min(...unstable) : NaN,
  };
}
