/**
 * When the n-th call of the file system fails: exit 2 with path and reason in one line, and every file is either
 * as it was or whole and new. LLMSIM_LONG=1: the first calls of every command.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, vi } from "vitest";
import { FileError, type FileSystem, nodeFiles } from "../../../src/io/files.js";
import { CASES, prepared } from "./every-command.js";
import { contents, listing, llmsim, SMALL, test } from "../session.js";

vi.mock("../../../src/io/png.js", () => import("../output/light-pictures.js"));
vi.mock("../../../src/io/gif.js", () => ({
  renderGif: () => Promise.resolve({ gif: new Uint8Array(1), still: new Uint8Array(1) }),
}));

const LONG = process.env.LLMSIM_LONG === "1";

/** As nodeFiles says ENOSPC, EIO and EACCES. */
const REASONS = ["no space left on device", "input/output error", "permission denied"];

interface Call {
  readonly action: string;
  readonly path: string;
}

/** The machine's file system, of which the n-th call fails; it counts from 1, and 0 never comes. */
function failing(nth: number, reason: string): FileSystem & { readonly calls: Call[] } {
  const calls: Call[] = [];
  const through = async <T>(action: string, path: string, work: () => Promise<T>): Promise<T> => {
    calls.push({ action, path });
    if (calls.length === nth) throw new FileError(action, path, reason);
    return work();
  };
  return {
    calls,
    readText: (path) => through("read", path, () => nodeFiles.readText(path)),
    async *readLines(path) {
      await through("read", path, () => Promise.resolve());
      yield* nodeFiles.readLines(path);
    },
    readBytes: async function* (path) {
      yield* await through("read", path, () => Promise.resolve(nodeFiles.readBytes(path)));
    },
    writeAtomic: (path, data) => through("write", path, () => nodeFiles.writeAtomic(path, data)),
    append: (path, data) => through("write", path, () => nodeFiles.append(path, data)),
    kindOf: (path) => through("read", path, () => nodeFiles.kindOf(path)),
    exists: (path) => through("read", path, () => nodeFiles.exists(path)),
    locate: (path) => through("read", path, () => nodeFiles.locate(path)),
    makeDir: (path) => through("make", path, () => nodeFiles.makeDir(path)),
    appendTo: (path, start) =>
      through("write", path, async () => {
        const file = await nodeFiles.appendTo(path, start);
        return {
          append: (more) => through("write", path, () => file.append(more)),
          // A close that fails gives the file back all the same.
          close: () => through("write", path, () => Promise.resolve()).finally(() => file.close()),
        };
      }),
    claim: (path, text) => through("write", path, () => nodeFiles.claim(path, text)),
    moveAside: (path) => through("move", path, () => nodeFiles.moveAside(path)),
    remove: (path) => through("remove", path, () => nodeFiles.remove(path)),
    list: (path) => through("read", path, () => nodeFiles.list(path)),
    ensureWritable: (cwd, folder) => through("write to", folder, () => nodeFiles.ensureWritable(cwd, folder)),
  };
}

/** Every file, those that say which run wrote what among them. */
const everything = (folder: string): Record<string, string> => ({
  ...contents(folder),
  ...Object.fromEntries(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => basename(name) === ".llmsim.json")
      .map((name) => [name, readFileSync(join(folder, name), "latin1")]),
  ),
});

const COMMANDS = {
  "sweep-time":
    "sweep-time --scheduler hybrid --windows 1 --tmax 20 --ntrials 2 --workers 0 --quiet --config study.yaml",
  run: "run --scheduler hybrid --tmax 20 --ntrials 2 --workers 0 --quiet --scenario mine.yaml --requests rows.csv",
} as const;

const SCENARIO = `workload:
  arrivals: { kind: poisson, ratePerSecond: 3 }
  promptTokens: { kind: fixed, tokens: 30 }
  outputTokens: { kind: fixed, tokens: 30 }
service: { kind: affine, cMs: 10 }
`;

