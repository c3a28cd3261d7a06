/**
 * `--shard i/n`: a command runs its share of its tasks and writes what they came to in a file of its own; it prints no
 * result, because it has none. `llmsim merge` (merge.ts) makes the command's own output of the files of all shards.
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { ConfigError, type Issue } from "../../core/errors.js";
import type { Experiment } from "../../experiments/interface/experiment.js";
import { coreHash } from "../../run/core-hash.js";
import type { Executor } from "../../run/executor.js";
import { differingSettings, headerLine, shardKey, shardLine } from "../../run/journal.js";
import { readHeader } from "../../run/journal-reader.js";
import { keeping, type Kept, type ShardHeader, shardFileName } from "../../run/shard-file.js";
import type { Share } from "../../run/share.js";
import { flattened } from "./checkpoint.js";
import type { OptionValues } from "../../flags/options.js";
import type { Planned } from "../files/outputs.js";
import type { SharedSettings } from "../settings/settings.js";
import { shellWord } from "../../core/foreign-words.js";
import type { Streams } from "../streams.js";
import { version } from "../version.js";

/** Why a command cannot be cut, told with all other problems. */
export function unshareable(
  experiment: Experiment,
  options: OptionValues,
  { share }: Pick<SharedSettings, "share">,
): Issue[] {
  if (!share) return [];
  const reason = experiment.unshared
    ? experiment.unshared(options)
    : `${experiment.name} has no trials to share out`;
  return reason === undefined ? [] : [{ key: "--shard", message: `--shard ${share.toString()}: ${reason}` }];
}

/** The arguments without what says how this process goes about them. */
export function withoutShard(argv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    if (["--resume", "--overwrite"].includes(argv[i]) || argv[i].startsWith("--shard=")) continue;
    if (argv[i] === "--shard") i++;
    else kept.push(argv[i]);
  }
  return kept;
}

/** Options as a shard runs with them: files that it would write are the merge's to write. */
export const withoutFiles = ({ options }: Experiment, values: OptionValues): OptionValues => ({
  ...values,
  ...Object.fromEntries(options.filter(({ kind }) => kind === "file").map(({ key }) => [key, null])),
});

/** What a shard's file and a merge must agree on, beside what a journal must. */
export const sharedOut = (settings: object, verify: boolean): Record<string, unknown> =>
  flattened({ ...settings, verify });

export interface ShardRun {
  /** Keeps what the share's tasks come to. */
  readonly executor: Executor;
  /** Writes the file and says how to go on. */
  finish(streams: Pick<Streams, "stdout" | "cwd" | "fs">, isJson: boolean): Promise<void>;
}

const shardName = (
  command: string,
  settings: Readonly<Record<string, unknown>>,
  share: Share,
  folder: string,
): string => {
  const hash = createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 8);
  return join(folder, shardFileName(command, hash, share));
};

/** The file of a share as one that will be written: an earlier one says itself whose it is. */
export function plannedShard(
  command: string,
  settings: Readonly<Record<string, unknown>>,
  share: Share,
  folder: string,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
): Planned {
  const name = shardName(command, settings, share, folder);
  const path = resolve(cwd, name);
  const isOwn = async (): Promise<boolean> => {
    const run = { command, core: "", settings };
    try {
      const header = await readHeader(fs.readBytes(path), name);
      return header.command === command && differingSettings({ ...header, core: "" }, run).length === 0;
    } catch (error) {
      if (error instanceof ConfigError) return false;
      throw error;
    }
  };
  return { path, name, flag: "--out-data", isOwn };
}

export function shardRun(
  inner: Executor,
  share: Share,
  command: string,
  settings: Readonly<Record<string, unknown>>,
  argv: readonly string[],
  folder: string,
): ShardRun {
  const core = coreHash();
  const keeper = keeping(inner, (task) => shardKey(core, task));
  const file = shardName(command, settings, share, folder);
  return {
    executor: keeper,
    async finish({ stdout, cwd, fs }, isJson) {
      const { index, count, total } = share;
      const shard = { index, count };
      // By key: which task is done first is chance, and the file's bytes are not.
      const kept = [...keeper.kept].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
      const tasks = kept.length;
      const header: ShardHeader = {
        command,
        core,
        program: version,
        settings,
        argv: withoutShard(argv),
        shard,
        tasks,
        total,
      };
      await fs.writeAtomic(resolve(cwd, file), linesOf(header, kept));
      const all = `${shellWord(file).replace(/shard-\d+-of-\d+$/, "")}shard-*-of-${count}`;
      const merge = `llmsim merge ${count === 1 ? shellWord(file) : all}`;
      stdout.write(
        isJson
          ? `${JSON.stringify({ command, shard, tasks, total, file, merge }, null, 2)}\n`
          : `shard ${index}/${count} of ${command}: ${tasks} of ${total} tasks, written to ${file}\nwhen all ${count} are there:  ${merge}\n`,
      );
    },
  };
}

/** Line by line: together they may be longer than any text. */
function* linesOf(header: ShardHeader, kept: readonly Kept[]): Generator<Uint8Array> {
  yield headerLine(header);
  for (const { key, values } of kept) yield shardLine(key, values);
}
