/** `--executor`: where a command's tasks are run. Each is loaded, and started, with the first task. */
import { setMaxListeners } from "node:events";
import { availableParallelism } from "node:os";
import type { Issue } from "../../core/errors.js";
import { builtIn, type Registry } from "../../core/configuration/registry.js";
import type { Trace } from "../../core/workload/trace.js";
import type { Task, TrialValues } from "../../core/trial/trial.js";
import { show } from "../../config/telling.js";
import type { RedisAddress } from "../../run/bullmq/address.js";
import { QUEUE_WIDTH, queueGrain } from "../../run/bullmq/grain.js";
import type { Executor } from "../../run/executor.js";
import { Memory } from "../../run/memory.js";
import { tellingOn } from "../process/careful.js";
import { threadCount } from "../process/open-files.js";
import type { Flags } from "../../flags/given-flags.js";
import { redisFrom } from "./redis.js";
import type { Streams } from "../streams.js";
import { version } from "../version.js";

const EXECUTORS = ["threads", "bullmq"] as const;
export type ExecutorName = (typeof EXECUTORS)[number];

export interface ExecutorSettings {
  readonly executor: ExecutorName;
  readonly redis: RedisAddress | undefined;
}

/** What the flags say of it; what contradicts is added to `issues`: a setting that did nothing would mislead. */
export function executorFrom(
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
  issues: Issue[],
): ExecutorSettings {
  const add = (key: string, message: string): void => void issues.push({ key, message });
  const executor = (flags.executor ?? "threads") as ExecutorName;
  if (!EXECUTORS.includes(executor))
    add("--executor", `invalid --executor: ${show(executor)} (one of: ${EXECUTORS.join(", ")})`);
  if (executor !== "bullmq") {
    if (flags.redis !== undefined) add("--redis", "--redis: does nothing without --executor bullmq");
    return { executor, redis: undefined };
  }
  if (flags.workers !== undefined)
    add("--workers", "--workers: does nothing with --executor bullmq (llmsim worker --workers)");
  if (flags.plugin !== undefined)
    add("--plugin", "--plugin: not with --executor bullmq (its workers have no such file)");
  return { executor, redis: redisFrom(flags, env, issues) };
}

/** What a journal has to say of the executor: a queue's shards are cut larger, and are not those of threads. */
export const cutBy = ({ executor }: ExecutorSettings): object => (executor === "bullmq" ? { executor } : {});

/** The executor, started with the first task: `plot` and bad input start none. */
export function lazyExecutor(
  settings: ExecutorSettings & { readonly workers: number | undefined },
  registry: Registry | undefined,
  traces: readonly Trace[],
  { signal, stderr }: Pick<Streams, "signal" | "stderr">,
): Executor {
  const { redis, workers = availableParallelism() } = settings;
  // Also with --quiet, which is about progress: who waits in vain would never know what for.
  const tell = tellingOn(stderr);
  // A listener for each task under way: no leak, which Node would warn of on the user's terminal.
  if (signal) setMaxListeners(0, signal);
  const start = async (): Promise<Executor> => {
    if (redis) {
      const { submitter } = await import("../../run/bullmq/submitter.js");
      return submitter({ redis, version, traces, signal, tell });
    }
    const memory = new Memory(registry ?? builtIn, { tell });
    return workers === 0
      ? (await import("../../run/in-process.js")).inProcess(registry, signal, memory)
      : (await import("../../run/pool.js")).threadPool(threadCount(workers, tell), {
          traces,
          signal,
          memory,
        });
  };
  let started: Promise<Executor> | undefined;
  const run = async (task: Task): Promise<TrialValues> => (await (started ??= start())).run(task);
  return {
    width: redis ? QUEUE_WIDTH : Math.max(1, workers),
    ...(redis && { grain: queueGrain }),
    run: (task) => ("kind" in task ? untilStopped(run(task), signal) : run(task)),
    close: async () => (await started?.catch(() => undefined))?.close(),
  };
}

/** A run from a backlog may take minutes, and nothing of it can be shown: it is left behind when the user stops. */
function untilStopped(values: Promise<TrialValues>, signal: AbortSignal | undefined): Promise<TrialValues> {
  if (signal === undefined) return values;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    values.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
