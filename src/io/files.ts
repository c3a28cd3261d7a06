/**
 * The file system as a port, so that tests can stand in for it and let any call of it fail. A file is replaced
 * whole: written beside, synced, renamed; a failure is a FileError that says which path and why.
 */
import { constants } from "node:fs";
import {
  access,
  appendFile,
  link,
  lstat,
  mkdir,
  open,
  readFile,
  readdir,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { getSystemErrorMap } from "node:util";
import { inALine } from "./in-a-line.js";

export interface FileSystem {
  /** The text of a UTF-8 file, without its byte order mark. */
  readText(path: string): Promise<string>;
  /** Replaces the file by `data`, or leaves it as it was. Makes missing folders. */
  writeAtomic(path: string, data: string | Uint8Array): Promise<void>;
  /** Adds to the end of a file that other programs write to as well; makes it when missing. */
  append(path: string, data: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** What stands at a path itself, whatever a link there leads to; undefined: nothing. */
  kindOf(path: string): Promise<"file" | "folder" | "link" | "device" | undefined>;
  /** Makes the folder and those above it. */
  makeDir(path: string): Promise<void>;
  /** Opens a file to append to, after `text`, which replaces what it holds, whole. Makes missing folders. */
  appendTo(path: string, text: string): Promise<Appending>;
  /** Makes a file that is not there, with `text`; false if it is there. Makes missing folders. */
  claim(path: string, text: string): Promise<boolean>;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Names in a folder, sorted. */
  list(path: string): Promise<string[]>;
  /**
   * Whether files can be written to `folder` (relative to `cwd`) once it is made; makes nothing. A command asks
   * before it simulates for an hour. Errors name the folder as it was given.
   */
  ensureWritable(cwd: string, folder: string): Promise<void>;
}

/** A file that grows by whole lines. */
export interface Appending {
  /** Adds a text; what it returns is written, and on the disk at the latest a second later. */
  append(text: string): Promise<void>;
  /** Everything is on the disk, and the file is closed. */
  close(): Promise<void>;
}

/** Characters of a path that a message shows. */
const LONGEST_PATH = 400;

/** The machine's fault: a file that cannot be read or written. */
export class FileError extends Error {
  readonly path: string;
  /** `no space left on device`, `permission denied`, … */
  readonly reason: string;
  constructor(action: string, path: string, reason: string) {
    super(`cannot ${action} ${inALine(path, LONGEST_PATH)}: ${reason}`);
    this.name = "FileError";
    this.path = path;
    this.reason = reason;
  }
}

const SYSTEM_REASONS = new Map(getSystemErrorMap().values());
/** Where the system's own words are unclear. */
const PLAIN_REASONS: Readonly<Record<string, string>> = {
  EDQUOT: "disk quota exceeded",
  EEXIST: "not a directory",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ERR_FS_FILE_TOO_LARGE: "too large",
};

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === "string") return PLAIN_REASONS[code] ?? SYSTEM_REASONS.get(code) ?? code;
  return String(message ?? error).split("\n")[0];
}

/** Does `work`; whatever it throws becomes a FileError about `path`. */
async function attempt<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FileError ? error : new FileError(action, path, reasonOf(error));
  }
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
const isAbsent = (error: unknown): boolean => codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";

/**
 * Makes a folder and those above it. Node's own way (`recursive`) never ends below a folder that answers every attempt
 * with ENOENT, as those of /proc do.
 */
async function makeFolders(path: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(path).catch(async (error: unknown) => {
      const there = await stat(path).catch(() => undefined);
      if (there?.isDirectory() !== true) throw error;
    });
  await make().catch(async (error: unknown) => {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolders(dirname(path));
    await make();
  });
}

async function replace(path: string, data: string | Uint8Array): Promise<void> {
  await makeFolders(dirname(path));
  const there = await stat(path).catch(() => undefined);
  // A device or a pipe (/dev/stdout) is written to; renaming over it would destroy it.
  if (there && !there.isFile() && !there.isDirectory()) return writeFile(path, data);
  // The library writes with a single call and does not look how much was taken: a disk that fills up would
  // leave half a file. So its own data is empty, and ours is written by a call that goes on until all is.
  const { default: writeFileAtomic } = await import("write-file-atomic");
  await writeFileAtomic(path, "", {
    // It awaits this, which its types do not say.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    tmpfileCreated: (temporary: string) => writeFile(temporary, data),
  });
}

