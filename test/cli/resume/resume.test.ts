/**
 * A run that is killed at any step and resumed ends in the same bytes, and loses at most what was running; what
 * cannot be resumed is refused with the reason. LLMSIM_LONG=1 kills 1,000 times, over all commands.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { stream } from "../../../src/core/numbers/random.js";
import { SEED } from "../../seed.js";
import { type Case, CASES, prepared } from "../files/every-command.js";
import { contents, llmsim, test } from "../session.js";

const LONG = process.env.LLMSIM_LONG === "1";
const KILLS = LONG ? 1000 : 20;
const BIN = new URL("../../../bin/llmsim.js", import.meta.url).pathname;
const AT_STEP = new URL("at-step.mjs", import.meta.url).href;
/** A run so short that it would keep no journal counts as long. */
const CLOCK = LONG ? [] : ["--import", new URL("../process/minute-clock.mjs", import.meta.url).href];
/** A shard each of forty loads, on a push of fifty that are soon done, and one picture. */
const MODEL = LONG
  ? "sweep --vary lam=0.1:4:0.1 --scheduler hybrid --tmax 300 --ntrials 6 --quiet --seed 4"
  : "sweep --vary lam=0.1:5:0.1 --scheduler hybrid --tmax 50 --ntrials 2 --quiet --seed 4";
const SWEEP = `${MODEL} --workers 0`;
const LONGER = LONG ? SWEEP.replace("--ntrials 6", "--ntrials 400") : SWEEP;

/** What the last process said on stderr. */
let said = "";

/** The command as a process, which is killed at this step (at-step.mjs) unless it ends before. */
function run(args: string, cwd: string, step = "", env: Record<string, string> = {}): Promise<number | null> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...CLOCK, "--import", AT_STEP, BIN, ...args.split(" ")], {
      ...{ cwd, env: { PATH: process.env.PATH, LLMSIM_STEP: step, ...env } },
      stdio: ["ignore", "ignore", "pipe"],
    });
    said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
    child.on("close", (code) => resolve(code));
  });
}
const journalIn = (folder: string): string | undefined =>
  existsSync(join(folder, "data"))
    ? readdirSync(join(folder, "data")).find((name) => name.endsWith(".journal"))
    : undefined;
/** Results are what has its final name: a killed process may leave a file that it was writing beside it. */
const results = (folder: string): string[] =>
  Object.entries(contents(folder))
    .filter(([name]) => !/\.\d+$|\.(journal|lock)$/.test(name))
    .map(([name, text]) => `${name} ${createHash("sha256").update(text).digest("hex")}`);
const linesOf = (path: string): number => readFileSync(path, "latin1").split("\n").length - 1;

/** What is killed: in the long mode every command, with more shards than the other tests give it. */
const KILLED: Readonly<Record<string, Case>> = LONG
  ? {
      ...CASES,
      sweep: { args: MODEL },
      run: { args: "run --tmax 100 --ntrials 400 --requests own.csv --timeline own.json" },
      compare: { args: "compare --scheduler hybrid --tmax 100 --ntrials 200 --with max-tokens=256" },
      "sweep-time": { args: "sweep-time --tmax 100 --ntrials 40 --windows 5" },
      stability: { args: "stability --scheduler hybrid,sarathi --tmax 100 --ntrials 20 --precision 0.1" },
      "sweep-chunk": { args: "sweep-chunk --scheduler hybrid --tmax 100 --ntrials 100 --sizes 64,128,256" },
      hybrid: { args: "hybrid --scenario both --tmax 100 --ntrials 20 --npoints 4 --ratios 0.1:0.9:0.2" },
      // Half an hour for its bytes alone; --quick has its steps.
      reproduce: CASES["reproduce --quick"]!,
    }
  : { sweep: { args: MODEL } };

/** A command that is killed again and again in a folder of its own. */
interface Victim {
  readonly args: string;
  readonly cwd: string;
  /** What a run that nothing befalls leaves, and how often it goes to the disk. */
  readonly whole: readonly string[];
  readonly steps: number;
  /** Lines of the journal that the last kill left. */
  kept: number;
  kills: number;
}

