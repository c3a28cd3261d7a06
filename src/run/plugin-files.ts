/**
 * Loads plugins: ES modules that a user names. A module is only ever imported when it is named, by its absolute
 * path and the hash of its bytes, which belongs to the module's address here: another content is another module,
 * and a worker that finds one refuses it. What a plugin imports itself is not hashed.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../core/errors.js";
import { type Plugin, type PluginFile, pluginOf } from "../core/plugin.js";

const fail = (name: string, problem: string): never => {
  throw new ConfigError([{ key: "--plugin", message: `plugin ${name}: ${problem}` }]);
};
const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message.split("\n")[0] : String(error);

/** The path and hash of a plugin's file. */
export async function pluginFile(path: string): Promise<PluginFile> {
  const bytes = await readFile(path);
  return { path, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/**
 * Imports a plugin, once for each content.
 * @param file as a task carries it
 * @param name what errors call it
 * @throws ConfigError when the file is gone or another, throws when imported, or exports no scheduler
 */
export async function loadPlugin(file: PluginFile, name = file.path): Promise<Plugin> {
  const { path, sha256 } = file;
  const found = await pluginFile(path).catch((error: unknown) =>
    fail(name, `cannot read: ${messageOf(error)}`),
  );
  if (found.sha256 !== sha256)
    fail(name, `the file is another than when the run began (sha256 ${found.sha256}, expected ${sha256})`);
  const url = `${pathToFileURL(path).href}?sha256=${sha256}`;
  const module = (await import(url).catch((error: unknown) =>
    fail(name, `import threw: ${messageOf(error)}`),
  )) as Record<string, unknown>;
  return pluginOf(name, module);
}
