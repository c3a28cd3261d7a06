/** Folders made where they are missing. */
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { codeOf } from "./file-error.js";

/**
 * Makes a folder and those above it. Node's own way (`recursive`) never ends below a folder that answers every attempt
 * with ENOENT, as those of /proc do.
 */
export async function makeFolders(path: string): Promise<void> {
  const make = (): Promise<void> =>
    mkdir(path).catch(async (error: unknown) => {
      const there = await stat(path).catch(() => undefined);
      if (there?.isDirectory() !== true) throw error;
    });
  await make().catch(async (error: unknown) => {
    if (codeOf(error) !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolders(dirname(path));
    await make();
  });
}
