/**
 * Runs tasks on a pool of threads (piscina). A worker that dies loses nothing: its task is given to another, and only
 * one that kills three in a row is reported. A task has no time limit: how long a trial may take, its user knows.
 */
import { Piscina } from "piscina";
import type { Trace } from "../core/trace.js";
import type { Task, TrialValues } from "../core/trial.js";
import { type Answer, type Executor, valuesOf } from "./executor.js";
import { Turns } from "./turns.js";
import { WorkerFault } from "./worker-fault.js";

/** Workers load compiled code, also when this file runs from its source (as under test). */
const workerFile = new URL(
  import.meta.url.endsWith(".ts") ? "../../dist/run/worker-entry.cjs" : "../run/worker-entry.cjs",
  import.meta.url,
);

/** How often a task is tried. */
const ATTEMPTS = 3;

export interface PoolOptions {
  /** Recorded traces that configurations may name; each thread gets them once, when it starts. */
  readonly traces?: readonly Trace[];
  /** Aborted when the user asks to stop: the threads are ended at once, whatever they are at. */
  readonly signal?: AbortSignal | undefined;
  /** Memory of a thread's heap, in MB; what Node gives it unless told. */
  readonly heapMegabytes?: number;
  /** The worker's file, for tests with workers that fail. */
  readonly file?: URL;
}

/** @param workers threads, at least 1 */
export function threadPool(workers: number, options: PoolOptions = {}): Executor {
  const { traces = [], signal, heapMegabytes, file = workerFile } = options;
  const pool = new Piscina({
    filename: file.href,
    minThreads: workers,
    maxThreads: workers,
    idleTimeout: Infinity,
    workerData: traces,
    ...(heapMegabytes !== undefined && { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
  });
  // A worker that dies between tasks is replaced; nothing was lost.
  pool.on("error", () => {});
  // Who waits does so here and not in the pool, which would begin another task before it hears that it is over.
  const turns = new Turns(workers);
  let destroyed: Promise<void> | undefined;
  const close = (): Promise<void> => (destroyed ??= pool.destroy());
  const stop = (): void => {
    turns.sendAway(signal!.reason);
    void close();
  };
  signal?.addEventListener("abort", stop, { once: true });

  const answered = async (task: Task): Promise<Answer> => {
    for (let tried = 1; ; tried++)
      try {
        signal?.throwIfAborted();
        return (await pool.run(task)) as Answer;
      } catch (error) {
        signal?.throwIfAborted();
        const reason = faultOf(error);
        if (reason === undefined) throw error;
        if (tried === ATTEMPTS) throw new WorkerFault(task, reason, ATTEMPTS);
      }
  };
  return {
    width: workers,
    run: async (task: Task): Promise<TrialValues> => valuesOf(await turns.take(() => answered(task))),
    close() {
      signal?.removeEventListener("abort", stop);
      return close();
    },
  };
}

/** What befell the worker, or undefined if its task threw. */
function faultOf(error: unknown): string | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return "ran out of memory";
  const exit = /^worker exited with code: (-?\d+)$/.exec(String(message))?.[1];
  return exit === undefined ? undefined : `exited with code ${exit}`;
}
