/**
 * Files of a command stay in the folder that they are for, whatever a scenario, a profile or a plugin is called: names
 * come from users' files, and a name with `..` in it is a way out. What a user names a file to write is another matter.
 */
import { isAbsolute, relative, resolve } from "node:path";
import { ConfigError } from "../../core/errors.js";

/** Whether `path` is below `folder`, both absolute or relative to the same. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, resolve(folder, path));
  return !isAbsolute(way) && way.split(/[/\\]/)[0] !== "..";
}

/**
 * A path below a folder.
 * @param folder as the user gave it, relative to `cwd`
 * @throws ConfigError when the name leads out of the folder
 */
export function inside(cwd: string, folder: string, name: string): string {
  const at = resolve(cwd, folder);
  const path = resolve(at, `./${name}`);
  if (isInside(at, path) && path !== at && !name.includes("\u0000")) return path;
  throw new ConfigError([{ key: "", message: `refused file name: ${name} (it leads out of ${folder})` }]);
}
