/** What an experiment answers: sentences, tables, files and pictures. */
import type { Lane } from "../../charts/index.js";

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
