/** The queue's executor: the contract of all executors, and that neither side takes what is not agreed. */
import { Queue } from "bullmq";
import { Piscina } from "piscina";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { complete } from "../../src/core/configuration/config.js";
import { ConfigError } from "../../src/core/errors.js";
import { builtIn } from "../../src/core/configuration/registry.js";
import type { Trace } from "../../src/core/workload/trace.js";
import { withTraces } from "../../src/core/configuration/trace-registry.js";
import type { TrialTask } from "../../src/core/trial/trial.js";
import { parseRedisUrl } from "../../src/run/bullmq/address.js";
import { loadPackages, PACKAGES } from "../../src/run/bullmq/connection.js";
import { queueGrain } from "../../src/run/bullmq/grain.js";
import { jobId, jobOf, readJob } from "../../src/run/bullmq/job.js";
import { queueName } from "../../src/run/bullmq/peers.js";
import { report } from "../../src/cli/faults.js";
import { readResult, resultOf } from "../../src/run/bullmq/result.js";
import { submitter } from "../../src/run/bullmq/submitter.js";
import { parcelsOf, readTrace } from "../../src/run/bullmq/traces.js";
import { serve, type WorkerOptions } from "../../src/run/bullmq/worker.js";
import { coreHash } from "../../src/run/core-hash.js";
import type { Executor } from "../../src/run/executor.js";
import { inProcess } from "../../src/run/in-process.js";
import { Interrupted } from "../../src/run/interrupted.js";
import { QueueFault } from "../../src/run/queue-fault.js";
import { runner } from "../../src/run/runner.js";
import { shardsOf } from "../../src/run/tasks.js";
import { silent } from "../experiments/studies.js";
import { executorContract } from "./executor-contract.js";
import { noRedis, type RedisServer, startRedis } from "./redis.js";
import { difference, manyShards, smallConfig } from "./requests.js";

const version = "1.2.3";
const mine = { version, core: coreHash() };
const task: TrialTask = {
  seed: 1,
  first: 1,
  count: 2,
  configs: [smallConfig()],
  windows: [2, 5],
  verify: false,
};
const traces: readonly Trace[] = [
  {
    key: "shared",
    arrivedAt: Float64Array.from({ length: 400 }, (_, i) => (i * i * 1e6) / 4),
    promptTokens: Int32Array.from({ length: 400 }, (_, i) => 1 + ((i * 7) % 90)),
    outputTokens: Int32Array.from({ length: 400 }, (_, i) => (i * 11) % 30),
  },
];
const errorOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return "none";
};

