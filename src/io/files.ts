/**
 * The file system as a port, so that tests can stand in for it and let any call of it fail. A file is replaced
 * whole: written beside, synced, renamed; a failure is a FileError that says which path and why.
 */
import { constants as limits } from "node:buffer";
import { constants } from "node:fs";
import {
  access,
  appendFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { getSystemErrorMap } from "node:util";
import { inALine } from "./in-a-line.js";

/** What is written: whole, or in pieces where it may be longer than a text. */
export type Data = string | Uint8Array | Iterable<string | Uint8Array>;

export interface FileSystem {
  /** The text of a UTF-8 file, without its byte order mark; at most as long as a text can be. */
  readText(path: string): Promise<string>;
  /** The bytes of a file in pieces, for what may be longer than a text. */
  read(path: string): AsyncIterable<Uint8Array>;
  /** Replaces the file by `data`, or leaves it as it was. Makes missing folders. */
  writeAtomic(path: string, data: Data): Promise<void>;
  /** Adds to the end of a file that other programs write to as well; makes it when missing. */
  append(path: string, data: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Makes the folder and those above it. */
  makeDir(path: string): Promise<void>;
  /**
   * Opens a file to append to. `start` is what it begins with: bytes that replace what it holds, whole; or how many of
   * its bytes stay, where the rest was torn. Makes missing folders.
   */
  appendTo(path: string, start: Uint8Array | number): Promise<Appending>;
  /** Makes a file that is not there, with `text`; false if it is there. Makes missing folders. */
  claim(path: string, text: string): Promise<boolean>;
  /** Removes a file; one that is not there is no error. */
  remove(path: string): Promise<void>;
  /** Gives what is there another name, `path.1` or the first number that is free; the name, undefined if nothing is. */
  moveAside(path: string): Promise<string | undefined>;
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
  /** Adds lines; when it returns they are written, and on the disk at the latest a second later. */
  append(lines: Uint8Array): Promise<void>;
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

/** Why the system refused, in words. */
export function reasonOf(error: unknown): string {
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

/** Whether anything has that name, a link that leads nowhere too. */
const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isAbsent(error)) return false;
      throw error;
    },
  );

/** Small pieces are put together: each is a call of the system. */
function* gathered(data: Iterable<string | Uint8Array>): Generator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for (const piece of data) {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    parts.push(bytes);
    size += bytes.length;
    if (size < PIECE) continue;
    yield Buffer.concat(parts);
    parts = [];
    size = 0;
  }
  yield Buffer.concat(parts);
}

async function replace(path: string, content: Data): Promise<void> {
  const data = typeof content === "string" || content instanceof Uint8Array ? content : gathered(content);
  await mkdir(dirname(path), { recursive: true });
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

/** Bytes read at once. */
const PIECE = 2 ** 20;
/** UTF-8 has no more characters than bytes, and V8 no longer text. */
const LONGEST_TEXT = limits.MAX_STRING_LENGTH;

/**
 * The bytes of a file; each piece is the reader's to keep. A device that never ends can be left at any time.
 * @param most a file that is longer is refused, as soon as that is known
 */
async function* piecesOf(path: string, most = Infinity): AsyncGenerator<Uint8Array, void, undefined> {
  const tooLong = (): FileError => new FileError("read", path, `larger than ${most} bytes`);
  const file = await open(path, "r");
  try {
    if (most < Infinity && (await file.stat()).size > most) throw tooLong();
    for (let size = 0; ;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(PIECE), 0, PIECE, null);
      if (bytesRead === 0) return;
      size += bytesRead;
      if (size > most) throw tooLong();
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** How long an appended line may wait for the disk. */
const SYNC_MS = 1000;

/** The file, whose first `length` bytes stay and nothing else. */
async function openKept(path: string, length: number): Promise<FileHandle> {
  const file = await open(path, "a");
  try {
    const { size } = await file.stat();
    if (size < length) throw new FileError("write", path, "shorter than it was a moment ago");
    if (size > length) await file.truncate(length);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * A new beginning replaces what the file holds whole: a process that is killed here leaves the old file or the new one;
 * of one that stays only what is torn is cut off. After a write that failed, perhaps in the middle of a line, nothing
 * more is added: a line after half a line is damage.
 */
async function openAppending(path: string, start: Uint8Array | number): Promise<Appending> {
  if (typeof start !== "number") await replace(path, start);
  const file = typeof start === "number" ? await openKept(path, start) : await open(path, "a");
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
      const pieces: Uint8Array[] = [];
      for await (const piece of piecesOf(path, LONGEST_TEXT)) pieces.push(piece);
      try {
        return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
      } catch {
        throw new FileError("read", path, "not UTF-8 text");
      }
    }),
  read: async function* (path) {
    try {
      yield* piecesOf(path);
    } catch (error) {
      throw error instanceof FileError ? error : new FileError("read", path, reasonOf(error));
    }
  },
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
  makeDir: (path) => attempt("make", path, async () => void (await mkdir(path, { recursive: true }))),
  appendTo: (path, start) => attempt("write", path, () => openAppending(path, start)),
  claim: (path, text) =>
    attempt("write", path, async () => {
      await mkdir(dirname(path), { recursive: true });
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
  moveAside: (path) =>
    attempt("move", path, async () => {
      if (!(await isThere(path))) return undefined;
      for (let n = 1; ; n++) {
        const aside = `${path}.${n}`;
        if (await isThere(aside)) continue;
        await rename(path, aside);
        return aside;
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

const namedIn = (error: unknown, name: string): unknown =>
  error instanceof FileError ? new FileError("read", name, error.reason) : error;

/** A file that the user named, relative to `cwd`; errors name it as the user did. */
export async function readNamed(files: FileSystem, cwd: string, name: string): Promise<string> {
  try {
    return await files.readText(resolve(cwd, name));
  } catch (error) {
    throw namedIn(error, name);
  }
}

/** The bytes of such a file, in pieces. */
export async function* namedPieces(
  files: FileSystem,
  cwd: string,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* files.read(resolve(cwd, name));
  } catch (error) {
    throw namedIn(error, name);
  }
}
