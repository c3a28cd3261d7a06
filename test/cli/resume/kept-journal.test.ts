/**
 * A journal that `--resume` found is removed by success alone: whatever the run ends in, and however soon, nothing that
 * was finished is lost, and what is kept is told.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, vi } from "vitest";
import { ConfigError, InvariantError, PlanError } from "../../../src/core/errors.js";
import type { Task } from "../../../src/core/trial/trial.js";
import { FileError, type FileSystem, nodeFiles } from "../../../src/io/files.js";
import { Disagreement } from "../../../src/run/disagreement.js";
import type { Executor } from "../../../src/run/executor.js";
import { Interrupted } from "../../../src/run/interrupted.js";
import { shardLine } from "../../../src/run/journal.js";
import { QueueFault } from "../../../src/run/queue-fault.js";
import { WorkerFault } from "../../../src/run/worker-fault.js";
import { lasting } from "./lasting.js";
import { contents, llmsim, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));

/** What the next task ends in, if in anything but its values. */
const next = vi.hoisted(() => ({ fault: undefined as ((task: Task) => unknown) | undefined }));
vi.mock("../../../src/run/in-process.js", async (original) => {
  const real = await original<{ inProcess: (...given: never[]) => Executor }>();
  return {
    inProcess: (...given: never[]): Executor => {
      const inner = real.inProcess(...given);
      return {
        ...inner,
        run: (task) => (next.fault ? Promise.reject(next.fault(task) as Error) : inner.run(task)),
      };
    },
  };
});

const COMMAND = "sweep --vary lam=1,2,3,4,5,6 --scheduler hybrid --tmax 50 --ntrials 3 --workers 0 --quiet";

/** A folder with the journal of a run that was stopped after its first shards. */
async function stopped(cwd: string): Promise<{ readonly path: string; readonly bytes: Buffer }> {
  const stop = new AbortController();
  const fs: FileSystem = {
    ...nodeFiles,
    appendTo: (...given) => {
      stop.abort(new Interrupted("SIGINT"));
      return nodeFiles.appendTo(...given);
    },
  };
  expect((await lasting(() => llmsim(COMMAND, { cwd, fs, signal: stop.signal }))).code).toBe(130);
  const name = readdirSync(join(cwd, "data")).find((one) => one.endsWith(".journal"))!;
  const path = join(cwd, "data", name);
  return { path, bytes: readFileSync(path) };
}

/** It is there, begins as it did, and the user knows. */
function expectKept({ path, bytes }: Awaited<ReturnType<typeof stopped>>, stderr: string): void {
  expect(readFileSync(path).subarray(0, bytes.length).equals(bytes)).toBe(true);
  const name = path.slice(path.indexOf("data/"));
  expect(stderr).toMatch(new RegExp(`\\d finished shards are kept in ${name}`));
}

const full = new FileError("write", "x", "no space left on device");
const FAULTS: Readonly<Record<string, (task: Task) => unknown>> = {
  ConfigError: () => new ConfigError([{ key: "bullmq", message: "missing package: bullmq" }]),
  PlanError: () => new PlanError("hybrid", 3, "a rule"),
  InvariantError: () => new InvariantError("a law"),
  Disagreement: (task) => new Disagreement(task, "a (1)", "b (2)"),
  QueueFault: () => new QueueFault("cannot reach redis://…"),
  WorkerFault: (task) => new WorkerFault(task, "exited with code 1", 3),
  FileError: () => full,
  Interrupted: () => new Interrupted("SIGTERM"),
  "an error of nobody's": () => new RangeError("Array buffer allocation failed"),
};

test.for(Object.entries(FAULTS))("a task that ends in %s", async ([, fault], { folder: cwd }) => {
  const journal = await stopped(cwd);
  next.fault = fault;
  const failed = await llmsim(`${COMMAND} --resume`, { cwd }).finally(() => (next.fault = undefined));
  expect(failed.code).toBeGreaterThan(1);
  expectKept(journal, failed.stderr);
  expect(await llmsim(`${COMMAND} --resume`, { cwd })).toMatchObject({ code: 0 });
  expect(Object.keys(contents(cwd)).filter((name) => name.includes(".journal"))).toEqual([]);
});

