/** The interface of a router: which replica's queue an arriving request joins, for good. */
import type { Definition } from "../options/definition.js";

/** What a router sees at the instant of an arrival. */
export interface Fleet {
  readonly replicas: number;
  /** How many requests have arrived before this one. */
  readonly arrived: number;
  /** Requests that were routed to the replica and are not answered yet. */
  outstanding(replica: number): number;
  /**
   * Tokens of theirs that are still to be computed when the iteration under way ends: prompt tokens, less what the
   * prefix cache holds, and one for each decode; a preempted request's newest token counts with its prompt.
   */
  outstandingTokens(replica: number): number;
  /** Uniform on [0, 1), from the trial's own stream for routing. */
  random(): number;
}

/** What it sees of the request that arrives. */
export interface RoutedRequest {
  /** Its number, by arrival, from 0. */
  readonly id: number;
  readonly promptTokens: number;
  /** Prompt tokens that are to be computed: all but those that a prefix cache is given to hold. */
  readonly uncachedTokens: number;
  /** Output tokens that it will come to, which only a router that foresees lengths can know. */
  readonly outputTokens: number;
  /** Its class in the trace, where that has one; lower is served first. */
  readonly priority: number | undefined;
}

/** Holds no state of its own: what it may remember is in the fleet. */
export interface Router {
  /** The number of the replica, from 0. Both are valid during the call only. */
  route(fleet: Fleet, request: RoutedRequest): number;
}

export interface RouterDefinition extends Definition<Router> {
  /** Requests wait in one queue for whichever replica takes them; `route` is never asked. */
  readonly central?: boolean;
}

/** The replica with the least of something; of equals the lowest number. */
export function leastBy(fleet: Fleet, amount: (replica: number) => number): number {
  let best = 0;
  let least = amount(0);
  for (let i = 1; i < fleet.replicas; i++) {
    const one = amount(i);
    if (one < least) {
      best = i;
      least = one;
    }
  }
  return best;
}
