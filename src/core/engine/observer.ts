/**
 * What a simulation tells those who watch it: plain records of what has happened, each for the listener to keep. Instants are
 * whole nanoseconds since the trial began; requests are named by their row, from 0 in the order of their arrival.
 */
import { asInstant, type Instant } from "../numbers/units.js";

/** Watches a trial as it runs, and changes nothing: the run measures the same. What it leaves out is not made. */
export interface Observer {
  /** A replica's stretch of iterations has ended. They are told in the order of their ends. */
  ended?(stretch: StretchRecord): void;
  /**
   * What happens at an instant has happened: ends of stretches, arrivals, new batches. They are told in order. One is told
   * again where more happens at it (an iteration that takes no time, a client that asks again at once): the last holds.
   */
  settled?(instant: InstantRecord): void;
}

/** Prompt tokens of one request in each iteration of a stretch. */
export interface ChunkRecord {
  /** Row of the request. */
  readonly id: number;
  /** Prompt tokens computed in each iteration, at least 1; after a preemption those of its own output among them. */
  readonly tokens: number;
}

/**
 * Equal iterations of one replica, one after the other without a pause: the same sequences decode and the same prompts
 * are prefilled by as many tokens in each. How many are told as one is the engine's affair; their sum is not.
 */
export interface StretchRecord {
  /** Number of the replica, from 0 and over all pools. */
  readonly replica: number;
  /** Number of the replica's pool, from 0; there is one. */
  readonly pool: number;
  /** When the first iteration started, ns. */
  readonly startAt: Instant;
  /** When the last iteration ended, ns; not before `startAt`. */
  readonly endAt: Instant;
  /** How many there are, at least 1. */
  readonly iterations: number;
  /** When each iteration ended, ns; null where all take the same time (`endOfIteration` answers for both). */
  readonly iterationEnds: readonly Instant[] | null;
  /** Sequences that decode, a token each in every iteration. */
  readonly decodes: number;
  /** Rows of the sequences that decode, in no order. */
  readonly decodeIds: readonly number[];
  /** Sequences that were ready to decode when the batch was composed, those that do among them. */
  readonly decodable: number;
  /** Prompt tokens in each iteration: the sum over `chunks`. */
  readonly prefillTokens: number;
  /** The prompts in each iteration, in the order in which the batch took them. */
  readonly chunks: readonly ChunkRecord[];
  /** Rows of the prompts whose prefill ended with it, which then is one iteration; a preempted request's ends again. */
  readonly prefilled: readonly number[];
  /** Rows of the requests whose last token came with the last iteration. */
  readonly finished: readonly number[];
  /** Preemptions since the replica composed the batch before this one; over all records, those of the trial. */
  readonly preempted: number;
  /**
   * Tokens in the KV cache of the sequences that decode when the first iteration starts; each iteration adds one a
   * sequence. Null where nobody counts them: memory is not limited and no time depends on them.
   */
  readonly kvTokens: number | null;
}

/** What there is at an instant, after everything that happens then. */
export interface InstantRecord {
  /** The instant, ns. */
  readonly at: Instant;
  /** Requests that the engine has seen: one that arrives while every replica is busy is seen when the next one decides. */
  readonly arrived: number;
  /** Requests of them that have had their last token, and those that can never fit into the KV memory. */
  readonly completed: number;
  readonly rejected: number;
  /** Every replica, by number. */
  readonly replicas: readonly ReplicaRecord[];
}

/** What a replica holds at an instant. */
export interface ReplicaRecord {
  /** Number of the replica and of its pool, as in `StretchRecord`. */
  readonly replica: number;
  readonly pool: number;
  /** Sequences that are admitted and not finished: prefilling or decoding. */
  readonly residents: number;
  /** KV blocks in use, of a stretch under way as in its first iteration; null where memory is not limited. */
  readonly blocks: number | null;
}

/**
 * When an iteration of a stretch ended, ns.
 * @param i its number in the stretch, from 1 to `iterations`; 0 gives when the first one started
 */
export function endOfIteration(
  { startAt, endAt, iterations, iterationEnds }: StretchRecord,
  i: number,
): Instant {
  if (i === 0) return startAt;
  if (iterationEnds !== null) return iterationEnds[i - 1];
  // Exact: iterations of equal time take a whole number of nanoseconds each.
  return asInstant(startAt + i * ((endAt - startAt) / iterations));
}
