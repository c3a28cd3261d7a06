/** Files that grow by whole lines, which are on the disk within a second. */
import { type FileHandle, open } from "node:fs/promises";
import { attempt, FileError } from "./file-error.js";
import { replace } from "./replacing.js";

/** A file that grows by whole lines. */
export interface Appending {
  /** Adds lines; when it returns they are written, and on the disk at the latest a second later. */
  append(lines: Uint8Array): Promise<void>;
  /** Everything is on the disk, and the file is closed. */
  close(): Promise<void>;
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
export async function openAppending(path: string, start: Uint8Array | number): Promise<Appending> {
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
