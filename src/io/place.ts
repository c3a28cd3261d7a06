/** Where a path leads: two names of one file are found, through links of either kind. */
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { FileError, isAbsent } from "./file-error.js";

export interface Place {
  /** The path without links, also where nothing is there: what would be made. */
  readonly real: string;
  /** What is there, if anything. */
  readonly kind?: "file" | "folder" | "device";
  /** What is there whatever its name: a hard link has the same. */
  readonly id?: string;
  /** Bytes of a file. */
  readonly size?: number;
}

const MOST_LINKS = 40;

export async function placeOf(path: string): Promise<Place> {
  // Half of a character has no bytes: on the disk it is U+FFFD, and so it is for what looks the path up by name.
  const real = await realOf(Buffer.from(path).toString(), 0);
  try {
    const there = await stat(real, { bigint: true });
    const kind = there.isFile() ? "file" : there.isDirectory() ? "folder" : "device";
    return { real, kind, id: `${there.dev}:${there.ino}`, size: Number(there.size) };
  } catch (error) {
    if (isAbsent(error)) return { real };
    throw error;
  }
}

/** As realpath, but it also follows a link to what is not there yet. */
async function realOf(path: string, links: number): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isAbsent(error) || dirname(path) === path) throw error;
  }
  if (links > MOST_LINKS) throw new FileError("read", path, "too many symbolic links");
  const target = await readlink(path).catch(() => undefined);
  return target === undefined
    ? join(await realOf(dirname(path), links), basename(path))
    : realOf(resolve(dirname(path), target), links + 1);
}

/** Whether anything has that name, a link that leads nowhere too. */
export const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    (error: unknown) => {
      if (isAbsent(error)) return false;
      throw error;
    },
  );
