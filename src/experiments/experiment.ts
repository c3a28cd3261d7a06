/**
 * What an experiment is: a pure function from a study and its own options to a report, asking the Trials port
 * for what it needs. The command line, its help and its tests are made from these definitions.
 */
import type { Lane } from "../charts/index.js";
import type { Condition } from "../core/condition.js";
import type { Conventions, SimulationConfig } from "../core/config.js";
import type { OptionSpec, OptionValue, Spec } from "../core/definition.js";
import type { Issue } from "../core/errors.js";
import type { Registry } from "../core/registry.js";
import type { Trials } from "./trials.js";
import type { Workspace } from "./workspace.js";

export type { Workspace };

/** A user's plugin that a study uses. */
export interface PluginUse {
  /** The file as the user named it. */
  readonly file: string;
  readonly sha256: string;
  /** Names of its schedulers. */
  readonly schedulers: readonly string[];
}

/** A recorded trace that a study uses, and what became of its file. */
export interface TraceUse {
  /** The file as the user named it. */
  readonly file: string;
  /** Name of its format. */
  readonly format: string;
  /** Names the data and what was done to it. */
  readonly key: string;
  /** Replayed with its instants, or lengths alone. */
  readonly use: "replay" | "lengths";
  /** Unit of its instants; undefined of times of day, and of lengths alone. */
  readonly unit?: string;
  readonly requests: number;
  /** From the first arrival to the last as recorded; NaN for lengths alone. */
  readonly seconds: number;
  /** Failed requests that were left out. */
  readonly leftOut: number;
  /** Prompts that were cut. */
  readonly clipped: number;
  /** What its reader must know. */
  readonly notes: readonly string[];
}

/** A vLLM server whose settings a study has taken over. */
export interface ServerUse {
  /** The log, as the user named it. */
  readonly log?: string;
  /** Its command line was given, which may hold a key and is not kept. */
  readonly args?: true;
  /** vLLM's version, as the log prints it. */
  readonly version?: string;
  /** What was said, by the study's keys. */
  readonly told: Readonly<Record<string, OptionValue | null | undefined>>;
  /** What a server has that was not said, and where the value in force comes from. */
  readonly untold: readonly {
    readonly key: string;
    readonly value: OptionValue | null | undefined;
    readonly from: string;
  }[];
  /** GPUs of a replica, if several, where no hardware says how many it has. */
  readonly gpus?: number;
  /** What was said and has no meaning here, by vLLM's names. */
  readonly ignored: readonly string[];
}

/** What is simulated: everything but the scheduler, and the schedulers to compare. */
export interface Study {
  /** The scenario's name as the user gave it. */
  readonly scenario: string;
  /** The hardware's name or file as the user gave it, where service times are those of a hardware file. */
  readonly hardware?: string;
  /** The least and the most that its file says it was fitted to. */
  readonly validity?: Readonly<Record<string, readonly [number, number] | undefined>>;
  /** The flag that chose it, for commands to try next: `--scenario demo2`, `--config my.yaml`. */
  readonly chosenBy?: string;
  /** The model's flags as they were given, by name without dashes, and the assignments of `--set`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly assignments?: readonly string[];
  readonly config: Omit<SimulationConfig, "scheduler">;
  readonly schedulers: readonly Spec[];
  readonly trials: number;
  readonly seed: number;
  /** Where its kinds are looked up; the built-in registry unless it brings a trace or a plugin. */
  readonly registry?: Registry;
  readonly trace?: TraceUse;
  readonly vllm?: ServerUse;
  /** Dotted keys whose values are assumed, because the hardware does not say its server's. */
  readonly assumed?: readonly string[];
  readonly plugins?: readonly PluginUse[];
  /** What an SLO asks of a whole run; what it asks of each request stands in the configuration. */
  readonly targets?: readonly Condition[];
  /** The study with other settings, where a command runs several of them (`sweep --vary`, `compare --with`). */
  readonly variants?: readonly Variant[];
  /** The same study on further scenarios, where the command was given several at once (`--scenario both`). */
  readonly others?: readonly Study[];
}

/** A study with some settings changed. */
export interface Variant {
  /** What was changed, as the user wrote it; for the study as it was given, `as given`. */
  readonly label: string;
  /** The values of the keys that vary, under the keys' names; null is none. */
  readonly settings: Readonly<Record<string, string | number | null>>;
  readonly study: Study;
}

