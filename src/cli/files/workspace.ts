/** The outside of experiments that run others: studies by settings, files in the data folder, hashes. */
import { createHash } from "node:crypto";
import { relative, resolve } from "node:path";
import type { StudyInput } from "../../config/layer.js";
import { resolveStudy } from "../../config/study.js";
import type { Experiment, Workspace } from "../../experiments/interface/experiment.js";
import type { Study, StudySettings } from "../../experiments/interface/study.js";
import { toCsv } from "../../io/csv.js";
import { readNamed } from "../../io/files.js";
import { readPage } from "../../io/pages.js";
import { listScenarios, loadScenario } from "../../io/scenarios.js";
import { coreHash } from "../../run/core-hash.js";
import type { Streams } from "../streams.js";
import { inside } from "./inside.js";
import { defaultsOf } from "../../flags/flag-layer.js";
import type { Outputs } from "./outputs.js";
import { version } from "../version.js";
import type { Places } from "./places.js";
import { writeFiles } from "./write.js";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

export function workspaceIn(
  places: Places,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
  outputs: Pick<Outputs, "write">,
  warn: (message: string) => void,
): Workspace {
  const at = (name: string): string => inside(cwd, places.data, name);
  return {
    version,
    get core() {
      return coreHash();
    },
    study: (experiment, settings) => studyWith(experiment, settings, { cwd, fs }),
    write: async (files) => void (await writeFiles(files, places, outputs, warn)),
    writeText: async (name, text) =>
      void (await writeFiles({ csv: [], figures: [], texts: [{ path: name, text }] }, places, outputs, warn)),
    scenarios: async () =>
      Promise.all(
        (await listScenarios(fs)).map(async ({ name, alias, summary }) => ({
          name,
          ...(alias !== undefined && { alias }),
          summary,
          values: (await loadScenario(name, cwd, fs)).layer.values,
        })),
      ),
    page: (name) => readPage(name, fs),
    picture: async (spec) => {
      const { renderSvg } = await import("../../io/png.js");
      return renderSvg(spec as Parameters<typeof renderSvg>[0], { onWarning: warn });
    },
    figureLink: (path) =>
      relative(resolve(cwd, places.data), resolve(cwd, places.figs, path)).replaceAll("\\", "/"),
    policyHash: (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
    readText: async (name) => ((await fs.exists(at(name))) ? fs.readText(at(name)) : undefined),
    async manifest(name) {
      if (!(await fs.exists(at(name)))) return undefined;
      const { readManifestFile } = await import("./manifest-file.js");
      return readManifestFile(await fs.readText(at(name)), name);
    },
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
