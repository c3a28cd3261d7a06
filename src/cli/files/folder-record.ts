/** The record of one folder (record.ts) as a run reads it, and writes it under the folder's lock. */
import { join } from "node:path";
import { ConfigError } from "../../core/errors.js";
import type { FileSystem, Place } from "../../io/files.js";
import { type Lock, takeLock } from "./lock.js";
import {
  type Entry,
  type FolderRecord,
  NOTHING_WRITTEN,
  RECORD,
  recordIn,
  recordOfManifest,
  recordText,
  type Run,
} from "./record.js";

/** Outputs that may not be written: the user has to make room for them; the run itself may be sound. */
export class RefusedOutput extends ConfigError {
  constructor(message: string, ...more: readonly string[]) {
    super([message, ...more].map((one) => ({ key: RECORD, message: one })));
  }
}

const WAIT_MS = 50;
/** A set of files is written in seconds: who waits longer waits for a run that is gone, or on another machine. */
const LONGEST_WAIT_MS = 60_000;

/** What may be written where something is already. */
export interface Permission {
  /** Whether a file leads to where nothing may be written. */
  isOutside(place: Place): boolean;
  /** Whether it may be replaced though no llmsim wrote it. */
  mayReplace(place: Place): boolean;
  /** How the user permits it, in words. */
  lift(name: string): string;
}

/** How the library that replaces files names what it writes first: the file's name, and the hash of process and number. */
const TEMPORARY = /^(.*)\.(\d{6,10})$/;
/** What people hang on a name, and not the library. */
const DATE = /^(?:(?:19|20)\d{4}|(?:19|20)\d{6}|1[67]\d{8})$/;

export class RecordedFolder {
  /** Without links. */
  readonly path: string;
  /** As the user would name it. */
  readonly name: string;
  private readonly fs: FileSystem;
  private runs: Map<string, Run>;
  private files: Map<string, Entry>;

  private constructor(path: string, name: string, fs: FileSystem, { runs, files }: FolderRecord) {
    this.path = path;
    this.name = name;
    this.fs = fs;
    this.runs = new Map(runs);
    this.files = new Map(files);
  }

  /**
   * @param tell what is told of a record that is none and may be replaced
   * @throws RefusedOutput when there is something else of that name
   */
  static async read(
    path: string,
    name: string,
    fs: FileSystem,
    permission: Permission,
    tell: (line: string) => void = () => {},
  ): Promise<RecordedFolder> {
    const place = await fs.locate(join(path, RECORD));
    const isOne = place.kind === "file" && place.real === join(path, RECORD);
    const found =
      place.kind === undefined
        ? NOTHING_WRITTEN
        : isOne
          ? recordIn(await fs.readText(place.real))
          : "not a file";
    const file = join(name, RECORD);
    if (typeof found === "string") {
      if (!permission.mayReplace(place))
        throw new RefusedOutput(`${file}: ${found} (${permission.lift(file)})`);
      tell(`${file}: ${found}: begun anew`);
    }
    const own = typeof found === "string" ? NOTHING_WRITTEN : found;
    const manifest = await fs.locate(join(path, "manifest.json"));
    const listed = manifest.kind === "file" ? recordOfManifest(await fs.readText(manifest.real)) : undefined;
    return new RecordedFolder(path, name, fs, {
      runs: new Map([...(listed?.runs ?? []), ...own.runs]),
      files: new Map([...(listed?.files ?? []), ...own.files]),
    });
  }

  /** Waits for another run that writes its own set of files. */
  static async lock(path: string, name: string, fs: FileSystem, tell: (line: string) => void): Promise<Lock> {
    const lock = join(name, `${RECORD}.lock`);
    for (let waited = 0; ; waited += WAIT_MS)
      try {
        return await takeLock(join(path, `${RECORD}.lock`), lock, fs, tell);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        if (waited >= LONGEST_WAIT_MS)
          throw new RefusedOutput(
            `another run is still writing there: ${lock} (wait for it, or remove that file if it is gone)`,
          );
        await new Promise((resolve) => setTimeout(resolve, WAIT_MS));
      }
  }

  /**
   * Removes what a run left that was killed while it replaced files: the record says of which it was about to. The lock
   * must be held, as every run holds it while it writes here.
   */
  async sweep(): Promise<void> {
    const torn = [...this.files].flatMap(([name, { sha256 }]) => (sha256 === null ? [name] : []));
    if (torn.length === 0) return;
    for (const name of await this.fs.list(this.path)) {
      const [, of, digits] = TEMPORARY.exec(name) ?? [];
      if (of !== undefined && torn.includes(of) && !DATE.test(digits))
        await this.fs.remove(join(this.path, name));
    }
  }

  entryOf(file: string): Entry | undefined {
    return this.files.get(file);
  }

  runOf(id: string | undefined): Run | undefined {
    return id === undefined ? undefined : this.runs.get(id);
  }

  /** Names of the files that a run wrote. */
  filesOf(run: string): string[] {
    return [...this.files].flatMap(([name, entry]) => (entry.run === run ? [name] : []));
  }

  enter(file: string, id: string, run: Run, sha256: string | null): void {
    this.runs.set(id, run);
    this.files.set(file, { run: id, sha256 });
  }

  /** Back to what was known before. */
  restore(file: string, entry: Entry | undefined): void {
    if (entry) this.files.set(file, entry);
    else this.files.delete(file);
  }

  /** Writes the record, without files that are no longer there; the lock must be held. */
  async save(): Promise<void> {
    const names = new Set(await this.fs.list(this.path));
    for (const [name, { sha256 }] of this.files)
      if (!names.has(name) && sha256 !== null) this.files.delete(name);
    await this.fs.writeAtomic(join(this.path, RECORD), recordText({ runs: this.runs, files: this.files }));
  }
}
