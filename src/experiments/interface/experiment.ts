/**
 * What an experiment is: a pure function from a study and its own options to a report, asking the Trials port
 * for what it needs. The command line, its help and its tests are made from these definitions.
 */
import type { Issue } from "../../core/errors.js";
import type { ExperimentOptions, OptionsOf } from "./options.js";
import type { Trials } from "./trials.js";
import type { Report, Row } from "./report.js";
import type { Study, StudyDefaults } from "./study.js";
import type { Tables, WorkspaceOf } from "./workspace.js";

export type Workspace = WorkspaceOf<Experiment>;

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

/** @typeParam Options those that it declares; of experiments in general any */
export interface ExperimentContext<Options extends ExperimentOptions = ExperimentOptions> {
  readonly study: Study;
  readonly workspace: Workspace;
  readonly tables: Tables;
  readonly options: OptionsOf<Options>;
  readonly trials: Trials;
  /** The files given to an experiment that reads some. */
  readonly inputs?: readonly InputFile[];
  /** Shows a line at once, before the report is complete: the answer. */
  readonly say: (line: string) => void;
  /** Tells how far the work is, in words; not part of the output. */
  readonly tell: (line: string) => void;
}

/** What an experiment will write, as far as it can be told before it runs; paths as in its report. */
export interface Outputs {
  /** Under the data folder. */
  readonly data?: readonly string[];
  /** Under the figures folder: charts and animations. */
  readonly figures?: readonly string[];
}

/** What that can depend on. */
export type OutputContext<Options extends ExperimentOptions = ExperimentOptions> = Pick<
  ExperimentContext<Options>,
  "study" | "options" | "inputs" | "tables" | "workspace"
>;

/** @typeParam Options the type of `options`, where `run` and the others read any: `Experiment<typeof OPTIONS>` */
export interface Experiment<Options extends ExperimentOptions = ExperimentOptions> {
  /** The command; its summary stands in the list of experiments (index.ts). */
  readonly name: string;
  /** The question it answers, for the page "which command answers my question". */
  readonly question: string;
  readonly options: Options;
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
  unshared?(options: OptionsOf<Options>): string | undefined;
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
  settingsOf?(inputs: readonly InputFile[], options: Partial<OptionsOf<Options>>): RunSettings;
  /** Command lines that work, without the leading `llmsim`. */
  readonly examples: readonly string[];
  /** Files it writes, for help. */
  readonly writes: readonly string[];
  /**
   * The files that it will write, beside those that the user names: what may not be replaced is refused before an hour
   * of work, not after it. Every file of the report is among them; one that is not written after all does no harm.
   */
  outputs(context: OutputContext<Options>): Outputs | Promise<Outputs>;
  /**
   * What contradicts what, found before anything runs and told with all other problems. Options that were
   * refused are missing, those not given are null; undefined: no study, because of other problems.
   */
  check?(options: Partial<OptionsOf<Options>>, study: Study | undefined): Issue[];
  run(context: ExperimentContext<Options>): Promise<Report>;
}

/** `unshared` of an experiment whose trials are all known before any has a result. */
export const allKnown = (): undefined => undefined;
