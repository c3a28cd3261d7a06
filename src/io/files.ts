/**
 * The file system as a port, so that tests can stand in for it and let any call of it fail. A file is replaced
 * whole: written beside, synced, renamed; a failure is a FileError that says which path and why.
 */
import { constants } from "node:fs";
import { access, appendFile, link, lstat, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Appending, openAppending } from "./appending.js";
import { attempt, codeOf, FileError, isAbsent, reasonOf } from "./file-error.js";
import { makeFolders } from "./folders.js";
import { type Data, LONGEST_TEXT, piecesOf } from "./pieces.js";
import { isThere, type Place, placeOf } from "./place.js";
import { replace } from "./replacing.js";

export { FileError, reasonOf } from "./file-error.js";
export type { Appending } from "./appending.js";
export type { Data } from "./pieces.js";
export type { Place } from "./place.js";

export interface FileSystem {
  /** The text of a UTF-8 file, without its byte order mark; at most as long as a text can be. */
  readText(path: string): Promise<string>;
  /** The lines of a file one after the other, whatever its size; of a line too long to be one only the beginning. */
  readLines(path: string): AsyncIterable<string>;
  /** The bytes of a file in pieces, for what may be longer than a text; who ends early closes it. */
  readBytes(path: string): AsyncIterable<Uint8Array>;
  /** Replaces the file by `data`, or leaves it as it was. Makes missing folders. */
  writeAtomic(path: string, data: Data): Promise<void>;
  /** Adds to the end of a file that other programs write to as well; makes it when missing. */
  append(path: string, data: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Where a path leads, and what is there. */
  locate(path: string): Promise<Place>;
  /** What stands at a path itself, whatever a link there leads to; undefined: nothing. */
  kindOf(path: string): Promise<"file" | "folder" | "link" | "device" | undefined>;
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

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* piecesOf(path);
  } catch (error) {
    throw error instanceof FileError ? error : new FileError("read", path, reasonOf(error));
  }
}

/** Longest line of a file that is read by lines, in characters. */
const LONGEST_LINE = 1 << 20;

async function* linesOf(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const piece of bytesOf(path)) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split("\n");
    rest = lines.pop()!.slice(0, LONGEST_LINE);
    for (const line of lines) yield line.slice(0, LONGEST_LINE);
  }
  if (rest !== "") yield rest;
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
  readLines: linesOf,
  readBytes: bytesOf,
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
  locate: (path) => attempt("read", path, () => placeOf(path)),
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
  appendTo: (path, start) => attempt("write", path, () => openAppending(path, start)),
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
    yield* files.readBytes(resolve(cwd, name));
  } catch (error) {
    throw namedIn(error, name);
  }
}
