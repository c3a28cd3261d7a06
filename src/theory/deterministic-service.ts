/**
 * M/D/1: constant service times; what the engine is for prompts of one length without output.
 *
 * The waiting-time distribution in its textbook form (Erlang, 1909) is an alternating sum that loses every
 * digit at high load. Franx (Oper. Res. Letters 29, 2001) writes the same function with positive terms only,
 * from the distribution of the number in system; that one comes from level crossings, positive terms too.
 */

import { exp } from "../core/numbers/arithmetic.js";
import { invariant } from "../core/errors.js";
import { mg1, type QueueMeans, type ResponseQuantile } from "./single-queues.js";

/** A Poisson term below this is dropped. */
const NEGLIGIBLE = 1e-20;

/** M/D/1 with its distributions; times in seconds. */
export interface DeterministicQueue extends QueueMeans {
  readonly responseVariance: number;
  /** P(Wq <= t), absolute error about 1e-15 times the number of services in t; 0 everywhere when unstable. */
  readonly waitingCdf: (t: number) => number;
  /** Quantile of the response time by bisection; Infinity when unstable. */
  readonly responseP: ResponseQuantile;
}

/** M/D/1 with arrival rate lambda per second and service time `service` seconds. */
export function md1(lambda: number, service: number): DeterministicQueue {
  const means = mg1(lambda, { m1: service, m2: service * service, m3: service * service * service });
  const load = means.offeredLoad;
  const numberCdf = load < 1 ? numberInSystemCdf(load) : () => 0;

  const waitingCdf = (t: number): number => {
    if (!(t >= 0)) return t < 0 ? 0 : NaN;
    if (t === Infinity) return load < 1 ? 1 : 0;
    const services = Math.floor(t / service) + 1; // (services - 1) D <= t < services D
    const mean = Math.min(Math.max(lambda * (services * service - t), 0), load);
    let term = exp(-mean);
    let sum = 0;
    for (let j = 0; j < services && term > NEGLIGIBLE; j++) {
      sum += term * numberCdf(services - j);
      term *= mean / (j + 1);
    }
    return Math.min(sum, 1);
  };

  const responseP = (p: number): number => {
    invariant(p >= 0 && p < 1, `a quantile is asked for p in [0, 1): ${p}`);
    if (load >= 1) return Infinity;
    if (waitingCdf(0) >= p) return service;
    let high = service;
    while (waitingCdf(high) < p && waitingCdf(high) < waitingCdf(2 * high)) high *= 2;
    let low = 0;
    for (let middle = high / 2; low < middle && middle < high; middle = (low + high) / 2) {
      if (waitingCdf(middle) < p) low = middle;
      else high = middle;
    }
    return high + service;
  };

  return { ...means, waitingCdf, responseP };
}

/**
 * P(N <= n) of the number in system, for load < 1. In balance, as many departures lead from n to below n as
 * services lead from below n to n or above: p_n a_0 = p_0 P(A >= n) + sum over 0 < i < n of p_i P(A > n - i),
 * A the Poisson number of arrivals in a service. The table grows as it is asked, while it has anything to add.
 */
function numberInSystemCdf(load: number): (n: number) => number {
  const none = exp(-load);
  const terms = [none];
  while (terms[terms.length - 1] > NEGLIGIBLE) terms.push((terms[terms.length - 1] * load) / terms.length);
  const above = new Float64Array(terms.length); // P(A > k), summed from its small end
  for (let k = terms.length - 2; k >= 0; k--) above[k] = above[k + 1] + terms[k + 1];

  const probability = [1 - load];
  const cumulated = [1 - load];
  return (n) => {
    for (let next = probability.length; next <= n; next++) {
      if (probability[next - 1] < NEGLIGIBLE) break;
      let crossing = next - 1 < above.length ? (1 - load) * above[next - 1] : 0;
      for (let i = Math.max(1, next - above.length + 1); i < next; i++)
        crossing += probability[i] * above[next - i];
      probability.push(crossing / none);
      cumulated.push(cumulated[next - 1] + crossing / none);
    }
    return cumulated[Math.min(n, cumulated.length - 1)];
  };
}
