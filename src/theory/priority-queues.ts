/**
 * Exact mean waits of one server with Poisson arrivals that serves by priority and preempts nobody: Cobham (Oper.
 * Res. 2, 1954) for classes, Phipps (Oper. Res. 4, 1956) for shortest first, whose classes are the service times.
 *
 * A customer waits for the one in service, W0 = sum of lambda_i E[S_i^2] / 2, then for those of its own class and
 * better ones: W_i = W0 / ((1 - rho of better ones)(1 - rho with its own)). Times in s, rates per s.
 */
import { invariant } from "../core/errors.js";
import { queueMeans, type ServiceMoments } from "./single-queues.js";

/** One class of customers. */
export interface PriorityClass {
  /** Its arrivals per second, at least 0. */
  readonly lambda: number;
  readonly service: ServiceMoments;
}

/**
 * Mean time, s, from arrival to start of service, by class; the first class comes first. In an overloaded system
 * Infinity for the classes that do not keep up, NaN for those in front of them: theirs is another formula.
 */
export function cobham(classes: readonly PriorityClass[]): number[] {
  const residual = classes.reduce((sum, { lambda, service }) => sum + (lambda * service.m2) / 2, 0);
  const overload = classes.reduce((sum, { lambda, service }) => sum + lambda * service.m1, 0) >= 1;
  let better = 0;
  return classes.map(({ lambda, service }) => {
    const upTo = better + lambda * service.m1;
    // Where the whole is overloaded the server is always busy, and what it is busy with is another sum.
    const wait = upTo >= 1 ? Infinity : overload ? NaN : residual / ((1 - better) * (1 - upTo));
    better = upTo;
    return wait;
  });
}

/**
 * Mean time, s, from arrival to start of service under shortest first.
 * @param services each possible service time in s with its probability, in any order; probabilities sum to 1
 */
export function shortestFirst(
  lambda: number,
  services: readonly { readonly time: number; readonly probability: number }[],
): number {
  const sum = services.reduce((total, { probability }) => total + probability, 0);
  invariant(Math.abs(sum - 1) < 1e-9, `probabilities of services sum to 1: ${sum}`);
  const sorted = [...services].sort((a, b) => a.time - b.time);
  const waits = cobham(
    sorted.map(({ time, probability }) => ({
      lambda: lambda * probability,
      service: { m1: time, m2: time * time },
    })),
  );
  const m1 = services.reduce((total, { time, probability }) => total + probability * time, 0);
  const mean = waits.reduce((total, wait, i) => total + sorted[i].probability * wait, 0);
  return queueMeans(lambda, m1, 1, mean).waitingTime;
}
