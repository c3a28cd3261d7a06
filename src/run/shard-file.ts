/**
 * The files of `--shard i/n`, and how they are joined. A file is a journal (journal.ts) whose first line also says
 * which share of which command line it is and how many tasks there are, so that what is missing, double, damaged or
 * of another run is found before anything is made of it. It may come from another machine: nothing of it is trusted
 * but what its checks bear out, and its command line is read again like one that was typed.
 */
import { ConfigError, type Issue } from "../core/errors.js";
import type { Task, TrialValues } from "../core/trial/trial.js";
import { type Executor, expectedLength } from "./executor.js";
import { differingSettings, isSame, type JournalHeader, shardKey } from "./journal.js";
import { readJournal } from "./journal-reader.js";
import type { Share } from "./share.js";

/** The first line of a shard's file. */
export interface ShardHeader extends JournalHeader {
  /** Version of the program. */
  readonly program: string;
  /** The command line without `--shard`. */
  readonly argv: readonly string[];
  readonly shard: { readonly index: number; readonly count: number };
  /** Tasks in this file, and in all of them together. */
  readonly tasks: number;
  readonly total: number;
}

export interface ShardFile {
  /** As the user named it. */
  readonly name: string;
  readonly header: ShardHeader;
  readonly shards: ReadonlyMap<string, TrialValues>;
}

/** `run-0a1b2c3d.shard-2-of-8` */
export const shardFileName = (
  command: string,
  hash: string,
  { index, count }: Pick<Share, "index" | "count">,
): string => `${command}-${hash}.shard-${index}-of-${count}`;

const isCount = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

function isShardHeader(header: Partial<ShardHeader>): header is ShardHeader {
  const { command, core, program, settings, argv, shard, tasks, total } = header;
  return (
    [command, core, program].every((text) => typeof text === "string") &&
    typeof settings === "object" &&
    settings !== null &&
    Array.isArray(argv) &&
    argv.every((word) => typeof word === "string") &&
    typeof shard === "object" &&
    shard !== null &&
    isCount(shard.index, 1) &&
    isCount(shard.count, shard.index) &&
    isCount(tasks, 0) &&
    isCount(total, tasks)
  );
}

/**
 * Reads a file of `--shard` from its bytes.
 * @throws ConfigError when it is damaged, not whole, or none
 */
export async function readShardFile(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: string,
): Promise<ShardFile> {
  const refuse = (what: string): never => {
    throw new ConfigError([{ key: name, message: `${name}: ${what}` }]);
  };
  const again = "run that shard again";
  const { header, shards, torn, records } = await readJournal(pieces, name, again);
  if (!isShardHeader(header))
    return refuse("a journal, not a file of --shard (--resume goes on with a journal)");
  if (torn > 0 || records !== header.tasks)
    return refuse(`${records} of ${header.tasks} tasks: the file is not whole (${again})`);
  return { name, header, shards };
}

type Words = (argv: readonly string[]) => string;

/** What the files of all shards hold together. */
export interface Joined {
  readonly argv: readonly string[];
  readonly header: ShardHeader;
  readonly shards: ReadonlyMap<string, TrialValues>;
}

/**
 * Joins the files of all n shards of one run.
 * @param here what this program is: files of another are not merged
 * @param words arguments as a command to be pasted
 * @throws ConfigError with every gap, overlap and foreign file, by name
 */
