/**
 * One run of the same settings in a folder at a time: the lock beside its journal. LLMSIM_LONG=1: both
 * ways to meet at every call of the one that takes it, on a push one of them at each.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { dropLocks, takeLock } from "../../../src/cli/files/lock.js";
import { beginningOf } from "../../../src/cli/process/process-start.js";
import { type FileSystem, nodeFiles } from "../../../src/io/files.js";
import { Interrupted } from "../../../src/run/interrupted.js";
import { lasting } from "../resume/lasting.js";
import { start, until } from "../process/process.js";
import { contents, listing, llmsim, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

const LONG = process.env.LLMSIM_LONG === "1";
const BIN = new URL("../../../bin/llmsim.js", import.meta.url).pathname;
const AT_STEP = new URL("../resume/at-step.mjs", import.meta.url).href;
const SWEEP = "sweep --vary lam=1,2,3 --tmax 100 --ntrials 3 --scheduler hybrid --quiet --workers 0";

const fileIn = (folder: string, end: string): string | undefined =>
  existsSync(join(folder, "data"))
    ? readdirSync(join(folder, "data")).find((name) => name.endsWith(end))
    : undefined;
const lockIn = (folder: string): string | undefined => fileIn(folder, ".lock");

/** A process that runs the sweep and stops when it has something to keep, so after it has taken the lock. */
async function started(cwd: string) {
  const child = spawn(process.execPath, ["--import", AT_STEP, BIN, ...SWEEP.split(" ")], {
    ...{ cwd, env: { PATH: process.env.PATH, LLMSIM_STEP: "append 1 SIGSTOP" } },
    stdio: "ignore",
  });
  const over = new Promise((resolve) => child.on("exit", resolve));
  // Nothing changes there any more once the journal has its name.
  while (fileIn(cwd, ".journal") === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
  const name = `data/${lockIn(cwd)}`;
  return { pid: child.pid!, name, path: join(cwd, name), kill: () => (child.kill("SIGKILL"), over) };
}

describe("a run", () => {
  test("is refused while another of its settings writes there, and loses nothing of it", async ({
    folder: cwd,
  }) => {
    const other = await started(cwd);
    const before = contents(cwd);
    expect(JSON.parse(readFileSync(other.path, "utf8"))).toMatchObject({ pid: other.pid, host: hostname() });
    const { code, stdout, stderr } = await llmsim(SWEEP, { cwd });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(
      `error: another run of these settings is writing there: ${other.name}: process ${other.pid} on ${hostname()}, since `,
    );
    expect(stderr).toMatch(/\(wait for it, or give another --out-data\)\n$/);
    expect(contents(cwd)).toEqual(before);
    await other.kill();
  });

  test("takes over from one that is gone, says so, and leaves no lock", async ({ folder: cwd }) => {
    const other = await started(cwd);
    await other.kill();
    expect(existsSync(other.path)).toBe(true);
    const { code, stderr } = await llmsim(SWEEP, { cwd });
    expect(code).toBe(0);
    expect(stderr).toContain(`${other.name}: process ${other.pid}, since `);
    expect(stderr).toMatch(/ is gone: taken over\n/);
    expect(lockIn(cwd)).toBe(undefined);
    // Whose writer was killed before it had said who it is; and one of our own number, of an earlier process.
    for (const text of ["", `{"pid":${process.pid},"host":"${hostname()}","since":"before"}`]) {
      writeFileSync(other.path, text);
      expect(await llmsim(SWEEP, { cwd })).toMatchObject({ code: 0 });
      expect(lockIn(cwd)).toBe(undefined);
    }
    // Of another machine nobody knows.
    const elsewhere = '{"pid":1,"host":"elsewhere.example","since":"2026-01-01T00:00:00.000Z"}';
    writeFileSync(other.path, elsewhere);
    const refused = await llmsim(SWEEP, { cwd });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(`give another --out-data, or remove ${other.name} if it is gone)`);
    expect(readFileSync(other.path, "utf8")).toBe(elsewhere);
  });
});

const lockOf = (folder: string): Promise<{ release(): Promise<void> }> =>
  takeLock(join(folder, "lock"), "the lock", nodeFiles, () => {});
const errorOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error as Error).message,
  );
/** What a lock says of its owner. */
const ownerText = (pid: number, more: object = {}): string =>
  JSON.stringify({ pid, host: hostname(), since: "2000-01-01T00:00:00.000Z", ...more });

describe("what stands where the lock should", () => {
  test.for([
    ["link", "ln -s nowhere lock"],
    ["link", "touch other; ln -s other lock"],
    ["folder", "mkdir lock"],
    ["device", "mkfifo lock"],
  ])("a %s is refused, and stays: %s", async ([kind, make], { folder }) => {
    expect((await start("bash", ["-c", make], folder).ended).code).toBe(0);
    const before = listing(folder);
    expect(await errorOf(lockOf(folder))).toBe(
      `the lock is no lock of a run but a ${kind} (remove it, or give another --out-data)`,
    );
    expect(listing(folder)).toEqual(before);
  });
});

