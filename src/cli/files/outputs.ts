/**
 * What a run writes, and what it may replace. Nothing is written over a file that the run reads; a file that no llmsim
 * wrote is refused unless it is allowed; that of another run is replaced with a line that names it (record.ts). All
 * files of a run are one set: while one is written a second run waits, so that what is there is one run's.
 */
import { createHash, type Hash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { ConfigError, type Issue } from "../../core/errors.js";
import { type Data, FileError, type FileSystem, type Place } from "../../io/files.js";
import { inALine } from "../../core/foreign-words.js";
import { type Permission, RecordedFolder, RefusedOutput } from "./folder-record.js";
import type { Lock } from "./lock.js";
import type { Entry, Run } from "./record.js";

/** A file that will be written. */
export interface Planned {
  /** Absolute. */
  readonly path: string;
  /** As the user would name it. */
  readonly name: string;
  /** The flag that says where it goes. */
  readonly flag: string;
  /** Whether what is there says itself that it is llmsim's, of files that no record lists. */
  readonly isOwn?: () => Promise<boolean>;
}

export interface OutputFile extends Planned {
  readonly data: Data;
}

export interface OutputSettings {
  readonly fs: FileSystem;
  /** Which run it is, and the name of its command. */
  readonly run: Run;
  readonly command: string;
  /** Paths of the files that the run reads. */
  readonly inputs: Iterable<string>;
  readonly permission: Permission;
  readonly tell: (line: string) => void;
}

const LONGEST_COMMAND = 300;
const MOST_NAMED = 3;
/** About what the name of a file has more while it is written. */
const BESIDE = ".0123456789";

async function hashOf(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** The data, whose bytes the hash hears as they go by. */
function* hashed(data: Data, hash: Hash): Generator<Uint8Array, void, undefined> {
  const pieces = typeof data === "string" || data instanceof Uint8Array ? [data] : data;
  for (const piece of pieces) {
    const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
    hash.update(bytes);
    yield bytes;
  }
}

/** `a, b, c and 4 more` */
const listed = (names: readonly string[]): string =>
  names.length <= MOST_NAMED
    ? names.join(", ")
    : `${names.slice(0, MOST_NAMED).join(", ")} and ${names.length - MOST_NAMED} more`;

const commandOf = (run: Run | undefined): string => inALine(run?.command ?? "llmsim", LONGEST_COMMAND);

/** A file of the set, and what was known of what stood there. */
interface Target {
  readonly file: OutputFile;
  readonly place: Place;
  readonly folder: RecordedFolder;
  readonly before: Entry | undefined;
}

export class Outputs {
  private readonly settings: OutputSettings;
  private readonly id: string;
  private inputs: Promise<readonly Place[]> | undefined;
  /** The folders that were written to, as they were then. */
  private readonly folders = new Map<string, RecordedFolder>();
  private sets = 0;

  constructor(settings: OutputSettings) {
    this.settings = settings;
    const decided = JSON.stringify([settings.command, settings.run.settings]);
    this.id = createHash("sha256").update(decided).digest("hex").slice(0, 8);
  }

  /** Why files may not be written, all of it; nothing is made. */
  async check(planned: readonly Planned[]): Promise<Issue[]> {
    const { fs, permission } = this.settings;
    const issues: Issue[] = [];
    const seen = new Map<string, Planned>();
    const folders = new Map<string, Promise<RecordedFolder>>();
    if (planned.length > 0) await this.read();
    for (const file of planned) {
      const refuse = (message: string): void => void issues.push({ key: file.flag, message });
      try {
        // It is written beside first, under a longer name.
        await fs.kindOf(file.path + BESIDE).catch((error: unknown) => {
          throw error instanceof FileError ? new FileError("write", file.name, error.reason) : error;
        });
        const place = await fs.locate(file.path);
        const other = seen.get(place.real);
        seen.set(place.real, file);
        const at = dirname(place.real);
        const folder = folders.get(at) ?? RecordedFolder.read(at, dirname(file.name), fs, permission);
        folders.set(at, folder);
        const why =
          (await this.objection(file, place, await folder)) ??
          (other && `${file.name} is also where ${other.flag} goes (name another place)`);
        if (why !== undefined) refuse(`${file.flag}: ${why}`);
      } catch (error) {
        if (error instanceof FileError) refuse(`${file.flag}: ${error.message}`);
        else if (error instanceof ConfigError) issues.push(...error.issues);
        else throw error;
      }
    }
    return issues.filter(({ message }, i) => issues.findIndex((one) => one.message === message) === i);
  }

  /** Why a file may not be written; undefined: it may. */
  private async objection(
    { name, isOwn }: Planned,
    place: Place,
    folder: RecordedFolder,
  ): Promise<string | undefined> {
    const { permission, fs } = this.settings;
    if (place.kind === "device") return undefined;
    if (await this.isRead(place)) return `${name} is an input of this run (name another place)`;
    const lift = permission.lift(name);
    if (permission.isOutside(place)) return `${name} leads out of this folder (${lift})`;
    if (place.kind === "folder") return new FileError("write", name, "is a directory").message;
    // An empty file has nothing to lose.
    if (place.kind === undefined || place.size === 0 || permission.mayReplace(place)) return undefined;
    const entry = folder.entryOf(basename(place.real));
    if (!entry && (await isOwn?.()) === true) return undefined;
    if (!entry) return `${name} was not written by llmsim (${lift})`;
    if (entry.sha256 === null || entry.sha256 === (await hashOf(fs.readBytes(place.real)))) return undefined;
    return `${name} has changed since it was written by ${commandOf(folder.runOf(entry.run))} (${lift})`;
  }

  /** Where the run's inputs are; asked once, before it begins. */
  private read(): Promise<readonly Place[]> {
    const { fs, inputs } = this.settings;
    return (this.inputs ??= Promise.all([...inputs].map((path) => fs.locate(path))));
  }

  private async isRead({ real, id }: Place): Promise<boolean> {
    return (await this.read()).some((one) => one.real === real || (id !== undefined && one.id === id));
  }

  /**
   * Writes files as one set, each replaced whole.
   * @throws RefusedOutput, with nothing written, where one may not be replaced
   */
  async write(files: readonly OutputFile[]): Promise<void> {
    const { fs, permission, tell } = this.settings;
    const located = await Promise.all(
      files.map(async (file) => ({ file, place: await fs.locate(file.path) })),
    );
    const recorded = located.filter(({ place }) => place.kind !== "device");
    const names = new Map(
      recorded.map(({ file, place }) => [dirname(place.real), dirname(file.name)] as const),
    );
    const locks: Lock[] = [];
    try {
      const folders = new Map<string, RecordedFolder>();
      // In one order, so that no two runs wait for each other.
      for (const [path, name] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
        locks.push(await RecordedFolder.lock(path, name, fs, tell));
        folders.set(path, await RecordedFolder.read(path, name, fs, permission, tell));
      }
      const targets: Target[] = [];
      for (const { file, place: earlier } of recorded) {
        const place = await fs.locate(earlier.real);
        const folder = folders.get(dirname(place.real));
        if (folder === undefined)
          throw new FileError("write", file.name, "its folder has become another one meanwhile");
        targets.push({ file, place, folder, before: folder.entryOf(basename(place.real)) });
      }
      await this.refuseAny(targets);
      for (const folder of folders.values()) await folder.sweep();
      await this.writeAll(files, targets, [...folders.values()]);
      this.tellReplaced(targets, [...folders.values()]);
      for (const [path, folder] of folders) this.folders.set(path, folder);
      this.sets++;
    } finally {
      for (const lock of locks.reverse()) await lock.release();
    }
  }

  /** What came in between is found before anything is written. */
  private async refuseAny(targets: readonly Target[]): Promise<void> {
    const messages: string[] = [];
    for (const { file, place, folder } of targets) {
      const why = await this.objection(file, place, folder);
      if (why !== undefined) messages.push(`${file.flag}: ${why}`);
    }
    const [first, ...more] = messages;
    if (first !== undefined) throw new RefusedOutput(first, ...more);
  }

  private async writeAll(
    files: readonly OutputFile[],
    targets: readonly Target[],
    folders: readonly RecordedFolder[],
  ): Promise<void> {
    const { fs, run } = this.settings;
    const enter = ({ place, folder }: Target, sha256: string | null): void =>
      folder.enter(basename(place.real), this.id, run, sha256);
    // Should this process be killed now, the record says that these files may be anything, and are a run's.
    for (const target of targets) enter(target, null);
    for (const folder of folders) await folder.save();
    const left = new Set(targets);
    try {
      for (const file of files) {
        const target = targets.find((one) => one.file === file);
        const hash = createHash("sha256");
        await fs.writeAtomic(file.path, hashed(file.data, hash));
        if (!target) continue;
        enter(target, hash.digest("hex"));
        left.delete(target);
      }
    } catch (error) {
      for (const { place, folder, before } of left) folder.restore(basename(place.real), before);
      for (const folder of folders) await folder.save().catch(() => {});
      throw error;
    }
    for (const folder of folders) await folder.save();
  }

  /** A line for each run of which files were replaced: by what it is made again, and what of it is still there. */
  private tellReplaced(targets: readonly Target[], folders: readonly RecordedFolder[]): void {
    const lost = new Map<string, Target[]>();
    for (const target of targets) {
      const { place, folder, before } = target;
      const isSame = before?.sha256 === folder.entryOf(basename(place.real))?.sha256;
      if (!before || before.run === this.id || place.kind === undefined || isSame) continue;
      lost.set(before.run, [...(lost.get(before.run) ?? []), target]);
    }
    for (const [id, of] of lost) {
      const flags = [...new Set(of.map(({ file }) => file.flag))];
      const left = folders.flatMap((folder) => folder.filesOf(id).map((name) => join(folder.name, name)));
      this.settings.tell(
        `replaced ${listed(of.map(({ file }) => file.name))} of another run: ${commandOf(of[0].folder.runOf(id))} (another ${flags.join(" and ")} ${flags.length > 1 ? "keep" : "keeps"} both)${left.length === 0 ? "" : `; still of that run: ${listed(left)}`}`,
      );
    }
  }

  /** At the end of a run that wrote several sets: whether another run came in between. */
  async settle(): Promise<void> {
    if (this.sets < 2) return;
    const { fs, permission, tell } = this.settings;
    for (const [path, then] of this.folders) {
      const now = await RecordedFolder.read(path, then.name, fs, permission);
      const gone = then.filesOf(this.id).filter((name) => (now.entryOf(name)?.run ?? this.id) !== this.id);
      if (gone.length === 0) continue;
      const by = commandOf(now.runOf(now.entryOf(gone[0])!.run));
      tell(
        `${listed(gone.map((name) => join(then.name, name)))} was replaced meanwhile by another run: ${by}: what is there is not all of one run`,
      );
    }
  }
}
