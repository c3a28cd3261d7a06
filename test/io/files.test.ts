/** Files are replaced whole or left alone, and a failure says which path and why. */
import { constants } from "node:buffer";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import type * as promises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FileError, nodeFiles, readNamed } from "../../src/io/files.js";

/** Codes that the next calls fail with; undefined: they do what they always do. */
const faults = vi.hoisted(() => ({
  write: undefined as string | undefined,
  access: undefined as string | undefined,
  /** The next text that is appended: half of it. */
  half: undefined as string | undefined,
  /** How often appended lines were brought to the disk. */
  syncs: 0,
}));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof promises>();
  const failing = (code: string): Promise<never> =>
    Promise.reject(Object.assign(new Error(`${code}: made up`), { code }));
  return {
    ...real,
    writeFile: (...given: Parameters<typeof real.writeFile>) =>
      faults.write ? failing(faults.write) : real.writeFile(...given),
    access: (...given: Parameters<typeof real.access>) =>
      faults.access ? failing(faults.access) : real.access(...given),
    open: async (...given: Parameters<typeof real.open>) => {
      const file = await real.open(...given);
      const whole = file.writeFile.bind(file);
      const sync = file.datasync.bind(file);
      return Object.assign(file, {
        datasync: async () => {
          await sync();
          faults.syncs++;
        },
        writeFile: async (lines: Uint8Array) => {
          const { half } = faults;
          faults.half = undefined;
          await whole(half ? lines.subarray(0, lines.length / 2) : lines);
          if (half) await failing(half);
        },
      });
    },
  };
});

const { MAX_STRING_LENGTH } = constants;

