/** What a run of a command writes: where to, under which name of the run, and what may not be replaced. */
import { resolve } from "node:path";
import type { Issue } from "../core/errors.js";
import type { Experiment, InputFile, Workspace } from "../experiments/interface/experiment.js";
import type { Study } from "../experiments/interface/study.js";
import type { Tables } from "../experiments/interface/workspace.js";
import type { Share } from "../run/share.js";
import { flattened, journalName } from "./resume/checkpoint.js";
import { cutBy } from "./settings/executor.js";
import type { Permission } from "./files/folder-record.js";
import type { Answered } from "./merge.js";
import type { OptionValues } from "../flags/options.js";
import { type Planned, Outputs } from "./files/outputs.js";
import { namedFiles, plannedFiles } from "./files/planned.js";
import type { Reads } from "./files/reads.js";
import type { SharedSettings } from "./settings/settings.js";
import { plannedShard, sharedOut } from "./resume/shard.js";
import { resultLine } from "../flags/shell.js";
import type { Streams } from "./streams.js";
import { inALine } from "../core/foreign-words.js";
import { tablesIn } from "./files/earlier-tables.js";
import { tellingOn } from "./process/careful.js";
import { workspaceIn } from "./files/workspace.js";
import type { Places } from "./files/places.js";

/** A command with its flags read, and what it has read. */
interface Given {
  readonly experiment: Experiment;
  readonly options: OptionValues;
  readonly shared: SharedSettings;
  readonly inputs: readonly InputFile[];
  readonly reads: Reads;
  readonly argv: readonly string[];
}

export interface Writing {
  readonly places: Places;
  readonly outputs: Outputs;
  readonly workspace: Workspace;
  readonly tables: Tables;
  readonly warn: (warning: string) => void;
  /**
   * Why files may not be written, before anything is simulated.
   * @param all also those that the settings name, which then must be sound
   */
  check(all: boolean): Promise<Issue[]>;
}

/** Everything that decides what is simulated; where files go is not among it. */
export function settingsThatDecide(experiment: Experiment, options: OptionValues, study: Study): object {
  const { trials, seed, scenario, hardware, config, schedulers, plugins } = study;
  const kept = Object.fromEntries(
    experiment.options.filter(({ kind }) => kind !== "file").map(({ key }) => [key, options[key]]),
  );
  return { scenario, hardware, config, schedulers, trials, seed, options: kept, plugins };
}

/** The settings of a journal: a share of the trials has one of its own. */
export const journalSettings = (settings: object, share: Share | undefined): object =>
  share ? { ...settings, shard: share.toString() } : settings;

/** In a command that the user typed. */
const typed = (overwrite: boolean): Permission => ({
  isOutside: () => false,
  mayReplace: () => overwrite,
  lift: () => "--overwrite replaces it",
});

export function outputsOf(
  { experiment, options, shared, inputs, reads, argv }: Given,
  study: Study | undefined,
  streams: Streams,
  answered: Answered | undefined,
): Writing {
  const { cwd, fs, env, stderr } = streams;
  const { outData: data, outFigs: figs, share } = shared;
  const named = namedFiles(experiment, options, cwd);
  const places = { cwd, data, figs, named };
  const warn = (warning: string): void => void stderr.write(`warning: ${inALine(warning)}\n`);
  const decided = study && settingsThatDecide(experiment, options, study);
  const hashes = inputs.map(({ file }) => [file, reads.paths.get(resolve(cwd, file))] as const);
  const settings = {
    ...decided,
    ...(inputs.length > 0 && { inputs: Object.fromEntries(hashes) }),
  };
  const read = experiment.options.flatMap(({ kind, key }) => {
    const file = options[key];
    return kind === "input" && typeof file === "string" ? [resolve(cwd, file)] : [];
  });
  const outputs = new Outputs({
    fs,
    run: { command: resultLine(argv), settings: flattened(settings) },
    command: experiment.name,
    inputs: [...reads.paths.keys(), ...read, ...(answered?.inputs ?? [])],
    permission: answered?.permission ?? typed(shared.overwrite),
    tell: tellingOn(stderr),
  });
  const workspace = workspaceIn(places, streams, outputs, warn);
  const tables = tablesIn(data, cwd, fs);
  return {
    ...{ places, outputs, workspace, tables, warn },
    async check(all) {
      const planned: Planned[] = share ? [] : [...named];
      if (all && study && decided) {
        if (share)
          planned.push(
            plannedShard(experiment.name, sharedOut(decided, shared.verify), share, data, streams),
          );
        else
          planned.push(
            ...(await plannedFiles(experiment, { study, options, inputs, tables, workspace }, places)),
          );
        // A journal of these settings is moved aside, and a summary is added to.
        const ours = { flag: "--out-data", isOwn: () => Promise.resolve(true) };
        const journal = journalName(
          experiment.name,
          journalSettings({ ...decided, ...cutBy(shared) }, share),
          data,
        );
        if (!answered) planned.push({ ...ours, path: resolve(cwd, journal), name: journal });
        const { GITHUB_STEP_SUMMARY: summary } = env;
        if (summary && !answered) planned.push({ ...ours, path: resolve(cwd, summary), name: summary });
      }
      return outputs.check(planned);
    },
  };
}