export function join(
  files: readonly ShardFile[],
  here: Pick<ShardHeader, "core" | "program">,
  words: Words,
): Joined {
  const issues: Issue[] = [];
  const refuse = (name: string, what: string): void =>
    void issues.push({ key: name, message: `${name}: ${what}` });
  for (const { name, header } of files)
    if (header.program !== here.program)
      refuse(name, `made by llmsim ${header.program}, and this is ${here.program} (merge with that version)`);
    else if (header.core !== here.core)
      refuse(name, "made by another build of llmsim: the simulator's code is another (merge with that one)");
  const [first] = files;
  const { count } = first.header.shard;
  for (const { name, header } of files.slice(1)) {
    const differing = [
      ...(header.command === first.header.command
        ? differingSettings(first.header, { ...header, core: first.header.core })
        : [`${first.header.command} → ${header.command}`]),
      ...(header.shard.count === count ? [] : [`shards: ${count} → ${header.shard.count}`]),
    ];
    if (differing.length === 0 && header.total !== first.header.total)
      differing.push(`tasks: ${first.header.total} → ${header.total}`);
    if (differing.length > 0)
      refuse(name, `of another run than ${first.name}: ${differing.slice(0, 8).join("; ")}`);
  }
  if (issues.length > 0) throw new ConfigError(issues);

  const places = new Map<number, ShardFile>();
  for (const file of files) {
    const { index } = file.header.shard;
    const other = places.get(index);
    if (other) refuse(file.name, `overlaps ${other.name}: both are shard ${index}/${count} (give each once)`);
    else places.set(index, file);
  }
  const missing = Array.from({ length: Math.min(count, files.length + 8) }, (_, i) => i + 1).filter(
    (index) => !places.has(index),
  );
  if (missing.length > 0)
    refuse(
      first.name,
      `of ${count} shards ${count - places.size} missing: ${missing.map((index) => `${index}/${count}`).join(", ")}${missing.length < count - places.size ? ", ..." : ""} (give the files of all)`,
    );
  if (issues.length > 0) throw new ConfigError(issues);

  const ordered = [...places.values()].sort((a, b) => a.header.shard.index - b.header.shard.index);
  return { argv: ordered[0].header.argv, header: ordered[0].header, shards: together(ordered, words) };
}

/** All answers by key. A task that a command asks for twice may be in two files: then both say the same. */
function together(files: readonly ShardFile[], words: Words): Map<string, TrialValues> {
  const shards = new Map<string, TrialValues>();
  const owner = new Map<string, ShardFile>();
  for (const file of files)
    for (const [key, values] of file.shards) {
      const other = shards.get(key);
      if (other && !isSame(other, values)) throw disagreement(key, owner.get(key)!, file, words);
      shards.set(key, values);
      owner.set(key, file);
    }
  const tasks = files.reduce((sum, { header }) => sum + header.tasks, 0);
  const { name, header } = files[0];
  if (tasks !== header.total)
    throw new ConfigError([
      { key: name, message: `${name}: the shards hold ${tasks} tasks, and the run has ${header.total}` },
    ]);
  return shards;
}

/** One of the two is wrong, and which one only a third can tell. */
function disagreement(key: string, a: ShardFile, b: ShardFile, words: Words): ConfigError {
  const again = [a, b].map(({ header: { argv, shard } }) =>
    words([...argv, "--shard", `${shard.index}/${shard.count}`]),
  );
  const message = `${b.name}: another result of shard ${key} than ${a.name} (run both again: ${again.join(" and ")})`;
  return new ConfigError([{ key: b.name, message }]);
}

/** An executor that simulates nothing: it answers from what the shards came to. */
export const answering = ({ shards, header }: Joined, name: string): Executor => ({
  width: 1,
  run: (task: Task) => {
    const values = shards.get(shardKey(header.core, task));
    const message = values
      ? `${name}: a task of ${values.length} values, expected ${expectedLength(task)}`
      : `${name}: no shard holds a task of this run: a file that the command reads is not the one that the shards read`;
    return values?.length === expectedLength(task)
      ? Promise.resolve(values)
      : Promise.reject(new ConfigError([{ key: name, message }]));
  },
  close: async () => {},
});

/** What a task came to. */
export interface Kept {
  readonly key: string;
  readonly values: TrialValues;
}

/** An executor that keeps what its tasks came to. */
export function keeping(
  executor: Executor,
  keyOf: (task: Task) => string,
): Executor & { readonly kept: Kept[] } {
  const kept: Kept[] = [];
  return {
    kept,
    width: executor.width,
    async run(task) {
      const values = await executor.run(task);
      kept.push({ key: keyOf(task), values });
      return values;
    },
    close: () => executor.close(),
  };
}