describe("the number of a process that has ended is another's by now", () => {
  const other = (): number => start("sleep", ["600"], "/").child.pid!;

  test.skipIf(!beginningOf(process.pid))("told by when that began: taken over", async ({ folder }) => {
    const pid = other();
    const mine = beginningOf(pid)!.mark;
    const [boot, ticks] = mine.split(" ");
    for (const text of [
      ownerText(pid, { began: `${boot} ${Number(ticks) - 1}` }),
      ownerText(pid, { began: `0${boot} ${ticks}` }), // before the machine was started again
      ownerText(pid), // of an earlier version: held since long before that process began
    ]) {
      writeFileSync(join(folder, "lock"), text);
      await (await lockOf(folder)).release();
      expect(listing(folder)).toEqual([]);
    }
    for (const text of [
      ownerText(pid, { began: mine }), // whatever the clock says
      ownerText(pid, { since: "2100-01-01T00:00:00.000Z" }),
      ownerText(pid, { since: "no instant" }),
    ]) {
      writeFileSync(join(folder, "lock"), text);
      expect(await errorOf(lockOf(folder))).toMatch(
        new RegExp(`process ${pid} on .*, or give another --out-data\\)$`),
      );
      expect(readFileSync(join(folder, "lock"), "utf8")).toBe(text);
    }
  });

  test("when a process began: the same each time, and after those before it", () => {
    const own = beginningOf(process.pid);
    if (!own) return;
    expect(beginningOf(process.pid)!.mark).toBe(own.mark);
    expect(beginningOf(other())!.mark).not.toBe(own.mark);
    expect(own.at).toBeGreaterThan(0);
    expect(beginningOf(2 ** 30)).toBe(undefined);
  });
});

test("a lock that another has by now is left alone", async ({ folder }) => {
  const lock = await lockOf(folder);
  expect(await errorOf(lockOf(folder))).toContain(`process ${process.pid} on `);
  rmSync(join(folder, "lock")); // as the hint says
  writeFileSync(join(folder, "lock"), ownerText(1));
  await lock.release();
  dropLocks();
  expect(readFileSync(join(folder, "lock"), "utf8")).toBe(ownerText(1));
  rmSync(join(folder, "lock"));
  await lockOf(folder);
  dropLocks();
  expect(listing(folder)).toEqual([]);
});

describe("two who meet the lock of a process that is gone", () => {
  const CONTENDER = new URL("lock-contender.mjs", import.meta.url).pathname;
  const contend = (folder: string, name: string, pauseAt = 0) =>
    start(process.execPath, [CONTENDER, join(folder, "lock"), name, String(pauseAt)], folder);
  const has = (folder: string, file: string) => (): boolean => existsSync(join(folder, file));
  const put = (folder: string, file: string): void => writeFileSync(join(folder, file), "");
  /** The call, counted from 0, that claims the mark: nothing is written before it. */
  const MARK = 3;
  const goneOwner = async (): Promise<string> => {
    const { child, ended } = start("true", [], "/");
    await ended;
    return ownerText(child.pid!);
  };

  /** The one pauses before its n-th call; meanwhile the other takes the lock, and perhaps is through. */
  async function paused(folder: string, nth: number, isThrough: boolean): Promise<string[] | undefined> {
    mkdirSync(folder);
    writeFileSync(join(folder, "lock"), await goneOwner());
    const slow = contend(folder, "slow", nth);
    await until(() => has(folder, "slow.paused")() || has(folder, "slow.in")());
    if (!has(folder, "slow.paused")()) {
      put(folder, "slow.leave");
      await slow.ended;
      return undefined; // it needs no more calls than that
    }
    const quick = contend(folder, "quick");
    let over = false;
    void quick.ended.then(() => (over = true));
    await until(() => over || has(folder, "quick.in")());
    if (isThrough) put(folder, "quick.leave");
    await until(() => over || !isThrough);
    put(folder, "slow.go");
    put(folder, "slow.leave");
    const told = (await slow.ended).stdout;
    put(folder, "quick.leave");
    return [told, (await quick.ended).stdout];
  }

  test.for([false, true])(
    "one is in at a time, wherever the slow one pauses (the quick one is through: %s)",
    { timeout: 120_000 },
    async (isThrough, { folder }) => {
      let nth = 0;
      for (; ; nth++) {
        // On a push the two ways take turns, call by call; at the mark, which decides, both are tried.
        if (!LONG && nth !== MARK && (nth % 2 === 1) !== isThrough) continue;
        const told = await paused(join(folder, String(nth)), nth + 1, isThrough);
        if (!told) break;
        const [slow, quick] = told;
        const one = isThrough ? ["was in", "was in"] : ["refused", "was in"];
        expect([one, ["was in", "refused"]], `call ${nth + 1}`).toContainEqual([slow, quick]);
        const left = listing(join(folder, String(nth))).filter((file) => /^lock|inside/.test(file));
        expect(left).toEqual([]);
      }
      expect(nth).toBeGreaterThan(5);
    },
  );

  test("who dies between the mark and the lock is taken over as well", async ({ folder }) => {
    /** Dies before its n-th call, or once it is in: then it makes no more than those before. */
    const dies = async (folder: string, name: string, nth: number): Promise<boolean> => {
      const { child, ended } = contend(folder, name, nth);
      await until(() => has(folder, `${name}.paused`)() || has(folder, `${name}.in`)());
      child.kill("SIGKILL");
      await ended;
      rmSync(join(folder, "inside"), { force: true });
      return has(folder, `${name}.paused`)();
    };
    let nth = LONG ? 0 : MARK;
    for (; ; nth++) {
      const here = join(folder, String(nth));
      mkdirSync(here);
      writeFileSync(join(here, "lock"), await goneOwner());
      if (!(await dies(here, "first", nth + 1))) break;
      await dies(here, "second", nth + 1);
      put(here, "third.leave");
      expect((await contend(here, "third").ended).stdout, `call ${nth + 1}`).toBe("was in");
      expect(existsSync(join(here, "lock"))).toBe(false);
    }
    expect(nth).toBeGreaterThan(5);
  }, 120_000);
});