let folder: string;
const at = (...names: string[]): string => join(folder, ...names);
beforeEach(async () => {
  faults.write = faults.access = faults.half = undefined;
  folder = await mkdtemp(join(tmpdir(), "llmsim-files-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const failure = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.then(
    () => "none",
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof FileError)) throw new Error(`not a FileError: ${String(error)}`);
  expect(error.message).toContain(`: ${error.reason}`);
  return error.message.replaceAll(folder, "~");
};

describe("writeAtomic", () => {
  test("writes text and bytes, making folders, and replaces", async () => {
    await nodeFiles.writeAtomic(at("a", "b", "c.txt"), "one");
    await nodeFiles.writeAtomic(at("a", "b", "c.txt"), "λ two");
    expect(await nodeFiles.readText(at("a", "b", "c.txt"))).toBe("λ two");
    await nodeFiles.writeAtomic(at("d.bin"), new Uint8Array([0, 255, 7]));
    expect([...(await readFile(at("d.bin")))]).toEqual([0, 255, 7]);
    expect(await readdir(at("a", "b"))).toEqual(["c.txt"]);
  });

  test("of two writes at once one wins whole", async () => {
    const texts = ["a", "b", "c"].map((letter) => letter.repeat(200_000));
    await Promise.all(texts.map((text) => nodeFiles.writeAtomic(at("x"), text)));
    expect(texts).toContain(await nodeFiles.readText(at("x")));
    expect(await readdir(folder)).toEqual(["x"]);
  });

  test.each(["ENOSPC", "EIO", "EDQUOT", "EMFILE"])(
    "a write that fails with %s leaves the old file and nothing else",
    async (code) => {
      await nodeFiles.writeAtomic(at("x"), "old");
      faults.write = code;
      const reasons: Record<string, string> = {
        ENOSPC: "no space left on device",
        EIO: "input/output error",
        EDQUOT: "disk quota exceeded",
        EMFILE: "too many open files",
      };
      expect(await failure(nodeFiles.writeAtomic(at("x"), "new"))).toBe(`cannot write ~/x: ${reasons[code]}`);
      expect(await readdir(folder)).toEqual(["x"]);
      expect(await nodeFiles.readText(at("x"))).toBe("old");
    },
  );

  test("says why it cannot", async () => {
    await writeFile(at("file"), "");
    await mkdir(at("dir"));
    expect(await failure(nodeFiles.writeAtomic(at("file", "x"), ""))).toBe(
      "cannot write ~/file/x: not a directory",
    );
    expect(await failure(nodeFiles.writeAtomic(at("file", "a", "x"), ""))).toBe(
      "cannot write ~/file/a/x: not a directory",
    );
    expect(await failure(nodeFiles.writeAtomic(at("dir"), ""))).toBe("cannot write ~/dir: is a directory");
    const long = at("n".repeat(300));
    expect(await failure(nodeFiles.writeAtomic(long, ""))).toMatch(/name too long$/);
    expect(await failure(nodeFiles.writeAtomic(at("a\0b"), ""))).toMatch(/^cannot write /);
  });

  test("follows a symbolic link and keeps the mode", async () => {
    await writeFile(at("real"), "old");
    await chmod(at("real"), 0o640);
    await symlink("real", at("link"));
    await nodeFiles.writeAtomic(at("link"), "new");
    expect(await nodeFiles.readText(at("real"))).toBe("new");
    expect((await stat(at("real"))).mode & 0o777).toBe(0o640);
  });

  test.skipIf(process.platform === "win32")("writes to a device, and does not replace it", async () => {
    await nodeFiles.writeAtomic("/dev/null", "gone");
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
    expect(await failure(nodeFiles.writeAtomic("/dev/full", "x"))).toBe(
      "cannot write /dev/full: no space left on device",
    );
  });
});

describe("appendTo", () => {
  test("adds in turn to what the file is to begin with", async () => {
    await writeFile(at("x"), "kept\ntorn");
    const file = await nodeFiles.appendTo(at("x"), "kept\n".length);
    await Promise.all(["a\n", "b\n", "c\n"].map((line) => file.append(Buffer.from(line))));
    await file.close();
    expect(await nodeFiles.readText(at("x"))).toBe("kept\na\nb\nc\n");
  });

  test("what is to stay must be there", async () => {
    await writeFile(at("x"), "cut");
    expect(await failure(nodeFiles.appendTo(at("x"), 5))).toBe(
      "cannot write ~/x: shorter than it was a moment ago",
    );
    expect(await nodeFiles.readText(at("x"))).toBe("cut");
  });

  test("what it held stands until a new beginning is whole: a full disk, or a kill, loses nothing", async () => {
    await writeFile(at("x"), "kept\ntorn");
    const { ino } = await stat(at("x"));
    faults.write = "ENOSPC";
    expect(await failure(nodeFiles.appendTo(at("x"), Buffer.from("new\n")))).toBe(
      "cannot write ~/x: no space left on device",
    );
    expect(await nodeFiles.readText(at("x"))).toBe("kept\ntorn");
    faults.write = undefined;
    await (await nodeFiles.appendTo(at("x"), Buffer.from("new\n"))).close();
    expect(await nodeFiles.readText(at("x"))).toBe("new\n");
    expect((await stat(at("x"))).ino).not.toBe(ino); // never cut, but replaced
    expect(await readdir(folder)).toEqual(["x"]);
  });

  test("a line is on the disk a second later, also when none follows, and when the file is closed", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    faults.syncs = 0;
    const file = await nodeFiles.appendTo(at("x"), Buffer.alloc(0));
    await file.append(Buffer.from("a\n"));
    await file.append(Buffer.from("b\n"));
    expect(faults.syncs).toBe(0);
    vi.advanceTimersByTime(1000);
    await vi.waitUntil(() => faults.syncs === 1);
    await file.append(Buffer.from("c\n"));
    await file.close();
    expect(faults.syncs).toBe(2);
  });

  test("after half a line nothing is added: the rest could not be read", async () => {
    const file = await nodeFiles.appendTo(at("x"), Buffer.from("1\n"));
    faults.half = "ENOSPC";
    const reason = "cannot write ~/x: no space left on device";
    const lines = ["22\n", "33\n"].map((line) => failure(file.append(Buffer.from(line))));
    expect(await Promise.all(lines)).toEqual([reason, reason]);
    expect(await failure(file.close())).toBe(reason);
    expect(await nodeFiles.readText(at("x"))).toBe("1\n2");
  });
});