/** One command-line option of an experiment. */
export interface ExperimentOption extends Omit<OptionSpec, "kind"> {
  /**
   * May be given several times: `conditions`, texts like `ttft_p95_s<0.5` (core/condition.ts); `vary` (key=list)
   * and `with` (a scenario, a file, key=value, or several with commas between), which make the study's variants.
   * `metric` is the name or alias of a metric, also of a percentile that no file has a column for.
   * `values` is a list of numbers and words, `file` a file to write, `input` one to read.
   */
  readonly kind:
    | OptionSpec["kind"]
    | "flag"
    | "text"
    | "list"
    | "file"
    | "input"
    | "conditions"
    | "metric"
    | "vary"
    | "with"
    | "values";
  /** The flag as commander reads it, e.g. `--sizes <list>`. */
  readonly flag: string;
}

/** Results of earlier commands, for those that read them. */
export interface Tables {
  /** Names of the files in the data folder, sorted; none when there is no folder. */
  list(): Promise<readonly string[]>;
  /**
   * The rows of a CSV of the data folder; undefined when there is no such file.
   * @throws ConfigError when a required column is missing
   */
  read(name: string, required: readonly string[]): Promise<readonly Row[] | undefined>;
}

/** The settings of a study that another experiment runs. */
export interface StudySettings {
  readonly scenario?: string;
  readonly schedulers?: readonly string[];
  readonly trials?: number;
  readonly seed?: number;
  readonly horizon?: { readonly tmaxSeconds?: number };
  readonly conventions?: "standard" | "reference" | Conventions;
  /** Chunk size; null: no chunking; the scenario's own unless given. */
  readonly chunkSize?: number | null;
}

/** A scenario of the package. */
export interface NamedScenario {
  readonly name: string;
  readonly alias?: string;
  readonly summary: string;
  /** What it sets, as a layer of a study. */
  readonly values: object;
}

/** A file that the user named, or one of a folder that the user named. */
export interface InputFile {
  /** As the user would name it. */
  readonly file: string;
  /** Of a CSV: its columns and rows, and the line where each row ends; of JSON lines the same but for columns. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly lines: readonly number[];
  /** Of a YAML or JSON file: its plain data. */
  readonly values?: unknown;
}

/** Settings of an engine, and the file that they come from. */
export interface RunSettings {
  readonly source: string;
  readonly engine: Readonly<Record<string, number | boolean>>;
  /** What the file leaves open, or says and cannot be simulated. */
  readonly notes?: readonly string[];
}

export interface ExperimentContext {
  readonly study: Study;
  readonly workspace: Workspace;
  readonly tables: Tables;
  readonly options: Readonly<Record<string, OptionValue | readonly string[] | null>>;
  readonly trials: Trials;
  /** The files given to an experiment that reads some. */
  readonly inputs?: readonly InputFile[];
  /** Shows a line at once, before the report is complete: the answer. */
  readonly say: (line: string) => void;
  /** Tells how far the work is, in words; not part of the output. */
  readonly tell: (line: string) => void;
}

