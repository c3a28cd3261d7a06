/**
 * The closed queue M/M/c//N, the machine-repairman model: N clients think for a time of mean Z, then ask one queue of
 * c servers with exponential service of mean S. Palm (1947, machine interference); Gross & Harris, Fundamentals of
 * Queueing Theory, finite-source queues.
 *
 * p_k ~ p_(k-1) (N - k + 1)/Z · S/min(k, c) for k clients at the queue; throughput X = E[busy servers]/S; the
 * response time by Little's law over the whole loop, R = N/X - Z (Denning & Buzen, ACM Computing Surveys 10, 1978).
 * Means do not depend on the law of the think times: a delay station is insensitive (Baskett, Chandy, Muntz &
 * Palacios, J. ACM 22, 1975).
 */
import { invariant } from "../core/errors.js";

/** Steady-state means of a closed loop. */
export interface ClosedMeans {
  /** Requests answered per second. */
  readonly throughput: number;
  /** Mean time from a request to its answer, s. */
  readonly responseTime: number;
  /** Mean number of clients waiting or in service. */
  readonly numberInSystem: number;
  /** Share of the time that a server is busy. */
  readonly utilization: number;
}

/** Weights are scaled down above this, so that no sum overflows. */
const LARGE = 1e200;

/**
 * Means of M/M/c//N.
 * @param clients N, a whole number from 1
 * @param thinkTime Z in s, at least 0
 * @param serviceTime S in s, positive
 * @param servers c, a whole number from 1
 */
export function machineRepairman(
  clients: number,
  thinkTime: number,
  serviceTime: number,
  servers = 1,
): ClosedMeans {
  invariant(Number.isInteger(clients) && clients >= 1, `clients are a whole number from 1: ${clients}`);
  invariant(Number.isInteger(servers) && servers >= 1, `servers are a whole number from 1: ${servers}`);
  invariant(thinkTime >= 0 && thinkTime < Infinity, `a think time is finite and not negative: ${thinkTime}`);
  invariant(
    serviceTime > 0 && serviceTime < Infinity,
    `a service time is finite and positive: ${serviceTime}`,
  );
  let busy = Math.min(clients, servers);
  if (thinkTime > 0) {
    let weight = 1;
    let sum = 1;
    let busySum = 0;
    for (let k = 1; k <= clients; k++) {
      const serving = Math.min(k, servers);
      weight *= ((clients - k + 1) * serviceTime) / (thinkTime * serving);
      sum += weight;
      busySum += serving * weight;
      if (sum > LARGE) {
        weight /= LARGE;
        sum /= LARGE;
        busySum /= LARGE;
      }
    }
    busy = busySum / sum;
  }
  const throughput = busy / serviceTime;
  const responseTime = clients / throughput - thinkTime;
  return {
    throughput,
    responseTime,
    numberInSystem: throughput * responseTime,
    utilization: busy / servers,
  };
}
