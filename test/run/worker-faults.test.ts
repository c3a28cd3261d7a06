/**
 * Threads that exit, run out of memory or hang, for real: their tasks are done by others to the same bytes; a task
 * that kills whoever does it is reported with what befell, and the command ends.
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { inProcess } from "../../src/run/in-process.js";
import { threadPool } from "../../src/run/pool.js";
import { runner } from "../../src/run/runner.js";
import { WorkerFault } from "../../src/run/worker-fault.js";
import { listing, llmsim } from "../cli/session.js";
import { silent } from "../experiments/studies.js";
import { difference, manyShards, smallConfig } from "./requests.js";

const file = new URL("./faulty-worker.mjs", import.meta.url);
/** Tasks, each of which goes wrong once. */
const FAULTS = process.env.LLMSIM_LONG === "1" ? 200 : 8;

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
    for (let seed = 1; befallen().length < FAULTS; seed++) {
      const request = { ...manyShards, seed };
      const records = await runner(pool, silent).run(request);
      expect(difference(records, await runner(inProcess(), silent).run(request))).toBeUndefined();
    }
    expect(new Set(befallen().map((name) => name.slice(13))).size).toBe(3);
  } finally {
    await pool.close();
  }
}, 600_000);

test("a thread that hangs: its task is done by another once its time is up", async () => {
  vi.stubEnv("LLMSIM_FAULT", "hangs");
  const pool = threadPool(1, { file, timeLimitSeconds: 2 });
  const task = { seed: 9, first: 3, count: 2, configs: [smallConfig()], windows: [], verify: false };
  try {
    const startedAt = performance.now();
    expect(await pool.run(task)).toEqual(await inProcess().run(task));
    expect(performance.now() - startedAt).toBeGreaterThan(1990); // a lower bound: its time was up first
    expect(readdirSync(folder)).toHaveLength(1);
  } finally {
    await pool.close();
  }
});

describe("a task that kills whoever does it", () => {
  test.each([
    ["exits", /^a worker exited with code 7, 3 times over: trials 3 to 4 of hybrid, seed 9$/],
    ["exits quietly", /^a worker exited with code 0, 3 times over/],
    ["runs out of memory", /^a worker ran out of memory, 3 times over/],
    ["sleeps", /^a worker did not answer within 1 s, 3 times over/],
  ])("%s", async (fault, message) => {
    vi.stubEnv("LLMSIM_FAULT_ALWAYS", fault);
    const pool = threadPool(1, { file, heapMegabytes: 32, timeLimitSeconds: fault === "sleeps" ? 1 : 60 });
    const task = { seed: 9, first: 3, count: 2, configs: [smallConfig()], windows: [], verify: false };
    try {
      const error: unknown = await pool.run(task).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(WorkerFault);
      expect((error as Error).message).toMatch(message);
    } finally {
      await pool.close();
    }
  });

  test("on the command line: what befell, the command that shows it, exit 3, nothing written", async () => {
    const plugin = `export default { name: "own", create: () => ({ compose: () => process.exit(7) }) };\n`;
    writeFileSync(join(folder, "own.mjs"), plugin);
    const command = "run --plugin own.mjs --scheduler own --tmax 20 --ntrials 2 --quiet";
    const { code, stdout, stderr } = await llmsim(`${command} --workers 1`, { cwd: folder });
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toBe(
      `error: a worker exited with code 7, 3 times over: trials 1 to 2 of own, seed 1\nthe command that shows it, in one process:\n  llmsim ${command} --workers 1 --workers 0\n`,
    );
    expect(listing(folder)).toEqual(["own.mjs"]);
  });
});
