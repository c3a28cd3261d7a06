/**
 * What a command keeps or shares may be larger than the longest text (512 MiB): journals and shard files are read and
 * written in pieces. Here no piece may become a text of the whole file; LLMSIM_LONG=1 takes the real size.
 */
import { execFile } from "node:child_process";
import { appendFileSync, closeSync, copyFileSync, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, vi } from "vitest";
import { main } from "../../../src/cli/main.js";
import { FileError, type FileSystem, nodeFiles } from "../../../src/io/files.js";
import { Interrupted } from "../../../src/run/interrupted.js";
import { shardLine } from "../../../src/run/journal.js";
import { lasting } from "../resume/lasting.js";
import { contents, llmsim, type Session, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

const COMMAND = "sweep --vary lam=1,2,3,4,5,6 --scheduler hybrid --tmax 50 --ntrials 3 --workers 0 --quiet";
const SHARDED = "run --tmax 500 --ntrials 90 --scheduler hybrid --workers 0 --quiet";

/** No journal and no shard file is ever one text: as if each were longer than any. */
const short: FileSystem = {
  ...nodeFiles,
  readText: (path) =>
    /\.journal$|\.shard-/.test(path)
      ? Promise.reject(new FileError("read", path, "not UTF-8 text"))
      : nodeFiles.readText(path),
  writeAtomic: (path, data) =>
    /\.shard-/.test(path) && (typeof data === "string" || data instanceof Uint8Array)
      ? Promise.reject(new RangeError("Cannot create a string longer than 0x1fffffe8 characters"))
      : nodeFiles.writeAtomic(path, data),
};

/** A run that is stopped with its first shards done. @returns its journal */
async function stopped(command: string, cwd: string): Promise<string> {
  const stop = new AbortController();
  const fs: FileSystem = {
    ...nodeFiles,
    appendTo: (...given) => {
      stop.abort(new Interrupted("SIGINT"));
      return nodeFiles.appendTo(...given);
    },
  };
  expect((await lasting(() => llmsim(command, { cwd, fs, signal: stop.signal }))).code).toBe(130);
  return join(
    cwd,
    "data",
    readdirSync(join(cwd, "data")).find((one) => one.endsWith(".journal"))!,
  );
}

/** Both shards, and what they come to together. */
async function merged(cwd: string, fs: FileSystem): Promise<Session> {
  for (const i of [1, 2])
    expect(await llmsim(`${SHARDED} --shard ${i}/2`, { cwd, fs })).toMatchObject({ code: 0 });
  const shards = readdirSync(join(cwd, "data")).map((name) => `data/${name}`);
  return llmsim(["merge", ...shards], { cwd, fs });
}

describe("longer than a text", () => {
  test("a journal is continued", async ({ folder: cwd }) => {
    await stopped(COMMAND, cwd);
    const resumed = await llmsim(`${COMMAND} --resume`, { cwd, fs: short });
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringMatching(/^resume: [\s\S]*kept [1-9]/)]);
  });

  test("shard files are written and merged", async ({ folder: cwd }) => {
    const alone = await llmsim(SHARDED, { cwd });
    expect(await merged(cwd, short)).toMatchObject({ code: 0, stdout: alone.stdout });
  });
});

/** Lengths of what a command writes to stdout and to its files, piece by piece. */
async function pieces(
  argv: string,
  cwd: string,
): Promise<{ stdout: number[]; files: number[]; text: string }> {
  const lengths = { stdout: [] as number[], files: [] as number[], text: "" };
  const fs: FileSystem = {
    ...nodeFiles,
    writeAtomic: async (path, data) => {
      const parts = typeof data === "string" || data instanceof Uint8Array ? [data] : [...data];
      if (!/\.(png|gif)$/.test(path)) lengths.files.push(...parts.map(({ length }) => length));
      return nodeFiles.writeAtomic(path, parts);
    },
  };
  const stdout = {
    write: (text: string) => {
      lengths.stdout.push(text.length);
      lengths.text += text;
    },
  };
  const stderr = { write: () => {} };
  expect(await main(argv.split(" "), { stdout, stderr, env: {}, cwd, fs })).toBe(0);
  return lengths;
}

