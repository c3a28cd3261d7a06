/**
 * Files given as arguments or by an option, read for experiments, which read none themselves: CSVs and JSON lines as
 * tables, YAML and JSON as plain data.
 */
import { join, resolve } from "node:path";
import { parseText } from "../../config/yaml.js";
import { ConfigError, type Issue } from "../../core/errors.js";
import type { Experiment, InputFile } from "../../experiments/interface/experiment.js";
import type { Row } from "../../experiments/interface/report.js";
import { parseCsv } from "../../io/csv.js";
import { isMissing } from "../../io/file-error.js";
import { FileError, readNamed } from "../../io/files.js";
import { parseJsonl } from "../../io/jsonl.js";
import type { Streams } from "../streams.js";

/** Reads every file named, and of folders what the experiment reads; problems are added to `issues`. */
export async function inputsFrom(
  { reads }: Experiment,
  names: readonly string[],
  streams: Pick<Streams, "cwd" | "fs">,
  issues: Issue[],
): Promise<InputFile[]> {
  const inputs: InputFile[] = [];
  for (const name of names)
    try {
      const files = name === "" ? undefined : await namesIn(name, streams);
      if (name === "") issues.push({ key: "file", message: `invalid file: empty (a ${reads!.what})` });
      else if (!files) inputs.push(await read(name, streams));
      else {
        const wanted = files.filter((file) => reads!.ofFolder.includes(file));
        for (const file of wanted) inputs.push(await read(join(name, file), streams));
        if (wanted.length === 0)
          issues.push({
            key: name,
            message: `no ${reads!.what} in ${name} (a folder with ${reads!.ofFolder.join(", ")})`,
          });
      }
    } catch (error) {
      if (error instanceof ConfigError) issues.push(...error.issues);
      else if (error instanceof FileError) issues.push({ key: name, message: error.message });
      else throw error;
    }
  return inputs;
}

/** What is in a folder; undefined for a file. */
async function namesIn(
  name: string,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
): Promise<readonly string[] | undefined> {
  try {
    return await fs.list(resolve(cwd, name));
  } catch (error) {
    if (error instanceof FileError && isMissing(error)) return undefined;
    throw error;
  }
}

async function read(file: string, { cwd, fs }: Pick<Streams, "cwd" | "fs">): Promise<InputFile> {
  const text = await readNamed(fs, cwd, file);
  if (/\.jsonl$/i.test(file))
    // A cell that is no text or number is the experiment's to refuse.
    return { file, columns: [], ...(parseJsonl(text, file) as { rows: Row[]; lines: number[] }) };
  if (/\.(?:ya?ml|json)$/i.test(file))
    return { file, columns: [], rows: [], lines: [], values: (await parseText(text, file)).value };
  return { file, ...parseCsv(text, { file }) };
}
