/**
 * The stability boundary λ*, where the drift is zero. Two or three secant steps with common random numbers find
 * it; a last run on numbers of its own, as long as the wanted precision takes, measures it (theory §3).
 */
import { tQuantile } from "../../stats/index.js";
import { plain } from "../cells/quantity.js";
import type { Trials } from "../interface/trials.js";
import { type DriftAt, fewestArrivals, measureDrifts, type Subject } from "./backlogged.js";

export interface Boundary {
  /** Requests per second; NaN when no boundary was found. */
  readonly lambda: number;
  readonly low: number;
  readonly high: number;
  /** Standard error of lambda. */
  readonly standardError: number;
  /** Arrivals of the last run. */
  readonly arrivals: number;
  /** What the search could not do, if anything. */
  readonly shortfall?: string;
}

const PILOT_ARRIVALS = 30_000;
/** The last run is at least so long, whatever the pilots promise: heavy tails show late. */
const FEWEST_ARRIVALS = 120_000;
const MOST_ARRIVALS = 10_000_000;
const MOST_STEPS = 6;
const MOST_DOUBLINGS = 40;
/** Runs of the last measurement: each is as long as the one before says it must be. */
const MOST_ROUNDS = 8;
/** No rate above this is tried: a nanosecond between arrivals. */
const MOST_LAMBDA = 1e9;
/** From far above the boundary, where prompts may leave no decode any time, the first step goes down no further than this. */
const LEAST_STEP = 0.1;
/** The secant's two points lie this far to either side, in shares of λ; a step within them ends the search. */
const SPAN = 0.02;
/** The last run aims a little below the wanted half-width, which is itself estimated. */
const MARGIN = 0.7;

const none = (shortfall: string): Boundary => ({
  lambda: NaN,
  low: NaN,
  high: NaN,
  standardError: NaN,
  arrivals: 0,
  shortfall,
});

/**
 * @param start a rate to begin with, e.g. the analytic bound
 * @param precision wanted half-width of the 95 % interval, relative to λ*
 */
export async function findBoundary(
  trials: Trials,
  subject: Subject,
  seed: number,
  start: number,
  precision: number,
): Promise<Boundary> {
  const measure = async (lambda: number, arrivals: number, trial: number): Promise<DriftAt> => {
    const effort = { seed, trial, arrivals, drift: 1, fromEmpty: false };
    return (await measureDrifts(trials, "boundary", [{ subject, lambda, effort }]))[0];
  };
  const isSought = subject.decodes || subject.readsSizes;
  const pilot = Math.max(PILOT_ARRIVALS, fewestArrivals(subject));

  // A rate at which the backlog lasts: double while it is worked off.
  let lambda = start;
  let at = await measure(lambda, pilot, 1);
  for (let i = 0; at.emptied || at.drift.mean < -0.5; i++) {
    if (i === MOST_DOUBLINGS || !(lambda < MOST_LAMBDA))
      return none(`from ${plain(start)} to ${plain(lambda)} per s the backlog was worked off at every rate`);
    lambda *= 2;
    at = await measure(lambda, pilot, 1);
  }
  // What is served is λ(1 − D): the boundary itself for a policy whose prompts wait, a good guess for others.
  lambda = at.lambda * Math.max(isSought ? LEAST_STEP : 0, 1 - at.drift.mean);
  if (!(lambda > 0)) return none(`at ${plain(at.lambda)} per s nothing that counts is served`);
  let slope = 1 / lambda;
  if (isSought)
    for (let step = 0; step < MOST_STEPS; step++) {
      const [below, above] = await Promise.all([
        measure(lambda * (1 - SPAN), pilot, 1),
        measure(lambda * (1 + SPAN), pilot, 1),
      ]);
      slope = (above.drift.mean - below.drift.mean) / (above.lambda - below.lambda);
      at = above;
      if (!(slope > 0)) break;
      const middle = (below.drift.mean + above.drift.mean) / 2;
      const next = lambda - middle / slope;
      const moved = Math.abs(next / lambda - 1);
      lambda = Math.min(Math.max(next, lambda / 2), lambda * 2);
      if (moved < SPAN) break;
    }

  // By noise, or by an order for which more load is less drift, the secant may fall: then as for a policy that saturates.
  if (!(slope > 0 && slope < Infinity)) slope = 1 / lambda;
  let arrivals = pilot;
  let error = at.drift.standardError;
  for (let round = 2; ; round++) {
    const wanted = (tQuantile(0.975, at.drift.df) * error) / slope / (precision * MARGIN * lambda);
    arrivals = Math.min(MOST_ARRIVALS, Math.max(pilot, FEWEST_ARRIVALS, arrivals * wanted * wanted));
    const last = await measure(lambda, arrivals, round);
    const estimate = lambda - last.drift.mean / slope;
    const standardError = last.drift.standardError / slope;
    const half = tQuantile(0.975, last.drift.df) * standardError;
    const found = { lambda: estimate, low: estimate - half, high: estimate + half, standardError, arrivals };
    if (half <= precision * estimate) return found;
    if (!(half > 0 && estimate > 0))
      return none(`around ${plain(lambda)} per s the drift could not be measured`);
    // A run may be shorter than was asked: it is then as long as such runs may be.
    if (arrivals === MOST_ARRIVALS || last.arrivals < 0.99 * arrivals || round === MOST_ROUNDS + 1)
      return {
        ...found,
        shortfall: `± ${plain((100 * half) / estimate)} % after ${Math.round(last.arrivals)} arrivals, not the ± ${plain(100 * precision)} % of --precision`,
      };
    error = last.drift.standardError;
  }
}
