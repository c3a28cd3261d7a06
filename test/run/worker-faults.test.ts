/**
 * Threads that exit, run out of memory or hang, for real: tasks of those that died are done by others to the same
 * bytes; a task that kills whoever does it is reported with what befell, and the command ends; one that hangs is the
 * user's to end.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { inProcess } from "../../src/run/in-process.js";
import { threadPool } from "../../src/run/pool.js";
import { Interrupted } from "../../src/run/interrupted.js";
import { runner } from "../../src/run/runner.js";
import { WorkerFault } from "../../src/run/worker-fault.js";
import { until } from "../cli/process/process.js";
import { listing, llmsim } from "../cli/session.js";
import { silent } from "../experiments/studies.js";
import { difference, manyShards, smallConfig } from "./requests.js";

const file = new URL("./faulty-worker.mjs", import.meta.url);
/** Tasks, each of which goes wrong once. */
const LONG = process.env.LLMSIM_LONG === "1";
const FAULTS = LONG ? 200 : 8;
/** As many shards and one more, and none that takes longer than to start a thread. */
const SMALL_SHARDS = manyShards.configs.slice(0, 9);

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "llmsim-"));
  vi.stubEnv("LLMSIM_FAULTS", folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test(`${FAULTS} tasks, each of which kills the first that does it: the same bytes`, async () => {
  const pool = threadPool(2, { file, heapMegabytes: 48 });
  try {
    const befallen = (): string[] => readdirSync(folder);
    const kinds = () => new Set(befallen().map((name) => name.slice(13)));
    for (let seed = 1; befallen().length < FAULTS || kinds().size < 3; seed++) {
      const request = { ...manyShards, configs: LONG ? manyShards.configs : SMALL_SHARDS, seed };
      const records = await runner(pool, silent).run(request);
      expect(difference(records, await runner(inProcess(), silent).run(request))).toBeUndefined();
    }
    expect(kinds().size).toBe(3);
  } finally {
    await pool.close();
  }
}, 600_000);

const TASK = { seed: 9, first: 3, count: 2, configs: [smallConfig()], windows: [], verify: false };

test.each(["hangs", "sleeps"])("a thread that %s ends when the user asks to stop", async (fault) => {
  vi.stubEnv("LLMSIM_FAULT", fault);
  const stop = new AbortController();
  const pool = threadPool(1, { file, signal: stop.signal });
  try {
    const tasks = [1, 2, 3].map((first) => pool.run({ ...TASK, first }));
    const outcomes = Promise.allSettled(tasks);
    await until(() => readdirSync(folder).length > 0);
    stop.abort(new Interrupted("SIGINT"));
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: stop.signal.reason });
    expect(readdirSync(folder)).toHaveLength(1);
  } finally {
    await pool.close();
  }
});

test("a task may take days: nobody gives it up", async () => {
  vi.stubEnv("LLMSIM_FAULT", "waits");
  vi.useFakeTimers({ toFake: ["setTimeout", "setInterval"] });
  const pool = threadPool(1, { file });
  try {
    const values = pool.run(TASK);
    values.catch(() => {});
    for (let day = 1; day <= 7; day++) await vi.advanceTimersByTimeAsync(24 * 3_600_000);
    vi.useRealTimers();
    await until(() => readdirSync(folder).length > 0);
    writeFileSync(join(folder, "go on"), "");
    expect(await values).toEqual(await inProcess().run(TASK));
  } finally {
    vi.useRealTimers();
    await pool.close();
  }
});

describe("threads that cannot start: the reason, for those who wait, too", () => {
  test.each([
    ["no file", "none.mjs", "", /^no thread can be started: Cannot find module .*none\.mjs/],
    [
      "a file that is not whole",
      "half.cjs",
      'module.exports = import("./other.js");',
      /^no thread .* module .*other\.js/,
    ],
    ["one that ends", "ends.mjs", "process.exit(3);", /^no thread can be started: /],
  ])("%s", async (_, name, code, message) => {
    if (code !== "") writeFileSync(join(folder, name), code);
    const pool = threadPool(2, { file: pathToFileURL(join(folder, name)) });
    try {
      const tasks = await Promise.allSettled([1, 2, 3, 4, 5].map((first) => pool.run({ ...TASK, first })));
      for (const outcome of tasks)
        expect(outcome).toMatchObject({
          reason: { name: "MachineFault", message: expect.stringMatching(message) },
        });
    } finally {
      await pool.close();
    }
  });
});

describe("a task that kills whoever does it", () => {
  test.each([
    ["exits", /^a worker exited with code 7, 3 times over: trials 3 to 4 of hybrid, seed 9$/],
    ["exits quietly", /^a worker exited with code 0, 3 times over/],
    ["runs out of memory", /^a worker ran out of memory, 3 times over/],
  ])("%s", { timeout: 60_000 }, async (fault, message) => {
    vi.stubEnv("LLMSIM_FAULT_ALWAYS", fault);
    const pool = threadPool(1, { file, heapMegabytes: 32 });
    try {
      const error: unknown = await pool.run(TASK).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(WorkerFault);
      expect((error as Error).message).toMatch(message);
    } finally {
      await pool.close();
    }
  });

  test("on the command line: a plugin that ends its thread is its user's to mend, exit 2, nothing written", async () => {
    const plugin = `export default { name: "own", create: () => ({ compose: () => process.exit(7) }) };\n`;
    writeFileSync(join(folder, "own.mjs"), plugin);
    const command = "run --plugin own.mjs --scheduler own --tmax 20 --ntrials 2 --quiet";
    const { code, stdout, stderr } = await llmsim(`${command} --workers 1`, { cwd: folder });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^error: plugin own\.mjs: .*called process\.exit\(7\)/);
    expect(listing(folder)).toEqual(["own.mjs"]);
  });
});