test.skipIf(!existsSync("/proc/self"))(
  "a folder below one that answers that it is not there: exit 2, no endless attempt",
  async ({ folder: cwd }) => {
    const made = await errorOf(nodeFiles.makeDir("/proc/llmsim/data"));
    expect(made).toBe("cannot make /proc/llmsim/data: no such file or directory");
    const { code, stderr } = await llmsim(`${SWEEP} --out-data /proc/llmsim/data`, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*cannot write( to)? \/proc\/llmsim\/data.*\n$/);
  },
);

test("folders are made one in the other, and a file in the way is told", async ({ folder }) => {
  await nodeFiles.makeDir(join(folder, "a", "b", "c"));
  await nodeFiles.makeDir(join(folder, "a", "b"));
  expect(statSync(join(folder, "a", "b", "c")).isDirectory()).toBe(true);
  writeFileSync(join(folder, "a", "file"), "");
  expect(await errorOf(nodeFiles.makeDir(join(folder, "a", "file", "b")))).toMatch(/: not a directory$/);
  expect(await errorOf(nodeFiles.makeDir(join(folder, "a", "file")))).toMatch(/: not a directory$/);
});

test("a resume has the lock before it reads the journal: what another wrote until then is kept", async ({
  folder: cwd,
}) => {
  // So many shards that two runs together do not come to the end, however many are done while one is being stopped.
  const sweep = SWEEP.replace("lam=1,2,3", "lam=0.5:6:0.5");
  /** Stops a run once so many shards are in its journal. */
  const stopped = async (more: string, shards: number): Promise<string> => {
    const stop = new AbortController();
    const fs: FileSystem = {
      ...nodeFiles,
      async appendTo(path, text) {
        const file = await nodeFiles.appendTo(path, text);
        let appended = 0;
        const append = async (lines: Uint8Array): Promise<void> => {
          await file.append(lines);
          if (++appended === shards) stop.abort(new Interrupted("SIGINT"));
        };
        return { ...file, append };
      },
    };
    const run = lasting(() => llmsim(`${sweep}${more}`, { cwd, fs, signal: stop.signal }));
    expect(await run).toMatchObject({ code: 130 });
    const name = readdirSync(join(cwd, "data")).find((file) => file.endsWith(".journal"))!;
    return join(cwd, "data", name);
  };
  const path = await stopped("", 1);
  const early = readFileSync(path);
  await stopped(" --resume", 1);
  const late = readFileSync(path);
  const shardsIn = (journal: Buffer): number => journal.toString("latin1").split("\n").length - 2;
  expect(shardsIn(late)).toBeGreaterThan(shardsIn(early));
  // The other ends between our first look and our lock.
  writeFileSync(path, early);
  const fs: FileSystem = {
    ...nodeFiles,
    claim(lock, text) {
      writeFileSync(path, late);
      return nodeFiles.claim(lock, text);
    },
  };
  const { code, stderr } = await llmsim(`${sweep} --resume`, { cwd, fs });
  expect(code).toBe(0);
  expect(stderr).toContain(`resume: ${shardsIn(late)} finished shards in `);
  expect(stderr).toContain(`resume: kept ${shardsIn(late)} shards, `);

  // A journal that is no use is refused, and leaves no lock.
  writeFileSync(path, "no journal\n\n");
  expect((await llmsim(`${sweep} --resume`, { cwd })).code).toBe(2);
  expect(lockIn(cwd)).toBe(undefined);
});

test("a file is claimed by one only", async ({ folder }) => {
  const path = join(folder, "a", "b");
  const claims = await Promise.all(["1", "2", "3"].map((text) => nodeFiles.claim(path, text)));
  expect(claims.filter(Boolean)).toHaveLength(1);
  expect(readFileSync(path, "utf8")).toBe(String(claims.indexOf(true) + 1));
});
