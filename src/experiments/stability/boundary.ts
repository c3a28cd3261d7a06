/**
 * The stability boundary λ*, where the drift is zero. Two or three secant steps with common random numbers find
 * it; a last run on numbers of its own, as long as the wanted precision takes, measures it (theory §3).
 */
import { tQuantile } from "../../stats/index.js";
import type { Trials } from "../trials.js";
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
}

const PILOT_ARRIVALS = 30_000;
/** The last run is at least so long, whatever the pilots promise: heavy tails show late. */
const FEWEST_ARRIVALS = 120_000;
const MOST_ARRIVALS = 10_000_000;
const MOST_STEPS = 6;
const MOST_DOUBLINGS = 40;
/** From far above the boundary, where prompts may leave no decode any time, the first step goes down no further than this. */
const LEAST_STEP = 0.1;
/** The secant's two points lie this far to either side, in shares of λ; a step within them ends the search. */
const SPAN = 0.02;
/** The last run aims a little below the wanted half-width, which is itself estimated. */
const MARGIN = 0.7;

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
  const pilot = Math.max(PILOT_ARRIVALS, fewestArrivals(subject));

  // A rate at which the backlog lasts: double while it is worked off.
  let lambda = start;
  let at = await measure(lambda, pilot, 1);
  for (let i = 0; at.emptied || at.drift.mean < -0.5; i++) {
    if (i === MOST_DOUBLINGS) return { lambda: NaN, low: NaN, high: NaN, standardError: NaN, arrivals: 0 };
    lambda *= 2;
    at = await measure(lambda, pilot, 1);
  }
  // What is served is λ(1 − D): the boundary itself for a policy whose prompts wait, a good guess for others.
  lambda = at.lambda * Math.max(subject.decodes ? LEAST_STEP : 0, 1 - at.drift.mean);
  let slope = 1 / lambda;
  if (subject.decodes)
    for (let step = 0; step < MOST_STEPS; step++) {
      const [below, above] = await Promise.all([
        measure(lambda * (1 - SPAN), pilot, 1),
        measure(lambda * (1 + SPAN), pilot, 1),
      ]);
      slope = (above.drift.mean - below.drift.mean) / (above.lambda - below.lambda);
      at = above;
      const middle = (below.drift.mean + above.drift.mean) / 2;
      const next = lambda - middle / slope;
      const moved = Math.abs(next / lambda - 1);
      lambda = Math.min(Math.max(next, lambda / 2), lambda * 2);
      if (moved < SPAN) break;
    }

  let arrivals = pilot;
  let error = at.drift.standardError;
  for (let round = 2; ; round++) {
    const wanted = (tQuantile(0.975, at.drift.df) * error) / slope / (precision * MARGIN * lambda);
    arrivals = Math.min(MOST_ARRIVALS, Math.max(pilot, FEWEST_ARRIVALS, arrivals * wanted * wanted));
    const last = await measure(lambda, arrivals, round);
    const estimate = lambda - last.drift.mean / slope;
    const standardError = last.drift.standardError / slope;
    const half = tQuantile(0.975, last.drift.df) * standardError;
    if (half <= precision * estimate || arrivals === MOST_ARRIVALS)
      return { lambda: estimate, low: estimate - half, high: estimate + half, standardError, arrivals };
    error = last.drift.standardError;
  }
}
