/**
 * Checkpoints of a command: its journal stands beside its output while it runs, and goes when it is done. `--resume`
 * continues from it, and says what it kept; a journal of other settings is refused with the settings that differ.
 */
import { createHash } from "node:crypto";
import { basename, join, resolve } from "node:path";
import { ConfigError } from "../../core/errors.js";
import type { TrialValues } from "../../core/trial/trial.js";
import { type Appending, FileError, type FileSystem } from "../../io/files.js";
import { coreHash } from "../../run/core-hash.js";
import type { Executor } from "../../run/executor.js";
import {
  type Counts,
  differingSettings,
  headerLine,
  journaled,
  type JournalHeader,
  type Known,
  shardLine,
} from "../../run/journal.js";
import { type Journal, readHeader, readJournal } from "../../run/journal-reader.js";
import { type Lock, takeLock } from "../files/lock.js";

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
  /** Whether the journal was there, with an earlier run's work in it. */
  readonly found: boolean;
  /** How many finished shards the journal holds, or would if it were kept. */
  shards(): number;
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

/** The journal of a run, in its data folder: by the command and the settings. */
export function journalName(command: string, settings: object, folder: string): string {
  const text = JSON.stringify(flattened(settings));
  return join(folder, `${command}-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.journal`);
}

/** @param writes whether the command writes to the data folder: then the journal starts with the first shard */
export async function checkpoint(
  inner: Executor,
  { command, settings, resume, cwd, folder, fs, tell }: CheckpointSettings,
  writes: boolean,
): Promise<Checkpoint> {
  const header: JournalHeader = { command, core: coreHash(), settings: flattened(settings) };
  const name = journalName(command, settings, folder);
  const path = resolve(cwd, name);
  let lock: Lock | undefined;
  const take = async (): Promise<Lock> => (lock ??= await takeLock(`${path}.lock`, `${name}.lock`, fs, tell));
  const found = resume ? await findJournal(header, name, { cwd, folder, fs }, take) : undefined;
  const known: Known = {
    shards: found?.shards ?? new Map(),
    where: (key) => `${name}:${found?.lines.get(key)}`,
  };
  if (found)
    tell(
      `resume: ${found.shards.size} finished shards in ${name}${found.torn > 0 ? ", the last line was torn and is dropped" : ""}`,
    );

  /** What an earlier run of these settings finished is not this one's to remove. */
  const setAside = async (): Promise<void> => {
    const aside = await fs.moveAside(path);
    if (aside !== undefined)
      tell(
        `${name} is of an earlier run of these settings: moved to ${join(folder, basename(aside))} (under its old name --resume goes on from it)`,
      );
  };
  const open = async (): Promise<Appending> => {
    await take();
    if (!found) await setAside();
    return fs.appendTo(path, found?.bytes ?? headerLine(header));
  };
  const startedAt = performance.now();
  let early: Uint8Array[] = [];
  let file: Promise<Appending> | undefined;
  const appendEarly = async (opened: Appending): Promise<void> => {
    const lines = early;
    early = [];
    if (lines.length > 0) await opened.append(lines.length === 1 ? lines[0] : Buffer.concat(lines));
  };
  const record = async (key: string, values: TrialValues): Promise<void> => {
    early.push(shardLine(key, values));
    if (!file && !writes && !found && performance.now() - startedAt < PATIENCE_MS) return;
    file ??= open();
    await appendEarly(await file);
  };
  const counts: Counts = { kept: 0, done: 0 };
  return {
    executor: journaled(inner, header.core, known, record, counts),
    name,
    found: found !== undefined,
    shards: () => known.shards.size + counts.done,
    async close(keep) {
      try {
        if (keep && early.length > 0) file ??= open();
        const opened = await file?.catch(() => undefined);
        try {
          if (opened && keep) await appendEarly(opened);
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

/**
 * The journal of this very run, or an error that says what there is instead.
 * @param take takes the lock: until then a journal that is there may be another's, who goes on with it
 */
async function findJournal(
  header: JournalHeader,
  name: string,
  { cwd, folder, fs }: Pick<CheckpointSettings, "cwd" | "folder" | "fs">,
  take: () => Promise<Lock>,
): Promise<Journal> {
  const refuse = (...messages: string[]): never => {
    throw new ConfigError(messages.map((message) => ({ key: "--resume", message: `--resume: ${message}` })));
  };
  const path = resolve(cwd, name);
  if (await fs.exists(path)) {
    const lock = await take();
    try {
      const journal = await readJournal(fs.readBytes(path), name);
      const differing = differingSettings(journal.header, header);
      return differing.length === 0 ? journal : refuse(`${name} is of another run: ${differing.join("; ")}`);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }
  const others = await namesIn(folder, header.command, { cwd, fs });
  if (others.length === 0) return refuse(`nothing to continue: no ${header.command} journal in ${folder}`);
  const differing = await Promise.all(
    others.map(async (other) => {
      const theirs = await readHeader(fs.readBytes(resolve(cwd, other)), other);
      return `${other} is of another run: ${differingSettings(theirs, header).slice(0, 8).join("; ")}`;
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
