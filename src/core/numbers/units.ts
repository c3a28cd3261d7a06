/**
 * The units of the simulation, as branded numbers that cannot be mixed up by accident.
 *
 * The clock counts whole nanoseconds in a double: sums and multiples are exact up to 2^53 ns
 * (104 days), so the result does not depend on how the loop groups equal iterations.
 * Only this file converts between milliseconds, seconds and nanoseconds.
 */

declare const unit: unique symbol;
type Branded<Name extends string> = number & { readonly [unit]: { readonly [name in Name]: true } };

/** A point in time: whole nanoseconds from the start of a trial; at least 0. */
export type Instant = Branded<"instant">;
/** A length of time in whole nanoseconds; at least 0. */
export type Duration = Branded<"duration">;
/** Either: a length of time since the start of a trial is a point in it. */
export type Nanoseconds = Instant & Duration;
/** A count of tokens: an integer, 0 or more. */
export type Tokens = Branded<"tokens">;
/** A share in [0, 1]. */
export type Ratio = Branded<"ratio">;
/** A rate in events per second. */
export type PerSecond = Branded<"1/s">;

/** The last nanosecond that a double counts exactly: 2^53, about 104 days. */
export const LAST_INSTANT = 9_007_199_254_740_992 as Instant;
/** A limit that never binds. A small integer, so that arithmetic with it stays integer arithmetic. */
export const UNLIMITED = 2_147_483_647;
/** "Never": later than every instant. */
export const NEVER = Infinity as Instant;

const NANOSECONDS_PER_SECOND = 1e9;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** The brand of a number that is known to be whole nanoseconds from the start of a trial. */
export const asInstant = (value: number): Instant => value as Instant;
/** The brand of a number that is known to be a length of time in whole nanoseconds. */
export const asDuration = (value: number): Duration => value as Duration;
/** The brand of a number that is known to be a count of tokens. */
export const tokens = (value: number): Tokens => value as Tokens;
/** From here on a half added to a double may be rounded: 2^52. */
const NO_HALVES = 4_503_599_627_370_496;
/**
 * Math.round, to the last bit. Compiled, that one guesses which way a number will go, and is wrong half the time;
 * a floor guesses nothing.
 */
const nearest = (value: number): number =>
  value >= 1 && value < NO_HALVES ? Math.floor(value + 0.5) : Math.round(value);
/** Seconds to the nearest nanosecond. */
export const fromSeconds = (seconds: number): Nanoseconds =>
  nearest(seconds * NANOSECONDS_PER_SECOND) as Nanoseconds;
/** Milliseconds to the nearest nanosecond. */
export const fromMilliseconds = (ms: number): Nanoseconds =>
  nearest(ms * NANOSECONDS_PER_MILLISECOND) as Nanoseconds;
/** Nanoseconds to seconds. */
export const toSeconds = (duration: number): number => duration / NANOSECONDS_PER_SECOND;
/** Nanoseconds to milliseconds. */
export const toMilliseconds = (duration: number): number => duration / NANOSECONDS_PER_MILLISECOND;

/** The size of a block unless it is set: vLLM's. */
export const BLOCK_TOKENS = 16;

/** Blocks that a cache of `kvTokens` tokens has for sequences: one is the null block. */
export const usableBlocks = (kvTokens: number, blockTokens: number): number =>
  Math.floor(kvTokens / blockTokens) - 1;
