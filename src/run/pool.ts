/** Runs tasks on a pool of threads (piscina). */
import { setMaxListeners } from "node:events";
import { Piscina } from "piscina";
import type { Trace } from "../core/trace.js";
import type { Task, TrialValues } from "../core/trial.js";
import { type Answer, type Executor, valuesOf } from "./executor.js";

/** Workers load compiled code, also when this file runs from its source (as under test). */
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/run/worker.js" : "./worker.js",
  import.meta.url,
);

/**
 * @param workers threads, at least 1
 * @param traces recorded traces that configurations may name; each thread gets them once, when it starts
 */
export function threadPool(workers: number, signal?: AbortSignal, traces: readonly Trace[] = []): Executor {
  // Every task in flight listens; there is no leak to warn of.
  if (signal) setMaxListeners(0, signal);
  const pool = new Piscina({
    filename: workerFile.href,
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Infinity,
    workerData: traces,
  });
  return {
    width: workers,
    async run(task: Task): Promise<TrialValues> {
      signal?.throwIfAborted();
      const given: unknown = await pool.run(task, signal ? { signal } : {}).catch((error: unknown) => {
        signal?.throwIfAborted(); // piscina's own AbortError does not say why
        throw error;
      });
      return valuesOf(given as Answer);
    },
    close: () => pool.destroy(),
  };
}
