/** What the machine could not do with a file, as its user reads it: which path, and why in plain words. */
import { getSystemErrorMap } from "node:util";
import { inALine } from "../core/foreign-words.js";

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

const SYSTEM_REASONS = new Map<string, string>(getSystemErrorMap().values());
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
export async function attempt<T>(action: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof FileError ? error : new FileError(action, path, reasonOf(error));
  }
}

export const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
export const isAbsent = (error: unknown): boolean =>
  codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";

/** Whether a file was not found, or is none where a folder was wanted; the machine may have other reasons. */
export const isMissing = ({ reason }: FileError): boolean =>
  reason === SYSTEM_REASONS.get("ENOENT") || reason === SYSTEM_REASONS.get("ENOTDIR");