describe("reading", () => {
  test("drops a byte order mark, keeps line ends, refuses what is not UTF-8", async () => {
    await writeFile(at("x"), "\ufeffa\r\nb");
    expect(await nodeFiles.readText(at("x"))).toBe("a\r\nb");
    await writeFile(at("y"), Uint8Array.of(0x61, 0xff));
    expect(await failure(nodeFiles.readText(at("y")))).toBe("cannot read ~/y: not UTF-8 text");
  });

  test("what is longer than a text can be is called that, also what never ends", async () => {
    await writeFile(at("long"), "");
    await truncate(at("long"), MAX_STRING_LENGTH + 1);
    const reason = `larger than ${MAX_STRING_LENGTH} bytes`;
    expect(await failure(nodeFiles.readText(at("long")))).toBe(`cannot read ~/long: ${reason}`);
    if (process.platform === "linux" && process.env.LLMSIM_LONG === "1")
      expect(await failure(nodeFiles.readText("/dev/zero"))).toBe(`cannot read /dev/zero: ${reason}`);
  });

  test("in pieces: all bytes, as many files as are wanted, no handle left behind", async () => {
    const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => i % 251);
    await writeFile(at("x"), bytes);
    const pieces: Uint8Array[] = [];
    for await (const piece of nodeFiles.readBytes(at("x"))) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(2);
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    const open = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const before = process.platform === "linux" ? await open() : 0;
    for await (const piece of nodeFiles.readBytes(at("x"))) {
      expect(piece[1]).toBe(1);
      break;
    }
    if (process.platform === "linux") expect(await open()).toBe(before);
    const all = async (path: string): Promise<void> => {
      for await (const piece of nodeFiles.readBytes(path)) expect(piece).toBeUndefined();
    };
    expect(await failure(all(at("none")))).toBe("cannot read ~/none: no such file or directory");
    expect(await failure(all(folder))).toBe("cannot read ~: is a directory");
  });

  test("says why it cannot", async () => {
    expect(await failure(nodeFiles.readText(at("none")))).toBe(
      "cannot read ~/none: no such file or directory",
    );
    expect(await failure(nodeFiles.readText(folder))).toBe("cannot read ~: is a directory");
    expect(await failure(nodeFiles.list(at("none")))).toBe("cannot read ~/none: no such file or directory");
  });

  test("by lines: each whole, whatever its bytes and wherever the file is cut; of an endless one the beginning", async () => {
    const lines = async (): Promise<string[]> => {
      const found: string[] = [];
      for await (const line of nodeFiles.readLines(at("log"))) found.push(line);
      return found;
    };
    const long = Array.from({ length: 400 }, (_, i) => `${i} ${"aé😀".repeat(i)}`);
    for (const text of ["", "a", "a\n", "\na\n\nb", long.join("\n")]) {
      await writeFile(at("log"), text);
      expect(await lines()).toEqual(
        text.split("\n").filter((line, i, all) => line !== "" || i < all.length - 1),
      );
    }
    await writeFile(at("log"), `${"x".repeat(3_000_000)}\nnext\n`);
    const [endless, next] = await lines();
    expect([endless!.length < 1_200_000, endless!.startsWith("x".repeat(1_000_000)), next]).toEqual([
      true,
      true,
      "next",
    ]);
    for (const [name, reason] of [
      ["none", "no such file or directory"],
      ["", "is a directory"],
    ] as const)
      expect(await failure(nodeFiles.readLines(at(name))[Symbol.asyncIterator]().next())).toMatch(
        new RegExp(`^cannot read ~\\S*: ${reason}$`),
      );
  });

  test("names a user's file as the user did", async () => {
    await writeFile(at("x"), "here");
    expect(await readNamed(nodeFiles, folder, "./x")).toBe("here");
    expect(await failure(readNamed(nodeFiles, folder, "./y"))).toBe(
      "cannot read ./y: no such file or directory",
    );
  });

  test("exists, list", async () => {
    for (const name of ["b", "a", "B", "10", "9"]) await writeFile(at(name), "");
    expect(await nodeFiles.list(folder)).toEqual(["10", "9", "B", "a", "b"]);
    expect(await nodeFiles.exists(at("a"))).toBe(true);
    expect(await nodeFiles.exists(at("c"))).toBe(false);
    expect(await nodeFiles.exists(at("a", "c"))).toBe(false);
    await symlink("loop", at("loop"));
    expect(await failure(nodeFiles.exists(at("loop")))).toMatch(/too many symbolic links/);
  });
});

