/** One command of the program, made from its experiment's definition: flags, examples, help. */
import { type Command, Option } from "commander";
import type { Experiment, ExperimentOption } from "../experiments/experiment.js";
import { EXIT_HELP } from "./faults.js";
import { MODEL_FLAGS } from "./flags.js";

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
    .option("--slo <list>", "objectives: ttft, tbt, rts, itl of each request; ttft_p99, ... of the run")
    .option("--no-chunking", "prompts advance as far as the budget lets them")
    .option("--verify", "check every law of the model while simulating")
    .option("--force", "lift the limit on the number of requests");
}

/** Kinds of options that may be given several times. */
const REPEATABLE: readonly string[] = ["conditions", "vary", "with"];

function optionOf({ flag, kind, summary, default: usual }: ExperimentOption): Option {
  const option = new Option(flag, usual === undefined ? summary : `${summary} (default: ${usual})`);
  return REPEATABLE.includes(kind) ? option.argParser<string[]>(collect) : option;
}

/** Gives the command of an experiment its flags and its help. */
export function describe(command: Command, experiment: Experiment): void {
  command.description(`${experiment.question}\n${command.summary()}`);
  if (experiment.options.length > 0) command.optionsGroup("This command:");
  for (const option of experiment.options) command.addOption(optionOf(option));
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
}
