/** Who may watch a simulation from inside: laws, timelines. The clock is `shared.now`. */
import type { Replica, Shared } from "./replica.js";

export interface Observer {
  /** A replica has composed a batch and starts it. */
  began?(replica: Replica, shared: Shared): void;
  /** A stretch of iterations is about to be credited. */
  ended?(replica: Replica, shared: Shared): void;
  /** Everything that happens at this instant has happened. */
  settled?(replicas: readonly Replica[], shared: Shared): void;
}
