/**
 * A run that is killed at any step and resumed ends in the same bytes, and loses at most what was running; what
 * cannot be resumed is refused with the reason (RELIABILITY.md). LLMSIM_LONG=1 kills 1,000 times.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect } from "vitest";
import { stream } from "../../src/core/random.js";
import { SEED } from "../seed.js";
import { contents, llmsim, test } from "./session.js";

const KILLS = process.env.LLMSIM_LONG === "1" ? 1000 : 20;
const BIN = new URL("../../bin/llmsim.js", import.meta.url).pathname;
const AT_STEP = new URL("at-step.mjs", import.meta.url).href;
/** A shard each of forty loads, and one picture. */
const MODEL = "sweep --vary lam=0.1:4:0.1 --scheduler hybrid --tmax 300 --ntrials 6 --quiet --seed 4";
const SWEEP = `${MODEL} --workers 0`;
const LONGER = SWEEP.replace("--ntrials 6", "--ntrials 400");
/** What it does on the disk, about. */
const STEPS = 65;

/** The command as a process, which is killed at this step (at-step.mjs) unless it ends before. */
function run(args: string, cwd: string, step = ""): Promise<number | null> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, LLMSIM_STEP: step };
    const child = spawn(process.execPath, ["--import", AT_STEP, BIN, ...args.split(" ")], {
      ...{ cwd, env },
      stdio: "ignore",
    });
    child.on("exit", (code) => resolve(code));
  });
}
const journalIn = (folder: string): string | undefined =>
  existsSync(join(folder, "data"))
    ? readdirSync(join(folder, "data")).find((name) => name.endsWith(".journal"))
    : undefined;
/** Results are what has its final name: a killed process may leave a file that it was writing beside it. */
const results = (folder: string): string[] =>
  Object.entries(contents(folder))
    .filter(([name]) => !/\.\d+$/.test(name))
    .map(([name, text]) => `${name} ${createHash("sha256").update(text).digest("hex")}`);
const linesOf = (path: string): number => readFileSync(path, "latin1").split("\n").length - 1;

let whole: string[] = [];
beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "llmsim-"));
  expect(await run(SWEEP, folder)).toBe(0);
  whole = results(folder);
  rmSync(folder, { recursive: true });
});

test(
  `killed ${KILLS} times at random steps and resumed: the same bytes`,
  async ({ folder: cwd }) => {
    const random = stream(SEED, 1, "kills");
    const below = (count: number): number => Math.floor(random.uniform() * count);
    let before = 0;
    let resumed = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const journal = journalIn(cwd);
      // A run that came to its end leaves no journal: the next begins anew.
      const flag = journal === undefined ? "" : " --resume";
      if (journal === undefined) before = 0;
      else resumed++;
      // Every fifth kill comes at any step of the run, from its lock to its picture, the rest when it has kept some more.
      const at = kill % 5 === 0 ? `any ${1 + below(STEPS)}` : `append ${1 + below(4)}`;
      const step = `${at} SIGKILL${random.uniform() < 0.5 ? " half" : ""}`;
      // How many threads there were does not matter to who goes on.
      const workers = random.uniform() < 0.15 ? 2 : 0;
      const code = await run(`${MODEL} --workers ${workers}${flag}`, cwd, step);
      if (code === 0) expect(results(cwd)).toEqual(whole);
      else expect(code).toBe(null);
      const now = journalIn(cwd);
      if (now === undefined) continue;
      // Nothing that was finished is lost.
      const lines = linesOf(join(cwd, "data", now));
      expect(lines).toBeGreaterThanOrEqual(code === 0 ? 0 : before);
      before = lines;
    }
    // Whatever is drawn: a journal is left by four of five kills, but for the few runs that came to their end.
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

  expect(await run(`${LONGER}`, cwd, "append 4 SIGKILL")).toBe(null);
  const name = journalIn(cwd)!;
  const other = await llmsim(`${LONGER} --max-tokens 512 --resume`, { cwd });
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
  const damaged = await llmsim(`${LONGER} --resume`, { cwd });
  expect(damaged.code).toBe(2);
  expect(damaged.stderr).toMatch(
    /^(data.*is gone: taken over\n)?error: data\/.*\.journal:2: not a line of a journal/,
  );
});
