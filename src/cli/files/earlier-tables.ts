/** The data folder's CSVs as the port that `plot` and others read earlier results through. */
import { join, resolve } from "node:path";
import type { Tables } from "../../experiments/interface/workspace.js";
import { parseCsv } from "../../io/csv.js";
import type { FileSystem } from "../../io/files.js";

/** @param folder the data folder as the user gave it, relative to `cwd` */
export function tablesIn(folder: string, cwd: string, fs: FileSystem): Tables {
  const at = resolve(cwd, folder);
  return {
    list: async () => ((await fs.exists(at)) ? fs.list(at) : []),
    read: async (name, required) => {
      const path = join(at, name);
      if (!(await fs.exists(path))) return undefined;
      return parseCsv(await fs.readText(path), { file: join(folder, name), required }).rows;
    },
  };
}
