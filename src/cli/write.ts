/** Writes a report's files: CSVs first, then the charts with the spec that drew each beside its picture. */
import { dirname, join, resolve } from "node:path";
import type { Issue } from "../core/errors.js";
import type { Experiment, Report } from "../experiments/experiment.js";
import { toCsv } from "../io/csv.js";
import { FileError, type FileSystem } from "../io/files.js";
import { flagName, type OptionValues } from "./options.js";
import type { SharedSettings } from "./settings.js";
import type { Streams } from "./streams.js";

export interface Places {
  readonly cwd: string;
  /** Folders as the user gave them, relative to the current one. */
  readonly data: string;
  readonly figs: string;
}

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
    await attempt(flagName(flag), async () => {
      await fs.ensureWritable(cwd, dirname(file));
      if (await isFolder(resolve(cwd, file), fs)) throw new FileError("write", file, "is a directory");
    });
  }
  return issues;
}

const isFolder = (path: string, fs: FileSystem): Promise<boolean> =>
  fs.list(path).then(
    () => true,
    (error: unknown) => {
      if (error instanceof FileError && /^(no such file|not a directory)/.test(error.reason)) return false;
      throw error;
    },
  );

/** @returns the files written, as the user would name them */
export async function writeFiles(
  report: Pick<Report, "csv" | "figures" | "texts">,
  places: Places,
  fs: FileSystem,
  warn: (message: string) => void,
): Promise<string[]> {
  const written: string[] = [];
  const write = async (path: string, content: string | Uint8Array): Promise<void> => {
    await fs.writeAtomic(resolve(places.cwd, path), content);
    written.push(path);
  };
  for (const { path, under, columns, rows } of report.csv)
    await write(under === "current" ? path : join(places.data, path), toCsv(columns, rows));
  for (const { path, under, text } of report.texts ?? [])
    await write(under === "current" ? path : join(places.data, path), text);
  if (report.figures.length > 0) {
    const { renderPng } = await import("../io/png.js");
    for (const { path, spec } of report.figures) {
      const png = await renderPng(spec as Parameters<typeof renderPng>[0], {
        onWarning: (message) => warn(`${path}: ${message}`),
      });
      await write(join(places.figs, path), png);
      await write(
        join(places.figs, path.replace(/\.png$/, ".vl.json")),
        `${JSON.stringify(spec, null, 1)}\n`,
      );
    }
  }
  return written;
}
