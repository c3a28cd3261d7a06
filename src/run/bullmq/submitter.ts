/**
 * The executor that hands its tasks to a queue in Redis (BullMQ), for workers on any machine. A job's id is the hash
 * of what it says: handed in twice it is one job, and who hands it in again finds what it came to. So all that can be
 * lost on the way is mended in one way: a job that is not there is handed in again.
 *
 * Results come as events, which may be missed while Redis is away: jobs that nothing is heard of are asked after.
 */
import type { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { ConfigError } from "../../core/errors.js";
import type { Trace } from "../../core/trace.js";
import type { Task, TrialValues } from "../../core/trial.js";
import { coreHash } from "../core-hash.js";
import type { Executor } from "../executor.js";
import { QueueFault } from "../queue-fault.js";
import { WorkerFault } from "../worker-fault.js";
import type { RedisAddress } from "./address.js";
import { connectionTo, loadPackages, plainText, probe, within } from "./connection.js";
import { QUEUE_WIDTH, queueGrain } from "./grain.js";
import { isRefusal, jobId, jobOf, type ShardJob } from "./job.js";
import { type Build, connectionName, queueName } from "./peers.js";
import { readResult } from "./result.js";
import { deposit, GONE, type Parcel, parcelsOf } from "./traces.js";
import { watch, type Watch } from "./watch.js";

export interface SubmitterOptions {
  readonly redis: RedisAddress;
  /** The program's version: a worker of another does nothing for it. */
  readonly version: string;
  /** The hash of the simulating code, unless it is this one's. */
  readonly core?: string;
  /** Recorded traces that configurations may name. */
  readonly traces?: readonly Trace[];
  /** Aborted when the user asks to stop; its reason is an Interrupted. */
  readonly signal?: AbortSignal | undefined;
  /** Hears, in a line, what the run waits for. */
  readonly tell?: (line: string) => void;
  /** Seconds without a result after which it says what it waits for. */
  readonly patienceSeconds?: number;
  /** Seconds after which a Redis that does not answer is given up. */
  readonly lostSeconds?: number;
  /** Seconds between two looks at what nothing was heard of. */
  readonly lookSeconds?: number;
}

/** How many jobs a job's worker may be killed in, or fail at, before it is given up. */
export const ATTEMPTS = 3;
/** What is finished stays for who asks for the same: within an hour, and so many, as each holds its values. */
const KEPT = { age: 3600, count: 4096 };
/** A look asks after no more jobs than this. */
const ASKED_A_LOOK = 256;
const MOST_REFUSED_ADDS = 10;

interface Pending {
  readonly id: string;
  readonly task: Task;
  readonly job: ShardJob;
  readonly resolve: (values: TrialValues) => void;
  readonly reject: (error: unknown) => void;
  /** When it was last handed in or asked after. */
  seenAt: number;
  /** It was there before: what it failed of may be long over. */
  isOld: boolean;
  /** It has been taken out and handed in anew. */
  isRenewed: boolean;
}

/**
 * Connects to the queue.
 * @throws ConfigError when the packages are missing; QueueFault when Redis cannot be reached, within seconds
 */
export async function submitter(options: SubmitterOptions): Promise<Executor> {
  const { redis, version, core = coreHash() } = options;
  const packages = await loadPackages();
  await probe(packages, redis);
  const build = { version, core };
  const name = connectionName("run", build);
  const control = connectionTo(packages, redis, name);
  const listener = connectionTo(packages, redis, name);
  const queue = new packages.bullmq.Queue(queueName(build), { connection: control });
  // What happens from here on: a job may be done before the first event is read.
  const [last] = await control.xrevrange(queue.toKey("events"), "+", "-", "COUNT", 1);
  const events = new packages.bullmq.QueueEvents(queueName(build), {
    connection: listener,
    lastEventId: last?.[0] ?? "0-0",
  });
  return new Submitter(options, build, control, listener, queue, events);
}

class Submitter implements Executor {
  readonly width = QUEUE_WIDTH;
  readonly grain = queueGrain;
  private readonly pending = new Map<string, Pending>();
  private readonly asked = new Map<string, Promise<TrialValues>>();
  private readonly parcels: readonly Parcel[];
  private readonly watch: Watch;
  private deposited: Promise<void> | undefined;
  private taken: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  constructor(
    private readonly options: SubmitterOptions,
    private readonly build: Build,
    private readonly control: Redis,
    private readonly listener: Redis,
    private readonly queue: Queue,
    private readonly events: QueueEvents,
  ) {
    this.parcels = parcelsOf(options.traces ?? []);
    queue.on("error", () => {});
    events.on("error", () => {});
    events.on("completed", ({ jobId, returnvalue }) => this.completed(jobId, returnvalue));
    events.on("failed", ({ jobId, failedReason }) => this.failed(jobId, failedReason));
    events.on("duplicated", ({ jobId }) => {
      const pending = this.pending.get(jobId);
      if (!pending) return;
      pending.isOld = true;
      this.ask(pending);
    });
    const { signal, tell = () => {}, patienceSeconds = 10, lostSeconds = 300, lookSeconds = 2 } = options;
    this.watch = watch(control, {
      ...{ build, tell, patienceSeconds, lostSeconds, lookSeconds },
      waiting: () => this.pending.size,
      look: (isBack) => this.look(isBack, lookSeconds * 1000),
      lost: (fault) => this.giveUp(fault),
    });
    signal?.addEventListener("abort", this.stop, { once: true });
  }

  run(task: Task): Promise<TrialValues> {
    const { signal } = this.options;
    if ((task.plugins ?? []).length > 0)
      return Promise.reject(
        new ConfigError([
          { key: "--plugin", message: "--plugin: not with --executor bullmq (its workers have other files)" },
        ]),
      );
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const job = jobOf(
      task,
      this.parcels.map(({ name }) => name),
      this.build,
    );
    const id = jobId(job);
    const known = this.asked.get(id);
    if (known) return known;
    const asked = new Promise<TrialValues>((resolve, reject) => {
      const pending = { id, task, job, resolve, reject, seenAt: Date.now(), isOld: false, isRenewed: false };
      this.pending.set(id, pending);
      void this.handIn(pending);
    });
    this.asked.set(id, asked);
    return asked;
  }

  /** Puts a job into the queue; one that is there already stays as it is. */
  private async handIn(pending: Pending): Promise<void> {
    const { id, job } = pending;
    for (let tried = 1; this.pending.has(id); tried++)
      try {
        pending.seenAt = Date.now();
        this.deposited ??= deposit(this.control, this.parcels);
        await this.deposited;
        await this.queue.add("shard", job, {
          jobId: id,
          attempts: ATTEMPTS,
          removeOnComplete: KEPT,
          removeOnFail: KEPT,
          stackTraceLimit: 0,
        });
        return;
      } catch (error) {
        this.deposited = undefined;
        const reason = plainText((error as Error).message);
        if (tried === MOST_REFUSED_ADDS)
          this.settle(id)?.reject(new QueueFault(`redis does not take a shard: ${reason}`));
        else await new Promise((resolve) => setTimeout(resolve, 1000));
      }
  }

  private settle(id: string): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    this.asked.delete(id);
    return pending;
  }

  private completed(id: string, result: unknown): void {
    const pending = this.settle(id);
    if (!pending) return;
    this.watch.heard();
    try {
      pending.resolve(readResult(result, pending.task));
    } catch (error) {
      pending.reject(error);
      if (error instanceof QueueFault) this.takeOut(id);
    }
  }

  private failed(id: string, reason: string): void {
    const pending = this.pending.get(id);
    if (!pending) return;
    this.watch.heard();
    const isGone = reason.endsWith(GONE);
    if ((pending.isOld || isGone) && !pending.isRenewed) {
      pending.isRenewed = true;
      if (isGone) this.deposited = undefined;
      void this.queue.remove(id).then(
        () => this.handIn(pending),
        () => this.handIn(pending),
      );
      return;
    }
    this.settle(id);
    this.takeOut(id); // who asks again begins anew
    const words = plainText(reason);
    pending.reject(
      isRefusal(reason) ? new QueueFault(words) : new WorkerFault(pending.task, inWords(words), ATTEMPTS),
    );
  }

  /** Asks Redis what has become of a job. */
  private ask(pending: Pending): void {
    const { id } = pending;
    pending.seenAt = Date.now();
    const answered = this.queue.getBackend().isFinished(id, true) as Promise<[number, string]>;
    answered.then(
      ([state, text]) => {
        if (!this.pending.has(id)) return;
        if (state === 1) this.completed(id, parsed(text));
        else if (state === 2) this.failed(id, text);
        else if (state === -1) void this.handIn(pending);
      },
      () => {}, // the next look asks again
    );
  }

  /** Asks after the jobs that nothing was heard of for the longest time; after all when Redis was away. */
  private look(isBack: boolean, every: number): void {
    const since = Date.now() - 4 * every;
    const quiet = [...this.pending.values()].filter(({ seenAt }) => isBack || seenAt < since);
    quiet.sort((a, b) => a.seenAt - b.seenAt);
    for (const pending of isBack ? quiet : quiet.slice(0, ASKED_A_LOOK)) this.ask(pending);
  }

  private takeOut(...ids: readonly string[]): void {
    const removed = ids.map((id) => this.queue.remove(id).catch(() => 0));
    this.taken = Promise.all([this.taken, ...removed]);
  }

  private giveUp(error: unknown): void {
    const left = [...this.pending.values()];
    this.pending.clear();
    this.asked.clear();
    for (const { reject } of left) reject(error);
  }

  /** The user asks to stop: shards that no worker has begun are taken out; another run that wants them has them back. */
  private readonly stop = (): void => {
    this.takeOut(...this.pending.keys());
    this.giveUp(this.options.signal!.reason);
  };

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.options.signal?.removeEventListener("abort", this.stop);
    this.watch.close();
    if (this.pending.size > 0) this.takeOut(...this.pending.keys());
    this.giveUp(new QueueFault("the queue was closed"));
    await within(1500, this.taken);
    const closed = Promise.all([this.events.close(), this.queue.close()]);
    this.control.disconnect();
    this.listener.disconnect();
    await within(1000, closed);
  }
}

const inWords = (reason: string): string =>
  reason === "job stalled more than allowable limit" ? "died or lost its connection" : reason;

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
