/** One run of the same settings in a folder at a time: the lock beside its journal (RELIABILITY.md). */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect } from "vitest";
import { nodeFiles } from "../../src/io/files.js";
import { contents, llmsim, test } from "./session.js";

const BIN = new URL("../../bin/llmsim.js", import.meta.url).pathname;
const AT_STEP = new URL("at-step.mjs", import.meta.url).href;
const SWEEP = "sweep --vary lam=1,2,3 --tmax 200 --ntrials 3 --scheduler hybrid --quiet --workers 0";

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

test("a file is claimed by one only", async ({ folder }) => {
  const path = join(folder, "a", "b");
  const claims = await Promise.all(["1", "2", "3"].map((text) => nodeFiles.claim(path, text)));
  expect(claims.filter(Boolean)).toHaveLength(1);
  expect(readFileSync(path, "utf8")).toBe(String(claims.indexOf(true) + 1));
});
