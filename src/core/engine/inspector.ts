/**
 * Who sees a simulation from inside, while it runs: the laws, runs from a backlog, and the recorder that tells everybody
 * else (recorder.ts). What is handed over is the engine's own, is reused, and may change with any version.
 */
import type { ScheduledBatch } from "../state/scheduled-batch.js";
import type { Replica } from "../state/replica.js";
import type { TrialState } from "../state/trial-state.js";

/** The clock is `shared.now`. */
export interface Inspector {
  /** A replica has composed a batch; it starts at `scheduled.startAt`, with asynchronous scheduling later than now. */
  began?(replica: Replica, scheduled: ScheduledBatch, shared: TrialState): void;
  /** A stretch of iterations, the replica's batch, has ended; what it held is not yet given back. */
  ended?(replica: Replica, shared: TrialState): void;
  /** Everything that happens at this instant has happened. */
  settled?(replicas: readonly Replica[], shared: TrialState): void;
}
