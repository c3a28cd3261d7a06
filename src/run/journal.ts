/**
 * The journal: finished shards as lines that are appended and never changed, so that a run can go on after it was
 * killed at any instant. A line is `<length> <crc32> <payload>`; the first payload says what run it is, the others
 * are `<key> <values>`. A last line that is torn is dropped; a bad one before it is an error that names it, and so is
 * a second result of a shard that is not the first.
 *
 * Experiments are pure functions of their trials, so a run that goes on needs no memory of where it was: it asks
 * for the same shards again, and those that the journal holds are answered from it.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ConfigError } from "../core/errors.js";
import type { Task, TrialValues } from "../core/trial.js";
import { type Executor, expectedLength } from "./executor.js";

const VERSION = 1;

/** What run a journal belongs to. */
export interface JournalHeader {
  readonly command: string;
  /** Hash of the simulator's code: values of another are not taken over. */
  readonly core: string;
  /** Everything that decides the shards, by dotted key. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** What a journal holds. */
export interface Journal {
  readonly header: JournalHeader;
  readonly shards: ReadonlyMap<string, TrialValues>;
  /** The line where each of them stands first, from 1. */
  readonly lines: ReadonlyMap<string, number>;
  /** 1 if the last line was torn. */
  readonly torn: number;
  /** The sound lines, as they stand in the file. */
  readonly text: string;
}

const lineOf = (payload: string): string =>
  `${Buffer.byteLength(payload)} ${crc32(payload).toString(16).padStart(8, "0")} ${payload}\n`;

export const headerLine = (header: JournalHeader): string =>
  lineOf(JSON.stringify({ llmsim: "journal", version: VERSION, ...header }));

/** A NaN has many bit patterns and machines differ in the one they make: the journal has one. */
function canonical(values: TrialValues): TrialValues {
  const copy = Float64Array.from(values);
  for (let i = 0; i < copy.length; i++) if (copy[i] !== copy[i]) copy[i] = NaN;
  return copy;
}

export const shardLine = (key: string, values: TrialValues): string =>
  lineOf(`${key} ${Buffer.from(canonical(values).buffer).toString("base64")}`);

/** What identifies a shard: the simulator's code and all that the task says. */
export function shardKey(core: string, task: Task): string {
  // Recorded traces are columns of numbers, and named by their hash in the configuration.
  // So are plugins, by theirs: where a machine keeps the file says nothing of what is in it.
  const { plugins } = task;
  const named = plugins ? { ...task, plugins: plugins.map(({ sha256 }) => sha256) } : task;
  const text = JSON.stringify(named, (_, value: unknown) => (ArrayBuffer.isView(value) ? undefined : value));
  return createHash("sha256").update(core).update(text).digest("hex").slice(0, 24);
}

/** The payload of a line, or undefined if it is not whole. */
function payloadOf(line: string): string | undefined {
  const [, length, sum, payload] = /^(\d{1,9}) ([0-9a-f]{8}) (.*)$/.exec(line) ?? [];
  if (payload === undefined || Buffer.byteLength(payload) !== Number(length)) return undefined;
  return crc32(payload).toString(16).padStart(8, "0") === sum ? payload : undefined;
}

function valuesOf(text: string): TrialValues | undefined {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length % 8 !== 0 || bytes.toString("base64") !== text) return undefined;
  return new Float64Array(Uint8Array.from(bytes).buffer);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function recordIn(payload: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(payload);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isHeader = (found: Record<string, unknown>): found is Record<string, unknown> & JournalHeader =>
  typeof found.command === "string" && typeof found.core === "string" && isRecord(found.settings);

/** Whether two results are the same bits; only the sign of a NaN may differ, which is a machine's own affair. */
export const isSame = (a: TrialValues, b: TrialValues): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

/**
 * Reads a journal.
 * @param name what an error calls it
 * @param mend what to do about a damaged one
 * @throws ConfigError when a line before the last is not what was written, or it is no journal of this version
 */
export function parseJournal(text: string, name: string, mend = "delete the file to start anew"): Journal {
  const refuse = (line: number, what: string): never => {
    throw new ConfigError([{ key: "--resume", message: `${name}:${line}: ${what}` }]);
  };
  const lines = text.split("\n");
  // What follows the last line's end is nothing, or a line that was not finished.
  const tail = lines.pop()!;
  let torn = tail === "" ? 0 : 1;
  let header: JournalHeader | undefined;
  const shards = new Map<string, TrialValues>();
  const firstLines = new Map<string, number>();
  let sound = "";
  for (let i = 0; i < lines.length; i++) {
    const payload = payloadOf(lines[i]);
    const isLast = i === lines.length - 1 && torn === 0;
    if (payload === undefined) {
      if (!isLast || i === 0) refuse(i + 1, `not a line of a journal (damaged; ${mend})`);
      torn = 1;
      break;
    }
    if (i === 0) {
      const found = recordIn(payload);
      if (found?.llmsim !== "journal") return refuse(1, "not a journal of llmsim");
      if (found.version !== VERSION)
        refuse(1, `journal version ${String(found.version)} (this program reads version ${VERSION})`);
      if (!isHeader(found)) return refuse(1, "a journal that does not say of what run it is");
      header = found;
    } else {
      const space = payload.indexOf(" ");
      const key = payload.slice(0, space);
      const values = valuesOf(payload.slice(space + 1)) ?? refuse(i + 1, "not the values of a shard");
      const before = shards.get(key);
      if (before && !isSame(before, values))
        refuse(i + 1, `another result of shard ${key} than line ${firstLines.get(key)} (${mend})`);
      shards.set(key, values);
      if (!before) firstLines.set(key, i + 1);
    }
    sound += `${lines[i]}\n`;
  }
  if (header === undefined) return refuse(1, `torn before its first line (${mend})`);
  return { header, shards, lines: firstLines, torn, text: sound };
}

/** Settings that differ between a journal and the run at hand, as `key: old → new`. */
export function differingSettings(journal: JournalHeader, run: JournalHeader): string[] {
  const keys = [...new Set([...Object.keys(journal.settings), ...Object.keys(run.settings)])];
  const show = (value: unknown): string => (value === undefined ? "none" : JSON.stringify(value));
  const differing = keys
    .map((key) => [key, show(journal.settings[key]), show(run.settings[key])] as const)
    .filter(([, before, now]) => before !== now)
    .map(([key, before, now]) => `${key}: ${before} → ${now}`);
  if (journal.core !== run.core) differing.push("the simulator's code is another");
  return differing;
}

/** Finished shards that a run can take over, and where each stands, as an error names it. */
export interface Known {
  readonly shards: ReadonlyMap<string, TrialValues>;
  readonly where: (key: string) => string;
}

/** How many shards were answered from a journal, and how many were simulated. */
export interface Counts {
  kept: number;
  done: number;
}

/**
 * An executor that answers from what is known what it can, and hands every shard that it had to simulate to `record`.
 */
export function journaled(
  executor: Executor,
  core: string,
  { shards, where }: Known,
  record: (key: string, values: TrialValues) => Promise<void>,
  counts: Counts = { kept: 0, done: 0 },
): Executor {
  return {
    width: executor.width,
    ...(executor.grain && { grain: executor.grain }),
    async run(task: Task): Promise<TrialValues> {
      const key = shardKey(core, task);
      const known = shards.get(key);
      if (known) {
        if (known.length !== expectedLength(task))
          throw new ConfigError([
            {
              key: "--resume",
              message: `${where(key)}: a shard of ${known.length} values, expected ${expectedLength(task)} (without this line it is simulated again)`,
            },
          ]);
        counts.kept++;
        return known;
      }
      const values = await executor.run(task);
      await record(key, values);
      counts.done++;
      return values;
    },
    close: () => executor.close(),
  };
}