async function victimOf(one: Case): Promise<Victim> {
  const args = `${one.args} --quiet`.replace("--quiet --seed 4 --quiet", "--quiet --seed 4");
  const folders = [mkdtempSync(join(tmpdir(), "llmsim-")), mkdtempSync(join(tmpdir(), "llmsim-"))];
  if (LONG) for (const folder of folders) await prepared(folder, one);
  const [sound, cwd] = folders as [string, string];
  const count = join(sound, "steps.1");
  // `validate` ends with 1 where a check fails; here none does.
  expect(await run(`${args} --workers 0`, sound, "", { LLMSIM_STEPS: count }), args).toBe(0);
  const victim = {
    ...{ args, cwd, whole: results(sound), steps: Number(readFileSync(count, "utf8")) },
    ...{ kept: 0, kills: 0 },
  };
  rmSync(sound, { recursive: true });
  return victim;
}

const victims: Victim[] = [];
beforeAll(async () => {
  for (const one of new Set(Object.values(KILLED))) victims.push(await victimOf(one));
}, 3_600_000);
afterAll(() => {
  for (const { cwd } of victims) rmSync(cwd, { recursive: true });
});

const random = stream(SEED, 1, "kills");
const below = (count: number): number => Math.floor(random.uniform() * count);

/** One more run of the victim, killed at some step unless it ends before. */
async function kill(victim: Victim, anyStep: boolean): Promise<{ killed: boolean; resumed: boolean }> {
  const { args, cwd, whole, steps } = victim;
  const journal = journalIn(cwd);
  // A run that came to its end leaves no journal: the next begins anew.
  const flag = journal === undefined ? "" : " --resume";
  if (journal === undefined) victim.kept = 0;
  const at = anyStep ? `any ${1 + below(steps)}` : `append ${1 + below(4)}`;
  const step = `${at} SIGKILL${random.uniform() < 0.5 ? " half" : ""}`;
  // How many threads there were does not matter to who goes on.
  const workers = random.uniform() < 0.15 ? 2 : 0;
  const code = await run(`${args} --workers ${workers}${flag}`, cwd, step);
  if (code === 0) expect(results(cwd), args).toEqual(whole);
  else expect(code, `${args}, killed at ${step}: ${said}`).toBe(null);
  const now = journalIn(cwd);
  // Nothing that was finished is lost.
  const lines = now === undefined ? 0 : linesOf(join(cwd, "data", now));
  if (now !== undefined) expect(lines, args).toBeGreaterThanOrEqual(code === 0 ? 0 : victim.kept);
  victim.kept = lines;
  if (code === null) victim.kills++;
  return { killed: code === null, resumed: journal !== undefined };
}

test(
  `killed ${KILLS} times at random steps and resumed: the same bytes`,
  async () => {
    let killed = 0;
    let resumed = 0;
    for (let round = 0; killed < KILLS; round++) {
      const victim = victims[round % victims.length]!;
      // Every fifth kill comes at any step of the run, from its lock to its picture, the rest when it has kept some more.
      const isAny = LONG ? victim.steps < 12 || random.uniform() < 0.3 : round % 5 === 0;
      const one = await kill(victim, isAny);
      if (one.killed && ++killed % 100 === 0 && LONG) console.log(`${killed} kills`);
      if (one.resumed) resumed++;
    }
    // Whatever is drawn: of a sweep's journal is left by four of five kills, but for the few runs that came to their end.
    expect(resumed).toBeGreaterThan(KILLS / 4);
    for (const { args, cwd, whole, kills } of victims) {
      if (LONG) console.log(`${kills} kills of ${args}`);
      const last = journalIn(cwd) === undefined ? "" : " --resume";
      expect(await run(`${args} --workers 0${last}`, cwd), args).toBe(0);
      expect(results(cwd), args).toEqual(whole);
    }
  },
  LONG ? 21_600_000 : 600_000,
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
