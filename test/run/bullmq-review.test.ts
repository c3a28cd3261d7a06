/** What only shows when machines disagree, are stopped, or a Redis forgets: found by review, each failed before. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { TrialTask } from "../../src/core/trial/trial.js";
import { report } from "../../src/cli/faults.js";
import { loadPackages } from "../../src/run/bullmq/connection.js";
import { handovers } from "../../src/run/bullmq/handovers.js";
import { jobId, jobOf } from "../../src/run/bullmq/job.js";
import { queueName } from "../../src/run/bullmq/peers.js";
import { resultOf } from "../../src/run/bullmq/result.js";
import { submitter, type SubmitterOptions } from "../../src/run/bullmq/submitter.js";
import { watch } from "../../src/run/bullmq/watch.js";
import { serve, type WorkerOptions } from "../../src/run/bullmq/worker.js";
import { Disagreement } from "../../src/run/disagreement.js";
import type { Executor } from "../../src/run/executor.js";
import { inProcess } from "../../src/run/in-process.js";
import { Interrupted } from "../../src/run/interrupted.js";
import { QueueFault } from "../../src/run/queue-fault.js";
import { WorkerFault } from "../../src/run/worker-fault.js";
import { noRedis, type RedisServer, startRedis } from "./redis.js";
import { smallConfig } from "./requests.js";

const taskOf = (seed: number): TrialTask => ({
  seed,
  first: 1,
  count: 2,
  configs: [smallConfig()],
  windows: [],
  verify: false,
});
/** A machine that has much to do is slow, not wrong. */
const eventually = <T>(value: () => T) => expect.poll(value);
const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("the watch counts looks, not the clock", () => {
  const build = { version: "1.0.0", core: "0".repeat(64) };
  const options = { build, tell: () => {}, patienceSeconds: 10, lostSeconds: 300, lookSeconds: 2 };

  test("a process that was stopped for an hour has not waited for Redis", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const lost = vi.fn();
    const look = vi.fn();
    const client = { ping: async () => "PONG", client: async () => "" } as unknown as Redis;
    const watching = watch(client, { ...options, waiting: () => 1, look, lost });
    await vi.advanceTimersByTimeAsync(4000);
    vi.setSystemTime(vi.getMockedSystemTime()!.getTime() + 3_600_000);
    await vi.advanceTimersByTimeAsync(4000);
    watching.close();
    expect(lost).not.toHaveBeenCalled();
    expect(look.mock.calls).toEqual([[false], [false], [false], [false]]);
  });

  test("a Redis that does not answer for that long is given up, and one that comes back is asked for all", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const lost = vi.fn();
    const look = vi.fn();
    const told: string[] = [];
    let answer: (text: string) => void = () => {};
    const ping = (): Promise<string> => new Promise((resolve) => (answer = resolve));
    const client = { ping } as unknown as Redis;
    const tell = (line: string): void => void told.push(line);
    const watching = watch(client, { ...options, tell, waiting: () => 1, look, lost });
    await vi.advanceTimersByTimeAsync(20_000);
    answer("PONG");
    await vi.advanceTimersByTimeAsync(0);
    expect(look.mock.calls).toEqual([[true]]);
    expect(told).toEqual(["redis does not answer: waiting for it", "redis answers again"]);
    await vi.advanceTimersByTimeAsync(302_000);
    expect(lost).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(4000);
    watching.close();
    expect(lost.mock.calls[0]).toEqual([new QueueFault("redis has not answered for 302 s")]);
  });
});

describe("a result that was not taken", () => {
  const values = Float64Array.of(1, NaN, 3);
  const mine = { by: "a/1", ...resultOf(values) };
  const job = { id: "shard-1" } as never;
  const compared = async (answer: [number, string?], ours: object = mine): Promise<unknown[]> => {
    const heard: unknown[] = [];
    const open = handovers(
      0,
      async () => answer,
      async (_, ...sources) => void heard.push(sources),
    );
    open.begin(job, ours as typeof mine);
    await open.compare();
    return heard;
  };
  const text = (values: Float64Array<ArrayBuffer>): string =>
    JSON.stringify({ by: "b/2", ...resultOf(values) });

  test("must be the one that was", async () => {
    expect(await compared([1, text(values)])).toEqual([]);
    expect(await compared([1, text(values.with(2, 4))])).toEqual([["b/2", "a/1"]]);
    expect(await compared([1, '{"invariant":"x"}'])).toEqual([["a worker without a name", "a/1"]]);
    // Nothing of the simulation's own to compare with.
    for (const answer of [[-1], [0], [2, "x"], [1, '{"error":"no memory"}'], [1]] as [number, string?][])
      expect(await compared(answer)).toEqual([]);
    expect(await compared([1, text(values)], { error: "no memory" })).toEqual([]);
  });
});

