/** The threads of a worker: a pool for each set of traces that jobs name, as threads get theirs when they start. */
import type { Redis } from "ioredis";
import type { Trace } from "../../core/workload/trace.js";
import type { Executor } from "../executor.js";
import type { TraceName } from "./job.js";
import { fetchTrace } from "./traces.js";

/** Pools that nobody uses are closed when there are more than this. */
const KEPT_POOLS = 2;

interface Entry {
  readonly pool: Promise<Executor>;
  users: number;
}

export interface Pools {
  /** Runs `work` on the pool whose threads have these traces. */
  using<T>(traces: readonly TraceName[], work: (pool: Executor) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function poolsFor(client: Redis, make: (traces: readonly Trace[]) => Executor): Pools {
  const entries = new Map<string, Entry>();
  const start = async (names: readonly TraceName[]): Promise<Executor> =>
    make(await Promise.all(names.map((name) => fetchTrace(client, name))));

  const entryFor = (names: readonly TraceName[]): Entry => {
    const key = JSON.stringify(names);
    const entry = entries.get(key) ?? { pool: start(names), users: 0 };
    entries.delete(key);
    entries.set(key, entry); // the last used stands last
    entry.pool.catch(() => entries.get(key) === entry && entries.delete(key));
    for (const [other, { users, pool }] of entries)
      if (entries.size > KEPT_POOLS && users === 0 && other !== key) {
        entries.delete(other);
        void pool.then((idle) => idle.close()).catch(() => {}); // it holds nothing of a job
      }
    return entry;
  };
  return {
    async using(names, work) {
      const entry = entryFor(names);
      entry.users++;
      try {
        return await work(await entry.pool);
      } finally {
        entry.users--;
      }
    },
    async close() {
      const all = [...entries.values()].map(({ pool }) => pool.then((one) => one.close()));
      await Promise.allSettled(all); // one that never came to be needs no end
    },
  };
}