describe("locate", () => {
  test("two names of one file lead to the same place, through links of either kind", async () => {
    await mkdir(at("a", "b"), { recursive: true });
    await writeFile(at("a", "x"), "12345");
    await symlink("b/../x", at("a", "soft"));
    await symlink("a", at("folder"));
    await link(at("a", "x"), at("hard"));
    const x = await nodeFiles.locate(at("a", "x"));
    expect(x).toMatchObject({ kind: "file", size: 5 });
    for (const other of [at("a", "soft"), at("folder", "x"), at("folder", "b", "..", "soft")])
      expect(await nodeFiles.locate(other)).toEqual(x);
    const hard = await nodeFiles.locate(at("hard"));
    expect(hard.real).not.toBe(x.real);
    expect(hard.id).toBe(x.id);
    expect((await nodeFiles.locate(at("folder"))).kind).toBe("folder");
    expect((await nodeFiles.locate("/dev/null")).kind).toBe("device");
  });

  test("what is not there is where it would be made", async () => {
    const { real } = await nodeFiles.locate(folder);
    await mkdir(at("a"));
    await writeFile(at("file"), "");
    await symlink("a", at("link"));
    await symlink("a/new/y", at("dangling"));
    for (const [path, place] of [
      [at("none"), "none"],
      [at("link", "new", "x"), "a/new/x"],
      [at("dangling"), "a/new/y"],
      [at("dangling", "z"), "a/new/y/z"],
      [at("file", "x"), "file/x"],
    ] as const)
      expect(await nodeFiles.locate(path)).toEqual({ real: join(real, place) });
    await symlink("loop", at("loop"));
    expect(await failure(nodeFiles.locate(at("loop")))).toMatch(/too many symbolic links/);
  });
});

test("moveAside takes the first name that is free, and nothing is no error", async () => {
  expect(await nodeFiles.moveAside(at("x"))).toBeUndefined();
  expect(await nodeFiles.moveAside(at("none", "x"))).toBeUndefined();
  await writeFile(at("x.1"), "before");
  await symlink("nowhere", at("x.2"));
  await writeFile(at("x"), "now");
  expect(await nodeFiles.moveAside(at("x"))).toBe(at("x.3"));
  expect(await nodeFiles.readText(at("x.3"))).toBe("now");
  expect(await readdir(folder)).toEqual(["x.1", "x.2", "x.3"]);
});

describe("folders", () => {
  test("makeDir makes all of them, twice without complaint", async () => {
    await nodeFiles.makeDir(at("a", "b"));
    await nodeFiles.makeDir(at("a", "b"));
    expect(await nodeFiles.exists(at("a", "b"))).toBe(true);
    await writeFile(at("file"), "");
    expect(await failure(nodeFiles.makeDir(at("file")))).toBe("cannot make ~/file: not a directory");
  });

  test("ensureWritable looks at the nearest folder that exists, and makes none", async () => {
    await nodeFiles.ensureWritable(folder, "a/b/c");
    await nodeFiles.ensureWritable(folder, ".");
    expect(await readdir(folder)).toEqual([]);
    await writeFile(at("file"), "");
    expect(await failure(nodeFiles.ensureWritable(folder, "file"))).toBe(
      "cannot write to file: not a directory: ~/file",
    );
    expect(await failure(nodeFiles.ensureWritable(folder, "file/a"))).toMatch(
      /^cannot write to file\/a: not a directory/,
    );
  });

  test.each([
    ["EACCES", "permission denied"],
    ["EROFS", "read-only file system"],
  ])("ensureWritable finds a folder that cannot be written to: %s", async (code, reason) => {
    faults.access = code;
    expect(await failure(nodeFiles.ensureWritable(folder, "locked/a"))).toBe(
      `cannot write to locked/a: ${reason}`,
    );
  });
});
