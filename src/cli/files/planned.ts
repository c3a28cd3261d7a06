/** The files that a command will write, as paths: those that the user names, and those under the data and figures folders. */
import { join, resolve } from "node:path";
import { ConfigError } from "../../core/errors.js";
import type { Experiment, OutputContext } from "../../experiments/interface/experiment.js";
import { inside } from "./inside.js";
import { flagName, type OptionValues } from "../../flags/options.js";
import type { Planned } from "./outputs.js";
import type { Places } from "./places.js";

/** The files of the options that name some. */
export const namedFiles = ({ options }: Experiment, values: OptionValues, cwd: string): Planned[] =>
  options.flatMap(({ kind, key, flag }) => {
    const name = values[key];
    return kind === "file" && typeof name === "string"
      ? [{ path: resolve(cwd, name), name, flag: flagName(flag) }]
      : [];
  });

/** A picture's file, and what is written beside it: the spec that drew a chart, the last picture of an animation. */
export const withBeside = (figure: string): string[] => [
  figure,
  figure.endsWith(".gif") ? figure.replace(/\.gif$/, ".png") : figure.replace(/\.png$/, ".vl.json"),
];

/** The files under the folders for them, as far as they are known before the command runs. */
export async function plannedFiles(
  experiment: Experiment,
  context: OutputContext,
  { cwd, data: dataFolder, figs }: Places,
): Promise<Planned[]> {
  const { data = [], figures = [] } = await experiment.outputs(context);
  return [
    ...data.flatMap((path) => filesAt("--out-data", cwd, dataFolder, path)),
    ...figures.flatMap(withBeside).flatMap((path) => filesAt("--out-figs", cwd, figs, path)),
  ];
}

/** None for a name that leads out of the folder: the command itself refuses it, in words about what was named so. */
function filesAt(flag: string, cwd: string, folder: string, path: string): Planned[] {
  try {
    return [{ path: inside(cwd, folder, path), name: join(folder, path), flag }];
  } catch (error) {
    if (error instanceof ConfigError) return [];
    throw error;
  }
}
