/**
 * M/D^(1,K)/1: one server takes up to K waiting customers at once, for a constant time. This is the engine
 * with prompts of one token, no output, a = 0 and maxSequences K: the simplest queue in which batching shows.
 *
 * Bailey (J. R. Stat. Soc. B 16, 1954) and Chaudhry & Templeton, A First Course in Bulk Queues (1983): the
 * generating function of the number left at departures, its unknowns fixed by the roots of z^K = e^(m(z - 1))
 * in |z| < 1. The server starts at once with whoever is there; it never waits for a batch to fill.
 */

import { cos, exp, sin } from "../core/numbers/arithmetic.js";
import { invariant } from "../core/errors.js";

/** Steady-state means of the bulk queue; Infinity when lambda c >= K. */
export interface BulkMeans {
  /** Mean number waiting (those in service not counted). */
  readonly lengthQueue: number;
  /** Mean time from arrival to start of service, s. */
  readonly waitingTime: number;
  /** Mean time from arrival to end of service, s. */
  readonly responseTime: number;
  /** Mean time between starts of service, s. */
  readonly cycle: number;
}

const TWO_PI = 6.283185307179586;
const FIXED_POINT_STEPS = 30;
const NEWTON_STEPS = 60;

/** Arrival rate lambda per second, service time c seconds for any batch of up to K customers. */
export function bulkService(lambda: number, c: number, K: number): BulkMeans {
  invariant(lambda >= 0 && lambda < Infinity, `an arrival rate is finite and not negative: ${lambda}`);
  invariant(c > 0 && c < Infinity, `a service time is finite and positive: ${c}`);
  invariant(Number.isInteger(K) && K >= 1, `a batch size is a whole number from 1: ${K}`);
  const m = lambda * c;
  if (m >= K) return { lengthQueue: Infinity, waitingTime: Infinity, responseTime: Infinity, cycle: c };
  if (m === 0) return { lengthQueue: 0, waitingTime: 0, responseTime: c, cycle: Infinity };

  // roots come in conjugate pairs, and for even K one on the negative axis: all sums and products are real
  let inverses = 0;
  let emptyProbability = K - m;
  for (let j = 1; 2 * j <= K; j++) {
    const [x, y] = root(m / K, (TWO_PI * j) / K);
    const distance = (1 - x) * (1 - x) + y * y; // |1 - z|^2
    const pair = 2 * j < K;
    inverses += ((1 - x) / distance) * (pair ? 2 : 1);
    const factor = (x * x + y * y) / distance; // |z/(z - 1)|^2
    emptyProbability *= pair ? factor : Math.sqrt(factor);
  }
  const left = inverses + (K - (K - m) * (K - m)) / (2 * (K - m)); // E[X], the number left at a departure
  const cycle = c + emptyProbability / lambda;
  const lengthQueue = ((left - m) * c + (lambda * c * c) / 2) / cycle;
  const waitingTime = lengthQueue / lambda;
  return { lengthQueue, waitingTime, responseTime: waitingTime + c, cycle };
}

/**
 * The root in |z| < 1 of z = e^(s(z - 1) + i angle), 0 < s < 1, as [real, imaginary]. The map is a
 * contraction by s; after some steps of it Newton's steps end the slow approach when s is near 1.
 */
function root(s: number, angle: number): [number, number] {
  let x = 0;
  let y = 0;
  for (let step = 0; step < FIXED_POINT_STEPS + NEWTON_STEPS; step++) {
    const size = exp(s * (x - 1));
    const gx = size * cos(s * y + angle);
    const gy = size * sin(s * y + angle);
    if (step < FIXED_POINT_STEPS) {
      x = gx;
      y = gy;
      continue;
    }
    // z - (z - g)/(1 - s g)
    const fx = x - gx;
    const fy = y - gy;
    const dx = 1 - s * gx;
    const dy = -s * gy;
    const square = dx * dx + dy * dy;
    const stepX = (fx * dx + fy * dy) / square;
    const stepY = (fy * dx - fx * dy) / square;
    x -= stepX;
    y -= stepY;
    if (Math.abs(stepX) + Math.abs(stepY) < 1e-15) break;
  }
  return [x, y];
}
