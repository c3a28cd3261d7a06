/**
 * Machines that die: workers killed in the middle of their shards, a Redis killed and restarted, one that is cut off.
 * What comes out are the bytes of a run in one process. LLMSIM_LONG=1: 1,000 jobs, 50 kills, 5 restarts.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { stream } from "../../src/core/numbers/random.js";
import type { TrialRecords, TrialRequest } from "../../src/experiments/interface/trials.js";
import type { Executor } from "../../src/run/executor.js";
import { inProcess } from "../../src/run/in-process.js";
import { submitter } from "../../src/run/bullmq/submitter.js";
import { type Progress, runner } from "../../src/run/runner.js";
import { silent } from "../experiments/studies.js";
import { SEED } from "../seed.js";
import { noRedis, type RedisServer, startRedis } from "./redis.js";
import { difference, smallConfig } from "./requests.js";

const isLong = process.env.LLMSIM_LONG === "1";
const [JOBS, KILLS, RESTARTS] = isLong ? [1000, 50, 5] : [50, 2, 1];
const version = "0.0.1";
const WORKER = fileURLToPath(new URL("queue-worker.js", import.meta.url));
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Trials of some ten milliseconds, each a shard. */
const request = (trials: number, seed: number): TrialRequest => ({
  label: "faults",
  seed,
  trials,
  configs: [smallConfig({ horizon: { tmaxSeconds: isLong ? 3100 : 1500 } })],
});

describe.skipIf(noRedis !== undefined)(`machines that die (${noRedis ?? "with a Redis here"})`, () => {
  let redis: RedisServer;
  let core = "";
  const workers = new Set<ChildProcess>();
  /** A worker process, once it takes shards; one that finds no Redis as it starts ends, and is started again. */
  const start = (): Promise<ChildProcess> =>
    new Promise((resolve) => {
      const argv = [WORKER, String(redis.address.port), version, "1"];
      const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "ignore"] });
      workers.add(child);
      child.stdout.once("data", () => resolve(child));
      child.once("exit", (code) => {
        if (workers.delete(child) && code !== 0) resolve(start());
      });
    });
  const kill = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
    if (!workers.delete(child)) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  };
  /** Runs a request over the queue; `meanwhile` sees how many jobs are done. */
  const over = async (
    asked: TrialRequest,
    meanwhile: (done: () => number) => Promise<void>,
  ): Promise<TrialRecords> => {
    let done = 0;
    const progress: Progress = { ...silent, advance: () => void done++ };
    const executor = await submitter({ redis: redis.address, version, core, lookSeconds: 0.5 });
    onTestFinished(() => executor.close());
    const { width } = executor;
    const fine: Executor = {
      width,
      grain: () => 1,
      run: (task) => executor.run(task),
      close: async () => {},
    };
    const [records] = await Promise.all([runner(fine, progress).run(asked), meanwhile(() => done)]);
    expect(done).toBe(asked.trials);
    return records;
  };
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await sleep(10);
  };

  beforeAll(async () => {
    // The workers are compiled: their code is what the run has to ask for.
    const compiled = (await import(new URL("../../dist/run/core-hash.js", import.meta.url).href)) as {
      coreHash: () => string;
    };
    core = compiled.coreHash();
    redis = await startRedis();
    await Promise.all([start(), start()]);
  });
  afterAll(async () => {
    await Promise.all([...workers].map((child) => kill(child, "SIGKILL")));
    await redis.stop();
  });

  test(
    `${JOBS} jobs, ${KILLS} workers killed, ${RESTARTS} restarts of Redis: the bytes of one process`,
    async () => {
      const asked = request(JOBS, 11);
      const expected = await runner(inProcess(), silent).run(asked);
      const random = stream(SEED, 1, "kills");
      const steps = KILLS + RESTARTS;
      const records = await over(asked, async (done) => {
        for (let step = 0; step < steps; step++) {
          await until(() => done() >= Math.floor((JOBS * (step + 0.5)) / (steps + 1)));
          await sleep(random.uniform() * 50); // in the middle of a shard
          if (step % Math.ceil(steps / RESTARTS) === 1) await redis.restart();
          else {
            const [victim] = workers;
            await kill(victim!, "SIGKILL");
            void start();
          }
        }
      });
      expect(difference(records, expected)).toBeUndefined();
    },
    isLong ? 1_200_000 : 300_000,
  );

  test("Redis cut off for longer than a lock lasts: the run goes on, with the same bytes", async () => {
    const asked = request(8, 12);
    const expected = await runner(inProcess(), silent).run(asked);
    const records = await over(asked, async (done) => {
      await until(() => done() >= 2);
      process.kill(redis.pid(), "SIGSTOP");
      await sleep(isLong ? 10_000 : 1300); // a lock lasts a second (queue-worker.js)
      process.kill(redis.pid(), "SIGCONT");
    });
    expect(difference(records, expected)).toBeUndefined();
  });

  test("a Redis that has lost everything is given the rest again", async () => {
    const asked = request(12, 13);
    const expected = await runner(inProcess(), silent).run(asked);
    const { Redis } = await import("ioredis");
    const client = new Redis({ ...redis.address });
    onTestFinished(() => client.disconnect());
    const records = await over(asked, async (done) => {
      await until(() => done() >= 3);
      await client.flushall();
    });
    expect(difference(records, expected)).toBeUndefined();
  });

  test("a worker that is asked to end finishes its shard first: none is done twice", async () => {
    const [child] = workers;
    const ended = new Promise<number | null>((resolve) => child!.once("exit", resolve));
    const asked = request(12, 14);
    const { QueueEvents } = await import("bullmq");
    const { queueName } = await import("../../src/run/bullmq/peers.js");
    const events = new QueueEvents(queueName({ version, core }), { connection: { ...redis.address } });
    const stalled: string[] = [];
    events.on("stalled", ({ jobId }) => stalled.push(jobId));
    onTestFinished(() => events.close());
    await over(asked, async (done) => {
      await until(() => done() >= 4);
      child!.kill("SIGTERM");
      workers.delete(child!);
    });
    expect(await ended).toBe(0);
    expect(stalled).toEqual([]);
  });
});