const failing = (call: "writeAtomic" | "appendTo", part: string): FileSystem => ({
  ...nodeFiles,
  [call]: (path: string, ...rest: never[]) =>
    path.includes(part)
      ? Promise.reject(new FileError("write", path, full.reason))
      : (nodeFiles[call] as (path: string, ...rest: never[]) => Promise<never>)(path, ...rest),
});

test.for([
  ["the disk is still full, for the journal", failing("appendTo", ".journal")],
  ["the disk is still full, for the table", failing("writeAtomic", ".csv")],
  ["the disk is still full, for the picture", failing("writeAtomic", ".png")],
] as const)("%s", async ([, fs], { folder: cwd }) => {
  const journal = await stopped(cwd);
  const failed = await llmsim(`${COMMAND} --resume`, { cwd, fs });
  expect(failed.code).toBe(2);
  expectKept(journal, failed.stderr);
});

test("a folder where the table should go", async ({ folder: cwd }) => {
  const journal = await stopped(cwd);
  const table = join(cwd, "data/sweep_ratePerSecond.csv");
  const while_: FileSystem = {
    ...nodeFiles,
    appendTo: (...given) => {
      mkdirSync(table);
      return nodeFiles.appendTo(...given);
    },
  };
  const failed = await llmsim(`${COMMAND} --resume`, { cwd, fs: while_ });
  expect([failed.code, failed.stderr]).toEqual([2, expect.stringContaining("is a directory")]);
  expectKept(journal, failed.stderr);
  const again = await llmsim(`${COMMAND} --resume`, { cwd });
  expect([again.code, again.stderr]).toEqual([
    2,
    "error: --out-data: cannot write data/sweep_ratePerSecond.csv: is a directory\n",
  ]);
  rmSync(table, { recursive: true });
  expect(await llmsim(`${COMMAND} --resume`, { cwd })).toMatchObject({ code: 0 });
});

test("a record with a right sum and too few values: told with its line, and the sound ones stay", async ({
  folder: cwd,
}) => {
  const journal = await stopped(cwd);
  const lines = journal.bytes.toString("latin1").trimEnd().split("\n");
  const key = lines[1]!.split(" ")[2]!;
  const short = shardLine(key, Float64Array.of(1, 2));
  writeFileSync(journal.path, `${lines[0]}\n${short}${lines.slice(2).join("\n")}\n`);
  const bytes = readFileSync(journal.path);
  const failed = await llmsim(`${COMMAND} --resume`, { cwd });
  expect(failed.code).toBe(2);
  expect(failed.stderr).toMatch(/^error: data\/sweep-\w+\.journal:2: a shard of 2 values, expected \d+ \(/m);
  expectKept({ path: journal.path, bytes }, failed.stderr);
  // As it advises: without that line the shard is simulated again.
  const rest = readFileSync(journal.path, "latin1").split("\n");
  writeFileSync(journal.path, [rest[0], ...rest.slice(2)].join("\n"), "latin1");
  expect(await llmsim(`${COMMAND} --resume`, { cwd })).toMatchObject({ code: 0 });
});

test("the same command without --resume: said in a line, the old journal moved aside, and never over another", async ({
  folder: cwd,
}) => {
  const first = await stopped(cwd);
  const name = first.path.slice(first.path.indexOf("data/"));
  const told = (n: number): string =>
    `${name} is of an earlier run of these settings: moved to ${name}.${n} (under its old name --resume goes on from it)\n`;
  const second = await llmsim(COMMAND, { cwd });
  expect([second.code, second.stderr]).toEqual([0, told(1)]);
  expect(readFileSync(`${first.path}.1`).equals(first.bytes)).toBe(true);
  // A third: two journals aside.
  await stopped(cwd);
  const stop = await stopped(cwd);
  expect(readFileSync(`${first.path}.1`).equals(first.bytes)).toBe(true);
  expect(readdirSync(join(cwd, "data")).filter((one) => one.includes(".journal"))).toEqual(
    [".journal", ".journal.1", ".journal.2"].map((end) => name.slice(5).replace(".journal", end)),
  );
  expect(await llmsim(`${COMMAND} --resume`, { cwd })).toMatchObject({ code: 0 });
  // As it says.
  renameSync(`${stop.path}.1`, stop.path);
  const resumed = await llmsim(`${COMMAND} --resume`, { cwd });
  expect([resumed.code, resumed.stderr]).toEqual([0, expect.stringMatching(/kept [1-9]\d* shards/)]);
});