export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/** A table of the terminal: cells are ready to print. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A CSV to write. */
export interface CsvFile {
  readonly path: string;
  /** What `path` is relative to: the data folder, or the current one for a file that the user named. */
  readonly under?: "data" | "current";
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** A chart to draw, under the figures folder; the spec is Vega-Lite. */
export interface Figure {
  readonly path: string;
  readonly spec: object;
}

/** A text to write. */
export interface TextFile {
  readonly path: string;
  /** As in CsvFile. */
  readonly under?: "data" | "current";
  /** In pieces where it may be longer than a text can be. */
  readonly text: string | Iterable<string>;
}

/** What a program that watches should mark: on GitHub it stands beside the job. */
export interface Annotation {
  readonly level: "error" | "warning" | "notice";
  readonly title: string;
  readonly message: string;
}

/** A page to show when it has been written. */
export interface Shown {
  /** Its path, under the data folder. */
  readonly path: string;
  /** Serve it on loopback until interrupted; else it is only opened. */
  readonly serve: boolean;
  /** Open it in the browser. */
  readonly open: boolean;
}

/** A timeline to animate, under the figures folder: a GIF, and beside it its last frame as PNG. */
export interface Animation {
  readonly path: string;
  readonly lanes: readonly Lane[];
  /** Simulated seconds that the pictures span, and how many pictures there are. */
  readonly seconds: number;
  readonly frames: number;
  readonly heading: string;
}

export interface Report {
  /** The sentence that answers the question, with its interval; already said ones are not repeated. */
  readonly answer: readonly string[];
  readonly tables: readonly Table[];
  /** Warnings and explanations under the tables. */
  readonly notes: readonly string[];
  readonly csv: readonly CsvFile[];
  readonly figures: readonly Figure[];
  readonly texts?: readonly TextFile[];
  readonly animations?: readonly Animation[];
  readonly show?: Shown;
  /** What `--json` prints beside command, scenario, seed, trials and conventions. */
  readonly json: Readonly<Record<string, unknown>>;
  /** False when a check failed: exit code 1. */
  readonly passed: boolean;
  /** What could not be simulated, and why: told as an error beside the results, exit code 2. */
  readonly failed?: readonly string[];
  /** Something that had to be judged could not be: exit code 4, unless a check failed. */
  readonly undecided?: boolean;
  /** A line for each thing judged, for CI. */
  readonly annotations?: readonly Annotation[];
  /** Trials simulated, where they are not those of the study: the header and the JSON document name these. */
  readonly trials?: number;
  /** Commands worth trying next. */
  readonly next: readonly string[];
}

/** What an experiment will write, as far as it can be told before it runs; paths as in its report. */
export interface Outputs {
  /** Under the data folder. */
  readonly data?: readonly string[];
  /** Under the figures folder: charts and animations. */
  readonly figures?: readonly string[];
}

/** What that can depend on. */
export type OutputContext = Pick<ExperimentContext, "study" | "options" | "inputs" | "tables" | "workspace">;

/** The settings an experiment starts from, before scenario, file and flags. */
export interface StudyDefaults {
  readonly scenario?: string;
  readonly schedulers?: readonly string[];
  readonly trials?: number;
  readonly horizon?: { readonly tmaxSeconds?: number };
  readonly conventions?: "standard" | "reference";
  readonly arrivalRate?: number;
}

export interface Experiment {
  /** The command; its summary stands in the list of experiments (index.ts). */
  readonly name: string;
  /** The question it answers, for the page "which command answers my question". */
  readonly question: string;
  readonly options: readonly ExperimentOption[];
  readonly defaults: StudyDefaults;
  /**
   * Whether it simulates the user's model; others fix their own settings and take no model flags. `machine`: service
   * times, engine and scheduler are the user's, the requests its own.
   */
  readonly takesModel: boolean | "machine";
  /** What the command is instead when an option of it is given; that option comes first among its own. */
  readonly variant?: Experiment;
  /**
   * Why `--shard` cannot share out its trials; undefined: it can, because all of them are known before any has a
   * result. Absent where there are none to share out.
   */
  unshared?(options: ExperimentContext["options"]): string | undefined;
  /** Words that stand for several scenarios at once, e.g. `both`. */
  readonly scenarioLists?: Readonly<Record<string, readonly string[]>>;
  /** The files that it takes: at least one as arguments, or the folder of an option. */
  readonly reads?: {
    /** As commander reads the arguments, e.g. `<file...>`, and what they are. */
    readonly usage?: string;
    readonly summary?: string;
    /** The option that names the folder. */
    readonly option?: string;
    /** What a folder is called. */
    readonly what: string;
    /** What is read of a folder. */
    readonly ofFolder: readonly string[];
  };
  /**
   * The settings that its files bring; they lie over the hardware and under everything set by hand.
   * @throws ConfigError when the files are wrong
   */
  settingsOf?(inputs: readonly InputFile[], options: Partial<ExperimentContext["options"]>): RunSettings;
  /** Command lines that work, without the leading `llmsim`. */
  readonly examples: readonly string[];
  /** Files it writes, for help. */
  readonly writes: readonly string[];
  /**
   * The files that it will write, beside those that the user names: what may not be replaced is refused before an hour
   * of work, not after it. Every file of the report is among them; one that is not written after all does no harm.
   */
  outputs(context: OutputContext): Outputs | Promise<Outputs>;
  /**
   * What contradicts what, found before anything runs and told with all other problems. Options that were
   * refused are missing, those not given are null; undefined: no study, because of other problems.
   */
  check?(options: Partial<ExperimentContext["options"]>, study: Study | undefined): Issue[];
  run(context: ExperimentContext): Promise<Report>;
}

/** `unshared` of an experiment whose trials are all known before any has a result. */
export const allKnown = (): undefined => undefined;

/** The flag that leads to the study's scenario again. */
export const again = (study: Study): string => study.chosenBy ?? `--scenario ${study.scenario}`;

/** Whether the arrivals are a recorded trace's: their rate is what it is. */
export const isReplay = ({ config }: Study): boolean => config.workload.arrivals.kind === "trace";

/** Whether the arrivals are a closed loop's: their rate is what the engine makes of it. */
export const isClosed = ({ config }: Pick<Study, "config">): boolean =>
  config.workload.arrivals.kind === "closed";

/** The command that finds how much load a study bears, where there is a λ to vary. */
export const tryStability = (study: Study): string[] =>
  isReplay(study) || isClosed(study) ? [] : [`llmsim stability ${again(study)}`];

/** A study's configuration with one of its schedulers. */
export const withScheduler = (study: Study, scheduler: Spec): SimulationConfig => ({
  ...study.config,
  scheduler,
});
