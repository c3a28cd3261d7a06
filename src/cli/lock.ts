/**
 * Who writes a journal: a file beside it says which process, on which machine, since when. Two runs of the same
 * settings in one folder would write the same journal; the second is refused. The lock of a process that is gone is
 * taken over, and that is said.
 */
import { rmSync } from "node:fs";
import { hostname } from "node:os";
import { ConfigError } from "../core/errors.js";
import type { FileSystem } from "../io/files.js";

/** What the file holds. */
interface Owner {
  readonly pid: number;
  readonly host: string;
  readonly since: string;
}

export interface Lock {
  release(): Promise<void>;
}

/** The locks of this process: one of its number that is not here is of an earlier process. */
const held = new Set<string>();

/** Removes the locks of this process at once: it is about to end in the middle of what it does. */
export function dropLocks(): void {
  for (const path of held) rmSync(path, { force: true });
  held.clear();
}

/** The owner that a lock file names; undefined where its writer was killed before it had said. */
function ownerIn(text: string): Owner | undefined {
  try {
    const { pid, host, since } = JSON.parse(text) as Partial<Owner>;
    return Number.isInteger(pid) && pid! > 0 && typeof host === "string" && typeof since === "string"
      ? { pid: pid!, host, since }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the process may still write; one on another machine cannot be asked. */
function mayLive({ pid, host }: Owner, path: string): boolean {
  if (host !== hostname()) return true;
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/**
 * Takes the lock of a journal.
 * @param path of the lock file; `name` is what messages call it
 * @throws ConfigError when another run holds it
 */
export async function takeLock(
  path: string,
  name: string,
  fs: FileSystem,
  tell: (line: string) => void,
): Promise<Lock> {
  const me: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  while (!(await fs.claim(path, `${JSON.stringify(me)}\n`))) {
    // Gone since: then it can be claimed.
    const text = await fs.readText(path).catch(() => undefined);
    if (text === undefined && !(await fs.exists(path))) continue;
    const owner = ownerIn(text ?? "");
    if (owner && mayLive(owner, path)) {
      const who = `process ${owner.pid} on ${owner.host}, since ${owner.since}`;
      const gone = owner.host === me.host ? "" : `, or remove ${name} if it is gone`;
      throw new ConfigError([
        {
          key: "--out-data",
          message: `another run of these settings is writing there: ${name}: ${who} (wait for it, or give another --out-data${gone})`,
        },
      ]);
    }
    tell(
      `${name}: ${owner ? `process ${owner.pid}, since ${owner.since},` : "its writer"} is gone: taken over`,
    );
    await fs.remove(path);
  }
  held.add(path);
  return {
    async release() {
      held.delete(path);
      await fs.remove(path);
    },
  };
}