describe("a job", () => {
  const job = jobOf(task, [], mine);
  /** As it comes out of the queue. */
  const sent = (changes: object = {}): Record<string, unknown> =>
    JSON.parse(JSON.stringify({ ...job, ...changes })) as Record<string, unknown>;
  const read = (data: unknown, id = jobId(data as typeof job)): string =>
    errorOf(() => readJob(data, id, mine));

  test("comes through the queue as it was", () => {
    expect(readJob(sent(), jobId(job), mine)).toEqual(job);
  });

  test("has an id of its own for everything that it says", () => {
    const ids = [
      job,
      { ...job, core: "f".repeat(64) },
      { ...job, task: { ...task, seed: 2 } },
      { ...job, task: { ...task, count: 3 } },
      { ...job, traces: parcelsOf(traces).map(({ name }) => name) },
    ].map(jobId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(jobId(jobOf({ ...task }, [], mine))).toBe(ids[0]);
  });

  test.each<[string, unknown]>([
    ["no shard of this form", null],
    ["no shard of this form", []],
    ["no shard of this form", sent({ form: 2 })],
    ["a shard of no version", sent({ version: 1 })],
    ["a shard of llmsim 1.2.4, core", sent({ version: "1.2.4" })],
    ["a shard of llmsim 1.2.3, core 00000000; this worker is", sent({ core: "0".repeat(64) })],
    ["invalid traces", sent({ traces: [{ key: "x", sha256: "../x" }] })],
    ["no task", sent({ task: "process.exit()" })],
    ["a task with plugins", sent({ task: { ...task, plugins: [{ path: "/x.mjs", sha256: "0" }] } })],
    ['a task with "run"', sent({ task: { ...task, run: "x" } })],
    ["invalid seed", sent({ task: { ...task, seed: "1" } })],
    ["invalid trials", sent({ task: { ...task, count: 0 } })],
    ["invalid trials", sent({ task: { ...task, count: 1e300 } })],
    ["invalid configurations", sent({ task: { ...task, configs: [] } })],
    ["invalid configuration", sent({ task: { ...task, configs: [{ ...smallConfig(), engine: 1 }] } })],
    ["invalid windows", sent({ task: { ...task, windows: [5, 2] } })],
    ["invalid windows", sent({ task: { ...task, windows: [null] } })],
    ...[
      [{}],
      [{ kind: "tail", time: "speed", seconds: 1, orEqual: true }],
      [{ kind: "tail", time: "ttft", seconds: -1, orEqual: true }],
      [{ kind: "tail", time: "ttft", seconds: 1, orEqual: true, more: 1 }],
      [{ kind: "percentile", time: "ttft", percent: 100 }],
      new Array(1001).fill({ kind: "percentile", time: "ttft", percent: 1 }),
      "ttft",
    ].map((measures): [string, unknown] => ["invalid measures", sent({ task: { ...task, measures } })]),
    ["invalid verify", sent({ task: { ...task, verify: 1 } })],
    ["invalid batches", sent({ task: { kind: "stability", seed: 1, config: smallConfig(), trial: 1 } })],
    [
      "what is no plain data",
      JSON.parse(
        JSON.stringify(job).replace('"kMs"', '"__proto__"').replace('"cMs":10', '"__proto__":{"x":1}'),
      ),
    ],
  ])("is refused: %s", (reason, data) => {
    expect(read(data, "any")).toContain(`refused: ${reason}`);
  });

  test("is refused under the id of another", () => {
    expect(read(sent(), jobId({ ...job, traces: parcelsOf(traces).map(({ name }) => name) }))).toBe(
      "refused: a shard under the id of another",
    );
  });

  test("is never made of what JSON would change", () => {
    expect(() => jobOf({ ...task, windows: [Infinity] }, [], mine)).toThrow(/no queue can carry/);
  });
});

describe("a result", () => {
  const values = Float64Array.from({ length: 4 * 71 }, (_, i) => (i % 7 === 0 ? NaN : i / 3));
  const stability = { kind: "stability", batches: 94, seed: 1 } as never;

  test("comes through the queue bit for bit", () => {
    expect(readResult(JSON.parse(JSON.stringify(resultOf(values))), stability)).toEqual(values);
  });

  test.each([
    ["no result", null],
    ["no result", { value: 1 }],
    ["no result", { plan: ["x", "1", "y"] }],
    ["its checksum is another", { ...resultOf(values), crc32: 1 }],
    ["8 bytes, expected 2272", resultOf(Float64Array.of(1))],
    ["expected 2272", { ...resultOf(values), values: `${"AAAA".repeat(700)}!` }],
  ])("is refused: %s", (reason, data) => {
    expect(() => readResult(data, stability)).toThrow(QueueFault);
    expect(() => readResult(data, stability)).toThrow(reason);
  });

  test("has no way to a terminal's commands", () => {
    expect(errorOf(() => readResult({ error: "a\u001b[31mb" }, task))).toBe(
      "a worker failed at a shard: a [31mb (a worker without a name)",
    );
  });

  test("that is an error is a fault of the queue, whoever wrote it: exit 2, without a stack", () => {
    let told = "";
    const fault = (data: object): unknown => {
      try {
        return readResult(data, task);
      } catch (error) {
        return error;
      }
    };
    const code = report(
      fault({ error: "Array buffer allocation failed", by: "host/7" }),
      { write: (text) => void (told += text) },
      "llmsim run",
    );
    expect([code, told]).toEqual([
      2,
      "error: a worker failed at a shard: Array buffer allocation failed (host/7)\n",
    ]);
  });
});

test("a trace comes through the queue as it was, under the hash of its bytes", () => {
  const full = { ...traces[0]!, arrivedAt: null, priority: Int32Array.from(traces[0]!.outputTokens) };
  const parcels = parcelsOf([traces[0]!, full]);
  parcels.forEach(({ name, bytes }, i) => expect(readTrace(name.key, bytes)).toEqual([traces[0], full][i]));
  expect(parcels[0]!.name.sha256).not.toBe(parcels[1]!.name.sha256);
  expect(errorOf(() => readTrace("x", parcels[0]!.bytes.subarray(0, -4)))).toContain("another form");
});

test("an address: what is taken, and what is not", () => {
  expect(parseRedisUrl("redis://h")).toEqual({ host: "h", port: 6379, db: 0 });
  expect(parseRedisUrl("rediss://u:p%40@[::1]:7/3")).toEqual({
    ...{ host: "::1", port: 7, db: 3, username: "u", password: "p@", tls: {} },
  });
  for (const text of [
    "",
    "h:1",
    "http://h",
    "redis://",
    "redis://h/x",
    "redis://h?a=1",
    "redis://%@h",
    "redis://h:x",
  ])
    expect(parseRedisUrl(text), text).toBeUndefined();
});

test("missing packages: a ConfigError that says what to install", async () => {
  const bullmq = (): Promise<never> => import("no-such-package" as string) as Promise<never>;
  await expect(loadPackages({ ...PACKAGES, bullmq })).rejects.toThrow(ConfigError);
  await expect(loadPackages({ ...PACKAGES, bullmq })).rejects.toThrow(
    "npm install bullmq@6.7.0 ioredis@6.0.0",
  );
});

test("no Redis: a QueueFault, and no waiting for one", async () => {
  const asked = submitter({ redis: { host: "127.0.0.1", port: 1, db: 0 }, version });
  await expect(asked).rejects.toThrow(QueueFault);
  await expect(asked).rejects.toThrow("connection refused");
});

describe.skipIf(noRedis !== undefined)(`with a Redis (${noRedis ?? "here"})`, () => {
  let redis: RedisServer;
  let executor: Executor;
  let stopWorker: () => Promise<number>;
  const said: string[] = [];
  const work = (changes: Partial<WorkerOptions> = {}): (() => Promise<number>) => {
    const stop = new AbortController();
    const tell = (line: string): void => void said.push(line);
    const options = { redis: redis.address, version, threads: 2, signal: stop.signal, tell };
    const worker = serve({ ...options, locks: { lockDuration: 1000, stalledInterval: 500 }, ...changes });
    return () => {
      stop.abort();
      return worker;
    };
  };
  const submit = (changes: object = {}): Promise<Executor> =>
    submitter({ redis: redis.address, version, lookSeconds: 0.5, ...changes });

  beforeAll(async () => {
    redis = await startRedis();
    stopWorker = work();
    executor = await submit();
  });
  afterAll(async () => {
    await executor.close();
    await stopWorker();
    await redis.stop();
  });

  executorContract("over a queue", () => executor);

  test("recorded traces travel with the jobs, and are sent again when they are gone", async () => {
    const registry = withTraces(traces);
    const lengths = (column: string): never => ({ kind: "trace", data: "shared", column }) as never;
    const config = complete(
      {
        ...smallConfig(),
        workload: {
          arrivals: { kind: "trace", data: "shared", speedup: 1, blockSeconds: 3 },
          promptTokens: lengths("prompt"),
          outputTokens: lengths("output"),
        },
        horizon: { tmaxSeconds: 40 },
      },
      registry,
    );
    const request = { label: "traces", configs: [config], seed: 4, trials: 3, windows: [10, 40] };
    const expected = await runner(inProcess(registry), silent, { registry }).run(request);
    const sending = await submit({ traces });
    onTestFinished(() => sending.close());
    expect(difference(await runner(sending, silent, { registry }).run(request), expected)).toBeUndefined();

    // Others under the same key; and then a worker that has not seen them, and a Redis that has forgotten them.
    const other = {
      ...traces[0]!,
      promptTokens: Int32Array.from(traces[0]!.outputTokens, (n) => n + 1),
    };
    const again = await submit({ traces: [other] });
    onTestFinished(() => again.close());
    const { name } = parcelsOf([other])[0]!;
    const { ioredis } = await loadPackages();
    const client = new ioredis.Redis(redis.address);
    onTestFinished(() => client.disconnect());
    const changed = withTraces([other]);
    const first = runner(again, silent, { registry: changed });
    await first.run({ ...request, trials: 1, configs: [smallConfig()] }); // deposits them; the pool has them now
    await client.del(`llmsim:trace:${name.sha256}`);
    await stopWorker();
    stopWorker = work(); // one that has to fetch them
    const wanted = await runner(inProcess(changed), silent, { registry: changed }).run(request);
    expect(difference(await first.run(request), wanted)).toBeUndefined();
  });

  test("while a shard runs the worker's own thread has turns for its locks", async () => {
    const configs = [smallConfig({ horizon: { tmaxSeconds: 3000 } })];
    let turns = 0;
    const turn = (): void => void (turns++, (next = setImmediate(turn)));
    let next = setImmediate(turn);
    onTestFinished(() => clearImmediate(next));
    /** Turns of this thread, which is the worker's, between a shard's begin and its end. */
    const during: number[] = [];
    const own = Reflect.get(Piscina.prototype, "run") as Piscina["run"];
    const spy = vi.spyOn(Piscina.prototype, "run").mockImplementation(async function (
      this: Piscina,
      ...given
    ) {
      const before = turns;
      const answer: unknown = await own.apply(this, given);
      during.push(turns - before);
      return answer;
    });
    onTestFinished(() => spy.mockRestore());
    await executor.run({ ...task, configs, windows: [] });
    // Who simulates by himself has none. On a machine without time for the locks a job may be run once more.
    expect(during.length).toBeGreaterThan(0);
    expect(Math.min(...during)).toBeGreaterThan(0);
  });

  test("plugins are refused: they are files of another machine", async () => {
    const plugins = [{ path: "/x.mjs", sha256: "0" }];
    await expect(executor.run({ ...task, plugins })).rejects.toThrow(ConfigError);
  });

  test("two runs that ask for the same share its jobs", async () => {
    const request = { ...manyShards, seed: 99, label: "shared" };
    const expected = await runner(inProcess(), silent).run(request);
    const ran: number[] = [];
    const makePool: NonNullable<WorkerOptions["makePool"]> = () => {
      const inner = inProcess();
      return { ...inner, run: (one) => (ran.push(1), inner.run(one)) };
    };
    const stop = work({ version: "9.9.9", makePool });
    const [a, b] = await Promise.all([submit({ version: "9.9.9" }), submit({ version: "9.9.9" })]);
    onTestFinished(async () => void (await Promise.all([a.close(), b.close(), stop()])));
    const both = await Promise.all([a, b].map((one) => runner(one, silent).run(request)));
    for (const records of both) expect(difference(records, expected)).toBeUndefined();
    expect(ran.length).toBe(shardsOf(request, {}, builtIn, queueGrain).length);
    // Who asks later is answered from what is there.
    const later = await submit({ version: "9.9.9" });
    onTestFinished(() => later.close());
    expect(difference(await runner(later, silent).run(request), expected)).toBeUndefined();
    expect(ran.length).toBe(shardsOf(request, {}, builtIn, queueGrain).length);
  });

  test("a worker with other code is named on both sides, and does nothing", async () => {
    const other = "0".repeat(64);
    const stop = work({ core: other });
    const lines: string[] = [];
    const stopped = new AbortController();
    const lonely = await submit({
      ...{ version: "1.0.0", patienceSeconds: 1, signal: stopped.signal },
      tell: (line: string) => lines.push(line),
    });
    const asked = lonely.run(task);
    asked.catch(() => {});
    await expect.poll(() => lines.join()).toMatch(/^waiting for a worker: llmsim worker --redis \.\.\.; /);
    expect(lines[0]).toContain(`not fit for this run (llmsim 1.0.0, core ${mine.core.slice(0, 8)}): `);
    expect(lines[0]).toContain("llmsim 1.2.3, core 00000000");
    const stopLate = work({ core: "1".repeat(64) });
    const refused = `refused: a run of llmsim 1.0.0, core ${mine.core.slice(0, 8)}; this worker is llmsim 1.2.3, core 11111111`;
    await expect.poll(() => said).toContain(refused);
    stopped.abort(new Interrupted("SIGINT"));
    await expect(asked).rejects.toThrow(Interrupted);
    await lonely.close();
    expect(await stop()).toBe(0);
    expect(await stopLate()).toBe(0);
  });

  test("a worker to which no shard comes says what it waits for; who is in another database is not there", async () => {
    const insisted: string[] = [];
    const told: string[] = [];
    const stop = work({
      ...{ redis: { ...redis.address, db: 3 }, lookMs: 50 },
      tell: (line) => void told.push(line),
      insist: (line) => void insisted.push(line),
    });
    await expect.poll(() => insisted).toHaveLength(1);
    expect(insisted[0]).toMatch(
      /^waiting for a run of llmsim 1\.2\.3, core \w{8}: llmsim \.\.\. --executor bullmq/,
    );
    const lines: string[] = [];
    const stopped = new AbortController();
    const lonely = await submit({
      ...{ redis: { ...redis.address, db: 4 }, patienceSeconds: 0.2, signal: stopped.signal },
      tell: (line: string) => lines.push(line),
    });
    const asked = lonely.run(task);
    asked.catch(() => {});
    await expect
      .poll(() => lines, { timeout: 8000 })
      .toEqual(["waiting for a worker: llmsim worker --redis ..."]);
    stopped.abort(new Interrupted("SIGINT"));
    await lonely.close();
    expect(await stop()).toBe(0);
    expect(insisted).toHaveLength(1);
    expect(told).not.toContain(insisted[0]);
  });

  test("a job that is none is refused by the worker, said, and never run", async () => {
    const { port } = redis.address;
    const queue = new Queue(queueName(mine), { connection: { port } });
    onTestFinished(() => queue.close());
    const forged = jobOf({ ...task, seed: 77 }, [], { ...mine, core: "f".repeat(64) });
    const id = jobId(jobOf({ ...task, seed: 77 }, [], mine));
    await queue.add("shard", { ...forged, form: 1 }, { jobId: id });
    await expect.poll(() => said.join("\n")).toContain("refused: a shard of llmsim 1.2.3, core ffffffff");
    // Said a moment before the queue knows: who asked within it would hear of this failure.
    await expect.poll(() => queue.getJobState(id)).toBe("failed");
    // The run that asks for the shard under whose id it stood gets its own.
    expect(await executor.run({ ...task, seed: 77 })).toEqual(await inProcess().run({ ...task, seed: 77 }));
  });

  test("a result that is none is an error, not a number", async () => {
    const { bullmq } = await loadPackages();
    const connection = { port: redis.address.port };
    const core = "2".repeat(64);
    const liar = new bullmq.Worker(queueName({ version, core }), async () => ({ values: "AAAA", crc32: 1 }), {
      connection,
    });
    const trusting = await submit({ core });
    onTestFinished(async () => void (await Promise.all([trusting.close(), liar.close()])));
    await expect(trusting.run(task)).rejects.toThrow("a shard came back broken: 3 bytes, expected");
  });
});
