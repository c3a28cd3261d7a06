/** One command of the program, made from its experiment's definition: flags, examples, help. */
import { type Command, Option } from "commander";
import { ConfigError } from "../core/errors.js";
import type { Experiment } from "../experiments/interface/experiment.js";
import type { ExperimentOption } from "../experiments/interface/options.js";
import { EXIT_HELP } from "./faults.js";
import { MACHINE_FLAGS, MODEL_FLAGS, MODEL_SWITCHES, type ModelFlag } from "../flags/flags.js";
import { flagName } from "../flags/options.js";
import { withoutPasswords } from "../flags/shell.js";
import { TRAFFIC_FLAGS } from "./settings/traffic.js";
import { VLLM_FLAGS } from "./settings/vllm-server.js";

function collect(value: string, earlier: string[] = []): string[] {
  earlier.push(value);
  return earlier;
}

function addCommonFlags(command: Command): void {
  command
    .optionsGroup("Every command:")
    .option("--seed <n>", "seed of the study; trials differ by their number alone")
    .option("--workers <n>", "threads (default: the machine's cores); 0 simulates in this process")
    .option("--executor <name>", "where trials run: threads, or bullmq (docs/scaling.md)", "threads")
    .option("--redis <url>", "the queue of bullmq, and of its workers (or LLMSIM_REDIS)")
    .option("--out-data <dir>", "folder for CSVs", "data")
    .option("--out-figs <dir>", "folder for figures", "figs")
    .option("--overwrite", "replace files of these names that no llmsim wrote")
    .option("--json", "print one JSON document to stdout and nothing else")
    .option("--quiet", "no progress")
    .option("--resume", "go on with a run that was stopped, from its journal in the data folder")
    .option("--shard <i/n>", "only the i-th of n parts of the trials, for llmsim merge")
    .option("--no-color", "no emphasis (also NO_COLOR, TERM=dumb)")
    .option("--config <file>", "settings from a YAML or JSON file")
    .option("--set <key=value>", "one setting, e.g. engine.maxTokens=512 (repeatable)", collect);
}

function addHardwareFlags(command: Command): void {
  command
    .option("--hardware <name|file>", "service times fitted to a GPU (docs/hardware.md)")
    .option("--profile-only", "kernel times alone: without the hardware's overheads h and f");
}

/** The machine: hardware, engine, service times, scheduler. */
function addMachineFlags(command: Command, flags: readonly ModelFlag[]): void {
  addHardwareFlags(command);
  command
    .option("--scheduler <list>", "schedulers to compare (repeatable)", collect)
    .option("--plugin <file>", "schedulers of your own, an ES module (repeatable; docs/plugins.md)", collect);
  for (const { flag, summary } of flags) command.option(flag, summary);
  for (const { on, off, summary, offSummary } of MODEL_SWITCHES)
    command.option(on, summary).option(off, offSummary);
  command.option("--no-chunking", "prompts advance as far as the budget lets them");
}

function addModelFlags(command: Command): void {
  command.optionsGroup("Model:").option("--scenario <name|file>", "where settings start from");
  addMachineFlags(command, MODEL_FLAGS);
  command
    .option(
      "--slo <list>",
      "objectives: ttft, tbt (tpot), rts (e2e), itl of each request; ttft_p99, ... of the run",
    )
    .option(
      "--verify",
      "simulate each trial again, one iteration at a time, under every law of the model: both must agree",
    )
    .option("--force", "lift the limits on requests a trial and on the size of results");
  command.optionsGroup("A vLLM server:");
  for (const [flag, summary] of VLLM_FLAGS) command.option(flag, summary);
  command.optionsGroup("Recorded traces:");
  for (const [flag, summary] of TRAFFIC_FLAGS) command.option(flag, summary);
}

/** Kinds of options that may be given several times. */
const REPEATABLE: readonly string[] = ["conditions", "vary", "with"];

function optionOf({ flag, kind, summary, default: usual }: ExperimentOption): Option {
  const option = new Option(flag, usual === undefined ? summary : `${summary} (default: ${usual})`);
  return REPEATABLE.includes(kind) ? option.argParser<string[]>(collect) : option;
}

/** Flags that take a list, given again, add to it. */
const together = (value: string, earlier: string | undefined): string =>
  earlier === undefined ? value : `${earlier},${value}`;

/** Whatever else takes a value is given once: of two, one would be dropped without a word. */
function refuseRepeats(command: Command, lists: ReadonlySet<string>): void {
  for (const option of command.options) {
    if (!(option.required || option.optional) || option.parseArg !== undefined) continue;
    const name = option.long!;
    let earlier: string | undefined;
    option.argParser<string>((value) => {
      if (earlier !== undefined && !lists.has(name)) {
        const both = withoutPasswords(`${earlier}, then ${value}`);
        throw new ConfigError([{ key: name, message: `repeated ${name}: ${both} (give it once)` }]);
      }
      return (earlier = together(value, earlier));
    });
  }
}

/** Gives the command of an experiment its flags and its help. */
export function describe(command: Command, experiment: Experiment): void {
  command.description(`${experiment.question}\n${command.summary()}`);
  const { reads, variant } = experiment;
  if (reads?.usage !== undefined) command.argument(reads.usage, reads.summary);
  const options = [...experiment.options, ...(variant?.options ?? [])];
  if (options.length > 0) command.optionsGroup("This command:");
  for (const option of options) command.addOption(optionOf(option));
  if (experiment.takesModel === true) addModelFlags(command);
  else if (variant?.takesModel === "machine") {
    command.optionsGroup(`With ${flagName(variant.options[0].flag)}:`);
    addMachineFlags(command, MACHINE_FLAGS);
  }
  addCommonFlags(command);
  const ofLists = options.filter(({ kind }) => kind === "list" || kind === "values");
  const lists = [...ofLists, ...MODEL_FLAGS.filter(({ isList }) => isList === true)];
  refuseRepeats(command, new Set(["--slo", ...lists.map(({ flag }) => flagName(flag))]));
  const writes = [...experiment.writes, ...(variant?.writes ?? [])];
  command.addHelpText("after", () =>
    [
      "",
      "Examples:",
      ...experiment.examples.map((example) => `  llmsim ${example}`),
      ...(writes.length > 0 ? ["", "Writes:", ...writes.map((file) => `  ${file}`)] : []),
      "",
      EXIT_HELP,
    ].join("\n"),
  );
}
