/**
 * Loads plugins: ES modules that a user names. A module is only ever imported when it is named, by its absolute
 * path and the hash of its bytes, which belongs to the module's address here: another content is another module,
 * and a worker that finds one refuses it. What a plugin imports itself is not hashed.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../core/errors.js";
import { messageOf } from "../core/configuration/foreign-values.js";
import { type Plugin, type PluginFile, pluginOf } from "../core/configuration/plugin.js";
import { addressOf, watch, watching } from "./plugin-watch.js";

export { watching };

const fail = (name: string, problem: string): never => {
  throw new ConfigError([{ key: "--plugin", message: `plugin ${name}: ${problem}` }]);
};
const firstLine = (error: unknown): string => messageOf(error).split("\n")[0];

/** Seconds after which an import is given up. */
const PATIENCE_SECONDS = 10;

/** The path and hash of a plugin's file. */
export async function pluginFile(path: string): Promise<PluginFile> {
  const bytes = await readFile(path);
  return { path, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/**
 * Imports a plugin, once for each content.
 * @param file as a task carries it
 * @param name what errors call it
 * @throws ConfigError when the file is gone or another, throws when imported or does not end, exports no scheduler,
 *   or leaves something behind (plugin-watch.ts)
 */
export async function loadPlugin(
  file: PluginFile,
  name = file.path,
  patienceSeconds = PATIENCE_SECONDS,
): Promise<Plugin> {
  const { path, sha256 } = file;
  const found = await pluginFile(path).catch((error: unknown) =>
    fail(name, `cannot read: ${firstLine(error)}`),
  );
  if (found.sha256 !== sha256)
    fail(name, `the file is another than when the run began (sha256 ${found.sha256}, expected ${sha256})`);
  watch(file, name);
  return watching([file], async () => {
    // In an object: a module that exports `then` would be awaited once more.
    const imported = import(addressOf(pathToFileURL(path).href, sha256)).then(
      (module: unknown) => ({ module }),
      (error: unknown) => fail(name, `import threw: ${firstLine(error)}`),
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), patienceSeconds * 1000);
    });
    const first = await Promise.race([imported, late]).finally(() => clearTimeout(timer));
    if (!first)
      return fail(name, `import did not end within ${patienceSeconds} s (an await that never settles?)`);
    return pluginOf(name, first.module);
  });
}