/** How long an appended line may wait for the disk. */
const SYNC_MS = 1000;

/**
 * What the file holds is replaced whole, too: a process that is killed here leaves the old file or the new one. After
 * a write that failed, perhaps in the middle of a line, nothing more is added: a line after half a line is damage.
 */
async function openAppending(path: string, text: string): Promise<Appending> {
  await replace(path, text);
  const file = await open(path, "a");
  let broken: FileError | undefined;
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  /** One thing after the other, whoever asks; the first failure is that of all that follow. */
  const inTurn = (work: () => Promise<unknown>): Promise<void> => {
    const turn = last.then(() =>
      attempt("write", path, async () => {
        if (broken) throw broken;
        await work();
      }),
    );
    last = turn.catch((error: unknown) => (broken = error as FileError));
    return turn;
  };
  const sync = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    return file.datasync();
  };
  return {
    append: (more) =>
      inTurn(async () => {
        await file.writeFile(more); // goes on until all of it is written
        timer ??= setTimeout(() => void inTurn(sync).catch(() => {}), SYNC_MS).unref();
      }),
    close: () => inTurn(sync).finally(() => file.close()),
  };
}

/** Claims so far, so that two of one process are told apart. */
let claims = 0;

/** The file system of this machine. */
export const nodeFiles: FileSystem = {
  readText: (path) =>
    attempt("read", path, async () => {
      const bytes = await readFile(path);
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      } catch {
        throw new FileError("read", path, "not UTF-8 text");
      }
    }),
  writeAtomic: (path, data) => attempt("write", path, () => replace(path, data)),
  append: (path, data) => attempt("write", path, () => appendFile(path, data)),
  exists: (path) =>
    attempt("read", path, () =>
      stat(path).then(
        () => true,
        (error: unknown) => {
          if (isAbsent(error)) return false;
          throw error;
        },
      ),
    ),
  kindOf: (path) =>
    attempt("read", path, async () => {
      try {
        const there = await lstat(path);
        if (there.isSymbolicLink()) return "link";
        return there.isFile() ? "file" : there.isDirectory() ? "folder" : "device";
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    }),
  makeDir: (path) => attempt("make", path, () => makeFolders(path)),
  appendTo: (path, text) => attempt("write", path, () => openAppending(path, text)),
  claim: (path, text) =>
    attempt("write", path, async () => {
      await makeFolders(dirname(path));
      // Whole from the start: whoever sees the file can read it.
      const whole = `${path}.${process.pid}${claims++}`;
      try {
        await writeFile(whole, text);
        await link(whole, path);
        return true;
      } catch (error) {
        if (codeOf(error) === "EEXIST") return false;
        throw error;
      } finally {
        await rm(whole, { force: true }).catch(() => {});
      }
    }),
  remove: (path) => attempt("remove", path, () => rm(path, { force: true })),
  list: (path) => attempt("read", path, async () => (await readdir(path)).sort()),
  ensureWritable: (cwd, folder) =>
    attempt("write to", folder, async () => {
      for (let path = resolve(cwd, folder); ; path = dirname(path)) {
        const there = await stat(path).catch((error: unknown) => {
          if (codeOf(error) === "ENOENT" && dirname(path) !== path) return undefined;
          throw error;
        });
        if (!there) continue;
        if (!there.isDirectory()) throw new FileError("write to", folder, `not a directory: ${path}`);
        return access(path, constants.W_OK | constants.X_OK);
      }
    }),
};

/** A file that the user named, relative to `cwd`; errors name it as the user did. */
export async function readNamed(files: FileSystem, cwd: string, name: string): Promise<string> {
  try {
    return await files.readText(resolve(cwd, name));
  } catch (error) {
    throw error instanceof FileError ? new FileError("read", name, error.reason) : error;
  }
}
