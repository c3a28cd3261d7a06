/**
 * The other end of the queue: takes jobs from Redis and runs them on threads, so that the thread that holds the
 * locks only ever waits and a lock is always renewed in time. A worker that is killed leaves its jobs to the others:
 * they are found by their locks, which run out.
 */
import { hostname } from "node:os";
import type { Job, Worker as BullWorker } from "bullmq";
import { coreHash } from "../core-hash.js";
import { withTraces } from "../../core/configuration/trace-registry.js";
import { answerTo, type Executor } from "../executor.js";
import { MachineFault } from "../machine-fault.js";
import { Memory } from "../memory.js";
import { threadPool } from "../pool.js";
import { WorkerFault } from "../worker-fault.js";
import type { RedisAddress } from "./address.js";
import { connectionTo, forgets, lasting, loadPackages, probe, within } from "./connection.js";
import { handovers } from "./handovers.js";
import { readJob, Refusal } from "./job.js";
import { connected, connectionName, describeBuild, otherBuilds, queueName } from "./peers.js";
import { poolsFor } from "./pools.js";
import { DISAGREES, type Result, resultOf } from "./result.js";

/** How long a lock lasts, how often lost ones are looked for, how many lost ones a job survives. */
const LOCKS = { lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 3 };
const LOOK_MS = 10_000;
/** What is finished and cannot be handed over, for want of Redis, is left to others after this. */
const LAST_MS = 10_000;

export interface WorkerOptions {
  readonly redis: RedisAddress;
  readonly version: string;
  /** The hash of the simulating code, unless it is this one's. */
  readonly core?: string;
  /** At least 1. */
  readonly threads: number;
  /** Without the fast paths, whatever a job says. */
  readonly plain?: boolean;
  /** Aborted when it is to end: it finishes what it has begun. */
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
  /** Hears what must be said also where nothing else is: what it waits for. */
  readonly insist?: (line: string) => void;
  /** Shorter times, for tests. */
  readonly locks?: Partial<typeof LOCKS>;
  readonly lookMs?: number;
  /** How a job's task is run, for tests. */
  readonly makePool?: typeof threadPool;
}

/**
 * Works until it is told to stop.
 * @returns how many shards it finished
 * @throws ConfigError when the packages are missing; QueueFault when Redis cannot be reached at the start
 */
export async function serve(options: WorkerOptions): Promise<number> {
  const { redis, version, core = coreHash(), threads, signal, tell, locks, makePool = threadPool } = options;
  const packages = await loadPackages();
  const build = { version, core };
  const probed = await probe(packages, redis, queueName(build));
  const warning = forgets(probed);
  if (warning !== undefined) tell(warning);
  const { UnrecoverableError, Worker } = packages.bullmq;
  const name = connectionName("worker", build);
  const control = connectionTo(packages, redis, name, probed);
  const pools = poolsFor(control, (traces) =>
    makePool(threads, { traces, memory: new Memory(withTraces(traces), { tell }) }),
  );
  const times = { ...LOCKS, ...locks };
  let [running, finished] = [0, 0];
  const work = async (job: Job<unknown, Result>): Promise<Result> => {
    running++;
    try {
      const { task, traces } = readJob(job.data, job.id, build);
      const given = options.plain === true ? { ...task, plain: true } : task;
      const answer = await pools.using(traces, (pool) => ran(pool, given));
      const result: Result = { by: `${hostname()}/${process.pid}`, ...answer };
      finished++;
      handing.begin(job, result);
      return result;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      tell(error.message);
      throw new UnrecoverableError(error.message);
    } finally {
      running--;
    }
  };
  const worker = new Worker<unknown, Result>(queueName(build), work, {
    connection: lasting(redis, name, probed),
    concurrency: threads,
    ...times,
  });
  worker.on("error", () => {}); // connections come back; a lost lock's job is another's now
  worker.on("completed", ({ id }) => handing.taken(id));
  const handing = handovers(
    times.lockDuration,
    (id) => worker.getBackend().isFinished(id, true) as Promise<[number, string?]>,
    async (job, first, second) => {
      tell(`two results of ${job.id} differ: one of ${first}, one of ${second}`);
      const said = ["event", DISAGREES, "jobId", job.id!, "first", first, "second", second];
      await control.xadd(worker.toKey("events"), "MAXLEN", "~", 10_000, "*", ...said);
      await job.remove(); // who asks for it gets neither
    },
  );
  const comparing = setInterval(() => void handing.compare().catch(() => {}), times.stalledInterval);
  const stopTelling = tellOf(control, {
    tell,
    insist: options.insist ?? tell,
    refused: async () => otherBuilds((await connected(control, "run")) ?? [], build),
    isIdle: () => running + finished === 0,
    mine: describeBuild(build),
    lookMs: options.lookMs ?? LOOK_MS,
  });
  tell(`${describeBuild(build)}: waiting for shards, on ${threads} ${threads === 1 ? "thread" : "threads"}`);
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  stopTelling();
  if (running > 0) tell(`finishing ${running} ${running === 1 ? "shard" : "shards"}`);
  await closeOnceIdle(worker, () => running === 0);
  clearInterval(comparing);
  await within(1000, handing.compare());
  control.disconnect();
  await pools.close();
  return finished;
}

