/**
 * Exact means of the classical queues that the engine becomes by configuration alone; the first check of
 * any simulator. Kleinrock, Queueing Systems I (1975); Gross & Harris, Fundamentals of Queueing Theory.
 *
 * Rates per second, times in seconds. A queue with offered load >= 1 has no steady state: its means are Infinity.
 */

import { log1p, pow } from "../core/numbers/arithmetic.js";
import { invariant } from "../core/errors.js";

/** Steady-state means of a queue. */
export interface QueueMeans {
  /** Offered load per server, lambda E[S]/servers; may exceed 1. */
  readonly offeredLoad: number;
  /** Mean time from arrival to start of service, s. */
  readonly waitingTime: number;
  /** Mean time from arrival to end of service, s. */
  readonly responseTime: number;
  /** Mean number waiting: Little's law. */
  readonly numberWaiting: number;
  /** Mean number waiting or in service: Little's law. */
  readonly numberInSystem: number;
}

/** Quantile of the response time: the time, s, that a share p in [0, 1) of the customers stays below. */
export type ResponseQuantile = (p: number) => number;

/** E[S], E[S^2] and, when known, E[S^3] of a service time in s, s^2, s^3. */
export interface ServiceMoments {
  readonly m1: number;
  readonly m2: number;
  readonly m3?: number;
}

/** Means by Little's law from the mean wait; all Infinity when the offered load is 1 or more. */
export function queueMeans(
  lambda: number,
  service: number,
  servers: number,
  waitingTime: number,
): QueueMeans {
  invariant(lambda >= 0 && lambda < Infinity, `an arrival rate is finite and not negative: ${lambda}`);
  invariant(service > 0 && service < Infinity, `a mean service time is finite and positive: ${service}`);
  invariant(Number.isInteger(servers) && servers >= 1, `servers are a whole number from 1: ${servers}`);
  const offeredLoad = (lambda * service) / servers;
  const wait = offeredLoad < 1 ? waitingTime : Infinity;
  return {
    offeredLoad,
    waitingTime: wait,
    responseTime: wait + service,
    numberWaiting: lambda * wait,
    numberInSystem: lambda * (wait + service),
  };
}

/** Quantile of an exponential response time with the given mean. */
function exponentialQuantile(mean: number): ResponseQuantile {
  return (p) => {
    invariant(p >= 0 && p < 1, `a quantile is asked for p in [0, 1): ${p}`);
    return p === 0 ? 0 : -log1p(-p) * mean;
  };
}

/** M/M/1: R is exponential with rate mu - lambda. */
export function mm1(lambda: number, mu: number): QueueMeans & { readonly responseP: ResponseQuantile } {
  const means = queueMeans(lambda, 1 / mu, 1, lambda / (mu * (mu - lambda)));
  return { ...means, responseP: exponentialQuantile(means.responseTime) };
}

/**
 * M/G/1, first come first served, from moments of the service time: Pollaczek-Khinchine for the mean wait;
 * Takács (Oper. Res. 10, 1962) for its second moment, NaN without m3. `responseVariance` = Var Wq + Var S.
 */
export function mg1(
  lambda: number,
  { m1, m2, m3 = NaN }: ServiceMoments,
): QueueMeans & { readonly waitingSecondMoment: number; readonly responseVariance: number } {
  const load = lambda * m1;
  const means = queueMeans(lambda, m1, 1, (lambda * m2) / (2 * (1 - load)));
  if (load >= 1) return { ...means, waitingSecondMoment: Infinity, responseVariance: Infinity };
  const wait = means.waitingTime;
  const waitingSecondMoment = 2 * wait * wait + (lambda * m3) / (3 * (1 - load));
  const responseVariance = waitingSecondMoment - wait * wait + (m2 - m1 * m1);
  return { ...means, waitingSecondMoment, responseVariance };
}

/** Moments of a service time of k exponential phases (Erlang-k) with the given mean, s; k = 1 is exponential. */
export function erlangMoments(k: number, mean: number): Required<ServiceMoments> {
  invariant(Number.isInteger(k) && k >= 1, `phases are a whole number from 1: ${k}`);
  const m2 = mean * mean * (1 + 1 / k);
  return { m1: mean, m2, m3: m2 * mean * (1 + 2 / k) };
}

/** M/E_k/1: Erlang-k service with mean `mean` s. */
export function mek1(lambda: number, k: number, mean: number): ReturnType<typeof mg1> {
  return mg1(lambda, erlangMoments(k, mean));
}

/** M/M/k: k servers of rate mu on one queue; `waitingProbability` is Erlang's C, from the recursion for his B. */
export function mmk(
  lambda: number,
  mu: number,
  k: number,
): QueueMeans & { readonly waitingProbability: number } {
  const a = lambda / mu;
  let blocking = 1;
  for (let servers = 1; servers <= k; servers++) blocking = (a * blocking) / (servers + a * blocking);
  const load = a / k;
  const waitingProbability = load < 1 ? blocking / (1 - load * (1 - blocking)) : 1;
  const means = queueMeans(lambda, 1 / mu, k, waitingProbability / (k * mu - lambda));
  return { ...means, waitingProbability };
}

/**
 * GI/M/1 with arrival rate lambda and `laplace(s)` = E[e^(-s A)] of the time A between arrivals. An arrival
 * waits with probability sigma, the root of sigma = laplace(mu(1 - sigma)) in (0, 1); R is exponential with
 * rate mu(1 - sigma) (Kleinrock I, 6.4). The root is found by bisection on u = 1 - sigma: the difference is
 * convex in u with roots 0 and u, so no start can go wrong.
 */
export function gim1(
  lambda: number,
  mu: number,
  laplace: (s: number) => number,
): QueueMeans & { readonly waitingProbability: number; readonly responseP: ResponseQuantile } {
  let low = 0;
  let high = 1;
  for (let middle = 0.5; low < middle && middle < high; middle = (low + high) / 2) {
    if (laplace(mu * middle) < 1 - middle) low = middle;
    else high = middle;
  }
  const waitingProbability = lambda < mu ? 1 - high : 1;
  const means = queueMeans(lambda, 1 / mu, 1, (1 - high) / (mu * high));
  return { ...means, waitingProbability, responseP: exponentialQuantile(means.responseTime) };
}

/** E_k/M/1: every k-th arrival of a Poisson stream, as a replica sees under round robin over k; lambda is its own rate. */
export function ekm1(lambda: number, k: number, mu: number): ReturnType<typeof gim1> {
  invariant(Number.isInteger(k) && k >= 1, `phases are a whole number from 1: ${k}`);
  return gim1(lambda, mu, (s) => pow((k * lambda) / (k * lambda + s), k));
}