describe("in pieces, none of them long", () => {
  const LONGEST = 2 ** 18;
  const all = (lengths: readonly number[]): number => lengths.reduce((sum, length) => sum + length, 0);

  test("every trial's values as JSON", async ({ folder: cwd }) => {
    const { stdout, text } = await pieces("run --json --per-trial --tmax 2 --ntrials 700 --workers 0", cwd);
    expect(all(stdout)).toBeGreaterThan(4 * LONGEST);
    expect(Math.max(...stdout)).toBeLessThan(LONGEST);
    expect(JSON.parse(text)).toMatchObject({ command: "run", trials: 700 });
  });

  test("tables, timelines and the data of figures", async ({ folder: cwd }) => {
    const run = await pieces(
      "run --tmax 800 --ntrials 1 --workers 0 --requests r.csv --timeline t.json",
      cwd,
    );
    expect(all(run.files)).toBeGreaterThan(4 * LONGEST);
    expect(Math.max(...run.files)).toBeLessThan(LONGEST);
    const sweep = await pieces("sweep-time --windows 200 --tmax 20 --ntrials 2 --workers 0 --quiet", cwd);
    expect(all(sweep.files)).toBeGreaterThan(4 * LONGEST);
    expect(Math.max(...sweep.files)).toBeLessThan(LONGEST);
  });

  test("a page that would be too long is refused before anything is simulated", async ({ folder: cwd }) => {
    const { code, stderr } = await llmsim("explore --ntrials 900000 --tmax 1", { cwd });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^error: invalid trials: 900000 \(at most \d+: the page holds every trial's values\)\n$/,
      ),
    ]);
  });
});

describe.runIf(process.env.LLMSIM_LONG === "1")("of 600 MiB", () => {
  const LLMSIM = `${process.execPath} ${fileURLToPath(new URL("../../../bin/llmsim.js", import.meta.url))}`;
  const LENGTH = 600 * 2 ** 20;

  test("a journal is continued, to the same bytes", async ({ folder: cwd }) => {
    expect((await llmsim(COMMAND, { cwd })).code).toBe(0);
    const whole = contents(cwd);
    const path = await stopped(COMMAND, cwd);
    const file = openSync(path, "a");
    // Finished shards that nobody asks for again.
    const values = Float64Array.from({ length: 700_000 }, (_, i) => i / 3);
    for (let i = 0; statSync(path).size < LENGTH; i++) writeSync(file, shardLine(`none${i}`, values));
    closeSync(file);
    appendFileSync(path, "12 torn");
    const resumed = await llmsim(`${COMMAND} --resume`, { cwd });
    expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringMatching(/the last line was torn/)]);
    expect(contents(cwd)).toEqual(whole);
  }, 600_000);

  test("the file of a shard, and every trial's values as JSON, out and in again", async ({ folder: cwd }) => {
    const command =
      "run --scheduler hybrid --tmax 1 --ntrials 1000000 --workers 2 --quiet --per-trial --json";
    const script = [
      `${LLMSIM} ${command} --shard 1/1`,
      `${LLMSIM} merge data/*.shard-1-of-1 > merged.json`,
      `${LLMSIM} ${command} > alone.json`,
      "cmp merged.json alone.json",
    ].join(" && ");
    await promisify(execFile)("bash", ["-c", script], { cwd });
    for (const name of ["alone.json", "merged.json"])
      expect(statSync(join(cwd, name)).size).toBeGreaterThan(LENGTH);
  }, 1_800_000);

  test("a file that is none of --shard is refused for what it is", async ({ folder: cwd }) => {
    const path = await stopped(COMMAND, cwd);
    copyFileSync(path, join(cwd, "copy"));
    const file = openSync(join(cwd, "copy"), "a");
    const zeros = Buffer.alloc(2 ** 24);
    while (statSync(join(cwd, "copy")).size < LENGTH) writeSync(file, zeros);
    closeSync(file);
    const { code, stderr } = await llmsim("merge copy", { cwd });
    expect([code, stderr]).toEqual([
      2,
      "error: copy: a journal, not a file of --shard (--resume goes on with a journal)\n",
    ]);
  }, 600_000);
});
