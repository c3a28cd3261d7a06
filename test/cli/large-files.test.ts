/**
 * What a command keeps or shares may be larger than the longest text (512 MiB): journals and shard files are read and
 * written in pieces. Here no piece may become a text of the whole file; LLMSIM_LONG=1 takes the real size.
 */
import { appendFileSync, closeSync, copyFileSync, openSync, readdirSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, vi } from "vitest";
import { FileError, type FileSystem, nodeFiles } from "../../src/io/files.js";
import { Interrupted } from "../../src/run/interrupted.js";
import { shardLine } from "../../src/run/journal.js";
import { contents, llmsim, type Session, test } from "./session.js";

vi.mock("../../src/io/png.js", () => import("./light-pictures.js"));

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
  expect((await llmsim(command, { cwd, fs, signal: stop.signal })).code).toBe(130);
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

describe.runIf(process.env.LLMSIM_LONG === "1")("of 600 MiB", () => {
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
