/** Who may watch a simulation from inside: laws, timelines. The clock is `shared.now`. */
import type { Flight, Replica, Shared } from "../state/replica.js";

export interface Observer {
  /** A replica has composed a batch; it starts at `flight.startAt`, with asynchronous scheduling later than now. */
  began?(replica: Replica, flight: Flight, shared: Shared): void;
  /** A stretch of iterations, the replica's flight, has ended; what it held is not yet given back. */
  ended?(replica: Replica, shared: Shared): void;
  /** Everything that happens at this instant has happened. */
  settled?(replicas: readonly Replica[], shared: Shared): void;
}
