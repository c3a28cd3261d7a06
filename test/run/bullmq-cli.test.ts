/** `--executor bullmq` and `llmsim worker` as users type them: the same bytes, the exit codes, and no address in sight. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { contents, llmsim, test } from "../cli/session.js";
import { noRedis, type RedisServer, startRedis } from "./redis.js";

const BIN = fileURLToPath(new URL("../../bin/llmsim.js", import.meta.url));

interface Running {
  readonly child: ChildProcess;
  readonly heard: Promise<unknown>;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** The program as a process: its code is the compiled one, as the worker's is. */
function start(argv: string, cwd: string, env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [BIN, ...argv.split(" ")], {
    cwd,
    env: { ...env, PATH: process.env.PATH },
  });
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (data: Buffer) => (text.stdout += data));
  child.stderr.on("data", (data: Buffer) => (text.stderr += data));
  return {
    child,
    heard: new Promise((resolve) => child.stderr.once("data", resolve)),
    ended: new Promise((resolve) => child.on("close", (code) => resolve({ code, ...text }))),
  };
}

describe("what is refused", () => {
  test.for([
    ["--executor bullmq", "missing value: --redis ("],
    ["--executor bulmq", "invalid --executor: bulmq (one of: threads, bullmq)"],
    ["--executor bullmq --redis http://u:secret@h", "invalid --redis: no address of redis ("],
    ["--executor bullmq --redis redis://h --workers 2", "--workers: does nothing with --executor bullmq"],
    ["--executor bullmq --redis redis://h --plugin x.mjs", "--plugin: not with --executor bullmq"],
    ["--redis redis://h", "--redis: does nothing without --executor bullmq"],
  ])("run %s: %s", async ([flags, reason], { folder: cwd }) => {
    const { code, stderr } = await llmsim(`run ${flags}`, { cwd });
    expect([code, stderr]).toEqual([2, expect.stringContaining(`error: ${reason}`)]);
    expect(stderr).not.toContain("secret");
  });

  test("a worker's flags, all problems at once", async ({ folder: cwd }) => {
    const { code, stderr } = await llmsim("worker --workers 0", { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: missing value: --redis \(.*\nerror: invalid --workers: 0 \(.*\n$/);
    expect((await llmsim("worker --help", { cwd })).stdout).toContain("--redis <url>");
  });

  test("a Redis that is not there: exit 2, a line, without the address", async ({ folder: cwd }) => {
    for (const command of ["run --tmax 5 --ntrials 1 --executor bullmq", "worker"]) {
      const { code, stderr } = await llmsim(`${command} --redis redis://u:secret@127.0.0.1:1`, { cwd });
      expect([code, stderr]).toEqual([
        2,
        "error: cannot reach redis (--redis or LLMSIM_REDIS): connection refused\n",
      ]);
    }
  });
});

describe.skipIf(noRedis !== undefined)(`with a Redis (${noRedis ?? "here"})`, () => {
  let redis: RedisServer;
  let worker: Running;
  const home = mkdtempSync(join(tmpdir(), "llmsim-worker-"));
  beforeAll(async () => {
    redis = await startRedis();
    worker = start("worker --workers 1", home, { LLMSIM_REDIS: redis.url });
    await worker.heard;
  });
  afterAll(async () => {
    worker.child.kill("SIGTERM");
    const { code, stdout, stderr } = await worker.ended;
    await redis.stop();
    rmSync(home, { recursive: true });
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toMatch(
      /^llmsim \S+, core \w{8}: waiting for shards, on 1 thread\n(.*\n)*done: \d+ shards\n$/,
    );
  });

  test("a database that is not there: exit 2, not database 0 without a word", async ({ folder: cwd }) => {
    const url = `${redis.url.replace(/\/\d*$/, "")}/99999`;
    const run = `run --tmax 5 --ntrials 1 --quiet --executor bullmq --redis ${url}`;
    expect(await llmsim(run, { cwd })).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "error: cannot reach redis (--redis or LLMSIM_REDIS): no such database\n",
    });
  });

  test("run and sweep: the bytes of --workers 0, and no address among them", async ({ folder }) => {
    const commands = [
      "run --tmax 100 --ntrials 10 --quiet --json --per-trial",
      "sweep --vary chunk-size=none,16,64 --tmax 100 --ntrials 4 --quiet --json",
    ];
    const folderOf = (command: string, over: string): string => {
      const cwd = join(folder, command.split(" ")[0]!, over);
      mkdirSync(cwd, { recursive: true });
      return cwd;
    };
    // Both at once, as a process waits more than it works.
    const queued = commands.map((command) =>
      start(`${command} --executor bullmq --redis ${redis.url}`, folderOf(command, "the queue")),
    );
    for (const [i, command] of commands.entries()) {
      const seen = [];
      for (const over of ["this process", "the queue"]) {
        const cwd = folderOf(command, over);
        const { code, stdout, stderr } =
          over === "the queue" ? await queued[i]!.ended : await llmsim(`${command} --workers 0`, { cwd });
        expect([code, stderr]).toEqual([0, ""]);
        expect(stdout).not.toContain(redis.url);
        seen.push(JSON.stringify([stdout.replace(/^again: .*$/m, ""), contents(cwd)]));
      }
      expect(seen[1]).toBe(seen[0]);
    }
  });

  test("Ctrl-C: 130, what is finished is kept, and --resume goes on from it", async ({ folder }) => {
    const command = "run --tmax 20000 --ntrials 400 --scheduler hybrid --out-data out --executor bullmq";
    const env = { LLMSIM_REDIS: redis.url };
    const { child, heard, ended } = start(command, folder, env);
    await heard;
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /interrupted: nothing was written; \d+ finished shards are kept in out\/[^]*--resume\n$/,
    );
    const again = start(`${command} --resume`, folder, env);
    await again.heard;
    again.child.kill("SIGINT");
    expect((await again.ended).stderr).toMatch(/^resume: \d+ finished shards in out\//);
  });
});
