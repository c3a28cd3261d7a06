/**
 * How many more files this process may open. Threads, packages and outputs share them, and a process that runs out of
 * them fails wherever it happens to be: what needs many asks first.
 */
import { readdirSync, readFileSync } from "node:fs";

/** Open files of a thread while it loads its code, and afterwards. */
const STARTING = 6;
const STARTED = 4;
/** What a command opens besides: its modules, journal, lock and outputs. */
const FOR_A_COMMAND = 16;
/** What drawing opens: Vega is some 500 modules, of which 100 to 130 were seen to be open at once. */
export const FOR_DRAWING = 200;
/** Where more are allowed nothing of ours runs out of them: what cannot be found is not there. */
const PLENTY = 512;
/** Of a process that does nothing yet, where the system does not tell. */
const OPEN_AT_START = 24;

/** The process's limit, infinite where there is none or nobody tells. */
export function openFilesAllowed(): number {
  let text: string | undefined;
  try {
    text = readFileSync("/proc/self/limits", "utf8");
  } catch {
    return reportedLimit(); // not Linux
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Infinity : Number(soft);
}

/** Node's own report tells where the system has no such file; it takes some 30 ms. */
function reportedLimit(): number {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  report.excludeNetwork = true; // it would look names up
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: unknown } } };
  const soft = userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : Infinity;
}

/** How many more may be opened. */
export function openFilesLeft(): number {
  const allowed = openFilesAllowed();
  if (allowed === Infinity) return Infinity;
  try {
    return allowed - (readdirSync("/proc/self/fd").length - 1);
  } catch {
    return allowed - OPEN_AT_START;
  }
}

/** Whether an error is that there are no more; of a package that it cannot open Node says that there is none. */
export function isForWantOfFiles(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  if (code === "EMFILE" || code === "ENFILE") return true;
  return code === "ERR_MODULE_NOT_FOUND" && openFilesAllowed() < PLENTY;
}

/**
 * Of `wanted` threads those that so many files are enough for, with figures drawn beside them where there is more than
 * one; perhaps none.
 */
export function threadsFor(wanted: number, left: number): number {
  const startable = Math.floor((left - FOR_A_COMMAND) / STARTING);
  const besideDrawing = Math.max(1, Math.floor((left - FOR_DRAWING) / STARTED));
  return Math.max(0, Math.min(wanted, startable, besideDrawing));
}

/** Of `wanted` threads that draw, those that so many files are enough for; perhaps none. */
export const drawersFor = (wanted: number, left: number): number =>
  Math.max(0, Math.min(wanted, Math.floor(left / (FOR_DRAWING + STARTED))));
