/** What happens at instants of its own, besides the ends of batches: requests that arrive, clients that have thought. */
import type { Instant } from "../numbers/units.js";

/** Events of one instant happen after the batches that end then; of several sources' the first source's first. */
export interface EventSource {
  /** When the engine sees its next event; NEVER while none is known. Events and answers may change it, nothing else. */
  readonly nextAt: Instant;
  /**
   * The event that is due happens.
   * @returns whether a request arrives with it: the row that follows those that have arrived, which is there then
   */
  happen(): boolean;
  /** A request has its answer at this instant: it is completed, or rejected. */
  answered?(id: number, now: Instant): void;
}
