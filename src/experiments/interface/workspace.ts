/** What experiments that read earlier results or run others need of the outside: tables, studies by settings, files, hashes. */
import type { Manifest } from "./manifest.js";
import type { CsvFile, Report, Row } from "./report.js";
import type { NamedScenario, Study, StudySettings } from "./study.js";

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

/** @typeParam E an experiment: what it is stands above this page */
/** What an experiment that runs others needs of the outside. Paths are in the data folder. */
export interface WorkspaceOf<E> {
  /** The package's version. */
  readonly version: string;
  /** Hash of the simulator's code: what another build came to is not this one's result. */
  readonly core: string;
  /** The study that an experiment would run with these settings over its own defaults. */
  study(experiment: E, settings: StudySettings): Promise<Study>;
  /** Writes tables and figures at once. */
  write(files: Pick<Report, "csv" | "figures">): Promise<void>;
  writeText(name: string, text: string): Promise<void>;
  /** The scenarios of the package with the settings of each. */
  scenarios(): Promise<readonly NamedScenario[]>;
  /** The page of that name that comes with the package, into which data is filled. */
  page(name: string): Promise<string>;
  /** A chart as SVG. */
  picture(spec: object): Promise<string>;
  /** A figure as the data folder's files would link to it. */
  figureLink(path: string): string;
  /** What a Content-Security-Policy calls a text: `'sha256-…'`. */
  policyHash(text: string): string;
  /** A file's text; undefined when there is none. */
  readText(name: string): Promise<string | undefined>;
  /** The manifest of that name in the data folder, of a shape to rely on; undefined when there is none. */
  manifest(name: string): Promise<Manifest | undefined>;
  /** A file that the user named, relative to the current folder. */
  readFile(name: string): Promise<string>;
  /** SHA-256 of a text, or of a table's bytes as they would be written; hexadecimal. */
  hashText(text: string): string;
  hashCsv(file: CsvFile): string;
}
