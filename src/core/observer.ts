/** Who may watch a simulation from inside: laws, timelines. The loop calls it only when one is given. */
import type { Replica, Shared } from "./replica.js";
import type { Nanoseconds } from "./units.js";

export interface Observer {
  /** A replica has composed a batch and starts it. */
  began?(replica: Replica, shared: Shared, now: Nanoseconds): void;
  /** A stretch of iterations is about to be credited. */
  ended?(replica: Replica, shared: Shared, now: Nanoseconds): void;
  /** Everything that happens at this instant has happened. */
  settled?(replicas: readonly Replica[], shared: Shared, now: Nanoseconds): void;
}