/** Lets a worker finish what it has; with nothing to do but to hand over, and nobody who takes it, it leaves. */
async function closeOnceIdle(
  worker: Pick<BullWorker, "close" | "disconnect">,
  isIdle: () => boolean,
): Promise<void> {
  let isClosed = false;
  const closed = worker.close().finally(() => (isClosed = true));
  // Others will find the jobs.
  for (let idleSince = performance.now(); !isClosed && performance.now() - idleSince < LAST_MS;) {
    await within(100, closed);
    if (!isIdle()) idleSince = performance.now();
  }
  if (!isClosed) await within(1000, worker.disconnect());
}

/** A task's result; only a worker's own death is an error here, which another try may mend. */
async function ran(pool: Executor, task: Parameters<Executor["run"]>[0]): Promise<Result> {
  try {
    return resultOf(await pool.run(task));
  } catch (error) {
    if (error instanceof WorkerFault) throw new Error(error.reason, { cause: error });
    if (error instanceof MachineFault) throw error;
    try {
      return resultOf(answerTo(error));
    } catch {
      return { error: error instanceof Error ? error.message : String(error) };
    }
  }
}

interface Telling {
  readonly tell: (line: string) => void;
  readonly insist: (line: string) => void;
  /** Runs that are there and that this worker is not fit for. */
  readonly refused: () => Promise<string[]>;
  /** No shard has come yet. */
  readonly isIdle: () => boolean;
  readonly mine: string;
  readonly lookMs: number;
}

/** Says when Redis goes and comes back, which runs this worker is not fit for, and that there is none; each once. */
function tellOf(
  control: ReturnType<typeof connectionTo>,
  { tell, insist, refused, isIdle, mine, lookMs }: Telling,
): () => void {
  const told = new Set<string>();
  let isAway = false;
  control.on("close", () => {
    if (!isAway) tell("lost redis: waiting for it");
    isAway = true;
  });
  control.on("ready", () => {
    if (isAway) tell("redis is back");
    isAway = false;
  });
  const look = async (): Promise<void> => {
    for (const build of await refused())
      if (!told.has(build)) {
        told.add(build);
        tell(`refused: a run of ${build}; this worker is ${mine}`);
      }
  };
  void look();
  let isWaitTold = false;
  const timer = setInterval(() => {
    if (isIdle() && !isWaitTold) {
      isWaitTold = true;
      insist(`waiting for a run of ${mine}: llmsim ... --executor bullmq --redis ...`);
    }
    void look();
  }, lookMs);
  return () => {
    clearInterval(timer);
    control.removeAllListeners("close");
  };
}
