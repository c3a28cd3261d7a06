/**
 * `llmsim merge FILE...`: joins the files of `--shard` and makes of them what the command would have made alone, byte
 * for byte: the command that they carry is run again, and its tasks are answered from the files. A file may come
 * from another machine, so what its command line could do beyond this folder is only done when it is allowed here.
 */
import { resolve } from "node:path";
import type { Command } from "commander";
import { ConfigError, type Issue } from "../core/errors.js";
import type { Experiment } from "../experiments/interface/experiment.js";
import { EXPERIMENTS } from "../experiments/index.js";
import { FileError, namedPieces, type Place } from "../io/files.js";
import { coreHash } from "../run/core-hash.js";
import type { Executor } from "../run/executor.js";
import { differingSettings } from "../run/journal.js";
import { answering, join, type Joined, readShardFile, type ShardFile } from "../run/shard-file.js";
import { EXIT_HELP } from "./faults.js";
import type { Permission } from "./files/folder-record.js";
import { isInside } from "./files/inside.js";
import { camelCase, flagName } from "../flags/options.js";
import type { Flags } from "../flags/given-flags.js";
import { makeProgram } from "./program.js";
import { commandLine } from "../flags/shell.js";
import { shellWord } from "../core/foreign-words.js";
import type { Streams } from "./streams.js";
import { version } from "./version.js";

/** What a command is performed with when its tasks are done already. */
export interface Answered {
  readonly executor: Executor;
  /** The files of the shards. */
  readonly inputs: readonly string[];
  /** What its command line may write. */
  readonly permission: Permission;
  /** @throws ConfigError when the command at hand is another than the one that was done */
  check(command: string, settings: Readonly<Record<string, unknown>>): void;
}

/** Runs one command with the answers that are there; perform's. */
export type Perform = (
  experiment: Experiment,
  flags: Flags,
  files: readonly string[],
  argv: readonly string[],
  answered: Answered,
) => Promise<number>;

/** Gives the command its argument, flags and help. */
export function describeMerge(command: Command): void {
  command
    .description(
      "What did all shards come to together?\nJoins the files that a command wrote with --shard 1/n ... n/n, and prints and writes what it would have without.",
    )
    .argument("<file...>", "the files of all shards, in any order")
    .option(
      "--allow <path>",
      "a plugin, a path outside this folder, or a file that no llmsim wrote, that the shards' command line names (repeatable)",
      (value: string, earlier: string[] | undefined) => [...(earlier ?? []), value],
    )
    .addHelpText(
      "after",
      [
        "\nExamples:",
        "  llmsim run --ntrials 1000 --shard 1/2",
        "  llmsim run --ntrials 1000 --shard 2/2",
        "  llmsim merge data/run-*.shard-*-of-2",
        `\n${EXIT_HELP}`,
      ].join("\n"),
    );
}

const HELP = ["-h", "--help", "-V", "--version"];

export async function merge(
  names: readonly string[],
  allowed: readonly string[],
  streams: Streams,
  perform: Perform,
): Promise<number> {
  const files = await read(names, streams);
  const joined = join(files, { core: coreHash(), program: version }, commandLine);
  const { name } = files[0];
  streams.stderr.write(`merge: ${commandLine(joined.argv)}\n`);
  let code: number | undefined;
  const program = makeProgram(EXPERIMENTS, version, streams, async (experiment, flags, inputs) => {
    const border = await borderOf(allowed, streams);
    const issues = await beyond(experiment, flags, name, border, streams);
    if (issues.length > 0) throw new ConfigError(issues);
    const answered = {
      ...answeredFrom(joined, name),
      inputs: names.map((one) => resolve(streams.cwd, one)),
      permission: border.permission,
    };
    code = await perform(experiment, flags, inputs, joined.argv, answered);
  });
  // Commander would answer --help, --version and no command at all itself, and the merge would have merged nothing.
  const isCommand = EXPERIMENTS.some(({ name }) => name === joined.argv[0]);
  if (isCommand && !joined.argv.some((word) => HELP.includes(word)))
    await program.parseAsync([...joined.argv], { from: "user" });
  if (code !== undefined) return code;
  const message = `${name}: its command line is none of a command: ${commandLine(joined.argv)}`;
  throw new ConfigError([{ key: name, message }]);
}

/** Every file, or every problem of every file. */
async function read(
  names: readonly string[],
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
): Promise<ShardFile[]> {
  const files: ShardFile[] = [];
  const issues: Issue[] = [];
  for (const name of names)
    try {
      files.push(await readShardFile(namedPieces(fs, cwd, name), name));
    } catch (error) {
      if (error instanceof ConfigError) issues.push(...error.issues);
      else if (error instanceof FileError) issues.push({ key: name, message: error.message });
      else throw error;
    }
  if (issues.length > 0) throw new ConfigError(issues);
  return files;
}

function answeredFrom(joined: Joined, name: string): Pick<Answered, "executor" | "check"> {
  const { command, core, settings } = joined.header;
  return {
    executor: answering(joined, name),
    check(now, found) {
      const differing = differingSettings(
        { command, core, settings },
        { command: now, core, settings: found },
      );
      if (now !== command) differing.unshift(`${command} → ${now}`);
      if (differing.length === 0) return;
      const message = `${name}: its command line means something else here: ${differing.slice(0, 8).join("; ")}`;
      throw new ConfigError([{ key: name, message }]);
    },
  };
}

/** This folder and what was allowed beside it, by where paths lead and not by what they are called. */
interface Border {
  isAllowed(place: Place): boolean;
  isInside(place: Place): boolean;
  readonly permission: Permission;
}

async function borderOf(
  allowed: readonly string[],
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
): Promise<Border> {
  const home = await fs.locate(cwd);
  const places = await Promise.all(allowed.map((path) => fs.locate(resolve(cwd, path))));
  const isAllowed = ({ real }: Place): boolean => places.some((one) => one.real === real);
  const isBelow = ({ real }: Place): boolean => [home, ...places].some((one) => isInside(one.real, real));
  return {
    isAllowed,
    isInside: isBelow,
    permission: {
      isOutside: (place) => !isBelow(place),
      mayReplace: isAllowed,
      lift: (name) => `to let it: --allow ${shellWord(name)}`,
    },
  };
}

/** What the command line would load or write that was not allowed. */
async function beyond(
  { options }: Experiment,
  flags: Flags,
  name: string,
  border: Border,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
): Promise<Issue[]> {
  const issues: Issue[] = [];
  const refuse = (flag: string, path: string, why: string): void =>
    void issues.push({
      key: name,
      message: `${name}: ${flag} ${path} ${why} (to let it: --allow ${shellWord(path)})`,
    });
  for (const path of (flags.plugin as string[] | undefined) ?? [])
    if (!border.isAllowed(await fs.locate(resolve(cwd, path)))) refuse("--plugin", path, "is code");
  const outputs = [
    "--out-data",
    "--out-figs",
    ...options.filter(({ kind }) => kind === "file").map(({ flag }) => flagName(flag)),
  ];
  for (const flag of outputs) {
    const path = flags[camelCase(flag)];
    if (typeof path !== "string" || path === "") continue;
    if (!border.isInside(await fs.locate(resolve(cwd, path)))) refuse(flag, path, "is outside this folder");
  }
  return issues;
}
