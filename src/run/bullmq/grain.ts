/** How work is cut for a queue: bigger than for threads, as handing a shard over costs milliseconds and not microseconds. */

/**
 * How many jobs are in the queue or under way: twice this (two a worker, as everywhere). It feeds a thousand workers
 * and bounds what a run keeps in Redis.
 */
export const QUEUE_WIDTH = 1024;

/** Requests that a shard simulates: a second of work, less where there are too few for 64 shards. */
export const queueGrain = (requests: number): number =>
  Math.min(2_000_000, Math.max(60_000, Math.ceil(requests / 64)));
