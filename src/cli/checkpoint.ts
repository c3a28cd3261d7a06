/**
 * Checkpoints of a command: its journal stands beside its output while it runs, and goes when it is done. `--resume`
 * continues from it, and says what it kept; a journal of other settings is refused with the settings that differ.
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { ConfigError } from "../core/errors.js";
import { type Appending, FileError, type FileSystem } from "../io/files.js";
import { coreHash } from "../run/core-hash.js";
import type { Executor } from "../run/executor.js";
import {
  type Counts,
  differingSettings,
  headerLine,
  type Journal,
  journaled,
  type JournalHeader,
  parseJournal,
  shardLine,
} from "../run/journal.js";
import { type Lock, takeLock } from "./lock.js";

export interface CheckpointSettings {
  readonly command: string;
  /** Everything that decides what is simulated. */
  readonly settings: object;
  /** Continue from the journal that is there. */
  readonly resume: boolean;
  readonly cwd: string;
  /** The data folder, as the user gave it. */
  readonly folder: string;
  readonly fs: FileSystem;
  readonly tell: (line: string) => void;
}

export interface Checkpoint {
  /** Answers from the journal what it holds, and adds to it what it does not. */
  readonly executor: Executor;
  /** What a message calls the journal. */
  readonly name: string;
  readonly counts: Counts;
  /** The run is over: the journal goes, unless it is still of use. */
  close(keep: boolean): Promise<void>;
}

/** Settings as dotted keys, so that two can be compared key by key. */
export function flattened(value: unknown, prefix = ""): Record<string, unknown> {
  if (typeof value !== "object" || value === null) return { [prefix]: value };
  const below = Object.entries(value);
  if (Array.isArray(value) && !value.some((one) => typeof one === "object" && one !== null))
    return { [prefix]: value };
  return Object.assign(
    {},
    ...below.map(([key, one]) => flattened(one, prefix === "" ? key : `${prefix}.${key}`)),
  ) as Record<string, unknown>;
}

/** A run that takes less than this leaves no trace in a folder that it does not write to. */
const PATIENCE_MS = 2000;

/** @param writes whether the command writes to the data folder: then the journal starts with the first shard */
export async function checkpoint(
  inner: Executor,
  { command, settings, resume, cwd, folder, fs, tell }: CheckpointSettings,
  writes: boolean,
): Promise<Checkpoint> {
  const header: JournalHeader = { command, core: coreHash(), settings: flattened(settings) };
  const hash = createHash("sha256").update(JSON.stringify(header.settings)).digest("hex").slice(0, 8);
  const name = join(folder, `${command}-${hash}.journal`);
  const path = resolve(cwd, name);
  const take = (): Promise<Lock> => takeLock(`${path}.lock`, `${name}.lock`, fs, tell);
  // Before it is read: who holds the lock may be writing what would be lost.
  let lock = resume && (await fs.exists(path)) ? await take() : undefined;
  const found = resume
    ? await findJournal(header, name, { cwd, folder, fs }).catch(async (error: unknown) => {
        await lock?.release();
        throw error;
      })
    : undefined;
  const shards = new Map(found?.shards);
  if (found)
    tell(
      `resume: ${found.shards.size} finished shards in ${name}${found.torn > 0 ? ", the last line was torn and is dropped" : ""}`,
    );

  const open = async (): Promise<Appending> => {
    lock ??= await take();
    // The sound part of an earlier journal, without its torn line, and then what is new.
    return fs.appendTo(path, found?.text ?? headerLine(header));
  };
  const startedAt = Date.now();
  let early: string[] = [];
  let file: Promise<Appending> | undefined;
  const record = async (line: string): Promise<void> => {
    early.push(line);
    if (!file && !writes && !found && Date.now() - startedAt < PATIENCE_MS) return;
    file ??= open();
    const opened = await file;
    const lines = early.join("");
    early = [];
    if (lines !== "") await opened.append(lines);
  };
  const counts: Counts = { kept: 0, done: 0 };
  return {
    executor: journaled(inner, header.core, shards, (key, values) => record(shardLine(key, values)), counts),
    name,
    counts,
    async close(keep) {
      try {
        if (keep && early.length > 0) file ??= open();
        const opened = await file?.catch(() => undefined);
        try {
          if (opened && early.length > 0 && keep) await opened.append(early.join(""));
        } finally {
          await opened?.close();
        }
        if (found && !keep) tell(`resume: kept ${counts.kept} shards, simulated ${counts.done}`);
        if ((opened || found) && !keep) await fs.remove(path);
      } finally {
        await lock?.release();
      }
    },
  };
}

/** The journal of this very run, or an error that says what there is instead. */
async function findJournal(
  header: JournalHeader,
  name: string,
  { cwd, folder, fs }: Pick<CheckpointSettings, "cwd" | "folder" | "fs">,
): Promise<Journal> {
  const read = async (file: string): Promise<Journal> =>
    parseJournal(await fs.readText(resolve(cwd, file)), file);
  const refuse = (...messages: string[]): never => {
    throw new ConfigError(messages.map((message) => ({ key: "--resume", message: `--resume: ${message}` })));
  };
  if (await fs.exists(resolve(cwd, name))) {
    const journal = await read(name);
    const differing = differingSettings(journal.header, header);
    return differing.length === 0 ? journal : refuse(`${name} is of another run: ${differing.join("; ")}`);
  }
  const others = await namesIn(folder, header.command, { cwd, fs });
  if (others.length === 0) return refuse(`nothing to continue: no ${header.command} journal in ${folder}`);
  const differing = await Promise.all(
    others.map(async (other) => {
      const journal = await read(other);
      return `${other} is of another run: ${differingSettings(journal.header, header).slice(0, 8).join("; ")}`;
    }),
  );
  return refuse(...differing);
}

/** Journals of a command in a folder. */
async function namesIn(
  folder: string,
  command: string,
  { cwd, fs }: Pick<CheckpointSettings, "cwd" | "fs">,
): Promise<string[]> {
  try {
    const names = await fs.list(resolve(cwd, folder));
    const pattern = new RegExp(`^${command}-[0-9a-f]{8}\\.journal$`);
    return names.filter((one) => pattern.test(one)).map((one) => join(folder, one));
  } catch (error) {
    if (error instanceof FileError) return [];
    throw error;
  }
}
