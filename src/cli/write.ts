/** Writes a report's files: CSVs first, then the charts with the spec that drew each beside its picture. */
import { join, resolve } from "node:path";
import type { Report } from "../experiments/experiment.js";
import { toCsv } from "../io/csv.js";
import type { FileSystem } from "../io/files.js";

export interface Places {
  readonly cwd: string;
  /** Folders as the user gave them, relative to the current one. */
  readonly data: string;
  readonly figs: string;
}

/** @returns the files written, as the user would name them */
export async function writeFiles(
  report: Report,
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