test("a disagreement is told with both sources and the command that shows which", () => {
  let told = "";
  const error = new Disagreement(taskOf(9), "a/1", "b/2");
  const command = 'llmsim run --seed 9 --executor bullmq --redis "$LLMSIM_REDIS"';
  expect(report(error, { write: (text) => void (told += text) }, command)).toBe(3);
  expect(told).toBe(
    "error: two results of one shard differ: trials 1 to 2 of hybrid, seed 9: one of a/1, one of b/2\n" +
      "the command that shows which, in one process:\n  llmsim run --seed 9 --workers 0\n",
  );
});

describe.skipIf(noRedis !== undefined)(`with a Redis (${noRedis ?? "here"})`, () => {
  const version = "2.0.0";
  let redis: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    const { ioredis } = await loadPackages();
    client = new ioredis.Redis(redis.address);
  });
  afterAll(async () => {
    client.disconnect();
    await redis.stop();
  });
  /** A queue of each test's own. */
  const coreOf = (n: number): string => String(n).repeat(64);
  const idOf = (task: TrialTask, core: string): string => jobId(jobOf(task, [], { version, core }));
  const key = (core: string, name: string): string => `bull:${queueName({ version, core })}:${name}`;
  const submit = async (core: string, changes: Partial<SubmitterOptions> = {}): Promise<Executor> => {
    const made = await submitter({ redis: redis.address, version, core, lookSeconds: 0.1, ...changes });
    onTestFinished(() => made.close().catch(() => {}));
    return made;
  };
  const work = (core: string, changes: Partial<WorkerOptions> = {}): void => {
    const stop = new AbortController();
    const worker = serve({
      ...{ redis: redis.address, version, core, threads: 1, signal: stop.signal, tell: () => {} },
      locks: { lockDuration: 400, stalledInterval: 200 },
      makePool: () => inProcess(),
      ...changes,
    });
    onTestFinished(async () => {
      stop.abort();
      await worker;
    });
  };
  const send = (core: string, ...event: string[]): Promise<unknown> =>
    client.xadd(key(core, "events"), "*", "event", ...event);

  test("a second result that differs ends the run, in its middle or at its end", async () => {
    const core = coreOf(1);
    work(core);
    const run = await submit(core);
    const values = await run.run(taskOf(1));
    const id = idOf(taskOf(1), core);
    const told = (result: object): Promise<unknown> =>
      send(core, "completed", "jobId", id, "returnvalue", JSON.stringify({ by: "second/2", ...result }));
    await told(resultOf(values)); // the same again says nothing
    expect(await run.run(taskOf(2))).toEqual(await inProcess().run(taskOf(2)));
    await told(resultOf(values.with(0, 12345)));
    const ended = eventually(() => errorOf(run.run(taskOf(3))));
    await ended.toMatchObject({
      name: "Disagreement",
      message: expect.stringMatching(
        /^two results of one shard differ: trials 1 to 2 of hybrid, seed 1: one of \S+\/\d+, one of second\/2$/,
      ) as string,
    });
    // Nobody who comes later is given either.
    await eventually(() => client.exists(key(core, id))).toBe(0);

    const late = await submit(core);
    await late.run(taskOf(4));
    await send(core, "disagrees", "jobId", idOf(taskOf(4), core), "first", "a/1", "second", "b/2");
    await send(core, "disagrees", "jobId", "another's", "first", "a/1", "second", "b/2");
    await eventually(() => client.exists(key(core, idOf(taskOf(4), core)))).toBe(0); // it has heard of it
    await expect(late.close()).rejects.toThrow("seed 4: one of a/1, one of b/2");
  });

  test("two workers that finish one shard to different values: the run and the worker say so", async () => {
    const core = coreOf(2);
    const lines: string[] = [];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    let isFirst = true;
    const slow = (): Executor => ({
      ...inProcess(),
      async run(task) {
        const values = await inProcess().run(task);
        if (!isFirst) return values;
        isFirst = false;
        await held;
        return values.with(0, -1);
      },
    });
    work(core, { makePool: slow, tell: (line) => void lines.push(line) });
    const run = await submit(core);
    const asked = run.run(taskOf(1));
    const lock = key(core, `${idOf(taskOf(1), core)}:lock`);
    await eventually(() => client.exists(lock)).toBe(1);
    work(core); // once the other's lock is gone, it takes the shard
    const gone = setInterval(() => void client.del(lock), 20);
    await eventually(() => client.lrange(key(core, "wait"), 0, -1).then((l) => l.length)).toBe(0);
    await eventually(() => client.hget(key(core, idOf(taskOf(1), core)), "stc")).toBe("1");
    clearInterval(gone);
    expect(await asked).toEqual(await inProcess().run(taskOf(1)));
    release();
    await eventually(() => errorOf(run.run(taskOf(2)))).toBeInstanceOf(Disagreement);
    expect(lines.join("\n")).toMatch(/two results of shard-\w+ differ: one of \S+\/\d+, one of \S+\/\d+/);
  });

  test("a task that is asked for twice at once is one job, and both have its values", async () => {
    const core = coreOf(9);
    const run = await submit(core);
    const both = Promise.all([run.run(taskOf(1)), run.run(taskOf(1))]);
    work(core);
    const values = await inProcess().run(taskOf(1));
    expect(await both).toEqual([values, values]);
  });

  test("a worker that dies at a shard is tried again, three times in all", async () => {
    const core = coreOf(0);
    const tries = new Map<number, number>();
    /** Dies as often as the seed says. */
    const makePool = (): Executor => ({
      ...inProcess(),
      run(task) {
        const tried = (tries.get(task.seed) ?? 0) + 1;
        tries.set(task.seed, tried);
        return tried > task.seed
          ? inProcess().run(task)
          : Promise.reject(new WorkerFault(task, "ran out of memory", 3));
      },
    });
    work(core, { makePool });
    const run = await submit(core);
    expect(await run.run(taskOf(2))).toEqual(await inProcess().run(taskOf(2)));
    const failed = await errorOf(run.run(taskOf(3)));
    expect(failed).toBeInstanceOf(WorkerFault);
    expect(String(failed)).toContain(
      "a worker ran out of memory, 3 times over: trials 1 to 2 of hybrid, seed 3",
    );
    expect([...tries.values()]).toEqual([3, 3]);
  });

  test.each(["stopped", "closed"])("a run that is %s takes out what no worker has begun", async (how) => {
    const core = (how === "stopped" ? "b" : "c").repeat(64);
    const stop = new AbortController();
    const run = await submit(core, { signal: stop.signal });
    const asked = [1, 2, 3].map((seed) => errorOf(run.run(taskOf(seed))));
    await eventually(() => client.llen(key(core, "wait"))).toBe(3);
    if (how === "stopped") stop.abort(new Interrupted("SIGINT"));
    await run.close();
    const kind = how === "stopped" ? Interrupted : QueueFault;
    for (const error of await Promise.all(asked)) expect(error).toBeInstanceOf(kind);
    expect(await client.llen(key(core, "wait"))).toBe(0);
    expect(await client.exists(key(core, idOf(taskOf(1), core)))).toBe(0);
  });

  test("a job that Redis keeps in no list is handed in again", async () => {
    const core = coreOf(3);
    const run = await submit(core);
    const asked = run.run(taskOf(1));
    await eventually(() => client.llen(key(core, "wait"))).toBe(1);
    await client.del(key(core, "wait"), key(core, "marker"));
    work(core);
    expect(await asked).toEqual(await inProcess().run(taskOf(1)));
  });

  test("a failure without a reason is one all the same, and the events go on", async () => {
    const core = coreOf(4);
    const run = await submit(core);
    const failed = errorOf(run.run(taskOf(1)));
    await eventually(() => client.llen(key(core, "wait"))).toBe(1);
    await send(core, "failed", "jobId", idOf(taskOf(1), core));
    expect(String(await failed)).toContain("failed, and nobody knows why");
    work(core);
    expect(await run.run(taskOf(2))).toEqual(await inProcess().run(taskOf(2)));
  });

  test("a failure that was told before the job was handed in is another's", async () => {
    const core = "d".repeat(64);
    const run = await submit(core);
    const early = send(core, "failed", "jobId", idOf(taskOf(1), core), "failedReason", "refused: an old one");
    const asked = run.run(taskOf(1));
    await early;
    work(core);
    expect(await asked).toEqual(await inProcess().run(taskOf(1)));
  });

  test("a shard that kills its workers is given up, with what befell", async () => {
    const core = coreOf(5);
    const run = await submit(core);
    const failed = errorOf(run.run(taskOf(1)));
    await eventually(() => client.llen(key(core, "wait"))).toBe(1);
    const reason = "job stalled more than allowable limit"; // BullMQ's own words
    await send(core, "failed", "jobId", idOf(taskOf(1), core), "failedReason", reason);
    expect(String(await failed)).toContain(
      "a worker died or lost its connection, 3 times over: trials 1 to 2",
    );
  });

  test("a shard that a full Redis has dropped is handed in again, as often as it takes", async () => {
    const core = coreOf(8);
    const run = await submit(core);
    const asked = run.run(taskOf(1));
    const drop = async (): Promise<void> => void (await client.del(key(core, idOf(taskOf(1), core))));
    await eventually(() => client.llen(key(core, "wait"))).toBe(1);
    await drop();
    const refused: string[] = [];
    const tell = (line: string): void => {
      if (line.startsWith("refused: ")) refused.push(line);
    };
    work(core, { tell });
    expect(await asked).toEqual(await inProcess().run(taskOf(1)));
    expect(refused).toEqual(["refused: a shard that is gone"]);
  });

  test("a Redis that may forget is warned of, once, in a line", async () => {
    const core = coreOf(6);
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    onTestFinished(async () => void (await client.config("SET", "maxmemory-policy", "noeviction")));
    const printed = vi.spyOn(console, "warn").mockImplementation(() => {});
    onTestFinished(() => printed.mockRestore());
    const lines: string[] = [];
    const tell = (line: string): void => void lines.push(line);
    work(core, { tell });
    const run = await submit(core, { tell });
    await run.run(taskOf(1));
    const warning =
      "redis may forget shards when its memory is full: maxmemory-policy allkeys-lru (set noeviction)";
    expect(lines.filter((line) => line.startsWith("redis may"))).toEqual([warning, warning]);
    expect(printed).not.toHaveBeenCalled();
  });

  test("who may not read the queue is told so in a line", async () => {
    await client.call("ACL", "SETUSER", "weak", "on", ">secret", "~*", "+@all", "-xrevrange");
    const address = { ...redis.address, username: "weak", password: "secret" };
    const error = await errorOf(submitter({ redis: address, version }));
    expect(error).toBeInstanceOf(QueueFault);
    expect(String(error)).toMatch(/cannot reach redis \(--redis or LLMSIM_REDIS\): NOPERM /);
    expect(String(error)).not.toContain("secret");
  });

  test("a shard too big for a value of Redis is refused before it is sent", async () => {
    const run = await submit(coreOf(7));
    const windows = Array.from({ length: 250_000 }, (_, i) => i + 1);
    const error = await errorOf(run.run({ ...taskOf(1), windows }));
    expect(String(error)).toMatch(/--executor bullmq: a shard of \d+ values \(at most 16777216: /);
  });

  test("listeners and connections of a run end with it", async () => {
    const before = (await client.client("LIST")) as string;
    const stop = new AbortController();
    const added = vi.spyOn(stop.signal, "addEventListener");
    const removed = vi.spyOn(stop.signal, "removeEventListener");
    for (let i = 0; i < 3; i++) await (await submit(coreOf(8), { signal: stop.signal })).close();
    expect(added.mock.calls.length).toBe(removed.mock.calls.length);
    const count = (list: string): number => list.trim().split("\n").length;
    await eventually(async () => count((await client.client("LIST")) as string)).toBe(count(before));
  });
});
