/**
 * The journal: finished shards as lines that are appended and never changed, so that a run can go on after it was
 * killed at any instant. A line is `<length> <crc32> <payload>`; the first payload says what run it is, the others
 * are `<key> <values>`. A last line that is torn is dropped; a bad one before it is an error that names it, and so is
 * a second result of a shard that is not the first. It is read piece by piece, as bytes (journal-reader.ts): it may be
 * longer than any text.
 *
 * Experiments are pure functions of their trials, so a run that goes on needs no memory of where it was: it asks
 * for the same shards again, and those that the journal holds are answered from it.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { ConfigError } from "../core/errors.js";
import type { Task, TrialValues } from "../core/trial/trial.js";
import { type Executor, expectedLength } from "./executor.js";

export const JOURNAL_VERSION = 1;

/** What run a journal belongs to. */
export interface JournalHeader {
  readonly command: string;
  /** Hash of the simulator's code: values of another are not taken over. */
  readonly core: string;
  /** Everything that decides the shards, by dotted key. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The checksum of a payload, given in parts: eight hexadecimal digits. */
export const sumOf = (...parts: readonly Uint8Array[]): string =>
  parts
    .reduce((sum, part) => crc32(part, sum), 0)
    .toString(16)
    .padStart(8, "0");

function lineOf(...payload: readonly Buffer[]): Buffer {
  const length = payload.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Buffer.from(`${length} ${sumOf(...payload)} `), ...payload, Buffer.from("\n")]);
}

export const headerLine = (header: JournalHeader): Buffer =>
  lineOf(Buffer.from(JSON.stringify({ llmsim: "journal", version: JOURNAL_VERSION, ...header })));

/** A NaN has many bit patterns and machines differ in the one they make: the journal has one. */
function canonical(values: TrialValues): TrialValues {
  const copy = Float64Array.from(values);
  for (let i = 0; i < copy.length; i++) if (copy[i] !== copy[i]) copy[i] = NaN;
  return copy;
}

/** Bytes that become text at once: base64 makes four characters of three of them. */
const GROUP = 3 * 2 ** 20;

/** The values in base64, by groups: a shard of many points is longer than any text. */
function encoded(values: TrialValues): Buffer[] {
  const bytes = Buffer.from(canonical(values).buffer);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += GROUP)
    parts.push(Buffer.from(bytes.toString("base64", at, Math.min(bytes.length, at + GROUP)), "latin1"));
  return parts;
}

export const shardLine = (key: string, values: TrialValues): Buffer =>
  lineOf(Buffer.from(`${key} `), ...encoded(values));

/** The values that base64 stands for; undefined where it is not what `encoded` makes. */
export function decoded(text: Buffer): TrialValues | undefined {
  const padding = text.toString("latin1", text.length - 2).replace(/[^=]/g, "").length;
  const size = (text.length / 4) * 3 - padding;
  if (!Number.isInteger(size / 8)) return undefined;
  const values = new Float64Array(size / 8);
  const bytes = Buffer.from(values.buffer);
  for (let at = 0, to = 0; at < text.length; at += (GROUP / 3) * 4) {
    const group = text.toString("latin1", at, at + (GROUP / 3) * 4);
    const made = Buffer.from(group, "base64");
    if (made.toString("base64") !== group) return undefined;
    to += made.copy(bytes, to);
  }
  return values;
}

/** What identifies a shard: the simulator's code and all that the task says. */
export function shardKey(core: string, task: Task): string {
  // Recorded traces are columns of numbers, and named by their hash in the configuration.
  // So are plugins, by theirs: where a machine keeps the file says nothing of what is in it.
  const { plugins } = task;
  const named = plugins ? { ...task, plugins: plugins.map(({ sha256 }) => sha256) } : task;
  const text = JSON.stringify(named, (_, value: unknown) => (ArrayBuffer.isView(value) ? undefined : value));
  return createHash("sha256").update(core).update(text).digest("hex").slice(0, 24);
}

/** Whether two results are the same bits; only the sign of a NaN may differ, which is a machine's own affair. */
export const isSame = (a: TrialValues, b: TrialValues): boolean =>
  a.length === b.length && a.every((value, i) => Object.is(value, b[i]));

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
