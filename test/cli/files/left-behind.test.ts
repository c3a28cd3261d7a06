/** What a killed run has left goes with the next one in its folder: half-written copies, claims, marks; nothing else. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { takeLock } from "../../../src/cli/files/lock.js";
import { nodeFiles } from "../../../src/io/files.js";
import { llmsim, test } from "../session.js";

const SWEEP = "sweep --vary lam=1,2 --tmax 20 --ntrials 2 --workers 0 --quiet";
const CSV = "sweep_ratePerSecond.csv";
/** No process has it: the largest there is, on any machine. */
const NOBODY = 2 ** 22 + 1;

test("copies that were half written when a run was killed", async ({ folder: cwd }) => {
  await llmsim(SWEEP, { cwd });
  const data = join(cwd, "data");
  const beside = (name: string): void => writeFileSync(join(data, name), "half");
  const all = [
    `${CSV}.1234567890`,
    `${CSV}.345678`,
    // A user's own, by day, month and second, a file's of nobody's, and one that no run was writing.
    `${CSV}.20261201`,
    `${CSV}.202612`,
    `${CSV}.1764547200`,
    `${CSV}.1`,
    `${CSV}.bak`,
    "notes.csv.1234567890",
  ];
  all.forEach(beside);
  // A run that ended whole left nothing: nobody looks.
  await llmsim(`${SWEEP} --seed 2`, { cwd });
  expect(readdirSync(data)).toEqual(expect.arrayContaining(all));
  // As a kill in the middle leaves the record.
  const record = join(data, ".llmsim.json");
  const torn = readFileSync(record, "utf8").replace(/("sha256": )"[0-9a-f]{64}"/, "$1null");
  expect(torn).toContain('"sha256": null');
  writeFileSync(record, torn);
  expect((await llmsim(`${SWEEP} --seed 3`, { cwd })).code).toBe(0);
  const left = readdirSync(data);
  expect(left).toEqual(expect.arrayContaining(all.slice(2)));
  expect(left).not.toContain(all[0]);
  expect(left).not.toContain(all[1]);
});

test("claims and marks of processes that are gone, not of those that live or may", async ({
  folder: cwd,
}) => {
  const path = join(cwd, "a.lock");
  const owner = (pid: number, host = hostname()): string =>
    JSON.stringify({ pid, host, since: new Date().toISOString(), id: String(pid) + host });
  const gone = [`${path}.41943050`, `${path}.0123456789abcdef`];
  const kept = [`${path}.${process.ppid}1`, `${path}.71`, `${path}.note`, join(cwd, "b.lock.1")];
  for (const file of gone) writeFileSync(file, owner(NOBODY));
  writeFileSync(kept[0]!, owner(process.ppid));
  writeFileSync(kept[1]!, owner(NOBODY, "another-machine"));
  writeFileSync(kept[2]!, "of a user");
  writeFileSync(kept[3]!, owner(NOBODY));
  const lock = await takeLock(path, "a.lock", nodeFiles, () => {});
  expect(gone.filter(existsSync)).toEqual([]);
  expect(kept.filter(existsSync)).toEqual(kept);
  await lock.release();
  expect(existsSync(path)).toBe(false);
});
