/**
 * Who writes a journal: a file beside it says which process, on which machine, since when. Two runs of the same
 * settings in one folder would write the same journal; the second is refused. The lock of a process that is gone is
 * taken over, and that is said.
 *
 * Of those who meet the lock of a process that is gone one may replace it: the one who claims its mark, a file named
 * after what that lock holds, which no other ever holds. A slow one that claims the mark later finds another lock in
 * its place, and leaves it. Who dies between mark and lock has a mark in turn.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { ConfigError } from "../../core/errors.js";
import type { FileSystem } from "../../io/files.js";
import { beginningOf } from "../process/process-start.js";

/** What the file holds. */
interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
  /** When that process began, where the system tells. */
  readonly began?: string | undefined;
}

export interface Lock {
  release(): Promise<void>;
}

/** What stands in the locks and marks of this process, and where its lock is. */
const held = new Map<string, string>();

const tryTo = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

/** Removes the locks of this process at once: it is about to end in the middle of what it does. */
export function dropLocks(): void {
  for (const [text, path] of held)
    if (tryTo(() => readFileSync(path, "utf8")) === text) rmSync(path, { force: true });
}

/** The owner that a lock file names; undefined where its writer was killed before it had said. */
function ownerIn(text: string): Owner | undefined {
  const { pid, host, since, began } = tryTo(() => JSON.parse(text) as Partial<Owner> | null) ?? {};
  return Number.isInteger(pid) && pid! > 0 && typeof host === "string" && typeof since === "string"
    ? { pid: pid!, host, since, began: typeof began === "string" ? began : undefined }
    : undefined;
}

/** An owner that says no `began` is another than a process that began so many ms later. */
const LATER_MS = 2000;

/** Whether the process may still write; `unsure` where nobody tells, as of another machine. */
function stateOf(text: string, { pid, host, since, began }: Owner): "lives" | "gone" | "unsure" {
  if (host !== hostname()) return "unsure";
  if (pid === process.pid) return held.has(text) ? "lives" : "gone";
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return "gone";
  }
  const now = beginningOf(pid);
  if (!now) return "unsure";
  const isIt = began === undefined ? !(now.at > Date.parse(since) + LATER_MS) : began === now.mark;
  return isIt ? "lives" : "gone";
}

const refuse = (message: string): never => {
  throw new ConfigError([{ key: "--out-data", message }]);
};

/**
 * Takes the lock of a journal.
 * @param path of the lock file; `name` is what messages call it
 * @throws ConfigError when another run holds it, or something stands there that is no lock
 */
export async function takeLock(
  path: string,
  name: string,
  fs: FileSystem,
  tell: (line: string) => void,
): Promise<Lock> {
  const me = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  const text = `${JSON.stringify({ ...me, began: beginningOf(me.pid)?.mark, id: randomUUID() })}\n`;
  held.set(text, path);
  try {
    await claim(path, name, text, fs, tell);
  } catch (error) {
    held.delete(text);
    throw error;
  }
  const release = async (): Promise<void> => {
    held.delete(text);
    if ((await textOf(path, name, fs)) === text) await fs.remove(path);
  };
  try {
    await sweep(path, text, fs);
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** Removes what claims of processes that are gone have left beside a lock that is held: their marks, and unlinked texts. */
async function sweep(path: string, text: string, fs: FileSystem): Promise<void> {
  const folder = dirname(path);
  for (const name of await fs.list(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const left = join(folder, name);
    const found = await fs.readText(left).catch(() => undefined);
    const owner = found === undefined || found === text ? undefined : ownerIn(found);
    if (owner && stateOf(found!, owner) === "gone") await fs.remove(left).catch(() => {});
  }
}

async function claim(
  path: string,
  name: string,
  text: string,
  fs: FileSystem,
  tell: (line: string) => void,
): Promise<void> {
  while (!(await fs.claim(path, text))) {
    const found = await textOf(path, name, fs);
    if (found === undefined) continue; // gone since: now it can be claimed
    const owner = goneOwner(found, name);
    const marks = await claimMarks(path, name, found, text, fs);
    if (!marks) continue;
    let done: readonly string[] = marks.slice(-1); // as long as that lock stands, so must the marks of the dead
    try {
      if ((await textOf(path, name, fs)) !== found) continue;
      await fs.writeAtomic(path, text);
      done = marks;
    } finally {
      for (const mark of done) await fs.remove(mark);
    }
    tell(
      `${name}: ${owner ? `process ${owner.pid}, since ${owner.since},` : "its writer"} is gone: taken over`,
    );
    return;
  }
}

/**
 * Claims the right to replace a lock that holds `dead`.
 * @returns the marks of it, ours the last; undefined when somebody else has been there
 */
async function claimMarks(
  path: string,
  name: string,
  dead: string,
  text: string,
  fs: FileSystem,
): Promise<string[] | undefined> {
  const marks: string[] = [];
  for (let before = dead; ;) {
    const mark = `${path}.${createHash("sha256").update(before).digest("hex").slice(0, 16)}`;
    marks.push(mark);
    if (await fs.claim(mark, text)) return marks;
    const other = await textOf(mark, name, fs);
    if (other === undefined) return undefined;
    goneOwner(other, name);
    before = other;
  }
}

/** The owner of a lock or a mark, if it says; refuses when that is not known to be gone. */
function goneOwner(text: string, name: string): Owner | undefined {
  const owner = ownerIn(text);
  const state = owner ? stateOf(text, owner) : "gone";
  if (state === "gone") return owner;
  const { pid, host, since } = owner!;
  const gone = state === "unsure" ? `, or remove ${name} if it is gone` : "";
  return refuse(
    `another run of these settings is writing there: ${name}: process ${pid} on ${host}, since ${since} (wait for it, or give another --out-data${gone})`,
  );
}

/** What a lock or a mark holds; undefined when there is none. */
async function textOf(path: string, name: string, fs: FileSystem): Promise<string | undefined> {
  const kind = await fs.kindOf(path);
  if (kind === undefined) return undefined;
  if (kind !== "file")
    refuse(`${name} is no lock of a run but a ${kind} (remove it, or give another --out-data)`);
  return fs.readText(path).catch(async (error: unknown) => {
    if ((await fs.kindOf(path)) === undefined) return undefined;
    throw error;
  });
}
