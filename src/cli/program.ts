/** The commander program, made from the experiments' definitions: commands, flags, help. */
import type { CommanderError } from "commander";
import { Command, Option } from "commander";
import { ConfigError } from "../core/errors.js";
import type { Experiment } from "../experiments/experiment.js";
import { EXIT_HELP } from "./faults.js";
import { MODEL_FLAGS } from "./flags.js";
import type { Streams } from "./streams.js";
import { TRAFFIC_FLAGS } from "./traffic.js";

/** What commander hands over: flags by their camel-case names, as text. */
export type Flags = Readonly<Record<string, string | string[] | boolean | undefined>>;

const collect = (value: string, earlier: string[] | undefined): string[] => [...(earlier ?? []), value];

function addCommonFlags(command: Command): void {
  command
    .optionsGroup("Every command:")
    .option("--seed <n>", "seed of the study; trials differ by their number alone")
    .option("--workers <n>", "threads (default: the machine's cores); 0 simulates in this process")
    .option("--out-data <dir>", "folder for CSVs", "data")
    .option("--out-figs <dir>", "folder for figures", "figs")
    .option("--json", "print one JSON document to stdout and nothing else")
    .option("--quiet", "no progress")
    .option("--no-color", "no emphasis (also NO_COLOR, TERM=dumb)")
    .option("--config <file>", "settings from a YAML or JSON file")
    .option("--set <key=value>", "one setting, e.g. engine.maxTokens=512 (repeatable)", collect);
}

function addModelFlags(command: Command): void {
  command
    .optionsGroup("Model:")
    .option("--scenario <name|file>", "where settings start from")
    .option("--scheduler <list>", "schedulers to compare (repeatable)", collect);
  for (const { flag, summary } of MODEL_FLAGS) command.option(flag, summary);
  command
    .option("--no-chunking", "prompts advance as far as the budget lets them")
    .option("--verify", "check every law of the model while simulating")
    .option("--force", "lift the limit on the number of requests");
  command.optionsGroup("Recorded traces:");
  for (const [flag, summary] of TRAFFIC_FLAGS) command.option(flag, summary);
}

function addExperiment(
  program: Command,
  experiment: Experiment,
  act: (experiment: Experiment, flags: Flags) => Promise<void>,
): void {
  const command = program.command(experiment.name).summary(experiment.summary);
  command.description(`${experiment.question}\n${experiment.summary}`);
  if (experiment.options.length > 0) command.optionsGroup("This command:");
  for (const option of experiment.options)
    command.addOption(
      new Option(
        option.flag,
        option.default === undefined ? option.summary : `${option.summary} (default: ${option.default})`,
      ),
    );
  if (experiment.takesModel) addModelFlags(command);
  addCommonFlags(command);
  command.addHelpText("after", () =>
    [
      "",
      "Examples:",
      ...experiment.examples.map((example) => `  llmsim ${example}`),
      ...(experiment.writes.length > 0
        ? ["", "Writes:", ...experiment.writes.map((file) => `  ${file}`)]
        : []),
      "",
      EXIT_HELP,
    ].join("\n"),
  );
  command.action(async (flags: Flags) => act(experiment, flags));
}

/** @param act runs an experiment with the flags given to it */
export function makeProgram(
  experiments: readonly Experiment[],
  version: string,
  { stdout, stderr }: Pick<Streams, "stdout" | "stderr">,
  act: (experiment: Experiment, flags: Flags) => Promise<void>,
): Command {
  const program = new Command("llmsim")
    .description(
      "Simulates how an LLM serving engine schedules prefill and decode, and answers with honest statistics.",
    )
    .version(version, "--version", "print the version")
    .helpCommand("help [command]", "help for a command")
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError: () => {}, // main reports errors itself, in the house's form
      getOutHelpWidth: () => Math.min(100, stdout.columns ?? 80),
    })
    .exitOverride()
    .showSuggestionAfterError(true)
    .enablePositionalOptions();
  for (const experiment of experiments) addExperiment(program, experiment, act);
  program.addHelpText("after", ["", "Start with: llmsim demo", "", EXIT_HELP].join("\n"));
  for (const command of program.commands) command.exitOverride().copyInheritedSettings(program);
  return program;
}

/** Commander's complaint in the form of all other errors; undefined when it only printed help or the version. */
export function complaintOf(error: CommanderError): ConfigError | undefined {
  if (error.exitCode === 0) return undefined;
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const hint = /\(Did you mean (?:one of )?(.*)\?\)/.exec(rest.join(" "))?.[1];
  const message = first
    .replace(/^unknown (command|option) '(.*)'$/, "unknown $1: $2")
    .replace(/^option '(.*)' argument missing$/, "missing value: $1")
    .replace(/^too many arguments.*$/, "too many arguments: settings are flags (see --help)");
  return new ConfigError([{ key: "", message: hint ? `${message} — did you mean ${hint}?` : message }]);
}
