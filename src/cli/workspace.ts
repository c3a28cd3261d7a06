/** The outside of experiments that run others: studies by settings, files in the data folder, hashes. */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import type { StudyInput } from "../config/layer.js";
import { resolveStudy } from "../config/study.js";
import type { Experiment, Study, StudySettings, Workspace } from "../experiments/experiment.js";
import { toCsv } from "../io/csv.js";
import { readNamed } from "../io/files.js";
import { loadScenario } from "../io/scenarios.js";
import type { Streams } from "./streams.js";
import { defaultsOf } from "./study.js";
import { version } from "./version.js";
import { type Places, writeFiles } from "./write.js";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export function workspaceIn(
  places: Places,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
  warn: (message: string) => void,
): Workspace {
  const at = (name: string): string => resolve(cwd, join(places.data, name));
  return {
    version,
    study: (experiment, settings) => studyWith(experiment, settings, { cwd, fs }),
    write: async (files) => void (await writeFiles(files, places, fs, warn)),
    writeText: (name, text) => fs.writeAtomic(at(name), text),
    readText: async (name) => ((await fs.exists(at(name))) ? fs.readText(at(name)) : undefined),
    readFile: (name) => readNamed(fs, cwd, name),
    hashText: sha256,
    hashCsv: ({ columns, rows }) => sha256(toCsv(columns, rows)),
  };
}

async function studyWith(
  experiment: Experiment,
  { chunkSize, ...settings }: StudySettings,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
): Promise<Study> {
  const defaults = defaultsOf(experiment);
  const name = settings.scenario ?? defaults.values.scenario!;
  const scenario = await loadScenario(name, cwd, fs);
  const values = { ...settings, ...(chunkSize !== undefined && { engine: { chunkSize } }) } as StudyInput;
  return { ...resolveStudy([defaults, scenario.layer, { source: "reproduce", values }]), scenario: name };
}
