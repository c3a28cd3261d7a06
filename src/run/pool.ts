/**
 * Runs tasks on a pool of threads (piscina). A worker that dies loses nothing: its task is given to another, and only
 * one that kills three in a row is reported. A task has no time limit: how long a trial may take, its user knows.
 */
import { Piscina } from "piscina";
import type { Trace } from "../core/workload/trace.js";
import type { Task, TrialValues } from "../core/trial/trial.js";
import { type Answer, type Executor, valuesOf } from "./executor.js";
import { MachineFault } from "./machine-fault.js";
import type { Memory } from "./memory.js";
import { Turns } from "./turns.js";
import { OUT_OF_MEMORY, WorkerFault } from "./worker-fault.js";

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
  /** The memory that tasks share; without limit unless given. */
  readonly memory?: Memory;
  /** Memory of a thread's heap, in MB; what Node gives it unless told. */
  readonly heapMegabytes?: number;
  /** The worker's file, for tests with workers that fail. */
  readonly file?: URL;
}

/** @param workers threads, at least 1 */
export const threadPool = (workers: number, options: PoolOptions = {}): Executor =>
  new ThreadPool(workers, options);

class ThreadPool implements Executor {
  readonly width: number;
  private readonly pool: Piscina;
  /** Who waits does so here and not in the pool, which would begin another task before it hears that it is over. */
  private readonly turns: Turns;
  private readonly signal: AbortSignal | undefined;
  private readonly memory: Memory | undefined;
  /** Why no task is run any more. */
  private over: { readonly reason: unknown } | undefined;
  private destroyed: Promise<void> | undefined;

  constructor(
    workers: number,
    { traces = [], signal, memory, heapMegabytes, file = workerFile }: PoolOptions,
  ) {
    this.width = workers;
    this.turns = new Turns(workers);
    this.pool = new Piscina({
      filename: file.href,
      minThreads: workers,
      maxThreads: workers,
      idleTimeout: Infinity,
      workerData: traces,
      ...(heapMegabytes !== undefined && { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
    });
    // A worker that dies between tasks is replaced, and nothing was lost; but one that cannot start is not.
    let reason: string | undefined;
    this.pool.on("error", (error: unknown) => (reason = firstLine(error)));
    this.pool.on("workerDestroy", () =>
      setImmediate(() => {
        if (this.pool.threads.length === 0) void this.end(cannotStart(reason ?? "it ended"));
      }),
    );
    this.signal = signal;
    this.memory = memory;
    signal?.addEventListener("abort", this.stop, { once: true });
    if (signal?.aborted === true) this.stop();
  }

  async run(task: Task): Promise<TrialValues> {
    const work = (): Promise<Answer> => this.answered(task);
    return valuesOf(await this.turns.take(() => this.memory?.during(task, work) ?? work()));
  }

  close(): Promise<void> {
    this.signal?.removeEventListener("abort", this.stop);
    return this.end(new Error("the pool is closed"));
  }

  private readonly stop = (): void => void this.end(this.signal!.reason);

  private end(reason: unknown): Promise<void> {
    this.over ??= { reason };
    this.turns.sendAway(reason);
    return (this.destroyed ??= this.pool.destroy());
  }

  private async answered(task: Task): Promise<Answer> {
    for (let tried = 1; ; tried++)
      try {
        if (this.over) throw this.over.reason;
        return (await this.pool.run(task)) as Answer;
      } catch (error) {
        if (this.over) throw this.over.reason;
        const start = startFault(error);
        const reason = start ?? deathOf(error);
        if (reason === undefined) throw error;
        if (tried < ATTEMPTS) continue;
        throw start === undefined ? new WorkerFault(task, reason, ATTEMPTS) : cannotStart(start);
      }
  }
}

const cannotStart = (reason: string): MachineFault => new MachineFault(`no thread can be started: ${reason}`);

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0];

/** What a thread cannot start for: files that it cannot open, or that are not there, and threads that there are not. */
const START_FAULTS = [
  "EMFILE",
  "ENFILE",
  "MODULE_NOT_FOUND",
  "ERR_MODULE_NOT_FOUND",
  "ERR_WORKER_INIT_FAILED",
] as readonly unknown[];

/** Why the worker did not start, or undefined if it did. */
const startFault = (error: unknown): string | undefined =>
  START_FAULTS.includes((error as { code?: unknown }).code) ? firstLine(error) : undefined;

/** What befell the worker, or undefined if its task threw. */
function deathOf(error: unknown): string | undefined {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (code === "ERR_WORKER_OUT_OF_MEMORY") return OUT_OF_MEMORY;
  const exit = /^worker exited with code: (-?\d+)$/.exec(String(message))?.[1];
  return exit === undefined ? undefined : `exited with code ${exit}`;
}
