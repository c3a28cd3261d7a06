/**
 * The executor that hands its tasks to a queue in Redis (BullMQ), for workers on any machine. A job's id is the hash
 * of what it says: handed in twice it is one job, and who hands it in again finds what it came to. So all that can be
 * lost on the way is mended in one way: a job that is not there is handed in again.
 *
 * Results come as events, which may be missed while Redis is away: jobs that nothing is heard of are asked after.
 */
import type { EventEmitter } from "node:events";
import type { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { ConfigError } from "../../core/errors.js";
import type { Trace } from "../../core/workload/trace.js";
import type { Task, TrialValues } from "../../core/trial/trial.js";
import { coreHash } from "../core-hash.js";
import { Disagreement } from "../disagreement.js";
import { type Executor, expectedLength } from "../executor.js";
import { QueueFault } from "../queue-fault.js";
import { WorkerFault } from "../worker-fault.js";
import type { RedisAddress } from "./address.js";
import { connectionTo, forgets, loadPackages, plainText, probe, within } from "./connection.js";
import { QUEUE_WIDTH, queueGrain } from "./grain.js";
import { GONE, isRefusal, jobId, jobOf } from "./job.js";
import { type Build, connectionName, queueName } from "./peers.js";
import { type Done, inWords, parsed, type Pending } from "./pending.js";
import { DISAGREES, fingerprint, readResult, sourceOf } from "./result.js";
import { deposit, type Parcel, parcelsOf } from "./traces.js";
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
/** A job that is there, and in no list. */
const LOST = -2;
/** A look asks after no more jobs than this. */
const ASKED_A_LOOK = 256;
const MOST_REFUSED_ADDS = 10;
/** A Redis that drops keys may drop the same one again. */
const MOST_GONE = 20;
/** Results that a second one is compared with: the last so many, more than Redis keeps. */
const REMEMBERED = 16_384;
/** A result stands in one value of Redis, which holds 512 MB, and as text. */
const MOST_VALUES = 2 ** 24;

/**
 * Connects to the queue.
 * @throws ConfigError when the packages are missing; QueueFault when Redis cannot be reached, within seconds
 */
export async function submitter(options: SubmitterOptions): Promise<Executor> {
  const { redis, version, core = coreHash() } = options;
  const packages = await loadPackages();
  const build = { version, core };
  const probed = await probe(packages, redis, queueName(build));
  const warning = forgets(probed);
  if (warning !== undefined) options.tell?.(warning);
  const name = connectionName("run", build);
  const control = connectionTo(packages, redis, name, probed);
  const listener = connectionTo(packages, redis, name, probed);
  const queue = new packages.bullmq.Queue(queueName(build), { connection: control });
  // What happens from here on: a job may be done before the first event is read.
  const { lastEventId } = probed;
  const events = new packages.bullmq.QueueEvents(queueName(build), { connection: listener, lastEventId });
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
  private readonly done = new Map<string, Done>();
  private taken: Promise<unknown> = Promise.resolve();
  private fault: Disagreement | undefined;
  private isFaultTold = false;
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
    events.on("failed", ({ jobId, failedReason }) => {
      const pending = this.pending.get(jobId);
      // An event from before its arrival is about another's failure, and so may be that of a job handed in anew: Redis
      // knows, and is asked of the first when it is heard of as a duplicate.
      if (pending?.isRenewed === true) this.ask(pending);
      else if (pending?.isIn === true) this.failed(jobId, failedReason);
    });
    (events as unknown as EventEmitter).on(DISAGREES, ({ jobId, first, second }: Record<string, unknown>) => {
      const task = this.pending.get(String(jobId))?.task ?? this.done.get(String(jobId))?.task;
      if (task) this.disagree(String(jobId), task, String(first), String(second));
    });
    events.on("added", ({ jobId }) => {
      const pending = this.pending.get(jobId);
      if (pending) pending.isIn = true;
    });
    events.on("duplicated", ({ jobId }) => {
      const pending = this.pending.get(jobId);
      if (!pending) return;
      pending.isIn = true;
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
    if (this.fault) {
      this.isFaultTold = true;
      return Promise.reject(this.fault);
    }
    if (expectedLength(task) > MOST_VALUES) {
      const message = `--executor bullmq: a shard of ${expectedLength(task)} values (at most ${MOST_VALUES}: fewer windows or configurations at once)`;
      return Promise.reject(new ConfigError([{ key: "--executor", message }]));
    }
    const job = jobOf(
      task,
      this.parcels.map(({ name }) => name),
      this.build,
    );
    const id = jobId(job);
    const known = this.asked.get(id);
    if (known) return known;
    const asked = new Promise<TrialValues>((resolve, reject) => {
      const flags = { isIn: false, isOld: false, isRenewed: false, gone: 0, isLeaving: false };
      const pending = { id, task, job, resolve, reject, seenAt: performance.now(), ...flags };
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
        pending.seenAt = performance.now();
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
    const isSame = this.remember(id, result);
    const pending = this.settle(id);
    if (!pending || !isSame) return;
    this.watch.heard();
    try {
      pending.resolve(readResult(result, pending.task));
    } catch (error) {
      pending.reject(error);
      if (error instanceof QueueFault) this.takeOut(id);
    }
  }

  /** Keeps what a job came to; false when it came to something else before. */
  private remember(id: string, result: unknown): boolean {
    const before = this.done.get(id);
    const task = before?.task ?? this.pending.get(id)?.task;
    const mark = fingerprint(result);
    if (!task || mark === undefined) return true; // another run's, or broken
    const by = sourceOf(result);
    if (before && before.fingerprint !== mark) {
      this.disagree(id, task, before.by, by);
      return false;
    }
    this.done.set(id, { task, fingerprint: mark, by });
    if (this.done.size > REMEMBERED) this.done.delete(this.done.keys().next().value!);
    return true;
  }

  /** Nothing more is to be had of this run: which of the two results is right nobody knows. */
  private disagree(id: string, task: Task, first: string, second: string): void {
    this.takeOut(id); // who asks again begins anew
    this.fault ??= new Disagreement(task, plainText(first), plainText(second));
    this.isFaultTold ||= this.pending.size > 0;
    this.giveUp(this.fault);
  }

  private failed(id: string, said: unknown): void {
    const pending = this.pending.get(id);
    if (!pending || pending.isLeaving) return;
    const reason = typeof said === "string" ? said : "failed, and nobody knows why";
    this.watch.heard();
    const isGone = reason.endsWith(GONE);
    const isAnothers = (pending.isOld || !pending.isIn) && !pending.isRenewed;
    if (isAnothers || (isGone && ++pending.gone <= MOST_GONE)) {
      pending.isRenewed = true;
      if (isGone) this.deposited = undefined;
      this.handInAnew(pending);
      return;
    }
    this.settle(id);
    this.takeOut(id); // who asks again begins anew
    const words = plainText(reason);
    pending.reject(
      isRefusal(reason) ? new QueueFault(words) : new WorkerFault(pending.task, inWords(words), ATTEMPTS),
    );
  }

  private handInAnew(pending: Pending): void {
    pending.isLeaving = true;
    const again = (): Promise<void> => {
      pending.isLeaving = false;
      return this.handIn(pending);
    };
    void this.queue.remove(pending.id).then(again, again);
  }

  /** Asks Redis what has become of a job. */
  private ask(pending: Pending): void {
    const { id } = pending;
    pending.seenAt = performance.now();
    void this.answerOf(id)
      .then(([state, text]) => {
        if (this.pending.get(id) !== pending || pending.isLeaving) return;
        if (state === 1) this.completed(id, parsed(text ?? ""));
        else if (state === 2) this.failed(id, text);
        else if (state === LOST) this.handInAnew(pending);
        else if (state === -1) void this.handIn(pending);
      })
      .catch(() => {}); // the next look asks again
  }

  private async answerOf(id: string): Promise<[state: number, text?: string]> {
    const backend = this.queue.getBackend();
    const answer = (await backend.isFinished(id, true)) as [number, string?];
    // A Redis that drops keys may keep a job and lose the list that it stands in: no worker would ever see it.
    if (answer[0] === 0 && (await backend.getState(id)) === "unknown") return [LOST];
    return answer;
  }

  /** Asks after the jobs that nothing was heard of for the longest time; after all when Redis was away. */
  private look(isBack: boolean, every: number): void {
    const since = performance.now() - 4 * every;
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
    if (this.fault && !this.isFaultTold) throw this.fault;
  }
}
