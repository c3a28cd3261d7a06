/** The commander program: the list of commands; each gets its flags when it is the one given (command.ts). */
import { Command, type CommanderError } from "commander";
import { ConfigError } from "../core/errors.js";
import type { Experiment } from "../experiments/interface/experiment.js";
import type { Listed } from "../experiments/index.js";
import { EXIT_HELP } from "./faults.js";
import type { Flags } from "../flags/given-flags.js";
import type { Streams } from "./streams.js";
import { withoutPasswords } from "../flags/shell.js";

/** Runs an experiment with the flags, and the files, given to it. */
export type Act = (experiment: Experiment, flags: Flags, files: readonly string[]) => Promise<void>;

/** A command that is no experiment. */
export interface PlainCommand {
  readonly name: string;
  readonly summary: string;
  /** Gives it its arguments, flags and help, and what it does; only called when it is the one given. */
  describe(command: Command): Promise<void>;
}

/** The program, with a command for every experiment, and for what is none. */
export function makeProgram(
  experiments: readonly Listed[],
  version: string,
  { stdout, stderr }: Pick<Streams, "stdout" | "stderr">,
  act: Act,
  others: readonly PlainCommand[] = [],
): Command {
  const program = new Command("llmsim")
    .description(
      "Simulates how an LLM serving engine schedules prefill and decode, and answers with honest statistics.",
    )
    .version(version, "--version", "print the version")
    .helpCommand("help [command]", "help for a command")
    // Arguments stand in the command's own help: here they would squeeze the summaries.
    .configureHelp({
      subcommandTerm: (command) =>
        command.name() === "help" ? "help [command]" : `${command.name()} [options]`,
    })
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: () => {}, // main reports errors itself, in the house's form
      getOutHelpWidth: () => Math.min(100, stdout.columns ?? 80),
    })
    .showSuggestionAfterError(true)
    .enablePositionalOptions();
  for (const { name, summary } of [...experiments, ...others]) program.command(name).summary(summary);
  program.hook("preSubcommand", async (_, command) => {
    const other = others.find(({ name }) => name === command.name());
    if (other) return other.describe(command);
    const experiment = await experiments.find(({ name }) => name === command.name())!.load();
    const { describe } = await import("./command.js");
    describe(command, experiment);
    if (experiment.reads?.usage !== undefined)
      command.action(async (files: string[], flags: Flags) => act(experiment, flags, files));
    else command.action(async (flags: Flags) => act(experiment, flags, []));
  });
  program.addHelpText("after", ["", "Start with: llmsim demo", "", EXIT_HELP].join("\n"));
  for (const command of program.commands) complaining(command.copyInheritedSettings(program));
  return complaining(program);
}

/** What is said of each of commander's errors: by its code, and by what the command knows. */
const SAID: Readonly<Record<string, (command: Command) => string | undefined>> = {
  "commander.excessArguments": () => "too many arguments: settings are flags (see --help)",
  "commander.missingArgument": ({ registeredArguments, args }) =>
    `missing argument: ${registeredArguments.find(({ required }, i) => required && args[i] === undefined)?.name()} (see --help)`,
  "commander.optionMissingArgument": ({ options, parent }) =>
    // It takes any word for a value, so only the last of all can lack one.
    `missing value: ${options.find(({ long }) => long === parent?.args.at(-1))?.flags}`,
  "commander.unknownCommand": ({ args }) => `unknown command: ${args[0]}`,
};

/**
 * Commander's complaint in the form of all other errors; undefined when it only printed help or the version. Which
 * option is unknown, and what it suggests instead, stands in its message alone.
 */
function complaintOf({ code, exitCode, message }: CommanderError, command: Command): ConfigError | undefined {
  if (exitCode === 0) return undefined;
  const [first = "", ...rest] = message.split("\n");
  const meant = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(rest.at(-1) ?? "")?.[1];
  const text =
    SAID[code]?.(command) ??
    first.replace(/^error: /, "").replace(/^unknown option '(.*)'$/, "unknown option: $1");
  return new ConfigError([
    { key: "", message: withoutPasswords(meant === undefined ? text : `${text} — did you mean ${meant}?`) },
  ]);
}

/** Lets a command's complaints through in that form. */
const complaining = (command: Command): Command =>
  command.exitOverride((error) => {
    throw complaintOf(error, command) ?? error;
  });
