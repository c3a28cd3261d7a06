/** A file is replaced whole, or stays as it was: written beside, synced, renamed. */
import { stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeFolders } from "./folders.js";
import { type Data, gathered } from "./pieces.js";

/** Makes missing folders. */
export async function replace(path: string, content: Data): Promise<void> {
  const data = typeof content === "string" || content instanceof Uint8Array ? content : gathered(content);
  await makeFolders(dirname(path));
  const there = await stat(path).catch(() => undefined);
  // A device or a pipe (/dev/stdout) is written to; renaming over it would destroy it.
  if (there && !there.isFile() && !there.isDirectory()) return writeFile(path, data);
  // The library writes with a single call and does not look how much was taken: a disk that fills up would
  // leave half a file. So its own data is empty, and ours is written by a call that goes on until all is.
  const { default: writeFileAtomic } = await import("write-file-atomic");
  await writeFileAtomic(path, "", {
    // It awaits this, which its types do not say.
    // eslint-disable-next-line @typescript-eslint/no-misused-promises
    tmpfileCreated: (temporary: string) => writeFile(temporary, data),
  });
}
