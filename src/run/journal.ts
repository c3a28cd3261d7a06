/**
 * The journal: finished shards as lines that are appended and never changed, so that a run can go on after it was
 * killed at any instant. A line is `<length> <crc32> <payload>`; the first payload says what run it is, the others
 * are `<key> <values>`. A last line that is torn is dropped; a bad one before it is an error that names it.
 *
 * Experiments are pure functions of their trials, so a run that goes on needs no memory of where it was: it asks
 * for the same shards again, and those that the journal holds are answered from it.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ConfigError } from "../core/errors.js";
import type { Task, TrialValues } from "../core/trial.js";
import type { Executor } from "./executor.js";

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
  let header: (JournalHeader & { llmsim?: unknown; version?: unknown }) | undefined;
  const shards = new Map<string, TrialValues>();
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
      header = JSON.parse(payload) as typeof header;
      if (header?.llmsim !== "journal") refuse(1, "not a journal of llmsim");
      if (header?.version !== VERSION)
        refuse(1, `journal version ${String(header?.version)} (this program reads version ${VERSION})`);
    } else {
      const space = payload.indexOf(" ");
      const values = valuesOf(payload.slice(space + 1)) ?? refuse(i + 1, "not the values of a shard");
      shards.set(payload.slice(0, space), values);
    }
    sound += `${lines[i]}\n`;
  }
  if (header === undefined) return refuse(1, `torn before its first line (${mend})`);
  return { header, shards, torn, text: sound };
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

/** How many shards were answered from a journal, and how many were simulated. */
export interface Counts {
  kept: number;
  done: number;
}

/**
 * An executor that answers from `shards` what it can, and hands every shard that it had to simulate to `record`.
 */
export function journaled(
  executor: Executor,
  core: string,
  shards: ReadonlyMap<string, TrialValues>,
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