describe.each(Object.entries(COMMANDS))("%s", (_, command) => {
  test("each call, failing, ends the run with path and reason; what was there stays whole", async ({
    folder,
  }) => {
    writeFileSync(join(folder, "study.yaml"), "seed: 3\n");
    writeFileSync(join(folder, "mine.yaml"), SCENARIO);
    // What the second run would write over the first's, and how many calls it takes.
    const run = (seed: number, fs: FileSystem = nodeFiles) =>
      llmsim(`${command} --seed ${seed}`, { cwd: folder, fs });
    expect((await run(1)).code).toBe(0);
    const before = everything(folder);
    const sound = failing(0, "");
    expect((await run(2, sound)).code).toBe(0);
    const after = everything(folder);
    const back = (): void => {
      for (const [file, text] of Object.entries(before)) writeFileSync(join(folder, file), text, "latin1");
    };
    back();
    const outputs = Object.keys(contents(folder)).filter((file) => before[file] !== after[file]);
    expect(outputs.length).toBeGreaterThan(0);
    expect(sound.calls.length).toBeGreaterThan(5);

    let cut = 0;
    const kinds = new Set<string>();
    for (let nth = 1; nth <= sound.calls.length; nth++) {
      const reason = REASONS[nth % REASONS.length]!;
      const fs = failing(nth, reason);
      const { code, stderr } = await run(2, fs);
      const call = sound.calls[nth - 1]!;
      expect(fs.calls.at(nth - 1)).toEqual(call);
      expect(code, `call ${nth}: ${call.action} ${call.path}`).toBe(2);
      expect(stderr).toMatch(/^(replaced .*\n)?error: (--?[\w-]+: |scenario: )?cannot \w+( to)? .*\n$/);
      expect(stderr).toContain(reason);
      // As the user named it, or where it is; of the name under which it would be written first, its own.
      const path = call.path.replace(/\.0123456789$/, "");
      expect(stderr.includes(path) || stderr.includes(path.replace(`${folder}/`, ""))).toBe(true);

      const now = contents(folder);
      // A journal, or a lock, stays where what fails is that itself.
      for (const file of Object.keys(now))
        if (/\.journal$|\.lock$/.test(file)) {
          Reflect.deleteProperty(now, file);
          rmSync(join(folder, file));
        }
      for (const file of Object.keys(now)) expect([before[file], after[file]]).toContain(now[file]);
      const written = sound.calls.slice(0, nth - 1).filter(({ action }) => action === "write");
      const changed = outputs.filter((file) => now[file] === after[file]);
      expect(changed).toEqual(
        outputs.filter((file) => written.some(({ path }) => path === join(folder, file))),
      );
      if (changed.length > 0 && changed.length < outputs.length) cut++;
      // Whatever failed, the record is one, and the next run is not refused: a run more, after one call of each kind.
      const kind = `${call.action} ${basename(call.path).replace(/^[\w-]+/, "")}`;
      if (LONG || !kinds.has(kind) || nth === sound.calls.length) {
        kinds.add(kind);
        const next = await run(2);
        expect([next.code, next.stderr.replace(/^replaced .*\n/, "")]).toEqual([0, ""]);
        expect(everything(folder)).toEqual(after);
      }
      back();
    }
    // The command of several files was cut between them, too.
    expect(cut > 0).toBe(outputs.length > 1);
    expect(everything(folder)).toEqual(before);
  });
});

/** For each command of the long mode: its first calls of the file system. */
const FIRST = 20;

const SOME = LONG ? CASES : { calibrate: CASES.calibrate!, plot: CASES.plot! };

describe.each(Object.entries(SOME))("of every command: %s", (name, one) => {
  test(`each of its first ${FIRST} calls, failing: nothing half, nothing lost, told`, async ({ folder }) => {
    // `reproduce` has the steps of `reproduce --quick`, for minutes.
    if (name === "reproduce") return;
    await prepared(folder, one);
    const run = (fs: FileSystem = nodeFiles) =>
      llmsim(`${one.args} --workers 0 --quiet`, { cwd: folder, fs });
    const before = everything(folder);
    const sound = failing(0, "");
    expect((await run(sound)).code).toBe(0);
    const after = everything(folder);
    expect(Object.keys(after).length).toBeGreaterThan(Object.keys(before).length);
    const back = (): void => {
      for (const file of Object.keys(everything(folder))) rmSync(join(folder, file));
      for (const [file, text] of Object.entries(before)) writeFileSync(join(folder, file), text, "latin1");
    };
    let told = 0;
    for (let nth = 1; nth <= Math.min(FIRST, sound.calls.length); nth++) {
      back();
      const call = sound.calls[nth - 1]!;
      const reason = REASONS[nth % REASONS.length]!;
      const { code, stdout, stderr } = await run(failing(nth, reason));
      const which = `call ${nth}: ${call.action} ${call.path}\n${stderr}`;
      expect([code, stdout], which).toEqual([2, ""]);
      expect(stderr, which).toMatch(/^([\w-]+: .*\n)*error: .*cannot \w+.*\n/);
      expect(stderr, which).toContain(reason);
      const now = contents(folder);
      for (const [file, text] of Object.entries(now))
        if (!/\.(journal|lock)$/.test(file)) expect([before[file], after[file]], which).toContain(text);
      for (const file of Object.keys(before))
        if (basename(file) !== ".llmsim.json") expect(now[file], which).toBe(before[file]);
      told++;
    }
    expect(told).toBe(Math.min(FIRST, sound.calls.length));
  }, 3_600_000);
});

describe("real failures", () => {
  test.skipIf(!existsSync("/dev/full"))(
    "a device that is full: path and reason, exit 2",
    async ({ folder }) => {
      const { code, stderr } = await llmsim(`run --tmax 20 --ntrials 2 --workers 0 --requests /dev/full`, {
        cwd: folder,
      });
      expect([code, stderr]).toEqual([2, "error: cannot write /dev/full: no space left on device\n"]);
    },
  );

  test("a folder where a CSV should go is found before anything is simulated", async ({ folder }) => {
    mkdirSync(join(folder, "data/demo2_final_results.csv"), { recursive: true });
    const { code, stdout, stderr } = await llmsim(
      "sweep-time --windows 1 --tmax 20 --ntrials 2 --workers 0 --scheduler hybrid",
      { cwd: folder },
    );
    expect([code, stdout, stderr]).toEqual([
      2,
      "",
      "error: --out-data: cannot write data/demo2_final_results.csv: is a directory\n",
    ]);
    expect(listing(folder)).toEqual(["data", "data/demo2_final_results.csv"]);
  });
});

test("a name that is too long, or will be while it is written, is refused before anything is simulated", async ({
  folder,
}) => {
  for (const length of [245, 260]) {
    const name = "n".repeat(length);
    const { code, stdout, stderr } = await llmsim(`run ${SMALL} --requests ${name}.csv`, { cwd: folder });
    expect([code, stdout, stderr]).toEqual([
      2,
      "",
      `error: --requests: cannot write ${name}.csv: name too long\n`,
    ]);
  }
});
