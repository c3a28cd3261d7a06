/**
 * `.llmsim.json`: which run wrote which file of a folder, and what its bytes are. It is how a run knows what it may
 * replace: its own files silently, those of another run with a line that names that run, and a file of the user's not
 * at all. It says nothing of when or where, so that the same results make the same record.
 *
 * A folder that has none may have the manifest of a reproduction (experiments/interface/manifest.ts), which lists
 * files by their hash as well.
 */
import { inALine } from "../../core/foreign-words.js";

export const RECORD = ".llmsim.json";
const VERSION = 1;

/** A run as its files name it. */
export interface Run {
  /** The command line, without what changes no byte of its results. */
  readonly command: string;
  /** What decided them, by dotted key. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface Entry {
  /** Of the run that wrote the file. */
  readonly run: string;
  /** Of its bytes, hexadecimal; null while they are written: after a run that was killed they may be any. */
  readonly sha256: string | null;
}

export interface FolderRecord {
  /** By an id that is made of the run. */
  readonly runs: ReadonlyMap<string, Run>;
  /** By name. */
  readonly files: ReadonlyMap<string, Entry>;
}

export const NOTHING_WRITTEN: FolderRecord = { runs: new Map(), files: new Map() };

/** As it stands in the file: runs and files by name, and of runs only those that a file names. */
export function recordText({ runs, files }: FolderRecord): string {
  const sorted = <T>(map: ReadonlyMap<string, T>): Record<string, T> =>
    Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
  const named = new Set([...files.values()].map(({ run }) => run));
  const used = new Map([...runs].filter(([id]) => named.has(id)));
  const content = { llmsim: "record", version: VERSION, runs: sorted(used), files: sorted(files) };
  return `${JSON.stringify(content, null, 1)}\n`;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isHash = (value: unknown): value is string => typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
/** The name of a file in this folder, and of nothing else. */
const isName = (name: string): boolean => name !== "" && !/^\.\.?$|[/\\\u0000]/.test(name);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a record says, or in words why it is none: it comes from a file that others can write to. */
export function recordIn(text: string): FolderRecord | string {
  const found = parsed(text);
  if (!isObject(found) || found.llmsim !== "record") return "not a record of llmsim";
  if (found.version !== VERSION)
    return `a record of version ${inALine(String(found.version), 20)} (this program knows version ${VERSION})`;
  if (!isObject(found.runs) || !isObject(found.files)) return "a record without runs or files";
  const runs = new Map<string, Run>();
  for (const [id, run] of Object.entries(found.runs)) {
    if (!isObject(run) || typeof run.command !== "string" || !isObject(run.settings))
      return `a record with a run that is none: ${inALine(id, 40)}`;
    runs.set(id, { command: run.command, settings: run.settings });
  }
  const files = new Map<string, Entry>();
  for (const [name, entry] of Object.entries(found.files)) {
    if (!isName(name) || !isObject(entry) || typeof entry.run !== "string" || !runs.has(entry.run))
      return `a record with a file that is none: ${inALine(name, 40)}`;
    if (entry.sha256 !== null && !isHash(entry.sha256))
      return `a record without a hash: ${inALine(name, 40)}`;
    files.set(name, { run: entry.run, sha256: entry.sha256 });
  }
  return { runs, files };
}

const REPRODUCTION = "manifest.json";

/** What the text of a `manifest.json` lists, as a record; undefined when it is none of ours. */
export function recordOfManifest(text: string): FolderRecord | undefined {
  const found = parsed(text);
  if (!isObject(found) || typeof found.llmsim !== "string" || !isObject(found.steps)) return undefined;
  const seed = Number.isSafeInteger(found.seed) && found.seed !== 1 ? ` --seed ${String(found.seed)}` : "";
  const run = { command: `llmsim reproduce${seed}`, settings: {} };
  const files = new Map<string, Entry>([[REPRODUCTION, { run: REPRODUCTION, sha256: null }]]);
  for (const step of Object.values(found.steps)) {
    if (!isObject(step) || !isObject(step.csv)) return undefined;
    for (const [name, sha256] of Object.entries(step.csv))
      if (isName(name) && isHash(sha256)) files.set(name, { run: REPRODUCTION, sha256 });
  }
  return { runs: new Map([[REPRODUCTION, run]]), files };
}
