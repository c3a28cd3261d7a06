/** `--plugin FILE`: the schedulers of a user's own files, and whose fault it is when one of them goes wrong. */
import { resolve } from "node:path";
import { ConfigError, type Issue, PlanError, UnfitError } from "../../core/errors.js";
import type { Plugin, PluginFile } from "../../core/configuration/plugin.js";
import type { PluginUse } from "../../experiments/interface/study.js";
import { FileError, readNamed } from "../../io/files.js";
import type { Task, TrialValues } from "../../core/trial/trial.js";
import type { Executor } from "../../run/executor.js";
import { loadPlugin, pluginFile, watching } from "../../run/plugin-files.js";
import type { Flags } from "../../flags/given-flags.js";
import type { Streams } from "../streams.js";

/** What the plugins of a command line bring. */
export interface Plugged {
  readonly plugins: readonly Plugin[];
  readonly uses: readonly PluginUse[];
  /** For the tasks of workers. */
  readonly files: readonly PluginFile[];
}

/**
 * Imports each file named by `--plugin`, once; files that are not named are never looked at. Problems are added to
 * `issues`, and then there is no answer: who names a scheduler of a plugin that failed has done nothing wrong.
 */
export async function pluginsFrom(
  flags: Flags,
  { cwd, fs }: Pick<Streams, "cwd" | "fs">,
  issues: Issue[],
): Promise<Plugged | undefined> {
  const names = [...new Set((flags.plugin as string[] | undefined) ?? [])];
  const before = issues.length;
  const loaded: { readonly plugin: Plugin; readonly file: PluginFile }[] = [];
  for (const name of names)
    try {
      if (name === "")
        throw new ConfigError([
          { key: "--plugin", message: "invalid --plugin: empty (an ES module with a scheduler)" },
        ]);
      await readNamed(fs, cwd, name);
      const file = await pluginFile(resolve(cwd, name));
      loaded.push({ file, plugin: await loadPlugin(file, name) });
    } catch (error) {
      if (error instanceof ConfigError) issues.push(...error.issues);
      else if (error instanceof FileError)
        issues.push({ key: "--plugin", message: `--plugin: ${error.message}` });
      else throw error;
    }
  if (issues.length > before) return undefined;
  return {
    plugins: loaded.map(({ plugin }) => plugin),
    uses: loaded.map(({ plugin, file }) => ({
      file: plugin.name,
      sha256: file.sha256,
      schedulers: plugin.schedulers.map(({ name }) => name),
    })),
    files: loaded.map(({ file }) => file),
  };
}

/**
 * Hands every task on with the files of the plugins: a worker loads them, and a journal tells them apart. What a plugin
 * does meanwhile in this process ends the run.
 */
export const carrying = (executor: Executor, plugged: Plugged): Executor => {
  const plugins = plugged.files;
  if (plugins.length === 0) return executor;
  const run = (task: Task): Promise<TrialValues> =>
    watching(plugins, async () => executor.run({ ...task, plugins })).catch((error: unknown) => {
      throw blamed(error, plugged);
    });
  return { ...executor, run };
};

/**
 * A broken rule of a plugin's scheduler is its user's to mend; of a built-in one it is a bug of ours. Workers know a
 * plugin by its path, its user by the name that was given.
 */
export function blamed(error: unknown, { uses, files }: Plugged): unknown {
  if (error instanceof PlanError) {
    const plugin = uses.find(({ schedulers }) => schedulers.includes(error.scheduler));
    if (!plugin) return error;
    return new UnfitError([{ key: "--plugin", message: `plugin ${plugin.file}: ${error.message}` }]);
  }
  if (!(error instanceof ConfigError)) return error;
  const Same = error instanceof UnfitError ? UnfitError : ConfigError;
  return new Same(
    error.issues.map(({ key, message }) => {
      const at = files.findIndex(({ path }) => message.startsWith(`plugin ${path}: `));
      return { key, message: at < 0 ? message : message.replace(files[at].path, () => uses[at].file) };
    }),
  );
}
