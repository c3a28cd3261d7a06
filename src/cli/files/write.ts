/** Writes a report's files: CSVs first, then the charts with the spec that drew each beside its picture. */
import { dirname, join, resolve } from "node:path";
import type { TopLevelSpec } from "vega-lite";
import type { Issue } from "../../core/errors.js";
import type { Experiment } from "../../experiments/interface/experiment.js";
import type { Report, TextFile } from "../../experiments/interface/report.js";
import { csvPieces } from "../../io/csv.js";
import { type Data, FileError } from "../../io/files.js";
import { jsonPieces } from "../../io/json.js";
import { inside } from "./inside.js";
import { flagName, type OptionValues } from "../../flags/options.js";
import type { OutputFile, Outputs } from "./outputs.js";
import type { Places } from "./places.js";
import { withBeside } from "./planned.js";
import type { SharedSettings } from "../settings/settings.js";
import type { Streams } from "../streams.js";

/** What stands in the way of writing, found before anything is simulated; nothing is made. */
export async function unwritable(
  experiment: Experiment,
  shared: Pick<SharedSettings, "outData" | "outFigs">,
  options: OptionValues,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
): Promise<Issue[]> {
  const issues: Issue[] = [];
  const attempt = async (flag: string, look: () => Promise<void>): Promise<void> => {
    try {
      await look();
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      issues.push({ key: flag, message: `${flag}: ${error.message}` });
    }
  };
  await attempt("--out-data", () => fs.ensureWritable(cwd, shared.outData));
  await attempt("--out-figs", () => fs.ensureWritable(cwd, shared.outFigs));
  for (const { kind, key, flag } of experiment.options) {
    const file = options[key];
    if (kind !== "file" || typeof file !== "string") continue;
    await attempt(flagName(flag), () => fs.ensureWritable(cwd, dirname(file)));
  }
  return issues;
}

function* specText(spec: object): Generator<string, void, undefined> {
  yield* jsonPieces(spec, 1);
  yield "\n";
}

/**
 * Writes them as one set (outputs.ts), once all are drawn.
 * @returns the files written, as the user would name them
 */
export async function writeFiles(
  report: Pick<Report, "csv" | "figures" | "texts" | "animations">,
  places: Places,
  outputs: Pick<Outputs, "write">,
  warn: (message: string) => void,
): Promise<string[]> {
  const files: OutputFile[] = [];
  const { cwd, data: dataFolder, figs, named = [] } = places;
  const add = (flag: string, folder: string, path: string, data: Data): void =>
    void files.push({ path: inside(cwd, folder, path), name: join(folder, path), flag, data });
  /** A file that the user named may be anywhere. */
  const put = ({ path, under }: Pick<TextFile, "path" | "under">, data: Data): void => {
    const flag = named.find(({ name }) => name === path)?.flag ?? "output";
    if (under === "current") files.push({ path: resolve(cwd, path), name: path, flag, data });
    else add("--out-data", dataFolder, path, data);
  };
  for (const file of report.csv) put(file, csvPieces(file.columns, file.rows));
  for (const file of report.texts ?? []) put(file, file.text);
  if (report.figures.length > 0) {
    const { drawings } = await import("../../io/drawings.js");
    const left = report.figures[Symbol.iterator]();
    for await (const { png, warnings } of drawings(report.figures.map(({ spec }) => spec as TopLevelSpec))) {
      const { path, spec } = left.next().value!;
      for (const message of warnings) warn(`${path}: ${message}`);
      add("--out-figs", figs, path, png);
      add("--out-figs", figs, withBeside(path)[1], specText(spec));
    }
  }
  if (report.animations && report.animations.length > 0) {
    const { renderGif } = await import("../../io/gif.js");
    for (const { path, ...animation } of report.animations) {
      const { gif, still } = await renderGif(animation);
      add("--out-figs", figs, path, gif);
      add("--out-figs", figs, withBeside(path)[1], still);
    }
  }
  if (files.length > 0) await outputs.write(files);
  return files.map(({ name }) => name);
}
