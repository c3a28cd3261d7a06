/**
 * A run that is killed at any instant and resumed ends in the same bytes, and loses at most what was running; what
 * cannot be resumed is refused with the reason (RELIABILITY.md). LLMSIM_LONG=1 kills 500 times.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect } from "vitest";
import { stream } from "../../src/core/random.js";
import { contents, llmsim, test } from "./session.js";

const KILLS = process.env.LLMSIM_LONG === "1" ? 500 : 20;
const BIN = new URL("../../bin/llmsim.js", import.meta.url).pathname;
/** A shard each of forty loads, some milliseconds apart, and one picture. */
const MODEL = "sweep --vary lam=0.1:4:0.1 --scheduler hybrid --tmax 600 --ntrials 6 --quiet --seed 4";
const SWEEP = `${MODEL} --workers 0`;

/** The command as a process; `when` ends when it is to be killed, unless it ends before. */
function run(args: string, cwd: string, when?: () => Promise<void>): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [BIN, ...args.split(" ")], { cwd, stdio: "ignore" });
    void when?.().then(() => child.kill("SIGKILL"));
    child.on("exit", (code) => resolve(code));
  });
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const journalIn = (folder: string): string | undefined =>
  existsSync(join(folder, "data"))
    ? readdirSync(join(folder, "data")).find((name) => name.endsWith(".journal"))
    : undefined;
/** Results are what has its final name: a killed process may leave a file that it was writing beside it. */
const results = (folder: string): string[] =>
  Object.entries(contents(folder))
    .filter(([name]) => !/\.\d+$/.test(name))
    .map(([name, text]) => `${name} ${createHash("sha256").update(text).digest("hex")}`);
const linesIn = (folder: string): number => {
  const name = journalIn(folder);
  return name === undefined ? 0 : linesOf(join(folder, "data", name));
};
/** A run that comes to its end removes its journal, at any instant: then there are no lines. */
const linesOf = (path: string): number => {
  try {
    return readFileSync(path, "latin1").split("\n").length - 1;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
};

/** Until the journal has more lines than that. */
const moreThan = (cwd: string, lines: number) => async (): Promise<void> => {
  while (linesIn(cwd) <= lines) await sleep(20);
};

let whole: string[] = [];
let takes = 0;
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-"));
  const startedAt = Date.now();
  expect(await run(SWEEP, folder)).toBe(0);
  takes = Date.now() - startedAt;
  whole = results(folder);
  rmSync(folder, { recursive: true });
}, 60_000);

test(
  `killed ${KILLS} times at random instants and resumed: the same bytes`,
  async ({ folder: cwd }) => {
    const random = stream(1, 1, "kills");
    let before = 0;
    let resumed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const journal = journalIn(cwd);
      // A run that came to its end leaves no journal: the next begins anew.
      const flag = journal === undefined ? "" : " --resume";
      if (journal === undefined) before = 0;
      else resumed++;
      // Every fifth kill comes at any instant of the run, from its start to its picture, the rest soon after it has kept
      // something more.
      const deadline = Date.now() + takes;
      const atAny = kill % 5 === 0;
      const wait = random.uniform() * takes * (atAny ? 1 : 0.03);
      const kept = async (): Promise<void> => {
        while (!atAny && linesIn(cwd) <= before + 1 && Date.now() < deadline) await sleep(5);
        await sleep(wait);
      };
      // How many threads there were does not matter to who goes on.
      const workers = random.uniform() < 0.15 ? 2 : 0;
      const code = await run(`${MODEL} --workers ${workers}${flag}`, cwd, kept);
      if (code === 0) expect(results(cwd)).toEqual(whole);
      else expect(code).toBe(null);
      const now = journalIn(cwd);
      if (now === undefined) continue;
      // Nothing that was finished is lost.
      const lines = linesOf(join(cwd, "data", now));
      expect(lines).toBeGreaterThanOrEqual(code === 0 ? 0 : before);
      before = lines;
    }
    expect(resumed).toBeGreaterThan(KILLS / 4);
    const last = journalIn(cwd) === undefined ? "" : " --resume";
    expect(await run(SWEEP + last, cwd)).toBe(0);
    expect(results(cwd)).toEqual(whole);
  },
  KILLS > 20 ? 3_600_000 : 600_000,
);

const SMALL = "sweep-time --scheduler hybrid --windows 2 --tmax 30 --ntrials 3 --workers 0 --quiet";

test("a resume that finds nothing, or another run, is refused with the reason", async ({ folder: cwd }) => {
  const nothing = await llmsim(`${SMALL} --resume`, { cwd });
  expect(nothing).toMatchObject({ code: 2, stdout: "" });
  expect(nothing.stderr).toBe("error: --resume: nothing to continue: no sweep-time journal in data\n");

  expect(await run(`${SWEEP} --ntrials 400`, cwd, moreThan(cwd, 3))).toBe(null);
  const name = journalIn(cwd)!;
  const other = await llmsim(`${SWEEP} --ntrials 400 --max-tokens 512 --resume`, { cwd });
  expect(other.code).toBe(2);
  // Under test the code is not the compiled one, which made the journal: that is told too.
  expect(other.stderr).toBe(
    `error: --resume: data/${name} is of another run: config.engine.maxTokens: 2048 → 512; the simulator's code is another\n`,
  );
  // Damaged in its middle, it is no more to be trusted.
  const path = join(cwd, "data", name);
  const lines = readFileSync(path, "latin1").split("\n");
  lines[1] = lines[1]!.replace(/.$/, "#");
  writeFileSync(path, lines.join("\n"), "latin1");
  const damaged = await llmsim(`${SWEEP} --ntrials 400 --resume`, { cwd });
  expect(damaged.code).toBe(2);
  expect(damaged.stderr).toMatch(
    /^(data.*is gone: taken over\n)?error: data\/.*\.journal:2: not a line of a journal/,
  );
}, 60_000);
